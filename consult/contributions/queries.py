"""Reading proposals, arguments and votes.

Displayed counts are counters plus deltas not folded yet, read in one statement, hence from one state of the database.
"""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, FromClause, Select, case, func, select, text
from sqlalchemy.orm import Session

from consult.accounts.models import Account
from consult.consultations.models import Consultation, ContentStatus, Step
from consult.contributions import policy
from consult.contributions.models import (
    Argument,
    ContentVersion,
    ContributionDraft,
    Proposal,
    Side,
    Theme,
    Vote,
    VoteDelta,
    VoteValue,
)
from consult.search import queries as search

PAGE: Final = 20
EXCERPT: Final = 280
MINE: Final = 200
Rows: TypeAlias = Sequence[Any]  # rows with the named columns that each function tells


class Sort(enum.StrEnum):
    """Orders of a list of proposals."""

    RANDOM = "random"  # by the step's published seed: no one is first by chance of the clock
    RECENT = "recent"
    VOTED = "voted"


_ORDERS: Final = {
    Sort.RANDOM: (Proposal.random_rank,),
    Sort.RECENT: (Proposal.created_at.desc(), Proposal.id.desc()),
    Sort.VOTED: (Proposal.votes_total.desc(), Proposal.random_rank.desc()),
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: rows, its number from 1, how many pages and rows there are."""

    rows: Rows
    number: int
    pages: int
    total: int


def proposals(
    session: Session, step: Step, *, sort: Sort = Sort.RANDOM, theme_id: uuid.UUID | None = None, text: str = "",
    number: int = 1,
) -> Page:  # fmt: skip
    """A page of the published proposals of a step; two queries whatever their number.

    Rows have id, title, excerpt, theme_id, author, created_at, version, arguments, the votes with those not folded
    yet, and the imported votes. A number beyond the last page gives the last page.
    """
    kept = [Proposal.step_id == step.id, Proposal.status == ContentStatus.PUBLISHED]
    if theme_id is not None:
        kept.append(Proposal.theme_id == theme_id)
    if text:
        kept.append(Proposal.id.in_(search.find(session, step.id, text)))
    total = session.scalar(select(func.count()).select_from(Proposal).where(*kept)) or 0
    pages = max(1, -(-total // PAGE))
    number = min(max(1, number), pages)
    ids = select(Proposal.id).where(*kept).order_by(*_ORDERS[sort]).limit(PAGE).offset((number - 1) * PAGE).subquery()
    return Page(session.execute(_cards(ids).order_by(*_ORDERS[sort])).all(), number, pages, total)


def _cards(ids: FromClause) -> Select[Any]:
    waiting = waiting_on_proposals(VoteDelta.proposal_id.in_(select(ids.c.id)))
    arguments = (
        select(func.count())
        .select_from(Argument)
        .where(Argument.proposal_id == Proposal.id, Argument.status == ContentStatus.PUBLISHED)
        .scalar_subquery()
    )
    return (
        select(
            Proposal.id,
            Proposal.title,
            func.substr(Proposal.body, 1, EXCERPT).label("excerpt"),
            (func.length(Proposal.body) > EXCERPT).label("cut"),
            Proposal.theme_id,
            Proposal.author_id,
            _author(Proposal).label("author"),
            Proposal.created_at,
            *exact_votes(waiting),
            Proposal.imported_votes_for,
            Proposal.imported_votes_mixed,
            Proposal.imported_votes_against,
            arguments.label("arguments"),
        )
        .join(ids, ids.c.id == Proposal.id)
        .outerjoin(Account, Account.id == Proposal.author_id)
        .outerjoin(waiting, waiting.c.target == Proposal.id)
    )


def waiting_on_proposals(*restriction: ColumnElement[bool]) -> FromClause:
    """Changes of proposals' counts not folded yet: target, for, mixed, against."""
    return _waiting(VoteDelta.proposal_id, restriction or (VoteDelta.proposal_id.is_not(None),))


def waiting_on_arguments(*restriction: ColumnElement[bool]) -> FromClause:
    """Changes of arguments' counts not folded yet: target, for, mixed, against."""
    return _waiting(VoteDelta.argument_id, restriction or (VoteDelta.argument_id.is_not(None),))


def exact_votes(waiting: FromClause) -> list[ColumnElement[int]]:
    """The votes of a proposal as they are now, for an outer join of `waiting_on_proposals`."""
    counters = {"for": Proposal.votes_for, "mixed": Proposal.votes_mixed, "against": Proposal.votes_against}
    return [(counter + func.coalesce(waiting.c[name], 0)).label(f"votes_{name}") for name, counter in counters.items()]


def exact_useful(waiting: FromClause) -> ColumnElement[int]:
    """The votes of an argument as they are now, for an outer join of `waiting_on_arguments`."""
    return (Argument.votes_for + func.coalesce(waiting.c["for"], 0)).label("votes_for")


def _waiting(target: Any, restriction: Sequence[ColumnElement[bool]]) -> FromClause:
    sums = [
        func.sum(case((VoteDelta.value == value, VoteDelta.change), else_=0)).label(value.value) for value in VoteValue
    ]
    return select(target.label("target"), *sums).where(*restriction).group_by(target).subquery()


def _author(model: type[Proposal | Argument]) -> ColumnElement[str]:
    return case((model.author_name != "", model.author_name), else_=func.coalesce(Account.pseudonym, ""))


@dataclass(frozen=True, slots=True)
class ProposalSheet:
    """A proposal with the step it belongs to, its author's name and its exact votes."""

    proposal: Proposal
    step: Step
    consultation: Consultation
    author: str
    theme: str | None
    votes: Mapping[str, int]


def sheet(session: Session, proposal_id: uuid.UUID) -> ProposalSheet | None:
    """All that the page of a proposal says of it, in one query; whatever its state: the caller judges."""
    waiting = waiting_on_proposals(VoteDelta.proposal_id == proposal_id)
    row = session.execute(
        select(Proposal, Step, Consultation, _author(Proposal).label("author"), Theme.title, *exact_votes(waiting))
        .join(Step, Step.id == Proposal.step_id)
        .join(Consultation, Consultation.id == Proposal.consultation_id)
        .outerjoin(Theme, Theme.id == Proposal.theme_id)
        .outerjoin(Account, Account.id == Proposal.author_id)
        .outerjoin(waiting, waiting.c.target == Proposal.id)
        .where(Proposal.id == proposal_id)
    ).one_or_none()
    if row is None:
        return None
    votes = {"for": row.votes_for, "mixed": row.votes_mixed, "against": row.votes_against}
    return ProposalSheet(row.Proposal, row.Step, row.Consultation, row.author, row.title, votes)


def argument_with_step(session: Session, argument_id: uuid.UUID) -> tuple[Argument, Proposal, Step] | None:
    """An argument, its proposal and its step (consultation loaded), whatever their state."""
    row = session.execute(
        select(Argument, Proposal, Step, Consultation)
        .join(Proposal, Proposal.id == Argument.proposal_id)
        .join(Step, Step.id == Argument.step_id)
        .join(Consultation, Consultation.id == Argument.consultation_id)
        .where(Argument.id == argument_id)
    ).one_or_none()
    return (row.Argument, row.Proposal, row.Step) if row else None


def arguments(session: Session, proposal_id: uuid.UUID, side: Side, *, number: int = 1) -> Page:
    """A page of one side's published arguments, the most useful first; rows have id, title, body, author, votes."""
    kept = (Argument.proposal_id == proposal_id, Argument.status == ContentStatus.PUBLISHED, Argument.side == side)
    total = session.scalar(select(func.count()).select_from(Argument).where(*kept)) or 0
    pages = max(1, -(-total // PAGE))
    number = min(max(1, number), pages)
    of_proposal = select(Argument.id).where(Argument.proposal_id == proposal_id)
    waiting = waiting_on_arguments(VoteDelta.argument_id.in_(of_proposal))
    useful = exact_useful(waiting)
    rows = session.execute(
        select(
            Argument.id,
            Argument.title,
            Argument.body,
            Argument.author_id,
            Argument.created_at,
            Argument.version,
            Argument.imported_votes_for,
            _author(Argument).label("author"),
            useful,
        )
        .outerjoin(Account, Account.id == Argument.author_id)
        .outerjoin(waiting, waiting.c.target == Argument.id)
        .where(*kept)
        .order_by(useful.desc(), Argument.created_at, Argument.id)
        .limit(PAGE)
        .offset((number - 1) * PAGE)
    ).all()
    return Page(rows, number, pages, total)


def themes(session: Session, step_id: uuid.UUID) -> Rows:
    """The headings of a step, in their order: id, slug, title."""
    return session.execute(
        select(Theme.id, Theme.slug, Theme.title).where(Theme.step_id == step_id).order_by(Theme.position)
    ).all()


def versions(session: Session, item: Proposal | Argument) -> Sequence[ContentVersion]:
    """The former texts of a content, newest first."""
    of = ContentVersion.proposal_id if isinstance(item, Proposal) else ContentVersion.argument_id
    return session.scalars(
        select(ContentVersion).where(of == item.id).order_by(ContentVersion.version.desc()).limit(MINE)
    ).all()


def own_vote(session: Session, account_id: uuid.UUID | None, proposal_id: uuid.UUID) -> Any:
    """The value of this account's vote on a proposal, and whether it counts yet; None without a vote."""
    if account_id is None:
        return None
    return session.execute(
        select(Vote.value, Vote.counted).where(Vote.account_id == account_id, Vote.proposal_id == proposal_id)
    ).one_or_none()


def own_useful(session: Session, account_id: uuid.UUID | None, argument_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these arguments this account found useful."""
    if account_id is None or not argument_ids:
        return set()
    found = session.scalars(
        select(Vote.argument_id).where(Vote.account_id == account_id, Vote.argument_id.in_(argument_ids))
    )
    return {argument_id for argument_id in found if argument_id is not None}


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
    """The latest arguments of an account, in any state, with the proposal each is on."""
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
            Proposal.title,
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


def census(session: Session, step_id: uuid.UUID) -> Mapping[str, int]:
    """Published contributions and arguments of a step, the votes on them, and apart the votes that were imported."""
    proposals = (Proposal.step_id == step_id, Proposal.status == ContentStatus.PUBLISHED)
    arguments = (Argument.step_id == step_id, Argument.status == ContentStatus.PUBLISHED)
    imported = Proposal.imported_votes_for + Proposal.imported_votes_mixed + Proposal.imported_votes_against
    counted = [
        select(func.count()).select_from(Proposal).where(*proposals),
        select(func.count()).select_from(Argument).where(*arguments),
        select(func.sum(imported)).where(*proposals, text("origin = 'imported'")),  # as the partial index says it
        select(func.sum(Proposal.votes_total)).where(*proposals),
        select(func.sum(Argument.votes_for)).where(*arguments),
        select(func.sum(VoteDelta.change)).join(Proposal, Proposal.id == VoteDelta.proposal_id).where(*proposals),
        select(func.sum(VoteDelta.change)).join(Argument, Argument.id == VoteDelta.argument_id).where(*arguments),
    ]
    row = session.execute(select(*(func.coalesce(count.scalar_subquery(), 0) for count in counted))).one()
    return {"contributions": row[0], "arguments": row[1], "votes": sum(row[3:]), "imported_votes": row[2]}
