"""Which organisation an address serves."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.organisations.models import Organisation
from consult.settings import Settings


def by_slug(session: Session, slug: str) -> Organisation | None:
    """The organisation of that identifier."""
    return session.scalar(select(Organisation).where(Organisation.slug == slug))


def of_request(session: Session, *, slug: str | None, host: str, settings: Settings) -> Organisation | None:
    """The organisation named by the address (`/o/<slug>`), else by its own host, else the embedded default."""
    slug = slug or _own_hosts(settings.hosts).get(host) or settings.organisation
    if slug:
        return by_slug(session, slug)
    return session.scalar(select(Organisation).order_by(Organisation.created_at, Organisation.slug).limit(1))


def _own_hosts(option: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in option.split(",") if "=" in pair)
    return {host.strip(): slug.strip() for host, _, slug in pairs}
