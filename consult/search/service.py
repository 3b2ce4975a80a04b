"""Keeping the index in step with the contents, in the transaction of each change."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Insert, delete, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consult.search import policy
from consult.search.models import SearchDocument


def index(session: Session, *, organisation_id: uuid.UUID, step_id: uuid.UUID, item_id: uuid.UUID, text: str) -> None:
    """Make the content findable by these words, in place of those it had."""
    index_many(session, organisation_id=organisation_id, step_id=step_id, texts=[(item_id, text)])


def index_many(
    session: Session, *, organisation_id: uuid.UUID, step_id: uuid.UUID, texts: Iterable[tuple[uuid.UUID, str]]
) -> None:
    """Index many contents of one step at once (imports)."""
    rows = [
        {
            "organisation_id": organisation_id,
            "step_id": step_id,
            "item_id": item_id,
            "words": " ".join(dict.fromkeys(policy.words(text))),
        }
        for item_id, text in texts
    ]
    if rows:
        session.execute(_upsert(session), rows)


def remove(session: Session, item_id: uuid.UUID) -> None:
    """Make the content unfindable; does nothing when it already was."""
    session.execute(delete(SearchDocument).where(SearchDocument.item_id == item_id))


def forget(session: Session) -> None:
    """Have SQLite's index give up the words of what was removed, which it keeps until its parts are merged.

    Merging all of it takes some 0.1 s for 100,000 contents. PostgreSQL's goes with the row.
    """
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("INSERT INTO search_words(search_words) VALUES ('optimize')"))


def _upsert(session: Session) -> Insert:
    dialect: Any = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    insert = dialect.insert(SearchDocument)
    changed: Insert = insert.on_conflict_do_update(
        index_elements=["item_id"], set_={"words": insert.excluded.words, "step_id": insert.excluded.step_id}
    )
    return changed
