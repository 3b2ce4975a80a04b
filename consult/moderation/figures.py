"""The public figures of moderation, counted from the rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, aliased

from consult.consultations.models import Consultation, ConsultationStatus
from consult.moderation.models import Act, Contest, Decision, Report


@dataclass(frozen=True, slots=True)
class Statistics:
    """Public figures of moderation, over the public consultations of the organisation."""

    reports: int
    waiting_reports: int
    acts: Mapping[Act, int]
    hidden_by_ground: Mapping[str, int]
    hidden_by_type: Mapping[str, int]
    contests: int
    waiting_contests: int
    overturned: int  # contents given back because their author contested
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
    answer = aliased(Decision)
    return Statistics(
        reports=count(reports),
        waiting_reports=count(reports.where(Report.decision_id.is_(None))),
        acts=by(Decision.act),
        hidden_by_ground=by(Decision.ground, Decision.act == Act.HIDE),
        hidden_by_type=by(Decision.item_type, Decision.act == Act.HIDE),
        contests=count(contests),
        waiting_contests=count(contests.where(Contest.answer_id.is_(None))),
        overturned=count(contests.join(answer, answer.id == Contest.answer_id).where(answer.act == Act.RESTORE)),
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
