"""Reading who holds which contents."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.accounts.models import Account
from consult.moderation.holding.models import Hold


@dataclass(frozen=True, slots=True)
class Held:
    """By whom a content is held, and until when."""

    holder_id: uuid.UUID
    name: str
    until: dt.datetime


def held(session: Session, item_ids: Collection[uuid.UUID], now: dt.datetime) -> dict[tuple[str, uuid.UUID], Held]:
    """Those of these contents that somebody holds, by type and id."""
    query = (
        select(Hold.item_type, Hold.item_id, Hold.holder_id, Account.pseudonym, Hold.held_until)
        .join(Account, Account.id == Hold.holder_id)
        .where(Hold.item_id.in_(item_ids), Hold.held_until > now)
    )
    return {(row.item_type, row.item_id): Held(*row[2:]) for row in session.execute(query)}
