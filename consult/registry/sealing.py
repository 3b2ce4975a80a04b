"""Sealing: once nothing can be added to what a consultation received, its log counts it, by kind, for ever."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.orm import Session

from consult.db import oldest_transaction
from consult.protocols import Closed
from consult.registry import service
from consult.registry.models import EntryKind, RegistryEntry

# An act received just before the end may begin its transaction a little later.
MARGIN: Final = dt.timedelta(minutes=1)


def due(session: Session, closed: Sequence[Closed], now: dt.datetime) -> list[Closed]:
    """Those of the closed consultations that are to be sealed: ended for a while, and not sealed since that end."""
    over = [each for each in closed if each.closed_at + MARGIN <= now]
    # As the condition of the index says.
    kind: ColumnElement[EntryKind] = literal_column(f"'{EntryKind.SEALED.value}'")
    query = select(RegistryEntry.consultation_id, RegistryEntry.opening).where(RegistryEntry.kind == kind)
    sealed = {(key, (opening or {}).get("closed_at")) for key, opening in session.execute(query)}
    return [each for each in over if (each.consultation_id, _instant(each.closed_at)) not in sealed]


def seal(session: Session, closed: Closed, now: dt.datetime) -> bool:
    """Seal one consultation, unless an act that began before its end may still be committed, or waits for its place.

    Each statement must see what was committed before it: no snapshot of the whole transaction.
    """
    begun = oldest_transaction(session)
    if begun is not None and begun <= closed.closed_at + MARGIN:
        return False
    of_it = (
        RegistryEntry.organisation_id == closed.organisation_id,
        RegistryEntry.consultation_id == closed.consultation_id,
    )
    pending = RegistryEntry.position.is_(None)
    if session.scalar(select(select(RegistryEntry.id).where(*of_it, pending).exists())):
        return False
    counts = select(RegistryEntry.kind, func.count()).where(*of_it, RegistryEntry.position.is_not(None))
    content: dict[str, Any] = {
        "consultation": str(closed.consultation_id),
        "closed_at": _instant(closed.closed_at),
        "entries": {kind.value: count for kind, count in session.execute(counts.group_by(RegistryEntry.kind))},
    }
    service.append(
        session,
        organisation_id=closed.organisation_id,
        consultation_id=closed.consultation_id,
        kind=EntryKind.SEALED,
        content=content,
        now=now,
    )
    return True


def _instant(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
