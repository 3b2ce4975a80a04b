"""Ballots: one row per account and step, and one entry in the public log per change, whose place moves the counts.

An act is looked at, decided, recorded: on SQLite the first two need no writer. Two ballots sent at once are one, cast
then changed: what was recorded meanwhile is seen as it is written, and the act decided again. A ballot cast before the
account's e-mail is confirmed is kept aside, as a vote is.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, cast

from sqlalchemy import ColumnElement, Connection, Table, bindparam, delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consult.accounts.models import Account, AccountStatus
from consult.consultations import policy as consultations
from consult.consultations.age import policy as ages
from consult.consultations.age.service import check_declared
from consult.consultations.models import Consultation, ContentStatus, Step
from consult.contributions import counters
from consult.contributions.ballots import policy
from consult.contributions.ballots.models import Ballot
from consult.contributions.ballots.policy import Choices, Move
from consult.contributions.models import Proposal, ProposalKind, StepSecret
from consult.contributions.policy import voter_of
from consult.contributions.voting import VoteKind, VoteRule, rule_of
from consult.errors import AgeUndeclaredError, BadRequestError, ClosedError, ForbiddenError
from consult.registry import conservation
from consult.registry import service as registry
from consult.registry.models import EntryKind

CLOSED: Final = "Le vote n’est pas ouvert sur cette étape\u00a0: votre bulletin n’a pas été enregistré."


# What an act makes of a ballot: by the rule of its step, and what it gives already.
Change: TypeAlias = Callable[[VoteRule, Choices], Choices]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be written for an act: nothing when `changes` is false."""

    seen: Any  # the row of `look`
    choices: Choices
    changes: bool = False
    entry: registry.Prepared | None = None
    now: dt.datetime | None = None

    @property
    def waits(self) -> bool:
        """Whether there is a ballot, which will not count before the address is confirmed."""
        return bool(self.choices) and self.seen.confirmed_at is None


def giving(points: Choices) -> Change:
    """Give these points to texts of a step, and to the others what they have."""

    def change(rule: VoteRule, held: Choices) -> Choices:
        if rule.kind is not VoteKind.POINTS:
            raise BadRequestError("Cette étape ne se vote pas par points.")
        return {**held, **points}

    return change


def moving(move: Move, text: str) -> Change:
    """Add a text to a ranking, move it by one place, or remove it."""

    def change(rule: VoteRule, held: Choices) -> Choices:
        if rule.kind is not VoteKind.RANKING:
            raise BadRequestError("Cette étape ne se vote pas par classement.")
        return policy.moved(rule, held, move, text)

    return change


def withdrawing(_: VoteRule, held: Choices) -> Choices:
    """Take the ballot back."""
    del held
    return {}


def act(session: Session, step_id: uuid.UUID, *, account_id: uuid.UUID, change: Change, now: dt.datetime) -> Decision:
    """Change the ballot of an account in a step. Raises as `decide`, ForbiddenError when the account is gone."""
    session.flush()
    connection = session.connection()
    while True:
        seen = look(connection, account_id, step_id=step_id)
        if seen is None:
            raise ForbiddenError("Ce compte n’existe plus, ou n’est pas de cette organisation.")
        decision = decide(connection, seen, change, now)
        if record(session, decision):
            return decision


def look(connection: Connection, account_id: uuid.UUID, **where: Any) -> Any:
    """What decides of a ballot, in one row; None where there is no such step, or when the account is not active.

    `where`: `step_id`; or `organisation_id`, and the `slug`s of the consultation and `step_slug` of the step.
    """
    return connection.execute(_looking(tuple(sorted(where))), {"account": account_id, **where}).first()


def decide(connection: Connection, seen: Any, change: Change, now: dt.datetime) -> Decision:
    """What an act does, by what was seen. Raises BadRequestError where people do not vote by ballot, ClosedError,
    AgeUndeclaredError, InvalidError naming the texts.
    """
    rule = rule_of(seen.settings)
    if seen.kind != "proposals" or not rule.by_ballot:
        raise BadRequestError("Cette étape ne se vote pas par bulletin.")
    whole = consultations.Dates(seen.whole_opens_at, seen.whole_closes_at, seen.status)
    if not consultations.accepts_acts(consultations.Dates(seen.opens_at, seen.closes_at), whole, now):
        raise ClosedError(CLOSED)
    held, confirmed = seen.choices or {}, seen.confirmed_at is not None
    choices = {text: given for text, given in change(rule, held).items() if given}
    if choices == held and (seen.ballot is None or seen.counted or not confirmed):
        return Decision(seen, choices)
    if choices:  # who takes a ballot back declares nothing
        check_declared(ages.rule_of(seen), seen, seen.slug)
    policy.check(rule, choices, held, _published(connection, seen.step_id, choices))
    former = held if seen.counted else {}
    entry = _entry(seen, rule, former, choices, now) if confirmed and (choices or former) else None
    return Decision(seen, choices, changes=True, entry=entry, now=now)


def record(session: Session, decision: Decision) -> bool:
    """Write what was decided; False, and nothing written, when another act came first.

    The database arbitrates: by its unique constraint, by what the ballot was, and by looking again at the account.
    """
    if not decision.changes:
        return True
    if session.connection().execute(*_writing(session.connection().dialect.name, decision)).first() is None:
        return False
    registry.write(session, [decision.entry] if decision.entry else [])
    return True


def count_pending_ballots(session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
    """Count the ballots cast before the account's e-mail was confirmed, where the step is still open; how many.

    What they gave to texts that are published no more is left out.
    """
    pending = select(Ballot.step_id).where(Ballot.account_id == account_id, Ballot.counted.is_(False))
    counted = 0
    for step_id in session.scalars(pending.order_by(Ballot.cast_at)).all():
        change = _remaining(session.connection(), step_id)
        with contextlib.suppress(ClosedError, AgeUndeclaredError):
            counted += bool(act(session, step_id, account_id=account_id, change=change, now=now).choices)
    return counted


def _remaining(connection: Connection, step_id: uuid.UUID) -> Change:
    return lambda rule, held: policy.remaining(rule, held, _published(connection, step_id, held))


def erase_all(session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
    """Take back every ballot of an account that is erased, and all that the log let read of them; how many.

    A tombstone for each step names the entries that went, and the texts whose counts they had moved. The caller holds
    the account's lock.
    """
    mine = select(Ballot).where(Ballot.account_id == account_id).execution_options(populate_existing=True)
    ballots = session.scalars(mine).all()
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


def _entry(seen: Any, rule: VoteRule, former: Choices, choices: Choices, now: dt.datetime) -> registry.Prepared:
    """What the log is told of a ballot: what it gives, or gave when it gives nothing any more; what it gave before."""
    kind, flow = (
        (EntryKind.VOTE_WITHDRAWN, conservation.WITHDRAWN)
        if not choices
        else (EntryKind.VOTE_CHANGED, None) if former else (EntryKind.VOTE_CAST, conservation.SUBMITTED)
    )  # fmt: skip
    said: dict[str, Any] = {"choices": dict(choices or former)}
    if flow is None:
        said["former"] = dict(former)
    told = {"step": str(seen.step_id), "vote": rule.kind.value, **said}
    return registry.prepare(
        organisation_id=seen.organisation_id,
        consultation_id=seen.consultation_id,
        kind=kind,
        content={**told, "voter": voter_of(seen.secret, seen.account_id)},
        now=now,
        effect=counters.ballot_effect(policy.changes(rule, former, choices), flow),
        vote_id=seen.ballot or uuid.uuid4(),
    )


def _published(connection: Connection, step_id: uuid.UUID, choices: Choices) -> set[str]:
    """Those of these texts that are published in the step."""
    found = connection.execute(_PUBLISHED, {"step": step_id, "texts": policy.ids(choices)})
    return {str(text) for text in found.scalars()}


# The statements, built once and on tables: who and where are among their conditions.
_B: Final = cast("Table", Ballot.__table__)
_P: Final = Proposal.__table__.c
_PUBLISHED: Final = select(_P.id).where(
    _P.step_id == bindparam("step"),
    _P.kind == ProposalKind.PROPOSAL,
    _P.status == ContentStatus.PUBLISHED,
    _P.id.in_(bindparam("texts", expanding=True)),
)


@functools.cache
def _looking(where: tuple[str, ...]) -> Any:
    tables = (Step, Consultation, Account, StepSecret)
    step, whole, account, secret = (each.__table__.c for each in tables)
    known = {"step_id": step.id, "organisation_id": whole.organisation_id, "slug": whole.slug, "step_slug": step.slug}
    ballot = (_B.c.id.label("ballot"), _B.c.choices, _B.c.counted, _B.c.registry_ref, _B.c.cast_at)
    return (
        select(
            *(step.id.label("step_id"), step.consultation_id, step.organisation_id, step.kind, step.settings),
            *(step.opens_at, step.closes_at, whole.status, secret.secret, *ballot),
            *(account.id.label("account_id"), account.confirmed_at, account.declared_age, account.declared_consent),
            *(whole.slug, whole.minimum_age, whole.parental_consent),
            *(whole.opens_at.label("whole_opens_at"), whole.closes_at.label("whole_closes_at")),
        )
        .select_from(Step.__table__)
        .join(Consultation.__table__, whole.id == step.consultation_id)
        .join(StepSecret.__table__, secret.step_id == step.id)
        .join(Account.__table__, account.id == bindparam("account"))
        .outerjoin(_B, (_B.c.account_id == account.id) & (_B.c.step_id == step.id))
        .where(*(known[name] == bindparam(name) for name in where))
        .where(account.organisation_id == step.organisation_id, account.status == AccountStatus.ACTIVE)
        .with_for_update(of=Account.__table__, key_share=True)
    )


def _writing(dialect: str, decision: Decision) -> tuple[Any, dict[str, Any]]:
    """The statement that inserts a ballot, or changes or deletes the one that was seen, and its values."""
    seen, entry = decision.seen, decision.entry
    still = {"still_account": seen.account_id}
    values: dict[str, Any] = {
        "choices": dict(decision.choices),
        "counted": seen.confirmed_at is not None,
        "registry_ref": entry and entry["ref"],
        "cast_at": decision.now,
    }
    if seen.ballot is None:
        owned = {name: getattr(seen, name) for name in ("organisation_id", "consultation_id", "step_id", "account_id")}
        row = {"id": entry["vote_id"] if entry else uuid.uuid4(), **owned, **values}
        return _insert(dialect, tuple(row)), row | still
    was = {"was_id": seen.ballot, "was_ref": seen.registry_ref, "was_cast_at": seen.cast_at}
    if not decision.choices:
        return delete(_B).where(*_unchanged()).returning(_B.c.id), was | still
    return _update(), was | still | {f"now_{name}": value for name, value in values.items()}


@functools.cache
def _insert(dialect: str, columns: tuple[str, ...]) -> Any:
    kind = sqlite.insert if dialect == "sqlite" else postgresql.insert
    given = select(*(bindparam(name, type_=_B.c[name].type) for name in columns)).where(_still_active())
    return kind(_B).from_select(columns, given).on_conflict_do_nothing().returning(_B.c.id)


@functools.cache
def _update() -> Any:
    columns = ("choices", "counted", "registry_ref", "cast_at")
    values = {name: bindparam(f"now_{name}", type_=_B.c[name].type) for name in columns}
    return update(_B).where(*_unchanged()).values(**values).returning(_B.c.id)


def _unchanged() -> tuple[ColumnElement[bool], ...]:
    """Whether, as it is written, the ballot is the one that was seen, and its account active."""
    same = _B.c.registry_ref.is_not_distinct_from(bindparam("was_ref", type_=_B.c.registry_ref.type))
    return _B.c.id == bindparam("was_id"), same, _B.c.cast_at == bindparam("was_cast_at"), _still_active()


def _still_active() -> ColumnElement[bool]:
    account = Account.__table__.c
    holder = account.id == bindparam("still_account", type_=account.id.type)
    return exists().where(holder, account.status == AccountStatus.ACTIVE)
