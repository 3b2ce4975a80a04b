"""Reading arguments: the list under what they are about, both sides in turn, and one of them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, contains_eager

from consult.consultations.models import Consultation, ContentStatus, Step
from consult.contributions import order
from consult.contributions.models import Argument, Proposal, Side
from consult.contributions.queries import PAGE, Page, Sort, author_shown
from consult.search import queries as search

_A: Final = Argument.__table__.c
_ORDERS: Final[Mapping[Sort, Sequence[Any]]] = {
    Sort.RANDOM: (),  # see `order`: no column says it
    Sort.RECENT: (_A.created_at.desc(), _A.id),
    Sort.VOTED: (_A.votes_for.desc(), _A.created_at, _A.id),
}
_PUBLISHED: Final = _A.status == ContentStatus.PUBLISHED


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader asks of a list: an order, one side, some words, a page, the hour whose order it is."""

    hour: int
    sort: Sort = Sort.RANDOM
    side: Side | None = None
    text: str = ""
    number: int = 1


@dataclass(frozen=True, slots=True)
class Arguments:
    """A page of a list, how many arguments each side has in all, and the side that the list begins with."""

    page: Page
    counts: Mapping[Side, int]
    first: Side


def listed(session: Session, subject: Proposal, step: Step, asked: Asked) -> Arguments:
    """A page of the published arguments on a text, one of each side in turn; two statements, three with words.

    Rows have id, side, title, body, author, author_id, created_at, version, votes_for, imported_votes_for. Written on
    tables, as `queries._list` is: everything hangs on a subject found under the tenant filter.
    """
    on_it = select(_A.id, _A.side).where(_A.proposal_id == subject.id, _PUBLISHED)
    found = session.execute(on_it.order_by(*_ORDERS[asked.sort])).all()
    by_side: dict[Side, list[uuid.UUID]] = {side: [row.id for row in found if row.side is side] for side in Side}
    counts = {side: len(ids) for side, ids in by_side.items()}
    if asked.side is not None:
        by_side = {side: by_side[side] if side is asked.side else [] for side in Side}
    if asked.text:
        holding = set(session.scalars(search.find(session, step.id, asked.text)))
        by_side = {side: [each for each in ids if each in holding] for side, ids in by_side.items()}
    if asked.sort is Sort.RANDOM:
        by_side = {side: order.shuffled(step.order_seed, asked.hour, ids) for side, ids in by_side.items()}
    first = order.first_side(step.order_seed, subject.id, asked.hour)
    ids = order.balanced(by_side, first)
    pages = max(1, -(-len(ids) // PAGE))
    number = min(max(1, asked.number), pages)
    return Arguments(
        Page(_rows(session, ids[(number - 1) * PAGE : number * PAGE]), number, pages, len(ids)), counts, first
    )


def _rows(session: Session, ids: Sequence[uuid.UUID]) -> list[Any]:
    """What a list says of these arguments, in their order."""
    rows = {row.id: row for row in session.execute(_cards().where(_A.id.in_(ids), _PUBLISHED))} if ids else {}
    return [rows[each] for each in ids if each in rows]


def _cards() -> Select[Any]:
    return select(
        *(_A.id, _A.side, _A.title, _A.body, _A.author_id, _A.created_at, _A.version),
        *(_A.votes_for, _A.imported_votes_for),
        author_shown(_A),
    ).select_from(Argument.__table__)


@dataclass(frozen=True, slots=True)
class ArgumentSheet:
    """An argument with what it is about, its step and its author's name, whatever their state: the caller judges."""

    argument: Argument
    subject: Proposal
    step: Step
    author: str

    @property
    def consultation(self) -> Consultation:
        """The consultation of its step."""
        return self.step.consultation

    @property
    def is_published(self) -> bool:
        """Whether anybody may read it: it is published, and so is what it is about."""
        return {self.argument.status, self.subject.status} == {ContentStatus.PUBLISHED}


def sheet(session: Session, argument_id: uuid.UUID) -> ArgumentSheet | None:
    """All that the page of an argument says of it, in one query."""
    row = session.execute(
        select(Argument, Proposal, Step, author_shown(_A))
        .join(Proposal, Proposal.id == Argument.proposal_id)
        .join(Step, Step.id == Argument.step_id)
        .join(Step.consultation)
        .options(contains_eager(Step.consultation))
        .where(Argument.id == argument_id)
    ).one_or_none()
    return ArgumentSheet(row.Argument, row.Proposal, row.Step, row.author) if row else None
