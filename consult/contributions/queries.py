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

from sqlalchemy import ColumnElement, FromClause, Select, bindparam, case, func, select, text, true
from sqlalchemy.orm import Session, contains_eager

from consult.accounts.models import Account
from consult.consultations.models import Consultation, ContentStatus, Origin, Step
from consult.contributions import policy
from consult.contributions.models import (
    Argument,
    ContentVersion,
    ContributionDraft,
    Proposal,
    Side,
    Theme,
    Vote,
    VoteValue,
)
from consult.registry import conservation
from consult.registry import queries as registry
from consult.registry.models import RegistryEntry
from consult.search import queries as search

PAGE: Final = 20
EXCERPT: Final = 280
MINE: Final = 200
Rows: TypeAlias = Sequence[Any]  # rows with the named columns that each function tells
_THEMES: Final = (
    select(Theme.id, Theme.slug, Theme.title, Theme.position)
    .where(Theme.step_id == bindparam("step"))
    .order_by(Theme.position)
)


class Sort(enum.StrEnum):
    """Orders of a list of proposals."""

    RANDOM = "random"  # by the step's published seed: no one is first by chance of the clock
    RECENT = "recent"
    VOTED = "voted"


_P: Final = Proposal.__table__.c
_A: Final = Argument.__table__.c
_PLACED: Final = RegistryEntry.position.is_not(None).label("placed")
_ORDERS: Final = {
    Sort.RANDOM: (_P.random_rank,),
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
    sort: Sort = Sort.RANDOM,
    theme_id: uuid.UUID | None = None,
    text: str = "",
    number: int = 1,
    published: int | None = None,
) -> Page:
    """A page of the published proposals of a step; two queries at most, whatever their number.

    Rows have id, title, excerpt, cut, theme_id, author, created_at, arguments, the votes and the imported votes.
    A number beyond the last page gives the last page. `published` is how many the step has, when the caller knows.
    """
    asked = {"step": step.id, "theme": theme_id, "offset": 0}
    found = search.find(session, step.id, text) if text else None
    build = _statements if found is None else _list
    count, listed = build(sort, theme_id is not None, found)
    if published is None or theme_id is not None or found is not None:
        published = session.scalar(count, asked) or 0
    pages = max(1, -(-published // PAGE))
    number = min(max(1, number), pages)
    rows = session.execute(listed, asked | {"offset": (number - 1) * PAGE}).all()
    return Page(rows, number, pages, published)


def _list(sort: Sort, by_theme: bool, found: Any) -> tuple[Any, Any]:  # noqa: FBT001  # a key of the cache
    """The statements that count a list and read one page of it.

    They are written on tables, which the tenant filter leaves alone: everything hangs on a step that was itself found
    under the filter, and a second condition on the organisation would hide the indexes from SQLite.
    """
    kept = [_P.step_id == bindparam("step"), _P.status == ContentStatus.PUBLISHED]
    if by_theme:
        kept.append(_P.theme_id == bindparam("theme"))
    if found is not None:
        kept.append(_P.id.in_(found))
    order = _ORDERS[sort]
    ids = select(_P.id).where(*kept).order_by(*order).limit(PAGE).offset(bindparam("offset")).subquery()
    return select(func.count()).select_from(Proposal.__table__).where(*kept), _cards(ids).order_by(*order)


_statements = functools.cache(_list)  # building a statement costs more than running it


def _cards(ids: FromClause) -> Select[Any]:
    arguments = (
        select(func.count())
        .select_from(Argument.__table__)
        .where(_A.proposal_id == _P.id, _A.status == ContentStatus.PUBLISHED)
        .scalar_subquery()
    )
    return (
        select(
            *(_P.id, _P.title, _P.theme_id, _P.created_at),
            func.substr(_P.body, 1, EXCERPT).label("excerpt"),
            (func.length(_P.body) > EXCERPT).label("cut"),
            _author(_P),
            *(_P.votes_for, _P.votes_mixed, _P.votes_against),
            *(_P.imported_votes_for, _P.imported_votes_mixed, _P.imported_votes_against),
            arguments.label("arguments"),
        )
        .select_from(Proposal.__table__)
        .join(ids, ids.c.id == _P.id)
        .outerjoin(Account.__table__, Account.__table__.c.id == _P.author_id)
    )


def _author(of: Any) -> ColumnElement[str]:
    pseudonym = func.coalesce(Account.__table__.c.pseudonym, "")
    return case((of.author_name != "", of.author_name), else_=pseudonym).label("author")


@dataclass(frozen=True, slots=True)
class ProposalSheet:
    """A proposal with the step it belongs to, its author's name and its exact votes."""

    proposal: Proposal
    step: Step
    consultation: Consultation
    author: str
    theme: str | None
    votes: Mapping[str, int]
    position: int | None  # of the log, at which these votes stand


def sheet(session: Session, proposal_id: uuid.UUID) -> ProposalSheet | None:
    """All that the page of a proposal says of it, in one query; whatever its state: the caller judges."""
    votes = {value.value: _P[f"votes_{value.value}"] for value in VoteValue}
    row = session.execute(
        select(Proposal, Step, Consultation, _author(_P), Theme.title, registry.position_in(_P.organisation_id))
        .add_columns(*(column.label(value) for value, column in votes.items()))  # as they are now, not as kept
        .join(Step, Step.id == Proposal.step_id)
        .join(Consultation, Consultation.id == Proposal.consultation_id)
        .outerjoin(Theme, Theme.id == Proposal.theme_id)
        .outerjoin(Account.__table__, Account.__table__.c.id == Proposal.author_id)
        .where(Proposal.id == proposal_id)
    ).one_or_none()
    if row is None:
        return None
    counted = {value: getattr(row, value) for value in votes}
    return ProposalSheet(row.Proposal, row.Step, row.Consultation, row.author, row.title, counted, row.position)


def argument_with_step(session: Session, argument_id: uuid.UUID) -> tuple[Argument, Proposal, Step] | None:
    """An argument, its proposal and its step (consultation loaded), whatever their state."""
    row = session.execute(
        select(Argument, Proposal, Step)
        .join(Proposal, Proposal.id == Argument.proposal_id)
        .join(Step, Step.id == Argument.step_id)
        .join(Step.consultation)
        .options(contains_eager(Step.consultation))
        .where(Argument.id == argument_id)
    ).one_or_none()
    return (row.Argument, row.Proposal, row.Step) if row else None


def arguments(session: Session, proposal: Proposal, side: Side, *, number: int = 1) -> Page:
    """A page of one side's published arguments, the most useful first; rows have id, title, body, author, votes.

    Written on tables, as `_list` is: everything hangs on a proposal found under the tenant filter.
    """
    kept = (_A.proposal_id == proposal.id, _A.status == ContentStatus.PUBLISHED, _A.side == side)
    total = session.scalar(select(func.count()).select_from(Argument.__table__).where(*kept)) or 0
    pages = max(1, -(-total // PAGE))
    number = min(max(1, number), pages)
    rows = session.execute(
        select(
            *(_A.id, _A.title, _A.body, _A.author_id, _A.created_at, _A.version, _A.imported_votes_for),
            _author(_A),
            _A.votes_for,
        )
        .select_from(Argument.__table__)
        .outerjoin(Account.__table__, Account.__table__.c.id == _A.author_id)
        .where(*kept)
        .order_by(_A.votes_for.desc(), _A.created_at, _A.id)
        .limit(PAGE)
        .offset((number - 1) * PAGE)
    ).all()
    return Page(rows, number, pages, total)


def themes(session: Session, step_id: uuid.UUID) -> Rows:
    """The headings of a step, in their order: id, slug, title."""
    return session.execute(_THEMES, {"step": step_id}).all()


def versions(session: Session, item: Proposal | Argument) -> Sequence[ContentVersion]:
    """The former texts of a content, newest first."""
    of = ContentVersion.proposal_id if isinstance(item, Proposal) else ContentVersion.argument_id
    return session.scalars(
        select(ContentVersion).where(of == item.id).order_by(ContentVersion.version.desc()).limit(MINE)
    ).all()


def own_vote(session: Session, account_id: uuid.UUID | None, proposal_id: uuid.UUID) -> Any:
    """This account's vote on a proposal; None without one. The row has value, whether it is `counted` (the address is
    confirmed), and whether it is `placed` in the log, hence in the figures.
    """
    if account_id is None:
        return None
    return session.execute(
        select(Vote.value, Vote.counted, _PLACED)
        .outerjoin(RegistryEntry, RegistryEntry.ref == Vote.registry_ref)
        .where(Vote.account_id == account_id, Vote.proposal_id == proposal_id)
    ).one_or_none()


def own_useful(
    session: Session, account_id: uuid.UUID | None, argument_ids: Sequence[uuid.UUID]
) -> Mapping[uuid.UUID, bool]:
    """Which of these arguments this account found useful, and whether its vote is placed in the log."""
    if account_id is None or not argument_ids:
        return {}
    found = session.execute(
        select(Vote.argument_id, _PLACED)
        .outerjoin(RegistryEntry, RegistryEntry.ref == Vote.registry_ref)
        .where(Vote.account_id == account_id, Vote.argument_id.in_(argument_ids))
    )
    return {row.argument_id: row.placed for row in found}


def own_proposals(session: Session, account_id: uuid.UUID) -> Rows:
    """The latest proposals of an account, in any state."""
    return session.execute(
        select(
            Proposal.id, Proposal.title, Proposal.status, Proposal.status_reason, Proposal.created_at, Proposal.version
        )
        .where(Proposal.author_id == account_id)
        .order_by(Proposal.created_at.desc())
        .limit(MINE)
    ).all()


def own_arguments(session: Session, account_id: uuid.UUID) -> Rows:
    """The latest arguments of an account, in any state; `title` of the proposal each is on, None unless published."""
    return session.execute(
        select(
            Argument.id,
            Argument.body,
            Argument.side,
            Argument.status,
            Argument.status_reason,
            Argument.created_at,
            Argument.version,
            Argument.proposal_id,
            case((Proposal.status == ContentStatus.PUBLISHED, Proposal.title)).label("title"),
        )
        .join(Proposal, Proposal.id == Argument.proposal_id)
        .where(Argument.author_id == account_id)
        .order_by(Argument.created_at.desc())
        .limit(MINE)
    ).all()


def own_votes(session: Session, account_id: uuid.UUID) -> Rows:
    """The latest votes of an account, with the published proposal each concerns."""
    on = func.coalesce(Vote.proposal_id, Argument.proposal_id)
    return session.execute(
        select(Vote.value, Vote.counted, Vote.cast_at, Vote.argument_id, Proposal.id, Proposal.title)
        .outerjoin(Argument, Argument.id == Vote.argument_id)
        .join(Proposal, Proposal.id == on)
        .where(Vote.account_id == account_id, Proposal.status == ContentStatus.PUBLISHED)
        .order_by(Vote.cast_at.desc())
        .limit(MINE)
    ).all()


def prepared(session: Session, account_id: uuid.UUID) -> Mapping[str, int]:
    """What waits for the account's address to be confirmed: uncounted votes, unpublished texts."""
    waiting = [
        select(func.count())
        .select_from(model)
        .where(model.author_id == account_id, model.status == ContentStatus.PENDING)
        for model in (Proposal, Argument)
    ]
    uncounted = select(func.count()).select_from(Vote).where(Vote.account_id == account_id, Vote.counted.is_(False))
    return {
        "votes": session.scalar(uncounted) or 0,
        "texts": sum(session.scalar(query) or 0 for query in waiting),
    }


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
    """Published contributions and arguments of a step, the votes on them, and apart the votes that were imported."""
    row = session.execute(_census(), {"step": step.id}).one()
    return {
        "contributions": row.proposals,
        "arguments": row.arguments,
        "votes": row.proposal_votes + row.argument_votes,
        "imported_votes": row.imported,
    }


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


def states(session: Session, consultation_id: uuid.UUID) -> Mapping[tuple[str, str], Mapping[str, int]]:
    """How many proposals and arguments there are by origin and state, and how many votes are counted or awaiting.

    Votes are the rows, on contents in any state: the log says apart which were taken back or erased.
    """
    steps = select(Step.id).where(Step.consultation_id == consultation_id)
    found: dict[tuple[str, str], dict[str, int]] = {}
    for kind, of in (("proposal", _P), ("argument", _A)):
        query = select(of.origin, of.status, func.count()).where(of.step_id.in_(steps))
        for origin, status, count in session.execute(query.group_by(of.origin, of.status)):
            found.setdefault((kind, origin.value), {})[status.value] = count
    # All of them by one index, those that await by another, which holds them alone: no row is read.
    all_votes = select(func.count()).select_from(Vote.__table__).where(Vote.consultation_id == consultation_id)
    awaiting = session.scalar(all_votes.where(text("NOT vote.counted"))) or 0
    counted = (session.scalar(all_votes) or 0) - awaiting
    if counted or awaiting:
        found[conservation.VOTE, Origin.LIVE.value] = {"published": counted, "pending": awaiting}
    return found


def _sum(of: ColumnElement[int]) -> ColumnElement[int]:
    return func.coalesce(func.sum(of), 0)
