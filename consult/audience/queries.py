"""Reading the sums of traffic, what people did meanwhile, and the reports."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from consult import clock
from consult.accounts.models import Account
from consult.audience.figures import HOURS, Acts, Span, Traffic, ranked
from consult.audience.models import AudienceCount, Measure, Period, TrafficReport
from consult.consultations.models import Consultation, ContentStatus, Origin
from consult.contributions.ballots.models import Ballot
from consult.contributions.models import OFFICIAL, Argument, Proposal, Vote
from consult.errors import NotFoundError
from consult.paging import Paged, paged
from consult.questionnaires.models import Reply

PAGE: Final = 20
_C = AudienceCount


def counted(session: Session, span: Span) -> Traffic:
    """The traffic that the built-in counters added up."""
    first, after = clock.hour_number(span.start), clock.hour_number(span.end)
    rows = session.execute(
        select(_C.measure, _C.value, _C.hour, _C.count).where(_C.hour >= first, _C.hour < after)
    ).all()
    by = {measure: Counter[str]() for measure in Measure}
    hours, days = [0] * HOURS, Counter[str]()
    for measure, value, hour, count in rows:
        by[measure][value] += count
        if measure is Measure.VISIT:
            local = dt.datetime.fromtimestamp(hour * 3_600, clock.PARIS)
            hours[local.hour] += count
            days[local.date().isoformat()] += count
    return Traffic(
        visits=by[Measure.VISIT].total(),
        views=by[Measure.PAGE].total(),
        pages=ranked(by[Measure.PAGE].items()),
        sources=ranked(by[Measure.SOURCE].items()),
        devices=ranked(by[Measure.DEVICE].items()),
        hours=tuple(hours),
        days=tuple((day, days[day]) for day in dates(span)),
    )


def dates(span: Span) -> list[str]:
    """Its days, as ISO dates."""
    return [(span.first + dt.timedelta(days=n)).isoformat() for n in range(span.days)]


def acts(session: Session, organisation_id: uuid.UUID, span: Span) -> Acts:
    """What people did here: accounts whose address was confirmed, what was written, votes and ballots that count.

    Neither what was imported nor what was tried before the opening. An anonymous reply tells the day of its batch.
    """
    start, end = span.start, span.end

    def within(column: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
        return (column >= start) & (column < end)

    def number(model: Any, *where: ColumnElement[bool]) -> int:
        return session.scalar(select(func.count()).where(model.organisation_id == organisation_id, *where)) or 0

    pending = ContentStatus.PENDING
    return Acts(
        accounts=number(Account, within(Account.confirmed_at)),
        contributions=number(
            Proposal, within(Proposal.created_at), Proposal.origin == Origin.LIVE, Proposal.status != pending,
            Proposal.kind.not_in(OFFICIAL),
        )
        + number(Argument, within(Argument.created_at), Argument.origin == Origin.LIVE, Argument.status != pending)
        + number(Reply, within(Reply.received_at), Reply.origin == Origin.LIVE, Reply.status != pending),
        votes=number(Vote, within(Vote.cast_at), Vote.origin == Origin.LIVE, Vote.counted.is_(True))
        + number(Ballot, within(Ballot.cast_at), Ballot.counted.is_(True)),
    )  # fmt: skip


def reports(session: Session, *, page: int) -> Paged[TrafficReport]:
    """The reports of the organisation, the latest period first."""
    query = select(TrafficReport).order_by(
        TrafficReport.first_day.desc(), TrafficReport.period.desc(), TrafficReport.id
    )
    return paged(session, query, number=page, size=PAGE)


def report_or_404(session: Session, report_id: uuid.UUID) -> TrafficReport:
    """One report of the organisation. Raises NotFoundError."""
    found = session.scalar(select(TrafficReport).where(TrafficReport.id == report_id))
    if found is None:
        raise NotFoundError("Aucun bilan n’a cette adresse.")
    return found


def of_span(session: Session, span: Span) -> TrafficReport | None:
    """The report of a period, if it was asked for."""
    return session.scalar(
        select(TrafficReport).where(TrafficReport.period == span.period, TrafficReport.first_day == span.first)
    )


def unmeasured(session: Session, since: dt.date) -> Sequence[TrafficReport]:
    """The reports of late whose traffic could not be measured: it may be away no more."""
    return session.scalars(
        select(TrafficReport)
        .where(TrafficReport.made_at.is_not(None), TrafficReport.traffic.is_(None), TrafficReport.first_day >= since)
        .order_by(TrafficReport.first_day, TrafficReport.id)
    ).all()


def is_due(session: Session, span: Span, *, days: int) -> bool:
    """Whether a report is made without being asked: each week of an open consultation, each of its first days."""
    opened: tuple[ColumnElement[bool], ...] = (Consultation.opened_at.is_not(None), Consultation.opened_at < span.end)
    closed = func.coalesce(Consultation.closed_at, Consultation.closes_at)
    if span.period is Period.DAY:
        opened = (*opened, Consultation.opened_at >= span.start - dt.timedelta(days=days - 1))
    return bool(session.scalar(select(select(Consultation.id).where(*opened, closed > span.start).exists())))
