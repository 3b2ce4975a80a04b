"""Voting: one row per account and content, an entry in the public log, and a delta for the displayed counts.

A vote cast before the account's e-mail is confirmed is kept aside: no entry, no delta, until `count_pending_votes`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TypeAlias

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from consult.consultations import policy as consultations
from consult.consultations.models import ContentStatus, Step
from consult.contributions.models import Argument, Proposal, Vote, VoteDelta, VoteValue
from consult.contributions.service import Content, lock_account, log
from consult.errors import BadRequestError, ClosedError, GoneError
from consult.registry.models import EntryKind

Tally: TypeAlias = dict[VoteValue, int]


def cast_vote(
    session: Session, target: Content, *, step: Step, account_id: uuid.UUID, value: VoteValue, now: dt.datetime
) -> Vote:
    """Record this account's vote, in place of the one it had; the same vote again changes nothing.

    Raises ClosedError, GoneError when the content is not published, BadRequestError for an argument found anything
    but useful.
    """
    if isinstance(target, Argument) and value is not VoteValue.FOR:
        raise BadRequestError("Un argument se juge utile ou non : choisissez « utile » ou retirez votre vote.")
    account = lock_account(session, account_id)
    _check_votable(target, step, now)
    vote = session.scalar(_vote_of(account_id, target))
    before = vote.value if vote is not None and vote.counted else None
    if vote is None:
        vote = _new_vote(target, account_id, value, now)
    elif vote.value is value and (vote.counted or account.confirmed_at is None):
        return vote
    vote.value, vote.cast_at, vote.counted = value, now, account.confirmed_at is not None
    if vote.counted:
        kind = EntryKind.VOTE_CHANGED if before else EntryKind.VOTE_CAST
        _count(session, target, vote, kind, {value: 1} | ({before: -1} if before else {}), now)
    session.add(vote)
    session.flush()
    return vote


def withdraw_vote(session: Session, target: Content, *, step: Step, account_id: uuid.UUID, now: dt.datetime) -> bool:
    """Take this account's vote back; returns whether there was one. Raises ClosedError, GoneError."""
    lock_account(session, account_id)
    _check_votable(target, step, now)
    vote = session.scalar(_vote_of(account_id, target))
    if vote is None:
        return False
    if vote.counted:
        _count(session, target, vote, EntryKind.VOTE_WITHDRAWN, {vote.value: -1}, now)
    session.delete(vote)
    session.flush()
    return True


def count_pending_votes(session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
    """Count the votes an account cast before its e-mail was confirmed, where they can still be; returns how many.

    A vote whose step has closed meanwhile, or whose content is no longer published, stays uncounted.
    """
    lock_account(session, account_id)
    counted = 0
    pending = session.scalars(
        select(Vote).where(Vote.account_id == account_id, Vote.counted.is_(False)).order_by(Vote.cast_at)
    ).all()
    for vote in pending:
        target = session.get(Proposal, vote.proposal_id) or session.get(Argument, vote.argument_id)
        step = session.get_one(Step, vote.step_id)
        if target is None or target.status is not ContentStatus.PUBLISHED:
            continue
        if consultations.accepts_acts(step, step.consultation, now):
            vote.counted = True
            _count(session, target, vote, EntryKind.VOTE_CAST, {vote.value: 1}, now)
            counted += 1
    session.flush()
    return counted


def recount(session: Session, target: Content) -> Tally:
    """The truth: the counted vote rows of a content, by value. What is displayed always equals it."""
    rows = session.execute(
        select(Vote.value, func.count()).where(_on(target), Vote.counted.is_(True)).group_by(Vote.value)
    )
    return dict.fromkeys(VoteValue, 0) | dict(iter(rows))


def _check_votable(target: Content, step: Step, now: dt.datetime) -> None:
    if not consultations.accepts_acts(step, step.consultation, now):
        raise ClosedError("Le vote n’est pas ouvert sur cette étape : votre vote n’a pas été enregistré.")
    if target.status is not ContentStatus.PUBLISHED:
        raise GoneError("Ce contenu n’est pas publié : votre vote n’a pas été enregistré.")


def _vote_of(account_id: uuid.UUID, target: Content) -> Select[Vote]:
    return select(Vote).where(Vote.account_id == account_id, _on(target)).with_for_update()


def _on(target: Content) -> ColumnElement[bool]:
    return Vote.proposal_id == target.id if isinstance(target, Proposal) else Vote.argument_id == target.id


def _new_vote(target: Content, account_id: uuid.UUID, value: VoteValue, now: dt.datetime) -> Vote:
    return Vote(
        organisation_id=target.organisation_id,
        consultation_id=target.consultation_id,
        step_id=target.step_id,
        proposal_id=target.id if isinstance(target, Proposal) else None,
        argument_id=target.id if isinstance(target, Argument) else None,
        account_id=account_id,
        value=value,
        cast_at=now,
    )


def _count(
    session: Session, target: Content, vote: Vote, kind: EntryKind, changes: dict[VoteValue, int], now: dt.datetime
) -> None:
    vote.registry_ref = log(session, target, kind, {"value": vote.value.value}, now)
    for value, change in changes.items():
        session.add(
            VoteDelta(
                organisation_id=target.organisation_id,
                proposal_id=vote.proposal_id,
                argument_id=vote.argument_id,
                value=value,
                change=change,
            )
        )
