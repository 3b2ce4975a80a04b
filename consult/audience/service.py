"""Asking for a report, recording what was measured, writing what is recommended."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from sqlalchemy.orm import Session

from consult import clock
from consult.actor import Actor
from consult.audience import policy, queries
from consult.audience.figures import Acts, Span, Traffic
from consult.audience.models import TrafficReport
from consult.audit import service as audit
from consult.db import insert_once
from consult.errors import ConflictError, InvalidError
from consult.jobs import queries as job_queries
from consult.jobs import service as jobs

REPORT_JOB: Final = "audience.report"
SETTLED: Final = dt.timedelta(minutes=10)  # after the end of a period: each process has written what it counted
RECOMMENDATIONS_MAX: Final = 20_000


def is_over(span: Span, now: dt.datetime) -> bool:
    """Whether a period can be told: it is over, and what was counted is written."""
    return span.end + SETTLED <= now


def request(
    session: Session, organisation_id: uuid.UUID, span: Span, *, actor: Actor, now: dt.datetime
) -> TrafficReport:
    """Ask a worker to make a report, or to measure it again.

    Raises InvalidError for a period that is not over, or of which nothing is kept any more, and ConflictError while it
    is being made.
    """
    if span.first >= clock.day(now) or not is_over(span, now):
        words = (
            "Cette période n’est pas finie\u00a0: choisissez un jour passé (pour une semaine, jusqu’à son dimanche)."
        )
        raise InvalidError(words, fields={"day": words})
    if span.first < clock.day(now - policy.KEPT):
        words = "Rien n’est gardé au-delà de vingt-cinq mois\u00a0: choisissez un jour plus récent."
        raise InvalidError(words, fields={"day": words})
    report = plan(session, organisation_id, span, now=now, tell=False)
    if report is None:
        raise ConflictError("Ce bilan est déjà en préparation. Attendez qu’il soit prêt.")
    detail = {"period": span.period.value, "first_day": span.first.isoformat()}
    _journal(session, report, "audience.request", actor, now, detail)
    return report


def plan(
    session: Session, organisation_id: uuid.UUID, span: Span, *, now: dt.datetime, tell: bool
) -> TrafficReport | None:
    """Have a worker measure a period, and mail its staff if `tell`; None when one is at it."""
    key = {"organisation_id": organisation_id, "period": span.period, "first_day": span.first}
    insert_once(
        session,
        TrafficReport,
        conflict=list(key),
        id=uuid.uuid4(),
        source="",
        outage="",
        recommendations="",
        edits=0,
        **key,
    )
    report = queries.of_span(session, span)
    assert report is not None
    session.refresh(report, with_for_update=True)  # two who ask at once ask one after the other
    if report.job_id is not None and not job_queries.is_over(session, report.job_id):
        return None
    payload = {"report": str(report.id), "tell": tell}
    job = jobs.enqueue(session, REPORT_JOB, payload, organisation_id=organisation_id, now=now)
    report.job_id = job.id if job else None
    return report


def record(
    session: Session,
    report: TrafficReport,
    *,
    source: str,
    measured: tuple[Traffic, Traffic] | str,
    acts: tuple[Acts, Acts],
    now: dt.datetime,
) -> None:
    """Keep what was measured in the period and in the one before, or why nothing could be.

    A new failure does not undo what was measured earlier.
    """
    if isinstance(measured, str):
        if report.traffic is None:
            report.outage = measured
    else:
        report.traffic, report.traffic_before = (each.kept() for each in measured)
        report.outage = ""
    report.source, report.made_at = source, now
    report.acts, report.acts_before = (asdict(each) for each in acts)
    session.flush()


def recommend(
    session: Session, report: TrafficReport, words: str, *, seen: int, actor: Actor, now: dt.datetime
) -> None:
    """Write what is recommended. Raises InvalidError, and ConflictError when somebody else wrote since."""
    if len(words) > RECOMMENDATIONS_MAX:
        said = f"Ce texte dépasse {RECOMMENDATIONS_MAX} caractères\u00a0: raccourcissez-le."
        raise InvalidError(said, fields={"recommendations": said})
    session.refresh(report, with_for_update=True)
    if seen != report.edits:
        raise ConflictError("Quelqu’un d’autre a écrit entre-temps\u00a0: relisez, puis enregistrez de nouveau.")
    report.recommendations, report.edits = words.strip(), report.edits + 1
    _journal(session, report, "audience.recommend", actor, now, {"edits": report.edits})


def _journal(
    session: Session,
    report: TrafficReport,
    action: str,
    actor: Actor,
    now: dt.datetime,
    detail: Mapping[str, str | int],
) -> None:
    audit.record(
        session, actor=actor, organisation_id=report.organisation_id, action=action, target_type="traffic_report",
        target_id=report.id, now=now, detail=detail,
    )  # fmt: skip
