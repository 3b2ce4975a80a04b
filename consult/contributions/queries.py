"""Reading proposals, arguments and votes.

Displayed counts stand at the position of the log: what reads both sees one state of the database.
"""

from __future__ import annotations

import datetime as dt
import enum
import functools
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, FromClause, Select, bindparam, case, func, literal, select, text, true
from sqlalchemy.orm import Session

from consult.accounts.pseudonyms.queries import shown
from consult.consultations.models import Consultation, ContentStatus, Origin, Step
from consult.contributions import order, policy
from consult.contributions.ballots.models import Ballot
from consult.contributions.models import (
    OFFICIAL,
    STEP_KINDS,
    Argument,
    ContentVersion,
    ContributionDraft,
    Proposal,
    ProposalKind,
    StepSecret,
    Theme,
    Vote,
    VoteValue,
)
from consult.contributions.voting import rule_of
from consult.registry import conservation
from consult.registry import queries as registry
from consult.search import queries as search

PAGE: Final = 20
EXCERPT: Final = 280
SIMILAR: Final = 3
SHORT: Final = 120
Rows: TypeAlias = Sequence[Any]  # rows with the named columns that each function tells
_THEMES: Final = (
    select(Theme.id, Theme.slug, Theme.title, Theme.position)
    .where(Theme.step_id == bindparam("step"))
    .order_by(Theme.position)
)


class Sort(enum.StrEnum):
    """Orders of a list of proposals."""

    RANDOM = "random"  # by the step's published seed and the hour: see `order`
    RECENT = "recent"
    VOTED = "voted"


def read_sort(arguments: Mapping[str, str]) -> Sort:
    """The order that an address asks for; random unless it names another."""
    return next((each for each in Sort if each == arguments.get("sort")), Sort.RANDOM)


_P: Final = Proposal.__table__.c
_A: Final = Argument.__table__.c
_FILTERS: Final = {"theme": _P.theme_id, "departement": _P.departement}
_ORDERS: Final = {
    Sort.RANDOM: (_P.random_rank < bindparam("start"), _P.random_rank),  # see `order.start_rank`
    Sort.RECENT: (_P.created_at.desc(), _P.id.desc()),
    Sort.VOTED: (_P.votes_total.desc(), _P.random_rank.desc()),
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: rows, its number from 1, how many pages and rows there are."""

    rows: Rows
    number: int
    pages: int
    total: int


def proposals(
    session: Session,
    step: Step,
    *,
    hour: int,
    sort: Sort = Sort.RANDOM,
    theme_id: uuid.UUID | None = None,
    departement: str = "",
    text: str = "",
    among: Select[Any] | None = None,
    number: int = 1,
    published: int | None = None,
) -> Page:
    """A page of the published proposals of a step, `among` those of these ids; a few queries, whatever their number.

    `hour` is the one whose random order is read. Rows have id, title, excerpt, cut, theme_id, departement, author,
    created_at, arguments, the votes and the imported ones. A number beyond the last page gives the last page.
    `published` is how many the step has, when it is known.
    """
    start = order.start_rank(step.order_seed, step.id, hour)
    asked = {"step": step.id, "theme": theme_id, "departement": departement, "start": start, "size": PAGE, "offset": 0}
    found = search.finder(session.get_bind().dialect.name) if text else None
    asked |= search.asked(session, step.id, text) if text else {}
    build = _statements if among is None else _list
    by = tuple(name for name in _FILTERS if asked[name])
    count, listed = build(sort, by, found, among)
    number = max(1, number)
    if by or found is not None or among is not None:
        rows = session.execute(listed, asked | {"offset": (number - 1) * PAGE}).all()
        if rows or number == 1:
            total = rows[0].total if rows else 0
            return Page(rows, number, max(1, -(-total // PAGE)), total)
        published = None
    if published is None:
        published = session.scalar(count, asked) or 0
    pages = max(1, -(-published // PAGE))
    number = min(number, pages)
    asked["offset"] = (number - 1) * PAGE
    whole = sort is Sort.RANDOM and not by and found is None and among is None
    rows = _turned(session, asked) if whole else session.execute(listed, asked).all()
    return Page(rows, number, pages, published)


def _turned(session: Session, asked: Mapping[str, Any]) -> Rows:
    """A page of a whole list in its random order: the index is read on from the start, then from its beginning."""
    counted, onwards, before = _halves()
    rows = list(session.execute(onwards, asked))
    if len(rows) < PAGE:
        skipped = 0 if rows else asked["offset"] - (session.scalar(counted, asked) or 0)
        rows += session.execute(before, {**asked, "offset": max(0, skipped), "size": PAGE - len(rows)})
    return rows


@functools.cache
def _halves() -> tuple[Any, Any, Any]:
    """How many proposals stand from the start on, a page of them, and a page of those before."""
    whole = (_P.status == ContentStatus.PUBLISHED, _P.step_id == bindparam("step"))
    onwards, before = _P.random_rank >= bindparam("start"), _P.random_rank < bindparam("start")
    first, second = (_page_of((*whole, half), (_P.random_rank,), literal(0)) for half in (onwards, before))
    return select(func.count()).select_from(Proposal.__table__).where(*whole, onwards), first, second


def _page_of(kept: Sequence[Any], ordering: Sequence[Any], total: ColumnElement[int]) -> Select[Any]:
    ids = select(_P.id, total.label("total")).where(*kept).order_by(*ordering)
    return cards(ids.limit(bindparam("size")).offset(bindparam("offset")).subquery()).order_by(*ordering)


def _list(
    sort: Sort,
    by: tuple[str, ...],
    found: Select[Any] | None,
    among: Select[Any] | None,
) -> tuple[Any, Any]:
    """The statements that count a list and read one page of it; what is filtered is counted as it is read.

    They are written on tables, which the tenant filter leaves alone: everything hangs on a step that was itself found
    under the filter, and a second condition on the organisation would hide the indexes from SQLite.
    """
    kept = [_P.status == ContentStatus.PUBLISHED]
    if found is None:  # what was found is of the step: named again, SQLite would walk through all of it
        kept.append(_P.step_id == bindparam("step"))
    kept += [_FILTERS[name] == bindparam(name) for name in by]
    kept += [_P.id.in_(each) for each in (found, among) if each is not None]
    filtered = bool(by) or found is not None or among is not None
    total = func.count().over() if filtered else literal(0)
    return select(func.count()).select_from(Proposal.__table__).where(*kept), _page_of(kept, _ORDERS[sort], total)


_statements = functools.cache(_list)  # building a statement costs more than running it


def orders(sort: Sort) -> tuple[Any, ...]:
    """What a list of proposals in that order is sorted by; the random one wants `start`, see `order.start_rank`."""
    return _ORDERS[sort]


def arguments_of(proposal_id: Any) -> Any:
    """How many published arguments there are on a proposal, as a part of a larger statement."""
    shown = (_A.proposal_id == proposal_id, _A.status == ContentStatus.PUBLISHED)
    return select(func.count()).select_from(Argument.__table__).where(*shown).scalar_subquery()


def cards(ids: FromClause) -> Select[Any]:
    """What a list says of the proposals of these ids, of which `ids` has the `total` too; of a version, its reason."""
    said = func.coalesce(_P.reason, _P.body)
    return (
        select(
            *(_P.id, _P.title, _P.theme_id, _P.departement, _P.created_at, _P.rewrites_id),
            func.substr(said, 1, EXCERPT).label("excerpt"),
            (func.length(said) > EXCERPT).label("cut"),
            author_shown(_P),
            *(_P.votes_for, _P.votes_mixed, _P.votes_against),
            *(_P.imported_votes_for, _P.imported_votes_mixed, _P.imported_votes_against),
            *(_P.points, _P.ballots, _P.first_choices),
            arguments_of(_P.id).label("arguments"),
            ids.c.total,
        )
        .select_from(Proposal.__table__)
        .join(ids, ids.c.id == _P.id)
    )


def similar(session: Session, step: Step, text: str) -> Rows:
    """The published proposals of a step that say much the same as a text, the closest first: three at most.

    Rows have id, title, excerpt, cut, votes.
    """
    close = search.similar(session, step.id, text)[:SIMILAR]
    if not close:
        return []
    rows = session.execute(
        select(
            *(_P.id, _P.title, _P.votes_total),
            func.substr(_P.body, 1, SHORT).label("excerpt"),
            (func.length(_P.body) > SHORT).label("cut"),
        ).where(_P.id.in_(close), _P.status == ContentStatus.PUBLISHED)
    )
    return sorted(rows, key=lambda row: close.index(row.id))


def author_shown(of: Any) -> ColumnElement[str]:
    """The name under which the author of a row of these columns is shown, as `author`."""
    return case((of.author_name != "", of.author_name), else_=shown(of.author_id, of.consultation_id)).label("author")


@dataclass(frozen=True, slots=True)
class ProposalSheet:
    """A proposal with the step it belongs to, its author's name and its exact votes."""

    proposal: Proposal
    step: Step
    consultation: Consultation
    author: str
    theme: str | None
    votes: Mapping[str, int]
    ballots: Mapping[str, int]  # points, ballots and first choices, where people vote by ballot
    position: int | None  # of the log, at which these votes stand


def sheet(session: Session, proposal_id: uuid.UUID) -> ProposalSheet | None:
    """All that the page of a proposal says of it, in one query; whatever its state: the caller judges."""
    votes = {value.value: _P[f"votes_{value.value}"] for value in VoteValue}
    ballots = {name: _P[name] for name in ("points", "ballots", "first_choices")}
    row = session.execute(
        select(Proposal, Step, Consultation, author_shown(_P), Theme.title, registry.position_in(_P.organisation_id))
        # As they are now, not as kept.
        .add_columns(*(column.label(f"now_{name}") for name, column in (votes | ballots).items()))
        .join(Step, Step.id == Proposal.step_id)
        .join(Consultation, Consultation.id == Proposal.consultation_id)
        .outerjoin(Theme, Theme.id == Proposal.theme_id)
        .where(Proposal.id == proposal_id)
    ).one_or_none()
    if row is None:
        return None
    counted, given = ({name: getattr(row, f"now_{name}") for name in each} for each in (votes, ballots))
    return ProposalSheet(row.Proposal, row.Step, row.Consultation, row.author, row.title, counted, given, row.position)


def themes(session: Session, step_id: uuid.UUID) -> Rows:
    """The headings of a step, in their order: id, slug, title."""
    return session.execute(_THEMES, {"step": step_id}).all()


def versions(session: Session, item: Proposal | Argument, *, start: int, count: int) -> Sequence[ContentVersion]:
    """So many of the former texts of a content, newest first, from the one of that rank on; 0 is the newest."""
    latest = select(ContentVersion).where(_of(item)).order_by(ContentVersion.version.desc())
    return session.scalars(latest.offset(start).limit(count)).all()


def count_versions(session: Session, item: Proposal | Argument) -> int:
    """How many former texts a content has."""
    return session.scalar(select(func.count(ContentVersion.id)).where(_of(item))) or 0


def _of(item: Proposal | Argument) -> ColumnElement[bool]:
    return (ContentVersion.proposal_id if isinstance(item, Proposal) else ContentVersion.argument_id) == item.id


def draft(session: Session, step_id: uuid.UUID, token: str, now: dt.datetime) -> Mapping[str, str]:
    """What was written in this step before signing in; empty when the token is unknown or its day is over."""
    content = session.scalar(
        select(ContributionDraft.content).where(
            ContributionDraft.digest == policy.draft_digest(token),
            ContributionDraft.step_id == step_id,
            ContributionDraft.expires_at > now,
        )
    )
    return content or {}


def census(session: Session, step: Step) -> Mapping[str, int]:
    """Published contributions and arguments of a step, the votes on them, and apart the votes that were imported.

    Where people vote by ballot, a ballot is one vote; `ballots` tells how many there are.
    """
    row = session.execute(_census(), {"step": step.id}).one()
    counts = {
        "contributions": row.proposals,
        "arguments": row.arguments,
        "votes": row.proposal_votes + row.argument_votes,
        "imported_votes": row.imported,
    }
    if rule_of(step.settings).by_ballot:
        cast = select(func.count()).select_from(Ballot.__table__)
        cast = cast.where(Ballot.step_id == step.id, Ballot.counted.is_(True))
        counts["ballots"] = session.scalar(cast) or 0
        counts["votes"] = counts["ballots"] + row.argument_votes
    return counts


@functools.cache
def _census() -> Any:
    proposals = (_P.step_id == bindparam("step"), _P.status == ContentStatus.PUBLISHED)
    arguments = (_A.step_id == bindparam("step"), _A.status == ContentStatus.PUBLISHED)
    imported = _P.imported_votes_for + _P.imported_votes_mixed + _P.imported_votes_against
    counted = [
        select(func.count().label("proposals"), _sum(_P.votes_total).label("proposal_votes")).where(*proposals),
        select(func.count().label("arguments"), _sum(_A.votes_for).label("argument_votes")).where(*arguments),
        select(_sum(imported).label("imported")).where(*proposals, _P.origin == Origin.IMPORTED),
    ]
    first, *others = (count.subquery() for count in counted)
    joined: FromClause = first
    for other in others:
        joined = joined.join(other, true())
    return select(*(column for part in (first, *others) for column in part.c)).select_from(joined)


def unlinked_steps(session: Session, consultation_id: uuid.UUID) -> int:
    """In how many steps of a consultation the identifiers of authors and voters were destroyed (see `jobs`)."""
    linked = select(StepSecret.step_id).where(StepSecret.step_id == Step.id)
    steps = select(func.count()).select_from(Step).where(Step.consultation_id == consultation_id)
    return session.scalar(steps.where(Step.kind.in_(STEP_KINDS), ~linked.exists())) or 0


def submitted(session: Session, consultation_id: uuid.UUID) -> Sequence[uuid.UUID]:
    """The ids of the texts that the administration submits in a consultation."""
    return session.scalars(
        select(Proposal.id).where(Proposal.consultation_id == consultation_id, Proposal.kind.in_(OFFICIAL))
    ).all()


def states(session: Session, consultation_id: uuid.UUID) -> Mapping[tuple[str, str], Mapping[str, int]]:
    """How many proposals, versions and arguments there are by origin and state; votes counted, and those awaiting.

    Votes are the rows, on contents in any state, and the ballots: the log says apart which were taken back or erased.
    """
    steps = select(Step.id).where(Step.consultation_id == consultation_id)
    found: dict[tuple[str, str], dict[str, int]] = {}
    counted: tuple[tuple[str, Any, tuple[ColumnElement[bool], ...]], ...] = (
        ("proposal", _P, (_P.step_id.in_(steps.where(Step.kind == "proposals")),)),
        ("version", _P, (_P.step_id.in_(steps.where(Step.kind == "bill")), _P.kind == ProposalKind.VERSION)),
        ("argument", _A, (_A.step_id.in_(steps),)),
    )
    for kind, of, which in counted:
        query = select(of.origin, of.status, func.count()).where(*which)
        for origin, status, count in session.execute(query.group_by(of.origin, of.status)):
            found.setdefault((kind, origin.value), {})[status.value] = count
    # All of them by one index, those that await by another, which holds them alone: no row is read.
    all_votes = select(func.count()).select_from(Vote.__table__).where(Vote.consultation_id == consultation_id)
    awaiting = session.scalar(all_votes.where(text("NOT vote.counted"))) or 0
    placed = (session.scalar(all_votes) or 0) - awaiting
    cast = select(Ballot.counted, func.count()).where(Ballot.consultation_id == consultation_id)
    for counted_already, count in session.execute(cast.group_by(Ballot.counted)):
        placed, awaiting = (placed + count, awaiting) if counted_already else (placed, awaiting + count)
    if placed or awaiting:
        found[conservation.VOTE, Origin.LIVE.value] = {"published": placed, "pending": awaiting}
    return found


def _sum(of: ColumnElement[int]) -> ColumnElement[int]:
    return func.coalesce(func.sum(of), 0)
