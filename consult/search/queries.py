"""Finding contents by their words."""

from __future__ import annotations

import functools
import math
import uuid
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Select, Table, Text, bindparam, column, func, literal, select, table, union_all
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from consult.search import policy
from consult.search.models import SearchDocument

ALIKE: Final = 0.5  # the share of the rare words asked from which two texts say much the same
_COMMON: Final = 500  # a word that so many contents hold is no reason to read them
_READ: Final = 1_000
_D: Final = cast("Table", SearchDocument.__table__).c
_FTS = table("search_words", column("rowid"), column("search_words", Text))


def find(session: Session, step_id: uuid.UUID, text: str) -> Select[uuid.UUID]:
    """The ids of the step's contents that hold every word of the text, as a subquery; none when it has no word."""
    return finder(session.get_bind().dialect.name).params(asked(session, step_id, text))


@functools.cache
def finder(dialect: str) -> Select[uuid.UUID]:
    """`find`, for the values of `asked`: building a statement costs more than finding. On a table, which the filter of
    organisations leaves alone: the step was found under it.
    """
    return select(_D.item_id).where(_D.step_id == bindparam("searched"), _matches(dialect, bindparam("words")))


def asked(session: Session, step_id: uuid.UUID, text: str) -> dict[str, Any]:
    """The values that `finder` wants."""
    wanted = policy.query_words(text)  # none: both languages take it for nothing
    return {"searched": step_id, "words": _expression(session.get_bind().dialect.name, wanted)}


def similar(session: Session, step_id: uuid.UUID, text: str) -> list[uuid.UUID]:
    """The ids of the step's contents that hold at least half of what the text's first words say, the closest first.

    A word weighs the less the more contents hold it. Two statements, and a thousand contents read, whatever the size
    of the step; both databases give the same list.
    """
    wanted = policy.query_words(text)
    if not wanted:
        return []
    held = session.scalars(
        union_all(*(select(func.count()).select_from(_holders(session, step_id, [word])) for word in wanted))
    ).all()
    weights = {word: 1 / math.log2(2 + count) for word, count in zip(wanted, held, strict=True)}
    reasons: list[str] = []
    read = 0
    for count, word in sorted((count, word) for word, count in zip(wanted, held, strict=True) if count):
        if count == _COMMON or read + count > _READ:
            break
        reasons.append(word)
        read += count
    if not reasons:
        return []
    holding = (SearchDocument.step_id == step_id, _holds(session, reasons, any_of=True))
    found = session.execute(select(SearchDocument.item_id, SearchDocument.words).where(*holding))
    whole = sum(weights.values())
    shares = {
        item_id: sum(weights[word] for word in weights.keys() & set(words.split())) / whole for item_id, words in found
    }
    close = (item_id for item_id, share in shares.items() if share >= ALIKE)
    return sorted(close, key=lambda item_id: (-shares[item_id], item_id))


def _holders(session: Session, step_id: uuid.UUID, wanted: list[str]) -> Any:
    some = select(SearchDocument.id).where(SearchDocument.step_id == step_id, _holds(session, wanted))
    return some.limit(_COMMON).subquery()


def _holds(session: Session, wanted: list[str], *, any_of: bool = False) -> ColumnElement[bool]:
    dialect = session.get_bind().dialect.name
    return _matches(dialect, literal(_expression(dialect, wanted, any_of=any_of)))


def _expression(dialect: str, wanted: list[str], *, any_of: bool = False) -> str:
    # The words are [a-z0-9]+ only: nothing in them has a meaning for either query language.
    if dialect == "sqlite":
        return (" OR " if any_of else " AND ").join(f'"{word}"' for word in wanted) or '""'
    return (" | " if any_of else " & ").join(f"'{word}'" for word in wanted)


def _matches(dialect: str, expression: ColumnElement[Any]) -> ColumnElement[bool]:
    if dialect == "sqlite":
        return _D.id.in_(select(_FTS.c.rowid).where(_FTS.c.search_words.op("MATCH")(expression)))
    return _D.words.op("@@", is_comparison=True)(expression.cast(TSQUERY))
