"""Writing the public log: entries join the transaction of the act they commit to."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final, cast

import rfc8785
from sqlalchemy import ColumnElement, Table, insert, literal_column, select, update
from sqlalchemy.orm import Session

from consult import clock
from consult.db import check_tenant
from consult.errors import NotFoundError
from consult.registry.models import EntryKind, RegistryEntry

DOMAIN = b"consult/v1\n"
SALT_BYTES = 32
REF_BYTES = 16

_INSERT: Final = insert(cast("Table", RegistryEntry.__table__))  # on the table: no row is to be kept by the session

# Openings are public: a key of that name, at any depth, is refused before anything is written.
PERSONAL_KEYS = frozenset(
    {"account", "account_id", "author_id", "birthdate", "email", "e_mail", "first_name", "ip", "ip_address"}
    | {"last_name", "login", "password", "phone", "pseudonym", "telephone", "user_id", "voter_id"}
)


def append(
    session: Session,
    *,
    organisation_id: uuid.UUID,
    consultation_id: uuid.UUID | None,
    kind: EntryKind,
    content: Mapping[str, Any],
    now: dt.datetime,
    randbytes: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """Write a pending entry, which the sequencer will place, and return its ref; the act and it live or die together.

    `content` is what anybody may read of the act; it is JSON-able (RFC 8785) and holds no personal data.
    Raises ValueError, a fault of the caller, when it does. The instant is rounded down to the hour.
    """
    return append_all(
        session,
        organisation_id=organisation_id,
        consultation_id=consultation_id,
        kind=kind,
        contents=[content],
        now=now,
        randbytes=randbytes,
    )[0]


def append_all(
    session: Session,
    *,
    organisation_id: uuid.UUID,
    consultation_id: uuid.UUID | None,
    kind: EntryKind,
    contents: Sequence[Mapping[str, Any]],
    now: dt.datetime,
    randbytes: Callable[[int], bytes] = secrets.token_bytes,
) -> list[str]:
    """`append` for many acts of one kind at once (imports); returns their refs, in the same order."""
    check_tenant(session, organisation_id, RegistryEntry)
    session.flush()
    shared = {"organisation_id": organisation_id, "consultation_id": consultation_id, "kind": kind}
    rows = [{**shared, "recorded_at": clock.hour(now), **_committed(content, randbytes)} for content in contents]
    if rows:
        session.execute(_INSERT, rows)
    return [str(row["ref"]) for row in rows]


def _committed(content: Mapping[str, Any], randbytes: Callable[[int], bytes]) -> dict[str, Any]:
    opening = dict(content)
    personal = sorted(PERSONAL_KEYS.intersection(_keys(opening)))
    if personal:
        raise ValueError(f"a registry entry is public, it may not hold {', '.join(personal)}")
    salt = randbytes(SALT_BYTES)
    ref = randbytes(REF_BYTES).hex()
    return {"ref": ref, "salt": salt, "commitment": commitment(salt, opening), "opening": opening}


def commitment(salt: bytes, content: Mapping[str, Any]) -> bytes:
    """SHA-256 of the domain, the salt and the canonical JSON (RFC 8785) of the content.

    The salt is as long as the digest, so that the content cannot be guessed from the commitment once it is destroyed.
    Raises ValueError when the content has no canonical form (NaN, an integer beyond 2^53, not JSON).
    """
    return hashlib.sha256(DOMAIN + salt + rfc8785.dumps(dict(content))).digest()


def withhold(session: Session, ref: str) -> None:
    """Stop serving the opening of an entry (moderation); `disclose` undoes it. Raises NotFoundError."""
    _entry(session, ref).withheld = True
    session.flush()


def disclose(session: Session, ref: str) -> None:
    """Serve again the opening of a withheld entry. Raises NotFoundError."""
    _entry(session, ref).withheld = False
    session.flush()


def destroy_opening(session: Session, ref: str) -> None:
    """Erase the content and the salt for ever; the commitment stays and reveals nothing. Raises NotFoundError."""
    entry = _entry(session, ref)
    entry.opening = None
    entry.salt = None
    session.flush()


def destroy_openings(session: Session, refs: Collection[str]) -> None:
    """`destroy_opening` for many entries at once; a ref that does not exist is passed over."""
    chosen = update(RegistryEntry).where(RegistryEntry.ref.in_(refs))
    session.execute(chosen.values(opening=None, salt=None), execution_options={"synchronize_session": False})


def destroy_text(
    session: Session, consultation_id: uuid.UUID, *, ref: str | None, name: str, item_id: uuid.UUID, edited: bool
) -> None:
    """Destroy every opening that commits to what a content said: its first entry, and its edits.

    `name` is the key under which the openings name the content: « contribution », « argument », « reply ».
    """
    refs = [ref] if ref else []
    if edited:
        kind: ColumnElement[EntryKind] = literal_column(f"'{EntryKind.EDIT.value}'")  # as the index's condition says
        about = RegistryEntry.opening[name].as_string() == str(item_id)
        edits = select(RegistryEntry.ref).where(
            RegistryEntry.consultation_id == consultation_id, RegistryEntry.kind == kind, about
        )
        refs += session.scalars(edits).all()
    destroy_openings(session, refs)


def _entry(session: Session, ref: str) -> RegistryEntry:
    entry = session.scalars(select(RegistryEntry).where(RegistryEntry.ref == ref).with_for_update()).one_or_none()
    if entry is None:
        raise NotFoundError("Le registre ne contient aucune entrée de cette référence.")
    return entry


def _keys(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key).lower().replace("-", "_")
            yield from _keys(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _keys(inner)
