"""Reading the public log for the pages, the API and the exports that say where they stand in it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.orm import Session

from consult.registry.models import REMOVALS, EntryKind, RegistryEntry


def position(session: Session) -> int | None:
    """The last position that the sequencer gave in the log of the organisation."""
    return session.scalar(select(func.max(RegistryEntry.position)))


def last_act_at(session: Session, consultation_id: uuid.UUID | None) -> dt.datetime | None:
    """The hour of the last public act, on a consultation or in the whole organisation."""
    query = select(RegistryEntry.recorded_at).order_by(RegistryEntry.id.desc()).limit(1)
    if consultation_id is not None:
        query = query.where(RegistryEntry.consultation_id == consultation_id)
    return session.scalar(query)


def last_entry(session: Session, consultation_id: uuid.UUID) -> int:
    """The rank of writing of the last entry about a consultation; 0 before the first."""
    query = select(func.max(RegistryEntry.id)).where(RegistryEntry.consultation_id == consultation_id)
    return session.scalar(query) or 0


def removed_since(session: Session, consultation_id: uuid.UUID, entry: int) -> bool:
    """Whether something public was hidden, withdrawn or erased after that rank of writing."""
    # As written in the condition of the index.
    kinds: list[ColumnElement[EntryKind]] = [literal_column(f"'{kind.value}'") for kind in REMOVALS]
    query = select(RegistryEntry.id).where(
        RegistryEntry.consultation_id == consultation_id, RegistryEntry.id > entry, RegistryEntry.kind.in_(kinds)
    )
    return session.scalar(query.limit(1)) is not None


def openings(session: Session, consultation_id: uuid.UUID, kind: EntryKind) -> list[dict[str, Any]]:
    """What the entries of that kind about a consultation say, the last one first; erased ones are left out."""
    query = select(RegistryEntry.opening).where(
        RegistryEntry.consultation_id == consultation_id, RegistryEntry.kind == kind
    )
    return [opening for opening in session.scalars(query.order_by(RegistryEntry.id.desc())) if opening]
