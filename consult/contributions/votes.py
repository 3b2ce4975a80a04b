"""Voting: one row per account and content, and an entry in the public log, whose place moves the displayed counts.

A vote cast before the account's e-mail is confirmed is kept aside: no entry until `count_pending_votes`.
"""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, cast

from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consult.accounts.models import Account, AccountStatus
from consult.accounts.service import lock_active
from consult.consultations import policy as consultations
from consult.consultations.age import policy as ages
from consult.consultations.age.service import lock_participant
from consult.consultations.models import Consultation, ContentStatus, Origin, Step
from consult.contributions import counters, policy, voting
from consult.contributions.models import Argument, Proposal, ProposalKind, StepSecret, Vote, VoteValue
from consult.contributions.service import Content, is_shown, log
from consult.errors import BadRequestError, ClosedError, GoneError
from consult.registry import conservation
from consult.registry import service as registry
from consult.registry.models import EntryKind

Tally: TypeAlias = dict[VoteValue, int]
_NAMES: Final = ("contribution", "argument")  # what an opening calls the content voted on


def cast_vote(
    session: Session, target: Content, *, step: Step, account_id: uuid.UUID, value: VoteValue, now: dt.datetime
) -> Vote:
    """Record this account's vote, in place of the one it had; the same vote again changes nothing.

    Raises ClosedError, GoneError when the content is not published, BadRequestError for an argument found anything
    but useful, and for a position that the step does not take.
    """
    if isinstance(target, Argument) and value is not VoteValue.FOR:
        raise BadRequestError("Un argument se juge utile ou non : choisissez « utile » ou retirez votre vote.")
    rule = _rule(target, step)
    if rule.by_ballot:
        raise BadRequestError("Cette étape se vote par bulletin\u00a0: ouvrez « Mon bulletin » depuis sa page.")
    if value not in rule.values:
        raise BadRequestError("Cette étape recueille des soutiens\u00a0: soutenez ce texte, ou retirez votre soutien.")
    account = lock_participant(session, step.consultation, account_id)
    _check_votable(session, target, step, now)
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


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote to cast on a content, by an account of an organisation."""

    model: type[Content]
    target_id: uuid.UUID
    organisation_id: uuid.UUID
    account_id: uuid.UUID
    value: VoteValue


def look(connection: Connection, ballot: Ballot) -> Any:
    """What decides of a plain vote, in one row; None when its content is not published or its account not active."""
    wanted = {"target": ballot.target_id, "account": ballot.account_id, "tenant": ballot.organisation_id}
    return connection.execute(_plain(ballot.model), wanted).first()


def cast_at_once(session: Session, ballot: Ballot, seen: Any, now: dt.datetime) -> bool:
    """Cast a vote in two statements when nothing is in the way; False when `cast_vote` must judge: nothing was done.

    `seen` is what `look` found, before the writer was taken. In the way: a content that is not published, a step that
    is not open, an address to confirm, an age to declare, another act at the same instant. The database arbitrates that
    one: by its unique constraint, by the former value, and by looking again at account and content as it writes.
    """
    model, target_id, account_id, value = ballot.model, ballot.target_id, ballot.account_id, ballot.value
    if seen is None or seen.confirmed_at is None or seen.counted is False or not _takes_votes(seen, now):
        return False
    rule = voting.rule_of(seen.settings if model is Proposal else {})
    of_age = ages.rule_of(seen).allows(seen.declared_age, consent=seen.declared_consent)
    if value not in rule.values or not of_age:
        return False
    if seen.value is value:
        return True
    name = _NAMES[model is Argument]
    changes = {value: 1} | ({seen.value: -1} if seen.value else {})
    entry = registry.prepare(
        organisation_id=ballot.organisation_id,
        consultation_id=seen.consultation_id,
        kind=EntryKind.VOTE_CHANGED if seen.value else EntryKind.VOTE_CAST,
        content={
            "step": str(seen.step_id),
            name: str(target_id),
            "version": seen.version,
            **voting.told(rule, value),
            "voter": policy.voter_of(seen.secret, account_id),
        },
        now=now,
        effect=counters.effect(name, target_id, changes),
        vote_id=seen.vote or uuid.uuid4(),
    )
    # The statements are on tables and name the organisation: the session, which filters the others, is passed by.
    if not _write(session.connection(), seen, ballot, entry, now):
        return False
    registry.write(session, [entry])
    return True


def withdraw_vote(session: Session, target: Content, *, step: Step, account_id: uuid.UUID, now: dt.datetime) -> bool:
    """Take this account's vote back; returns whether there was one. Raises ClosedError, GoneError."""
    lock_active(session, account_id)
    _check_votable(session, target, step, now)
    vote = session.scalar(_vote_of(account_id, target))
    if vote is None:
        return False
    if vote.counted:
        gone = counters.gone(_NAMES[isinstance(target, Argument)], target.id, vote.value, conservation.WITHDRAWN)
        _log(session, target, vote, EntryKind.VOTE_WITHDRAWN, gone, now)
    session.delete(vote)
    session.flush()
    return True


def count_pending_votes(session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
    """Count the votes an account cast before its e-mail was confirmed, where they can still be; returns how many.

    A vote whose step has closed meanwhile, or whose content is no longer published, stays uncounted.
    """
    lock_active(session, account_id)
    counted = 0
    pending = session.scalars(
        select(Vote).where(Vote.account_id == account_id, Vote.counted.is_(False)).order_by(Vote.cast_at)
    ).all()
    for vote in pending:
        target: Content = (
            session.get_one(Proposal, vote.proposal_id)
            if vote.proposal_id
            else session.get_one(Argument, vote.argument_id)
        )
        step = session.get_one(Step, vote.step_id)
        if is_shown(session, target) and consultations.accepts_acts(step, step.consultation, now):
            vote.counted = True
            _count(session, target, vote, EntryKind.VOTE_CAST, {vote.value: 1}, now)
            counted += 1
    session.flush()
    return counted


def erase_all(session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
    """Take back every vote of an account that is erased, whatever the state of steps and contents; returns how many.

    All that the log let read of them goes, votes withdrawn since included: whoever knows the account could otherwise
    try the three answers. A tombstone for each content voted on names what went. The caller holds the account's lock.
    """
    votes = session.scalars(select(Vote).where(Vote.account_id == account_id)).all()
    graves = _graves(session, account_id, [vote for vote in votes if vote.counted])
    registry.destroy_openings(session, [ref for grave in graves.values() for ref in grave.entries])
    for grave in graves.values():
        registry.append(
            session,
            organisation_id=grave.organisation_id,
            consultation_id=grave.consultation_id,
            kind=EntryKind.TOMBSTONE,
            content={**grave.about, "type": "vote", "ground": "erased", "entries": grave.entries},
            now=now,
            effect=grave.effect,
        )
    for vote in votes:
        session.delete(vote)
    session.flush()
    return len(votes)


@dataclass(slots=True)
class _Grave:
    """What an erasure destroys of one vote: its entries, and on what it was."""

    organisation_id: uuid.UUID
    consultation_id: uuid.UUID
    about: dict[str, Any]
    entries: list[str] = field(default_factory=list)
    effect: counters.Effect | None = None


def _graves(session: Session, account_id: uuid.UUID, counted: Sequence[Vote]) -> dict[str, _Grave]:
    """By content voted on, in the order of the votes."""
    secrets = session.scalars(select(StepSecret.secret))
    graves: dict[str, _Grave] = {}
    for row in registry.held_by(session, [policy.voter_of(secret, account_id) for secret in secrets]):
        if "choices" in row.opening:
            continue  # a ballot, which names no content: `ballots.service.erase_all`
        about = {name: row.opening[name] for name in ("step", *_NAMES, "version") if name in row.opening}
        target = next(about[name] for name in _NAMES if name in about)
        grave = graves.setdefault(target, _Grave(row.organisation_id, row.consultation_id, about))
        grave.about = about
        grave.entries.append(row.ref)
    for vote in counted:  # those of a step whose secret is gone are known by their last entry alone
        target, name = str(vote.proposal_id or vote.argument_id), _NAMES[vote.proposal_id is None]
        if target not in graves:
            about = {"step": str(vote.step_id), name: target}
            known = [vote.registry_ref] if vote.registry_ref else []
            graves[target] = _Grave(vote.organisation_id, vote.consultation_id, about, known)
        graves[target].effect = counters.gone(name, uuid.UUID(target), vote.value, conservation.ERASED)
    return graves


def recount(session: Session, target: Content) -> Tally:
    """The truth: the counted vote rows of a content, by value. What is displayed equals it once all has its place."""
    rows = session.execute(
        select(Vote.value, func.count()).where(_on(target), Vote.counted.is_(True)).group_by(Vote.value)
    )
    return dict.fromkeys(VoteValue, 0) | dict(iter(rows))


def _check_votable(session: Session, target: Content, step: Step, now: dt.datetime) -> None:
    if not consultations.accepts_acts(step, step.consultation, now):
        raise ClosedError("Le vote n’est pas ouvert sur cette étape : votre vote n’a pas été enregistré.")
    if not is_shown(session, target):
        raise GoneError("Ce contenu n’est pas publié : votre vote n’a pas été enregistré.")
    if isinstance(target, Proposal) and target.kind is ProposalKind.QUESTION:
        raise BadRequestError("Une question ne se vote pas : donnez un argument, ou jugez utiles ceux des autres.")


def _vote_of(account_id: uuid.UUID, target: Content) -> Select[Vote]:
    return select(Vote).where(Vote.account_id == account_id, _on(target)).with_for_update()


def _on(target: Content) -> ColumnElement[bool]:
    return Vote.proposal_id == target.id if isinstance(target, Proposal) else Vote.argument_id == target.id


def _new_vote(target: Content, account_id: uuid.UUID, value: VoteValue, now: dt.datetime) -> Vote:
    return Vote(
        id=uuid.uuid4(),
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
    _log(session, target, vote, kind, counters.effect(_NAMES[isinstance(target, Argument)], target.id, changes), now)


def _log(
    session: Session, target: Content, vote: Vote, kind: EntryKind, effect: counters.Effect, now: dt.datetime
) -> None:
    assert vote.account_id is not None  # the vote of an account that acts
    voter = policy.voter_of(session.get_one(StepSecret, vote.step_id).secret, vote.account_id)
    rule = _rule(target, session.get_one(Step, vote.step_id))
    told = {**voting.told(rule, vote.value), "voter": voter}
    vote.registry_ref = log(session, target, kind, told, now, effect=effect, vote_id=vote.id)


def _rule(target: Content, step: Step) -> voting.VoteRule:
    """That of the step for its texts; an argument, which has its own check, is judged as usual."""
    return voting.rule_of(step.settings if isinstance(target, Proposal) else {})


# The statements of `cast_at_once`, built once and on tables: the organisation is among their conditions.
_V: Final = cast("Table", Vote.__table__)


def _write(connection: Connection, seen: Any, ballot: Ballot, entry: registry.Prepared, now: dt.datetime) -> bool:
    """Insert the vote, or change the one that was seen; False when another act came first."""
    vote_id, ref = entry["vote_id"], entry["ref"]
    still = {"still_account": ballot.account_id, "still_target": ballot.target_id}
    if seen.vote is not None:
        changed = {"vote": vote_id, "before": seen.value, "now_value": ballot.value, "now_ref": ref, "now_at": now}
        return connection.execute(_update(ballot.model), changed | still).first() is not None
    row = {
        "id": vote_id,
        "organisation_id": ballot.organisation_id,
        "consultation_id": seen.consultation_id,
        "step_id": seen.step_id,
        _column(ballot.model): ballot.target_id,
        "account_id": ballot.account_id,
        "value": ballot.value,
        "counted": True,
        "origin": Origin.LIVE,
        "registry_ref": ref,
        "cast_at": now,
    }
    statement = _insert(ballot.model, connection.dialect.name, tuple(row))
    return connection.execute(statement, row | still).first() is not None


@functools.cache
def _insert(model: type[Content], dialect: str, columns: tuple[str, ...]) -> Any:
    """One vote, unless the account has one, or may vote no more, or the content is shown no more."""
    kind = sqlite.insert if dialect == "sqlite" else postgresql.insert
    given = select(*(bindparam(name, type_=_V.c[name].type) for name in columns)).where(_still(model))
    return kind(_V).from_select(columns, given).on_conflict_do_nothing().returning(_V.c.id)


@functools.cache
def _update(model: type[Content]) -> Any:
    """Another value for the vote that was seen, under the same conditions."""
    seen = (_V.c.id == bindparam("vote"), _V.c.value == bindparam("before"), _V.c.counted.is_(True))
    values: dict[str, Any] = {
        "value": bindparam("now_value"),
        "registry_ref": bindparam("now_ref"),
        "cast_at": bindparam("now_at"),
    }
    return update(_V).where(*seen, _still(model)).values(**values).returning(_V.c.id)


def _still(model: type[Content]) -> ColumnElement[bool]:
    """Whether, as the vote is written, its account is active and its content published."""
    account, target, proposal = (each.__table__.c for each in (Account, model, Proposal))
    holder = account.id == bindparam("still_account", type_=account.id.type)
    shown = target.id == bindparam("still_target", type_=target.id.type)
    if model is Argument:
        shown &= exists().where(proposal.id == target.proposal_id, proposal.status == ContentStatus.PUBLISHED)
    return (
        exists().where(holder, account.status == AccountStatus.ACTIVE)
        & exists().where(shown, target.status == ContentStatus.PUBLISHED)
    )  # fmt: skip


@functools.cache
def _plain(model: type[Content]) -> Any:
    """All that decides of a vote on a published content: dates, the account's confirmation, its present vote."""
    tables = (model, Step, Consultation, Account, StepSecret)
    target, step, whole, account, secret = (each.__table__.c for each in tables)
    on = (_V.c.account_id == account.id) & (_V.c[_column(model)] == target.id)
    query = (
        select(
            *(target.step_id, target.consultation_id, target.version, account.confirmed_at, secret.secret),
            *(
                step.opens_at,
                step.closes_at,
                step.settings,
                whole.status,
                _V.c.id.label("vote"),
                _V.c.value,
                _V.c.counted,
            ),
            *(account.declared_age, account.declared_consent, whole.minimum_age, whole.parental_consent),
            whole.opens_at.label("whole_opens_at"),
            whole.closes_at.label("whole_closes_at"),
        )
        .select_from(model.__table__)
        .join(Step.__table__, step.id == target.step_id)
        .join(Consultation.__table__, whole.id == target.consultation_id)
        .join(Account.__table__, account.id == bindparam("account"))
        .join(StepSecret.__table__, secret.step_id == target.step_id)
        .outerjoin(_V, on)
        .where(target.id == bindparam("target"), target.status == ContentStatus.PUBLISHED)
        .where(target.organisation_id == bindparam("tenant"), account.organisation_id == target.organisation_id)
        .where(account.status == AccountStatus.ACTIVE)
        # Account first, vote next: the same order as `cast_vote`, so that no two acts wait for each other.
        .with_for_update(of=Account.__table__, key_share=True)
    )
    if model is Proposal:
        return query.where(target.kind != ProposalKind.QUESTION)
    parent = Proposal.__table__.c
    query = query.join(Proposal.__table__, parent.id == target.proposal_id)
    return query.where(parent.status == ContentStatus.PUBLISHED)


def _column(model: type[Content]) -> str:
    return "proposal_id" if model is Proposal else "argument_id"


def _takes_votes(seen: Any, now: dt.datetime) -> bool:
    whole = consultations.Dates(seen.whole_opens_at, seen.whole_closes_at, seen.status)
    return consultations.accepts_acts(consultations.Dates(seen.opens_at, seen.closes_at), whole, now)
