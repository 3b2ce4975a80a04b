"""Creating, replacing and revoking keys; recognising the one that a request bears."""

from __future__ import annotations

import datetime as dt
import hmac
import uuid
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from consult.accounts.access import queries as access
from consult.accounts.models import Account, AccountStatus
from consult.actor import Actor
from consult.audit import service as audit
from consult.clock import hour
from consult.db import survives
from consult.errors import ForbiddenError, InvalidError, NotFoundError, NotSignedInError
from consult.opendata.keys.models import ApiKey, Scope
from consult.security import digest, new_token

MARK: Final = "consult"  # so that a scanner of leaked secrets knows one when it sees one
DAYS: Final = (30, 90, 180, 365)
LISTED: Final = 100
# A key is 256 random bits: its digest needs no slow hash.
MOST: Final = 20
NAME_LENGTH: Final = 80
REFUSED: Final = "Cette clé d’API n’est pas valable : absente, mal copiée, révoquée ou expirée."
_NOBODY: Final = digest("no key has this digest")


def create(
    session: Session,
    organisation_id: uuid.UUID,
    *,
    name: str,
    scopes: Collection[Scope],
    days: int,
    actor: Actor,
    now: dt.datetime,
    secret: Callable[[], str] = new_token,
) -> tuple[ApiKey, str]:
    """A new key, and its text, which is never shown again.

    Raises InvalidError for a missing name or scope, or when the organisation has as many as it may.
    """
    name = " ".join(name.replace("\0", "").split())
    faults = {
        "name": "" if 0 < len(name) <= NAME_LENGTH else "Donnez un nom de 80 caractères au plus.",
        "scopes": "" if scopes else "Cochez au moins un usage.",
        "days": "" if days in DAYS else "Choisissez une durée de la liste.",
    }
    if any(faults.values()):
        raise InvalidError("La clé n’a pas été créée.", fields={key: why for key, why in faults.items() if why})
    standing = [each for each in listed(session) if each.stands(now)]
    if len(standing) >= MOST:
        raise InvalidError(f"Vingt clés au plus : révoquez-en une ({len(standing)} sont en vigueur).")
    key = ApiKey(
        id=uuid.uuid4(),
        organisation_id=organisation_id,
        name=name,
        scopes=sorted(scopes),
        created_by_id=actor.account_id,
        created_at=now,
        expires_at=now + dt.timedelta(days=days),
    )
    text = f"{MARK}_{key.id.hex}_{secret()}"
    key.digest = digest(text)
    session.add(key)
    _journal(session, key, "key.create", actor, now)
    return key, text


def revoke(session: Session, key_id: uuid.UUID, *, actor: Actor, now: dt.datetime) -> ApiKey:
    """Stop a key at once; a second time changes nothing. Raises NotFoundError."""
    key = _get(session, key_id)
    if key.revoked_at is None:
        key.revoked_at = now
        _journal(session, key, "key.revoke", actor, now)
    return key


def rotate(session: Session, key_id: uuid.UUID, *, actor: Actor, now: dt.datetime) -> tuple[ApiKey, str]:
    """Another key of the same name, uses and length of life, in place of this one, which stops at once.

    Raises NotFoundError, InvalidError when it opens nothing any more.
    """
    key = _get(session, key_id)
    if not key.stands(now):
        raise InvalidError("Cette clé n’ouvre plus rien : créez-en une autre.")
    revoke(session, key_id, actor=actor, now=now)
    days = (key.expires_at - key.created_at).days
    scopes = [Scope(each) for each in key.scopes]
    return create(session, key.organisation_id, name=key.name, scopes=scopes, days=days, actor=actor, now=now)


def listed(session: Session) -> Sequence[ApiKey]:
    """The keys of the organisation: all those in force, then the last of those that open nothing any more."""
    last = (ApiKey.revoked_at.is_not(None), ApiKey.expires_at.desc(), ApiKey.id)
    return session.scalars(select(ApiKey).order_by(*last).limit(LISTED)).all()


def makers(session: Session, organisation_id: uuid.UUID) -> set[uuid.UUID]:
    """Who may answer for a key now: one whose maker is no longer among them opens nothing meanwhile."""
    active = Account.id.in_(access.administrators(session, organisation_id)), Account.status == AccountStatus.ACTIVE
    return set(session.scalars(select(Account.id).where(*active)))


def recognise(session: Session, header: str, scope: str, *, now: dt.datetime) -> ApiKey:
    """The key that an Authorization header bears, if it opens that scope in the organisation of the session.

    Raises NotSignedInError without telling which part is wrong, ForbiddenError for a good key without that scope.
    """
    scheme, _, text = header.strip().partition(" ")
    text = text.strip()
    mark, _, rest = text.partition("_")
    key = _known(session, rest.partition("_")[0]) if scheme.casefold() == "bearer" and mark == MARK else None
    # Compared in the same time whether or not the key is known.
    good = hmac.compare_digest(digest(text), key.digest if key else _NOBODY)
    if key is None or not good or not key.stands(now) or key.created_by_id not in makers(session, key.organisation_id):
        raise NotSignedInError(REFUSED)
    if scope not in key.scopes:
        raise ForbiddenError("Cette clé d’API n’ouvre pas cet usage.")
    if key.last_used_at is None or key.last_used_at < hour(now):
        key_id = key.id
        survives(session, lambda after: _touch(after, key_id, now))
    return key


def _touch(session: Session, key_id: uuid.UUID, now: dt.datetime) -> None:
    later = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < hour(now))
    session.execute(update(ApiKey).where(ApiKey.id == key_id, later).values(last_used_at=hour(now)))


def _known(session: Session, key_id: str) -> ApiKey | None:
    try:
        return session.get(ApiKey, uuid.UUID(hex=key_id))
    except ValueError:
        return None


def _get(session: Session, key_id: uuid.UUID) -> ApiKey:
    key = session.get(ApiKey, key_id, with_for_update=True)
    if key is None:
        raise NotFoundError("Aucune clé d’API n’a cette adresse.")
    return key


def _journal(session: Session, key: ApiKey, action: str, actor: Actor, now: dt.datetime) -> None:
    detail: dict[str, Any] = {"name": key.name, "scopes": key.scopes}
    audit.record(
        session,
        actor=actor,
        organisation_id=key.organisation_id,
        action=action,
        target_type="api_key",
        target_id=key.id,
        now=now,
        detail=detail,
    )
