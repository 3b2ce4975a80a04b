"""Reading suggestions: those of given contents, and the latest ones."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.moderation.aids.models import Suggestion
from consult.protocols import ModerableItem
from consult.security import digest

LATEST: Final = 100


def text_of(item: ModerableItem) -> str:
    """What the machine reads of a content, its author's own words: spans are places in it.

    The title of a proposal is its author's; pages give the others theirs.
    """
    return f"{item.title}\n{item.body}" if item.type == "proposal" else item.body


def of_contents(session: Session, items: Collection[ModerableItem]) -> dict[uuid.UUID, list[Suggestion]]:
    """The suggestions on the present text of these contents, in one query; the surest first."""
    present = {item.id: digest(text_of(item)) for item in items}
    query = select(Suggestion).where(Suggestion.item_id.in_(present)).order_by(Suggestion.score.desc(), Suggestion.id)
    found: dict[uuid.UUID, list[Suggestion]] = {}
    for each in session.scalars(query):
        if each.text_digest == present[each.item_id]:
            found.setdefault(each.item_id, []).append(each)
    return found


def latest(session: Session, scope: Collection[uuid.UUID] | None) -> Sequence[Suggestion]:
    """The latest suggestions of the consultations that somebody moderates (None: all), the latest first."""
    query = select(Suggestion).order_by(Suggestion.made_at.desc(), Suggestion.id).limit(LATEST)
    return session.scalars(query if scope is None else query.where(Suggestion.consultation_id.in_(scope))).all()
