"""Finding contents by their words."""

from __future__ import annotations

import uuid

from sqlalchemy import ColumnElement, Select, Text, column, false, func, literal, select, table
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from consult.search import policy
from consult.search.models import SearchDocument

_FTS = table("search_words", column("rowid"), column("search_words", Text))


def find(session: Session, step_id: uuid.UUID, text: str) -> Select[uuid.UUID]:
    """The ids of the step's contents that hold every word of the text, as a subquery; none when it has no word."""
    wanted = policy.query_words(text)
    found = select(SearchDocument.item_id).where(SearchDocument.step_id == step_id)
    if not wanted:
        return found.where(false())
    return found.where(_holds_all(session, wanted))


def _holds_all(session: Session, wanted: list[str]) -> ColumnElement[bool]:
    # The words are [a-z0-9]+ only: nothing in them has a meaning for either query language.
    if session.get_bind().dialect.name == "sqlite":
        asked = " AND ".join(f'"{word}"' for word in wanted)
        return SearchDocument.id.in_(select(_FTS.c.rowid).where(_FTS.c.search_words.op("MATCH")(asked)))
    vector = func.array_to_tsvector(func.string_to_array(SearchDocument.words, " "))
    return vector.op("@@", is_comparison=True)(literal(" & ".join(f"'{word}'" for word in wanted)).cast(TSQUERY))
