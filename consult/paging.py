"""Numbered pages: the number that an address asks for, and a page of a query with what its links need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Select, func
from sqlalchemy.orm import Session
from sqlalchemy.sql.base import ExecutableOption

Row = TypeVar("Row")
LONGEST: Final = 6  # digits of a page number


@dataclass(frozen=True, slots=True)
class Paged(Generic[Row]):
    """One page of a list."""

    rows: Sequence[Row]
    number: int
    pages: int
    total: int


def page_number(arguments: Mapping[str, str], name: str = "page") -> int:
    """The page that an address asks for by that name; 1 when it says nothing that is a page."""
    raw = arguments.get(name, "1")
    return max(1, int(raw)) if raw.isascii() and raw.isdigit() and len(raw) <= LONGEST else 1


def paged(
    session: Session, query: Select[Row], *, number: int, size: int, options: Sequence[ExecutableOption] = ()
) -> Paged[Row]:
    """That page of the entities of an ordered query, the last one beyond the end, in two queries.

    `options` say what to load with them.
    """
    number, pages, total = _place(session, query, number, size)
    rows = session.scalars(query.options(*options).limit(size).offset((number - 1) * size)).all()
    return Paged(rows, number, pages, total)


def paged_columns(session: Session, query: Select[*tuple[Any, ...]], *, number: int, size: int) -> Paged[Any]:
    """As `paged`, of a query whose rows have several columns, the first of them one of the entity that is counted."""
    number, pages, total = _place(session, query, number, size)
    return Paged(session.execute(query.limit(size).offset((number - 1) * size)).all(), number, pages, total)


def _place(session: Session, query: Select[*tuple[Any, ...]], number: int, size: int) -> tuple[int, int, int]:
    """The page there is, how many there are, and of how many rows."""
    # Of the entity itself: the rows of another organisation are kept out of the count as of the page.
    entity = query.column_descriptions[0]["entity"]
    total = session.scalar(query.order_by(None).with_only_columns(func.count(entity.id))) or 0
    pages = max(1, -(-total // size))
    return min(number, pages), pages, total
