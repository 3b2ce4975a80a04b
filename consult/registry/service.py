"""Writing the public log: entries join the transaction of the act they commit to."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias, cast

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
_TAKEN_AT_ONCE: Final = 1_000
_BLINDLY: Final[dict[str, Any]] = {"execution_options": {"synchronize_session": False}}

Prepared: TypeAlias = dict[str, Any]  # a row of `registry_entry`
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
    effect: Mapping[str, Any] | None = None,
    vote_id: uuid.UUID | None = None,
    randbytes: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """Write a pending entry, which the sequencer will place, and return its ref; the act and it live or die together.

    `content` is what anybody may read of the act; it is JSON-able (RFC 8785) and holds no personal data. `vote_id` is
    the vote it is about, if any.
    Raises ValueError, a fault of the caller, when it does. The instant is rounded down to the hour.
    `effect` is what a feature will take, by `take_effects`, in the transaction that gives the entry its position.
    """
    return append_all(
        session,
        organisation_id=organisation_id,
        consultation_id=consultation_id,
        kind=kind,
        contents=[content],
        effects=[effect],
        now=now,
        vote_ids=[vote_id],
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
    effects: Sequence[Mapping[str, Any] | None] | None = None,
    vote_ids: Sequence[uuid.UUID | None] | None = None,
    randbytes: Callable[[int], bytes] = secrets.token_bytes,
) -> list[str]:
    """`append` for many acts of one kind at once (imports); returns their refs, in the same order."""
    none = [None] * len(contents)
    rows = [
        prepare(
            organisation_id=organisation_id,
            consultation_id=consultation_id,
            kind=kind,
            content=content,
            now=now,
            effect=effect,
            vote_id=vote_id,
            randbytes=randbytes,
        )
        for content, effect, vote_id in zip(contents, effects or none, vote_ids or none, strict=True)
    ]
    write(session, rows)
    return [str(row["ref"]) for row in rows]


def prepare(
    *,
    organisation_id: uuid.UUID,
    consultation_id: uuid.UUID | None,
    kind: EntryKind,
    content: Mapping[str, Any],
    now: dt.datetime,
    effect: Mapping[str, Any] | None = None,
    vote_id: uuid.UUID | None = None,
    randbytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Prepared:
    """An entry to `write`, worked out while nobody waits for the database; `append` does both, and says the rest."""
    opening = dict(content)
    personal = sorted(PERSONAL_KEYS.intersection(_keys(opening)))
    if personal:
        raise ValueError(f"a registry entry is public, it may not hold {', '.join(personal)}")
    salt = randbytes(SALT_BYTES)
    return {
        "organisation_id": organisation_id,
        "consultation_id": consultation_id,
        "kind": kind,
        "ref": randbytes(REF_BYTES).hex(),
        "salt": salt,
        "commitment": commitment(salt, opening),
        "opening": opening,
        "holder": opening.get("voter"),
        "recorded_at": clock.hour(now),
        "effect": effect,
        "vote_id": vote_id,
    }


def write(session: Session, entries: Sequence[Prepared]) -> None:
    """Write prepared entries, after what the session holds back."""
    session.flush()
    for owner in {entry["organisation_id"] for entry in entries}:
        check_tenant(session, owner, RegistryEntry)
    if entries:
        session.connection().execute(_INSERT, entries)


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
    entry.opening = entry.salt = entry.holder = None
    session.flush()


def destroy_openings(session: Session, refs: Collection[str]) -> None:
    """`destroy_opening` for many entries at once; a ref that does not exist is passed over."""
    chosen = update(RegistryEntry).where(RegistryEntry.ref.in_(refs))
    session.execute(chosen.values(opening=None, salt=None, holder=None), **_BLINDLY)


def take_effects(session: Session, refs: Sequence[str]) -> list[tuple[uuid.UUID | None, dict[str, Any]]]:
    """What is to be done now that these entries are placed, in no order; taken once, it is there no more.

    Each comes with the consultation of its entry.
    """
    taken: list[tuple[uuid.UUID | None, dict[str, Any]]] = []
    for start in range(0, len(refs), _TAKEN_AT_ONCE):
        those = (RegistryEntry.ref.in_(refs[start : start + _TAKEN_AT_ONCE]), RegistryEntry.effect.is_not(None))
        rows = session.execute(select(RegistryEntry.consultation_id, RegistryEntry.effect).where(*those)).all()
        if rows:
            session.execute(update(RegistryEntry).where(*those).values(effect=None), **_BLINDLY)
        taken += [(row.consultation_id, row.effect) for row in rows if row.effect is not None]
    return taken


class Told(Protocol):
    """A content of which the log tells: its id, its first entry, and its version, above 1 once it has edits."""

    @property
    def id(self) -> uuid.UUID: ...
    @property
    def registry_ref(self) -> str | None: ...
    @property
    def version(self) -> int: ...


class Held(Told, Protocol):
    """A content that the log may keep from the public."""

    @property
    def organisation_id(self) -> uuid.UUID: ...
    @property
    def consultation_id(self) -> uuid.UUID: ...


def refs_of_texts(
    session: Session, consultation_id: uuid.UUID, name: str, contents: Collection[Told]
) -> dict[uuid.UUID, list[str]]:
    """The refs of the openings, not destroyed yet, that tell what contents said: first entries, then edits.

    `name` is the key under which the openings name a content: « contribution », « argument », « reply ».
    """
    firsts = {content.registry_ref: content.id for content in contents if content.registry_ref}
    edited = [content.id for content in contents if content.version > 1]
    found: dict[uuid.UUID, list[str]] = {content.id: [] for content in contents}
    standing = select(RegistryEntry.ref).where(RegistryEntry.ref.in_(firsts), RegistryEntry.salt.is_not(None))
    for ref in session.scalars(standing):
        found[firsts[ref]].append(ref)
    if edited:
        kind: ColumnElement[EntryKind] = literal_column(f"'{EntryKind.EDIT.value}'")  # as the index's condition says
        about = RegistryEntry.opening[name].as_string()
        edits = select(about, RegistryEntry.ref).where(
            RegistryEntry.consultation_id == consultation_id, RegistryEntry.kind == kind, about.in_(map(str, edited))
        )
        for item_id, ref in session.execute(edits.order_by(RegistryEntry.id)):
            found[uuid.UUID(item_id)].append(ref)
    return found


def refs_of_text(session: Session, consultation_id: uuid.UUID, name: str, content: Told) -> list[str]:
    """`refs_of_texts` for one content."""
    return refs_of_texts(session, consultation_id, name, [content])[content.id]


def bury_text(session: Session, consultation_id: uuid.UUID, name: str, content: Told) -> list[str]:
    """Destroy all that the log lets read of a content; returns the refs, which its tombstone names."""
    refs = refs_of_text(session, consultation_id, name, content)
    destroy_openings(session, refs)
    return refs


def told_of_content(
    act: str, name: str, item_id: uuid.UUID, ground: str | None, refs: Collection[str]
) -> dict[str, Any]:
    """What the log says of a content that leaves or comes back without a decision of moderation; `name` is its type."""
    shared = {"decision": None, "act": act, "type": name, "item": str(item_id), "ground": ground}
    return {**shared, "article": None, "automated": False, "entries": list(refs)}


def hold_text(session: Session, content: Held, name: str, item_type: str, ground: str, now: dt.datetime) -> None:
    """Withhold all that the log tells of a content that nobody has judged yet, and say so in the log.

    `name` is that of `refs_of_texts`, `item_type` that of moderation.
    """
    refs = refs_of_text(session, content.consultation_id, name, content)
    for ref in refs:
        withhold(session, ref)
    append(
        session,
        organisation_id=content.organisation_id,
        consultation_id=content.consultation_id,
        kind=EntryKind.MODERATION_WITHHELD,
        content=told_of_content("hide", item_type, content.id, ground, refs),
        now=now,
    )


def held_by(session: Session, holders: Collection[str]) -> Sequence[Any]:
    """What was logged under these opaque identifiers and can still be read, in the order of writing.

    Rows have ref, organisation_id, consultation_id and opening.
    """
    columns = (RegistryEntry.ref, RegistryEntry.organisation_id, RegistryEntry.consultation_id, RegistryEntry.opening)
    found = select(*columns).where(RegistryEntry.holder.in_(holders), RegistryEntry.holder.is_not(None))
    return session.execute(found.order_by(RegistryEntry.id)).all()


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
