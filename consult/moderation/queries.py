"""Reading moderation: the queue (a query over reports), the history of a content, tombstones, statistics."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from consult.accounts.models import Account
from consult.clock import day, start_of
from consult.consultations.labels import SET_ASIDE
from consult.consultations.models import Consultation, ConsultationStatus, ContentStatus, Origin
from consult.contributions.models import OFFICIAL, Argument, Proposal
from consult.moderation import policy
from consult.moderation.models import Act, Contest, Decision, Report
from consult.protocols import ContentType, ModerableItem
from consult.questionnaires.models import Answer, AnswerVisibility, Question, Reply

PAGE_SIZE: Final = 20
LISTED: Final = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    """One content to examine: its reports not answered yet, by reason."""

    item_type: str
    item_id: uuid.UUID
    consultation_id: uuid.UUID
    first_reported_at: dt.datetime
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
    grouped = _waiting(scope, consultation_id, item_type)
    total = session.scalar(select(func.count()).select_from(grouped.subquery())) or 0
    oldest = grouped.order_by(func.min(Report.reported_at), Report.item_id)
    rows = session.execute(oldest.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)).all()
    reasons = _reasons(session, [row.item_id for row in rows])
    items: dict[uuid.UUID, ModerableItem] = {}
    for name in {row.item_type for row in rows} & content_types.keys():
        items |= content_types[name].items(session, [row.item_id for row in rows if row.item_type == name])
    return total, [
        Waiting(*row, item=items.get(row.item_id), reasons=reasons.get((row.item_type, row.item_id), {}))
        for row in rows
    ]


def waiting_count(session: Session, consultation_id: uuid.UUID) -> int:
    """How many contents of a consultation wait for a decision."""
    return session.scalar(select(func.count()).select_from(_waiting(None, consultation_id, "").subquery())) or 0


def _waiting(
    scope: Collection[uuid.UUID] | None, consultation_id: uuid.UUID | None, item_type: str
) -> Select[str, uuid.UUID, uuid.UUID, dt.datetime, int]:
    query = (
        select(Report.item_type, Report.item_id, Report.consultation_id, func.min(Report.reported_at), func.count())
        .where(Report.decision_id.is_(None))
        .group_by(Report.item_type, Report.item_id, Report.consultation_id)
    )
    if scope is not None:
        query = query.where(Report.consultation_id.in_(scope))
    if consultation_id is not None:
        query = query.where(Report.consultation_id == consultation_id)
    return query.where(Report.item_type == item_type) if item_type else query


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


def facts(
    session: Session, item: ModerableItem, *, reports: Sequence[Report], contest: Contest | None
) -> frozenset[policy.Fact]:
    """What is true of a content besides its state; `reports` and `contest` are those that no decision answered."""
    true = {
        policy.Fact.REPORTED: bool(reports),
        policy.Fact.CONTESTED: contest is not None,
        policy.Fact.SET_ASIDE: author_set_aside(session, item),
    }
    return frozenset(fact for fact, holds in true.items() if holds)


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


@dataclass(frozen=True, slots=True)
class Statistics:
    """Public figures of moderation, over the public consultations of the organisation."""

    reports: int
    waiting_reports: int
    acts: Mapping[Act, int]
    hidden_by_ground: Mapping[str, int]
    hidden_by_type: Mapping[str, int]
    contests: int
    automated: int
    median_delay: dt.timedelta | None  # from the first report to the decision that answered it


def statistics(session: Session) -> Statistics:
    """Counted from the rows at this instant, in a bounded number of queries."""
    public = select(Consultation.id).where(Consultation.status != ConsultationStatus.DRAFT)
    ours, reported = Decision.consultation_id.in_(public), Report.consultation_id.in_(public)

    def by(column: Any, *conditions: ColumnElement[bool]) -> dict[Any, int]:
        rows = session.execute(select(column, func.count()).where(ours, *conditions).group_by(column))
        return {value: count for value, count in rows}  # noqa: C416  # rows are no pairs for the type checker

    def count(query: Select[Any]) -> int:
        return session.scalar(query) or 0

    reports = select(func.count()).select_from(Report).where(reported)
    contests = select(func.count()).select_from(Contest).join(Decision, Decision.id == Contest.decision_id).where(ours)
    return Statistics(
        reports=count(reports),
        waiting_reports=count(reports.where(Report.decision_id.is_(None))),
        acts=by(Decision.act),
        hidden_by_ground=by(Decision.ground, Decision.act == Act.HIDE),
        hidden_by_type=by(Decision.item_type, Decision.act == Act.HIDE),
        contests=count(contests),
        automated=count(select(func.count()).select_from(Decision).where(ours, Decision.automated)),
        median_delay=_median_delay(session, ours),
    )


def _median_delay(session: Session, ours: ColumnElement[bool]) -> dt.timedelta | None:
    """The middle of the delays, or the mean of the two in the middle."""
    measured = (ours, Decision.delay_seconds.is_not(None))
    total = session.scalar(select(func.count()).select_from(Decision).where(*measured)) or 0
    if not total:
        return None
    middle = select(Decision.delay_seconds).where(*measured).order_by(Decision.delay_seconds)
    values = session.scalars(middle.offset((total - 1) // 2).limit(2 - total % 2)).all()
    return dt.timedelta(seconds=sum(value or 0 for value in values) / len(values))
