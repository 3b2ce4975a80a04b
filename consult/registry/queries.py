"""Reading the public log for the pages, the API and the exports that say where they stand in it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, or_, select, union
from sqlalchemy.orm import Session

from consult.paging import Paged, paged
from consult.registry.models import (
    REMOVALS,
    EntryKind,
    LostOpening,
    RegistryEntry,
    RegistryLog,
    SequencerState,
)

# Built once: every page with a figure asks.
_POSITION: Final = select(RegistryLog.size - 1).where(RegistryLog.size > 0)
_COUNTED: Final = select(RegistryLog.counted_size - 1).where(RegistryLog.counted_size > 0)


def position(session: Session) -> int | None:
    """The last position given in the log of the organisation; None before the first.

    The displayed counts stand there, for whoever reads both in one snapshot: a reading session does.
    """
    return session.scalar(_POSITION)


def recorded_at(session: Session, position: int) -> dt.datetime:
    """The hour at which the entry at that position of the organisation's log was written."""
    return session.scalars(select(RegistryEntry.recorded_at).where(RegistryEntry.position == position)).one()


def position_in(organisation: ColumnElement[uuid.UUID]) -> ColumnElement[int | None]:
    """`position` in the log of that organisation, as a column of a larger statement."""
    own = (RegistryLog.organisation_id == organisation, RegistryLog.size > 0)
    return select(RegistryLog.size - 1).where(*own).scalar_subquery().label("position")


def counted(session: Session) -> int | None:
    """The position at which the figures of steps and the census stand, for whoever reads both in one snapshot."""
    return session.scalar(_COUNTED)


def own_log(session: Session) -> RegistryLog | None:
    """The log of the organisation served; None before its first entry."""
    return session.scalar(select(RegistryLog))


def unsettled(session: Session) -> list[uuid.UUID]:
    """The organisations of which an entry has no position yet, or a position that is neither signed nor counted."""
    pending = select(RegistryEntry.organisation_id).where(RegistryEntry.position.is_(None))
    behind = or_(RegistryLog.signed_size < RegistryLog.size, RegistryLog.counted_size < RegistryLog.size)
    unsigned = select(RegistryLog.organisation_id).where(behind)
    return list(session.scalars(union(pending, unsigned)))


def late_seconds(session: Session, now: dt.datetime) -> float:
    """For how long the sequencer has left something unplaced or unsigned, in seconds; 0 when nothing waits.

    Before its first turn, only the hour of the oldest pending entry is known: never more than the truth is told.
    """
    if not unsettled(session):
        return 0.0
    since = session.scalar(select(SequencerState.settled_at))
    if since is None:
        oldest = session.scalar(select(func.min(RegistryEntry.recorded_at)).where(RegistryEntry.position.is_(None)))
        since = now if oldest is None else oldest + dt.timedelta(hours=1)
    return max(0.0, (now - since).total_seconds())


def logs(session: Session) -> Sequence[RegistryLog]:
    """Every log, by name."""
    return session.scalars(select(RegistryLog).order_by(RegistryLog.slug)).all()


def log_named(session: Session, slug: str) -> RegistryLog | None:
    """The log of that name."""
    return session.scalar(select(RegistryLog).where(RegistryLog.slug == slug))


def log_of(session: Session, organisation_id: uuid.UUID) -> RegistryLog | None:
    """The log of an organisation; None before its first entry has its place."""
    return session.get(RegistryLog, organisation_id)


def log_of_origin(session: Session, origin: str) -> RegistryLog | None:
    """The log that signs under that origin."""
    return session.scalar(select(RegistryLog).where(RegistryLog.origin == origin))


def entry(session: Session, ref: str) -> tuple[RegistryEntry, bool] | None:
    """The entry of that reference, and whether a restore lost its opening."""
    query = select(RegistryEntry, LostOpening.ref.is_not(None)).where(RegistryEntry.ref == ref)
    found = session.execute(query.outerjoin(LostOpening, LostOpening.ref == RegistryEntry.ref)).first()
    return None if found is None else (found[0], found[1])


def acts(
    session: Session, refs: Collection[str], holders: Collection[str], *, number: int, size: int
) -> Paged[RegistryEntry]:
    """The entries of those references, and those under these opaque voters, the last ones first."""
    held = and_(RegistryEntry.holder.in_(holders), RegistryEntry.holder.is_not(None))
    query = select(RegistryEntry).where(or_(RegistryEntry.ref.in_(refs), held)).order_by(RegistryEntry.id.desc())
    return paged(session, query, number=number, size=size)


def refs_about(session: Session, consultation_id: uuid.UUID, name: str, ids: Collection[uuid.UUID]) -> list[str]:
    """The refs of the edits of contents and of their tombstones, as long as their openings stand.

    `name` is the key under which the openings name a content: « contribution », « argument », « reply ».
    """
    about = RegistryEntry.opening[name].as_string().in_(map(str, ids))
    found: list[str] = []
    # As written in the conditions of the two indexes.
    edit: ColumnElement[EntryKind] = literal_column(f"'{EntryKind.EDIT.value}'")
    removals: list[ColumnElement[EntryKind]] = [literal_column(f"'{kind.value}'") for kind in REMOVALS]
    buried = and_(RegistryEntry.kind.in_(removals), RegistryEntry.kind == EntryKind.TOMBSTONE)
    for wanted in (RegistryEntry.kind == edit, buried):
        query = select(RegistryEntry.ref).where(RegistryEntry.consultation_id == consultation_id, wanted, about)
        found += session.scalars(query)
    return found


def opened(session: Session, log: RegistryLog, start: int, count: int) -> list[dict[str, Any]]:
    """What the entries of those positions commit to, or why it is not said: withheld, destroyed, lost."""
    columns = (RegistryEntry.position, RegistryEntry.ref, RegistryEntry.salt, RegistryEntry.opening)
    rows = session.execute(
        select(*columns, RegistryEntry.withheld, LostOpening.ref.label("lost"))
        .outerjoin(LostOpening, LostOpening.ref == RegistryEntry.ref)
        .where(
            RegistryEntry.organisation_id == log.organisation_id,
            RegistryEntry.position >= start,
            RegistryEntry.position < min(start + count, log.size),
        )
        .order_by(RegistryEntry.position)
    )
    return [_said(*row) for row in rows]


def _said(
    position: int,
    ref: str,
    salt: bytes | None,
    opening: dict[str, Any] | None,
    withheld: bool,  # noqa: FBT001  # columns of a row
    lost: str | None,
) -> dict[str, Any]:
    if salt is not None and opening is not None and not withheld:
        return {"position": position, "ref": ref, "salt": salt.hex(), "content": opening}
    state = "withheld" if salt is not None else "destroyed" if lost is None else "lost"
    return {"position": position, "ref": ref, "state": state}


def settled(
    session: Session, consultation_id: uuid.UUID, *, after: int, until: int, limit: int
) -> Sequence[RegistryEntry]:
    """The entries about a consultation whose position is above `after` and below `until`, in the order of the log."""
    query = select(RegistryEntry).where(
        RegistryEntry.consultation_id == consultation_id,
        RegistryEntry.position > after,
        RegistryEntry.position < until,
    )
    return session.scalars(query.order_by(RegistryEntry.position).limit(limit)).all()


def signed_size(session: Session) -> int:
    """How many positions of the organisation's log are signed: they never change again."""
    return session.scalar(select(RegistryLog.signed_size)) or 0


def lost(session: Session) -> int:
    """How many openings restores of the organisation's log did not find again: 0 as long as there was none."""
    return session.scalar(select(func.count()).select_from(LostOpening)) or 0


def votes_of(session: Session, refs: Collection[str]) -> dict[str, uuid.UUID]:
    """The votes that entries of these refs are about, by ref; one that is about none is left out."""
    if not refs:
        return {}
    query = select(RegistryEntry.ref, RegistryEntry.vote_id).where(RegistryEntry.ref.in_(refs))
    return {ref: vote_id for ref, vote_id in session.execute(query) if vote_id is not None}


def last_act_at(session: Session, consultation_id: uuid.UUID | None) -> dt.datetime | None:
    """The hour of the last public act, on a consultation or in the whole organisation."""
    query = select(RegistryEntry.recorded_at).order_by(RegistryEntry.id.desc()).limit(1)
    if consultation_id is not None:
        query = query.where(RegistryEntry.consultation_id == consultation_id)
    return session.scalar(query)


def last_entry(session: Session, consultation_id: uuid.UUID | None) -> int:
    """The rank of writing of the last entry about a consultation, or in the whole log (None); 0 before the first."""
    return session.scalar(_about(select(func.max(RegistryEntry.id)), consultation_id)) or 0


def pending_refs(session: Session, consultation_id: uuid.UUID | None) -> list[str]:
    """The entries about a consultation, or in the whole log (None), that have no position yet, in their order."""
    pending = select(RegistryEntry.ref).where(RegistryEntry.position.is_(None)).order_by(RegistryEntry.id)
    return list(session.scalars(_about(pending, consultation_id)))


def _about(query: Select[Any], consultation_id: uuid.UUID | None) -> Select[Any]:
    return query if consultation_id is None else query.where(RegistryEntry.consultation_id == consultation_id)


def removals(session: Session, consultation_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, int]:
    """How many times something public was hidden, withdrawn or erased, by consultation; none is absent.

    Whoever reads the rows in the same transaction knows by this count which removals they show: by the rank of
    writing they would miss one written before and committed after.
    """
    query = (
        select(RegistryEntry.consultation_id, func.count())
        .where(RegistryEntry.consultation_id.in_(consultation_ids), _removes())
        .group_by(RegistryEntry.consultation_id)
    )
    return {key: count for key, count in session.execute(query) if key is not None}


def removal_count(session: Session, consultation_id: uuid.UUID | None) -> int:
    """How many of `removals` there were in one consultation, or in all of an organisation (None)."""
    query = select(func.count()).select_from(RegistryEntry).where(_removes())
    return session.scalar(_about(query, consultation_id)) or 0


def _removes() -> ColumnElement[bool]:
    # As written in the condition of the index.
    kinds: list[ColumnElement[EntryKind]] = [literal_column(f"'{kind.value}'") for kind in REMOVALS]
    return RegistryEntry.kind.in_(kinds)


def seals(session: Session, consultation_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, int]:
    """The position of the last seal of each of these consultations, those that have one."""
    kind: ColumnElement[EntryKind] = literal_column(f"'{EntryKind.SEALED.value}'")  # as the index's condition says
    query = select(RegistryEntry.consultation_id, func.max(RegistryEntry.position)).where(
        RegistryEntry.kind == kind,
        RegistryEntry.consultation_id.in_(consultation_ids),
        RegistryEntry.position.is_not(None),
    )
    grouped = session.execute(query.group_by(RegistryEntry.consultation_id))
    return {key: last for key, last in grouped if key is not None and last is not None}


def openings(session: Session, consultation_id: uuid.UUID, kind: EntryKind) -> list[dict[str, Any]]:
    """What the entries of that kind about a consultation say, the last one first; erased ones are left out."""
    query = select(RegistryEntry.opening).where(
        RegistryEntry.consultation_id == consultation_id, RegistryEntry.kind == kind
    )
    return [opening for opening in session.scalars(query.order_by(RegistryEntry.id.desc())) if opening]
