"""Measuring a period, and making the reports that nobody asks for."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult import clock
from consult.accounts.notices.policy import TRAFFIC
from consult.accounts.notices.service import Sender
from consult.accounts.queries import staff_of
from consult.audience import labels, queries, service
from consult.audience.figures import Span, Traffic
from consult.audience.matomo import Matomo
from consult.audience.models import Period, TrafficReport
from consult.audience.pages import Told
from consult.db import as_tenant
from consult.errors import UnavailableError
from consult.jobs.schedule import Task
from consult.organisations.models import Organisation
from consult.protocols import JobHandler, Progress
from consult.settings import Settings

FIRST_DAYS: Final = 14  # of a consultation: a report each day
LATE: Final = 7  # days during which what could not be measured is tried again


class Meter(Protocol):
    """Where the figures of traffic come from."""

    source: str

    def read(self, session: Session, organisation: str, span: Span) -> Traffic:
        """The traffic of the organisation of that identifier. Raises UnavailableError, in French."""


class Counters:
    """The built-in counters."""

    source = "counters"

    def read(self, session: Session, organisation: str, span: Span) -> Traffic:
        """See Meter."""
        del organisation  # the session serves it alone
        return queries.counted(session, span)


class Nothing:
    """Nothing is measured."""

    source = "off"

    def read(self, session: Session, organisation: str, span: Span) -> Traffic:
        """See Meter."""
        del session, organisation, span
        raise UnavailableError(labels.METHODS["off"])


def meter_of(settings: Settings) -> Meter:
    """The one that the settings chose."""
    if settings.audience == "matomo":
        return Matomo(settings)
    return Counters() if settings.audience == "counters" else Nothing()


class MakeReport:
    """JobHandler of `audience.report`: measures a period and the one before, then tells the staff if asked to."""

    kind: ClassVar[str] = service.REPORT_JOB

    def __init__(self, settings: Settings, now: Callable[[], dt.datetime] = clock.now) -> None:
        self._settings = settings
        self._meter = meter_of(settings)
        self._now = now

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """The database is let go while another machine may be waited for."""
        del cursor
        report_id = uuid.UUID(payload["report"])
        report = session.get(TrafficReport, report_id)
        if report is None:
            return
        owner, span = report.organisation_id, Span(report.period, report.first_day)
        slug = session.get_one(Organisation, owner).slug
        yield Progress(0, message=labels.period(span))
        measured = self._measure(session, slug, span)
        acts = queries.acts(session, owner, span), queries.acts(session, owner, span.previous)
        report = session.get_one(TrafficReport, report_id)
        source = self._meter.source
        service.record(session, report, source=source, measured=measured, acts=acts, now=self._now())
        if payload.get("tell"):
            self._tell(session, report)
        yield Progress(1)

    def _measure(self, session: Session, slug: str, span: Span) -> tuple[Traffic, Traffic] | str:
        try:
            return self._meter.read(session, slug, span), self._meter.read(session, slug, span.previous)
        except UnavailableError as error:
            return error.message

    def _tell(self, session: Session, report: TrafficReport) -> None:
        organisation = session.get_one(Organisation, report.organisation_id)
        sender = Sender.at_work(session, organisation, self._settings)
        told = Told.of(report)
        context = {
            "kind": labels.PERIODS[report.period],
            "period": labels.period(told.span),
            "rows": told.rows(),
            "notes": told.notes(),
            "address": f"{sender.site}/gestion/audience/{report.id}",
        }
        for account in staff_of(session, organisation.id, None, TRAFFIC.roles):
            sender.send(session, account, "audience_report", context, self._now())


class DueReports:
    """Periodic: the reports of each week, and of the first days of a consultation; those not measured, once more."""

    kind: ClassVar[str] = "audience.due"

    def __init__(self, now: Callable[[], dt.datetime] = clock.now) -> None:
        self._now = now

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """One chunk for each organisation."""
        del payload, cursor
        for done, organisation_id in enumerate(
            session.scalars(select(Organisation.id).order_by(Organisation.id)).all()
        ):
            with as_tenant(session, organisation_id):
                self._plan(session, organisation_id)
            yield Progress(done + 1)

    def _plan(self, session: Session, organisation_id: uuid.UUID) -> None:
        now = self._now()
        today = clock.day(now)
        days = [Span.of(Period.DAY, today - dt.timedelta(days=n)) for n in range(LATE, 0, -1)]
        for span in (*days, Span.of(Period.WEEK, today).previous):
            due = service.is_over(span, now) and queries.is_due(session, span, days=FIRST_DAYS)
            if due and queries.of_span(session, span) is None:
                service.plan(session, organisation_id, span, now=now, tell=True)
        for report in queries.unmeasured(session, today - dt.timedelta(days=LATE)):
            if report.source != Nothing.source:
                service.plan(session, organisation_id, Span(report.period, report.first_day), now=now, tell=False)


def handlers(settings: Settings) -> tuple[JobHandler, ...]:
    """Every handler of this feature."""
    return MakeReport(settings), DueReports()


TASKS: Final = (Task(DueReports.kind, dt.timedelta(hours=1)),)
