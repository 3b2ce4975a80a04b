"""Ballots: one row per account and step, and one entry in the public log per change, whose place moves the counts.

Each act locks the account's row first, as every act of an account does: two ballots sent at once are one, cast then
changed. A ballot cast before the account's e-mail is confirmed is kept aside, as a vote is.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.accounts.service import lock_active
from consult.consultations import policy as consultations
from consult.consultations.age.service import lock_participant
from consult.consultations.models import ContentStatus, Step
from consult.contributions import counters
from consult.contributions.ballots import policy
from consult.contributions.ballots.models import Ballot
from consult.contributions.ballots.policy import Choices, Move
from consult.contributions.models import Proposal, ProposalKind, StepSecret
from consult.contributions.policy import voter_of
from consult.contributions.voting import VoteRule, rule_of
from consult.errors import BadRequestError, ClosedError
from consult.registry import conservation
from consult.registry import service as registry
from consult.registry.models import EntryKind

CLOSED: Final = "Le vote n’est pas ouvert sur cette étape\u00a0: votre bulletin n’a pas été enregistré."


def give(session: Session, step: Step, *, account_id: uuid.UUID, points: Choices, now: dt.datetime) -> Ballot | None:
    """Give these points to texts of a step, and to the others what they have; returns the ballot, if any.

    What is given already changes nothing; a ballot that gives nothing any more is withdrawn. Raises ClosedError,
    InvalidError naming the texts, BadRequestError where people do not vote by ballot.
    """
    rule, confirmed, ballot = _begin(session, step, account_id, now)
    choices = {**(ballot.choices if ballot else {}), **points}
    return _put(session, step, rule, ballot, account_id, choices, now, confirmed=confirmed)


def move(
    session: Session, step: Step, *, account_id: uuid.UUID, text: uuid.UUID, move: Move, now: dt.datetime
) -> Ballot | None:
    """Add a text to a ranking, move it by one place, or remove it. Raises as `give`."""
    rule, confirmed, ballot = _begin(session, step, account_id, now)
    choices = policy.moved(rule, ballot.choices if ballot else {}, move, str(text))
    return _put(session, step, rule, ballot, account_id, choices, now, confirmed=confirmed)


def withdraw(session: Session, step: Step, *, account_id: uuid.UUID, now: dt.datetime) -> bool:
    """Take this account's ballot back; returns whether there was one. Raises ClosedError."""
    rule, confirmed, ballot = _begin(session, step, account_id, now)
    _put(session, step, rule, ballot, account_id, {}, now, confirmed=confirmed)
    return ballot is not None


def count_pending_ballots(session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
    """Count the ballots cast before the account's e-mail was confirmed, where the step is still open; how many.

    What they gave to texts that are published no more is left out.
    """
    lock_active(session, account_id)
    counted = 0
    pending = select(Ballot).where(Ballot.account_id == account_id, Ballot.counted.is_(False)).order_by(Ballot.cast_at)
    for ballot in session.scalars(pending).all():
        step = session.get_one(Step, ballot.step_id)
        rule = rule_of(step.settings)
        choices = policy.remaining(rule, ballot.choices, _published(session, step, ballot.choices))
        if choices and consultations.accepts_acts(step, step.consultation, now):
            ballot.choices, ballot.counted = choices, True
            _log(session, ballot, rule, {}, now)
            counted += 1
    session.flush()
    return counted


def erase_all(session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
    """Take back every ballot of an account that is erased, and all that the log let read of them; how many.

    A tombstone for each step names the entries that went, and the texts whose counts they had moved. The caller holds
    the account's lock.
    """
    ballots = session.scalars(select(Ballot).where(Ballot.account_id == account_id)).all()
    graves = _graves(session, account_id)
    for ballot in (each for each in ballots if each.counted):
        grave = graves.setdefault(ballot.step_id, _Grave(ballot.organisation_id, ballot.consultation_id))
        grave.add(ballot.registry_ref, ballot.choices)
        rule = rule_of(session.get_one(Step, ballot.step_id).settings)
        grave.effect = counters.ballot_effect(policy.changes(rule, ballot.choices, {}), conservation.ERASED)
    registry.destroy_openings(session, [ref for grave in graves.values() for ref in grave.entries])
    for step_id, grave in graves.items():
        about = {"step": str(step_id), "contributions": sorted(grave.texts)}
        registry.append(
            session,
            organisation_id=grave.organisation_id,
            consultation_id=grave.consultation_id,
            kind=EntryKind.TOMBSTONE,
            content={**about, "type": "vote", "ground": "erased", "entries": grave.entries},
            now=now,
            effect=grave.effect,
        )
    for ballot in ballots:
        session.delete(ballot)
    session.flush()
    return len(ballots)


@dataclass(slots=True)
class _Grave:
    """What an erasure destroys of one ballot: its entries, and the texts that they named."""

    organisation_id: uuid.UUID
    consultation_id: uuid.UUID
    entries: list[str] = field(default_factory=list)
    texts: set[str] = field(default_factory=set)
    effect: counters.Effect | None = None

    def add(self, ref: str | None, texts: Iterable[str]) -> None:
        self.texts.update(texts)
        if ref and ref not in self.entries:
            self.entries.append(ref)


def _graves(session: Session, account_id: uuid.UUID) -> dict[uuid.UUID, _Grave]:
    """By step, in the order of the log: ballots withdrawn since included."""
    graves: dict[uuid.UUID, _Grave] = {}
    secrets = session.scalars(select(StepSecret.secret))
    for row in registry.held_by(session, [voter_of(secret, account_id) for secret in secrets]):
        if "choices" in row.opening:
            step_id = uuid.UUID(row.opening["step"])
            grave = graves.setdefault(step_id, _Grave(row.organisation_id, row.consultation_id))
            grave.add(row.ref, (*row.opening["choices"], *row.opening.get("former", ())))
    return graves


def _begin(
    session: Session, step: Step, account_id: uuid.UUID, now: dt.datetime
) -> tuple[VoteRule, bool, Ballot | None]:
    """The rule of the step, whether the account's address is confirmed, and its ballot; the account is locked."""
    rule = rule_of(step.settings)
    if step.kind != "proposals" or not rule.by_ballot:
        raise BadRequestError("Cette étape ne se vote pas par bulletin.")
    account = lock_participant(session, step.consultation, account_id)
    if not consultations.accepts_acts(step, step.consultation, now):
        raise ClosedError(CLOSED)
    held = select(Ballot).where(Ballot.account_id == account_id, Ballot.step_id == step.id)
    ballot = session.scalar(held.execution_options(populate_existing=True))
    return rule, account.confirmed_at is not None, ballot


def _put(
    session: Session,
    step: Step,
    rule: VoteRule,
    ballot: Ballot | None,
    account_id: uuid.UUID,
    choices: Choices,
    now: dt.datetime,
    *,
    confirmed: bool,
) -> Ballot | None:
    held = ballot.choices if ballot else {}
    choices = {text: given for text, given in choices.items() if given}
    if choices == held and (ballot is None or ballot.counted or not confirmed):
        return ballot
    policy.check(rule, choices, held, _published(session, step, choices))
    former = held if ballot and ballot.counted else {}
    if ballot is None:
        ballot = Ballot(
            id=uuid.uuid4(),
            organisation_id=step.organisation_id,
            consultation_id=step.consultation_id,
            step_id=step.id,
            account_id=account_id,
        )
        session.add(ballot)
    ballot.choices, ballot.cast_at, ballot.counted = choices, now, confirmed
    if confirmed and (choices or former):
        _log(session, ballot, rule, former, now)
    if not choices:
        session.delete(ballot)
    session.flush()
    return ballot if choices else None


def _log(session: Session, ballot: Ballot, rule: VoteRule, former: Choices, now: dt.datetime) -> None:
    """Tell the log what a ballot says, or that it says nothing any more, and what it said before."""
    assert ballot.account_id is not None  # the ballot of an account that acts
    kind, act = (
        (EntryKind.VOTE_WITHDRAWN, conservation.WITHDRAWN)
        if not ballot.choices
        else (EntryKind.VOTE_CHANGED, None) if former else (EntryKind.VOTE_CAST, conservation.SUBMITTED)
    )  # fmt: skip
    said: dict[str, Any] = {"choices": dict(ballot.choices or former)}
    if act is None:
        said["former"] = dict(former)
    session.flush()
    ballot.registry_ref = registry.append(
        session,
        organisation_id=ballot.organisation_id,
        consultation_id=ballot.consultation_id,
        kind=kind,
        content={
            "step": str(ballot.step_id),
            "vote": rule.kind.value,
            **said,
            "voter": voter_of(session.get_one(StepSecret, ballot.step_id).secret, ballot.account_id),
        },
        now=now,
        effect=counters.ballot_effect(policy.changes(rule, former, ballot.choices), act),
        vote_id=ballot.id,
    )


def _published(session: Session, step: Step, choices: Choices) -> set[str]:
    """Those of these texts that are published in the step."""
    named = select(Proposal.id).where(
        Proposal.step_id == step.id,
        Proposal.kind == ProposalKind.PROPOSAL,
        Proposal.status == ContentStatus.PUBLISHED,
        Proposal.id.in_(policy.ids(choices)),
    )
    return {str(text) for text in session.scalars(named)}
