"""Which organisation an address serves."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from consult.organisations.models import Organisation
from consult.organisations.policy import own_hosts, site_url
from consult.settings import Settings

# Built once: every request asks.
_BY_SLUG: Final = select(Organisation).where(Organisation.slug == bindparam("slug"))
_FIRST: Final = select(Organisation).order_by(Organisation.created_at, Organisation.slug).limit(1)


def by_slug(session: Session, slug: str) -> Organisation | None:
    """The organisation of that identifier."""
    return session.scalar(_BY_SLUG, {"slug": slug})


def every(session: Session) -> Sequence[Organisation]:
    """All of them, the first created first."""
    return session.scalars(select(Organisation).order_by(Organisation.created_at, Organisation.slug)).all()


def slugs(session: Session) -> Mapping[uuid.UUID, str]:
    """The identifier of each organisation, for the registry."""
    return dict(session.execute(select(Organisation.id, Organisation.slug)).all())


def default(session: Session, settings: Settings) -> Organisation | None:
    """The organisation served at `/`: the one of the settings, else the first created."""
    if settings.organisation:
        return by_slug(session, settings.organisation)
    return session.scalar(_FIRST)


def of_request(session: Session, *, slug: str | None, host: str, settings: Settings) -> Organisation | None:
    """The organisation named by the address (`/o/<slug>`), else by its own host, else the embedded default."""
    slug = slug or own_hosts(settings.hosts).get(host)
    return by_slug(session, slug) if slug else default(session, settings)


def address_of(session: Session, organisation: Organisation, settings: Settings) -> str:
    """The absolute address of its home, for jobs and commands; see policy.site_url."""
    served = default(session, settings)
    return site_url(settings, organisation.slug, at_root=served is not None and served.id == organisation.id)
