"""Reading moderation: the queue (a query over reports), the history of a content, tombstones, statistics."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Subquery, and_, func, literal, literal_column, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased, contains_eager

from consult.accounts.models import Account
from consult.clock import day, start_of
from consult.consultations.labels import AWAITING, SET_ASIDE
from consult.consultations.models import Consultation, ConsultationStatus, ContentStatus, Origin, Reading, Step
from consult.contributions.models import OFFICIAL, Argument, Proposal
from consult.moderation import policy
from consult.moderation.models import HIDES, Act, Contest, Decision, ReadingChange, Report
from consult.protocols import ContentType, ModerableItem
from consult.questionnaires.models import Answer, AnswerVisibility, Question, Reply

PAGE_SIZE: Final = 20
LISTED: Final = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    """One content to examine: its reports not answered yet, by reason; none for a text to read before publication."""

    item_type: str
    item_id: uuid.UUID
    consultation_id: uuid.UUID
    since: dt.datetime
    reports: int
    item: ModerableItem | None
    reasons: Mapping[str, int] = field(default_factory=dict)


def queue(
    session: Session,
    content_types: Mapping[str, ContentType],
    *,
    scope: Collection[uuid.UUID] | None,
    consultation_id: uuid.UUID | None = None,
    item_type: str = "",
    page: int = 1,
) -> tuple[int, list[Waiting]]:
    """How many contents wait, and a page of them, the longest waiting first; `scope` None is every consultation.

    A bounded number of queries: one to count, one for the page, one for the reasons, and those of each type of content.
    """
    waiting = _waiting(scope, consultation_id, item_type)
    total = session.scalar(select(func.count()).select_from(waiting)) or 0
    oldest = select(waiting).order_by(waiting.c.since, waiting.c.item_id)
    rows = session.execute(oldest.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)).all()
    reasons = _reasons(session, [row.item_id for row in rows])
    items: dict[uuid.UUID, ModerableItem] = {}
    for name in {row.item_type for row in rows} & content_types.keys():
        items |= content_types[name].items(session, [row.item_id for row in rows if row.item_type == name])
    return total, [
        Waiting(
            item_type=row.item_type,
            item_id=row.item_id,
            consultation_id=row.consultation_id,
            since=row.since,
            reports=row.reports,
            item=items.get(row.item_id),
            reasons=reasons.get((row.item_type, row.item_id), {}),
        )
        for row in rows
    ]


def waiting_count(session: Session, consultation_id: uuid.UUID) -> int:
    """How many contents of a consultation wait for a decision."""
    return session.scalar(select(func.count()).select_from(_waiting(None, consultation_id, ""))) or 0


# Where each type of content keeps the texts that wait to be read, and since when.
HELD_ROWS: Final[Mapping[str, tuple[Any, InstrumentedAttribute[dt.datetime | None]]]] = {
    "proposal": (Proposal, Proposal.ended_at),
    "argument": (Argument, Argument.ended_at),
    "reply": (Reply, Reply.edited_at),
}


def _is_held(model: Any) -> ColumnElement[bool]:
    held: ColumnElement[bool] = model.status_reason == literal_column(f"'{AWAITING}'")  # as the index's condition says
    return held


def held_since(session: Session, consultation_id: uuid.UUID, since: dt.datetime) -> bool:
    """Whether a text of that consultation began, after that instant, to wait for a moderator."""
    held = [
        select(model.id).where(model.consultation_id == consultation_id, _is_held(model), at >= since)
        for model, at in HELD_ROWS.values()
    ]
    return session.execute(union_all(*held).limit(1)).first() is not None


def _waiting(scope: Collection[uuid.UUID] | None, consultation_id: uuid.UUID | None, item_type: str) -> Subquery:
    """Every content that waits for a moderator: reported, or to be read before it is public."""

    def within(column: Any) -> list[ColumnElement[bool]]:
        wanted = [] if scope is None else [column.in_(scope)]
        return wanted if consultation_id is None else [*wanted, column == consultation_id]

    reported = (
        select(
            *(Report.item_type.label("item_type"), Report.item_id.label("item_id"), Report.consultation_id),
            *(func.min(Report.reported_at).label("since"), func.count().label("reports")),
        )
        .where(Report.decision_id.is_(None), *within(Report.consultation_id))
        .group_by(Report.item_type, Report.item_id, Report.consultation_id)
    )
    if item_type:
        reported = reported.where(Report.item_type == item_type)
    held = [
        select(literal(name), model.id, model.consultation_id, since, literal(0)).where(
            _is_held(model),
            *within(model.consultation_id),
        )
        for name, (model, since) in HELD_ROWS.items()
        if item_type in {"", name}
    ]
    return union_all(reported, *held).subquery()


def _reasons(session: Session, item_ids: Sequence[uuid.UUID]) -> dict[tuple[str, uuid.UUID], dict[str, int]]:
    query = (
        select(Report.item_type, Report.item_id, Report.reason, func.count())
        .where(Report.item_id.in_(item_ids), Report.decision_id.is_(None))
        .group_by(Report.item_type, Report.item_id, Report.reason)
    )
    found: dict[tuple[str, uuid.UUID], dict[str, int]] = {}
    for item_type, item_id, reason, count in session.execute(query):
        found.setdefault((item_type, item_id), {})[reason] = count
    return found


def published_since(
    session: Session, step_id: uuid.UUID, since: dt.datetime
) -> list[tuple[str, uuid.UUID, tuple[str, ...]]]:
    """What was written or edited since, is published and is read by all: type, id and texts."""
    found: list[tuple[str, uuid.UUID, tuple[str, ...]]] = []
    for name, model in (("proposal", Proposal), ("argument", Argument)):
        lately = or_(model.created_at >= since, model.edited_at >= since)
        shown = [model.step_id == step_id, model.status == ContentStatus.PUBLISHED, model.origin == Origin.LIVE]
        if model is Proposal:
            shown.append(Proposal.kind.not_in(OFFICIAL))
        more = [Proposal.reason, Proposal.sources] if model is Proposal else []
        rows = session.execute(select(model.id, model.title, model.body, *more).where(*shown, lately))
        found += [(name, row.id, tuple(_texts(row[1:]))) for row in rows]
    of_a_batch, moved = Reply.batch_ref.is_not(None), func.coalesce(Reply.edited_at, Reply.received_at)
    texts = (
        select(Answer.reply_id, Answer.text, Answer.other)
        .join(Reply, Reply.id == Answer.reply_id)
        .join(Question, Question.id == Answer.question_id)
        .where(
            Reply.step_id == step_id,
            Reply.status == ContentStatus.PUBLISHED,
            Reply.origin == Origin.LIVE,
            # Of anonymous replies, only the beginning of a day is known.
            or_(Reply.received_at >= since, Reply.edited_at >= since, of_a_batch & (moved >= start_of(day(since)))),
            Question.visibility == AnswerVisibility.ROWS,
        )
    )
    found += [("reply", row.reply_id, (row.text or "", row.other or "")) for row in session.execute(texts)]
    return found


def _texts(columns: Iterable[Any]) -> Iterator[str]:
    """What the columns of a row say: texts, and the titles of sources."""
    for column in columns:
        if isinstance(column, list):
            yield from (source["title"] for source in column)
        else:
            yield column or ""


# One content --------------------------------------------------------------------------------------------------------


def decisions(session: Session, item_type: str, item_id: uuid.UUID) -> list[Decision]:
    """Every decision on a content, the one in force last."""
    query = select(Decision).where(Decision.item_type == item_type, Decision.item_id == item_id)
    return list(session.scalars(query.order_by(Decision.number)))


def open_reports(session: Session, item_type: str, item_id: uuid.UUID) -> list[Report]:
    """The reports of a content that no decision has answered, the oldest first."""
    query = select(Report).where(Report.item_type == item_type, Report.item_id == item_id, Report.decision_id.is_(None))
    return list(session.scalars(query.order_by(Report.reported_at)))


def open_contest(session: Session, item_type: str, item_id: uuid.UUID) -> Contest | None:
    """The contestation of a content that nobody has answered yet."""
    query = (
        select(Contest)
        .join(Decision, Decision.id == Contest.decision_id)
        .where(Decision.item_type == item_type, Decision.item_id == item_id, Contest.answer_id.is_(None))
        .order_by(Contest.contested_at)
        .limit(1)
    )
    return session.scalar(query)


def open_contests(session: Session, scope: Collection[uuid.UUID] | None) -> list[tuple[Contest, Decision]]:
    """The contestations to examine, the oldest first."""
    query = select(Contest, Decision).join(Decision, Decision.id == Contest.decision_id)
    query = query.where(Contest.answer_id.is_(None)).order_by(Contest.contested_at).limit(LISTED)
    if scope is not None:
        query = query.where(Decision.consultation_id.in_(scope))
    return [(contest, decision) for contest, decision in session.execute(query)]


def latest_decisions(session: Session, scope: Collection[uuid.UUID] | None) -> list[Decision]:
    """The last decisions taken, the latest first: where to find a content that is not in the queue any more."""
    query = select(Decision).order_by(Decision.decided_at.desc(), Decision.id).limit(LISTED)
    if scope is not None:
        query = query.where(Decision.consultation_id.in_(scope))
    return list(session.scalars(query))


def contested(session: Session, contest_digest: str) -> tuple[Decision, Contest | None] | None:
    """The decision that a mailed link contests, and its contestation if there is one already."""
    query = select(Decision, Contest).outerjoin(Contest, Contest.decision_id == Decision.id)
    row = session.execute(query.where(Decision.contest_digest == contest_digest)).one_or_none()
    return (row[0], row[1]) if row else None


# What anybody may read ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is public of a hidden content: never its text, title or author."""

    item_type: str
    item_id: uuid.UUID
    ground: str | None
    article: int | None
    decided_at: dt.datetime
    consultation_slug: str
    consultation_title: str


def tombstones(session: Session, *, consultation_slug: str = "", page: int = 1) -> tuple[int, list[Tombstone]]:
    """How many contents are hidden now, and a page of their tombstones, the latest first."""
    conditions = [_in_force(), Consultation.status != ConsultationStatus.DRAFT]
    if consultation_slug:
        conditions.append(Consultation.slug == consultation_slug)
    joined = and_(Consultation.id == Decision.consultation_id)
    total = session.scalar(select(func.count()).select_from(Decision).join(Consultation, joined).where(*conditions))
    query = (
        select(
            Decision.item_type, Decision.item_id, Decision.ground, Decision.article, Decision.decided_at,
            Consultation.slug, Consultation.title,
        )
        .join(Consultation, joined)
        .where(*conditions)
        .order_by(Decision.decided_at.desc(), Decision.id)
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    )  # fmt: skip
    return total or 0, [Tombstone(*row) for row in session.execute(query)]


@dataclass(frozen=True, slots=True)
class Case:
    """All that a decision on a content depends on: its past, what waits, what is true of it."""

    history: Sequence[Decision]
    reports: Sequence[Report]
    contest: Contest | None
    facts: frozenset[policy.Fact]
    hidden_by: uuid.UUID | None  # who took the decision that keeps it hidden
    read_by: uuid.UUID | None  # who read this very text first

    @property
    def last(self) -> Decision | None:
        """The decision in force."""
        return self.history[-1] if self.history else None

    @property
    def number(self) -> int:
        """Of the decision in force; 0 for none."""
        return self.history[-1].number if self.history else 0


def case(session: Session, item: ModerableItem) -> Case:
    """The case of a content as it stands."""
    history = decisions(session, item.type, item.id)
    reports, contest = open_reports(session, item.type, item.id), open_contest(session, item.type, item.id)
    last = history[-1] if history else None
    read = last is not None and last.act is Act.READ and last.version == item.version
    true = {
        policy.Fact.REPORTED: bool(reports),
        policy.Fact.CONTESTED: contest is not None,
        policy.Fact.SET_ASIDE: author_set_aside(session, item),
        policy.Fact.ANONYMOUS: item.author_id is None,
        policy.Fact.DOUBLE: session.get_one(Step, item.step_id).reading is Reading.TWICE,
        policy.Fact.READ: read,
        policy.Fact.ESCALATED: last is not None and last.act is Act.ESCALATE,
    }
    hiding = [each.moderator_id for each in history if each.act in HIDES]
    return Case(
        history,
        reports,
        contest,
        frozenset(fact for fact, holds in true.items() if holds),
        hidden_by=hiding[-1] if hiding else None,
        read_by=last.moderator_id if last and read else None,
    )


def author_set_aside(session: Session, item: ModerableItem) -> bool:
    """Whether the author of a content obtained that it be shown no more (GDPR, articles 18 and 21).

    What they wrote since is not concerned.
    """
    if item.author_id is None:
        return False
    if item.status_reason in SET_ASIDE:
        return True
    aside = select(Account.id).where(Account.id == item.author_id, Account.set_aside_at >= item.created_at)
    return session.scalar(aside) is not None


def hold_author(session: Session, author_id: uuid.UUID) -> None:
    """Have no measure granted to the author until this transaction is over; one that is being granted ends before."""
    session.execute(select(Account.id).where(Account.id == author_id).with_for_update(read=True, key_share=True))


def author_was_told(session: Session, item_type: str, item_id: uuid.UUID) -> bool:
    """Whether the decision that hides a content left with its author, by a mail that holds the link to contest it."""
    hides = and_(Decision.item_type == item_type, Decision.item_id == item_id, _in_force())
    return session.scalar(select(Decision.id).where(hides, Decision.contest_digest.is_not(None)).limit(1)) is not None


def _in_force() -> ColumnElement[bool]:
    """A decision to hide that no later decision has reversed."""
    later = aliased(Decision)
    reversed_by = (
        select(later.id)
        .where(
            later.item_type == Decision.item_type,
            later.item_id == Decision.item_id,
            later.number > Decision.number,
            later.act == Act.RESTORE,
        )
        .correlate(Decision)
    )
    return and_(Decision.act == Act.HIDE, ~reversed_by.exists())


def reading_changes(session: Session, *, step_id: uuid.UUID | None = None) -> list[tuple[ReadingChange, str]]:
    """The latest changes of when texts are read, of one step or of all, each with the title of its step."""
    query = select(ReadingChange, Step.title).join(Step, Step.id == ReadingChange.step_id)
    query = query.where(ReadingChange.step_id == step_id) if step_id else query
    latest = query.order_by(ReadingChange.changed_at.desc(), ReadingChange.id).limit(LISTED)
    return [(change, title) for change, title in session.execute(latest)]


def read_first(session: Session) -> list[Step]:
    """The steps of public consultations whose texts are read before they are published."""
    public = Consultation.status != ConsultationStatus.DRAFT
    query = select(Step).join(Consultation, Consultation.id == Step.consultation_id)
    query = query.options(contains_eager(Step.consultation)).where(public, Step.reading != Reading.AFTER)
    return list(session.scalars(query.order_by(Consultation.opens_at.desc(), Step.position).limit(LISTED)))
