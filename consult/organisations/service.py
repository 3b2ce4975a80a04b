"""Creating an organisation, and keeping its identity and legal notice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.audit import service as audit
from consult.errors import InvalidError
from consult.organisations.models import Organisation
from consult.organisations.policy import LEGAL_NOTICE, SLUG

EDITABLE: Final = ("name", "tagline", *LEGAL_NOTICE, "access_register_email", "protected_names")


def create_organisation(
    session: Session, *, slug: str, name: str, now: dt.datetime, fictional: bool = False, **identity: str
) -> Organisation:
    """A new tenant; `identity` fills any of EDITABLE. Raises InvalidError naming the field."""
    if not SLUG.fullmatch(slug):
        reason = "L’identifiant n’accepte que des lettres minuscules sans accent, des chiffres et des tirets."
        raise InvalidError(reason, fields={"slug": reason})
    unknown = set(identity) - set(EDITABLE)
    if unknown:
        raise TypeError(f"an organisation has no {', '.join(sorted(unknown))}")
    organisation = Organisation(slug=slug, name=name.strip(), fictional=fictional, created_at=now, **identity)
    try:
        with session.begin_nested():
            session.add(organisation)
    except IntegrityError:
        reason = "Une organisation porte déjà cet identifiant."
        raise InvalidError(reason, fields={"slug": reason}) from None
    return organisation


def update_identity(
    session: Session, organisation: Organisation, values: Mapping[str, Any], *, actor: Actor, now: dt.datetime
) -> None:
    """Change any of EDITABLE, and journal which; other keys are ignored, and so is what was not sent (None)."""
    given = {name: str(values[name]).strip() for name in EDITABLE if values.get(name) is not None}
    changed = {name: value for name, value in given.items() if value != getattr(organisation, name)}
    if not changed:
        return
    for name, value in changed.items():
        setattr(organisation, name, value)
    audit.record(
        session,
        actor=actor,
        organisation_id=organisation.id,
        action="organisation.update",
        target_type="organisation",
        target_id=organisation.id,
        detail={"fields": sorted(changed)},
        now=now,
    )
