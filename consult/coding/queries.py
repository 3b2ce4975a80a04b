"""Reading codebooks and runs."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from consult.coding.models import AnalysisRun, Codebook
from consult.errors import NotFoundError
from consult.jobs.models import Job


def codebooks(session: Session, consultation_id: uuid.UUID) -> Sequence[Codebook]:
    """Every version, latest first, with its approvals."""
    return session.scalars(
        select(Codebook)
        .where(Codebook.consultation_id == consultation_id)
        .options(selectinload(Codebook.approvals))
        .order_by(Codebook.number.desc())
    ).all()


def codebook(session: Session, consultation_id: uuid.UUID, number: int) -> Codebook:
    """One version. Raises NotFoundError."""
    found = session.scalar(
        select(Codebook).where(Codebook.consultation_id == consultation_id, Codebook.number == number)
    )
    if found is None:
        raise NotFoundError("Cette version du plan de codification n’existe pas.")
    return found


def runs(session: Session, consultation_id: uuid.UUID) -> Sequence[AnalysisRun]:
    """Every run, latest first."""
    return session.scalars(
        select(AnalysisRun)
        .where(AnalysisRun.consultation_id == consultation_id)
        .options(selectinload(AnalysisRun.codebook))
        .order_by(AnalysisRun.requested_at.desc(), AnalysisRun.id)
    ).all()


def run(session: Session, consultation_id: uuid.UUID, run_id: uuid.UUID) -> AnalysisRun:
    """One run. Raises NotFoundError."""
    found = session.scalar(
        select(AnalysisRun).where(AnalysisRun.consultation_id == consultation_id, AnalysisRun.id == run_id)
    )
    if found is None:
        raise NotFoundError("Cette analyse n’existe pas.")
    return found


def published_run(session: Session, consultation_id: uuid.UUID) -> AnalysisRun | None:
    """The run that the results step shows: the last published."""
    return session.scalar(
        select(AnalysisRun)
        .where(AnalysisRun.consultation_id == consultation_id, AnalysisRun.published_at.is_not(None))
        .options(selectinload(AnalysisRun.codebook))
        .order_by(AnalysisRun.published_at.desc())
        .limit(1)
    )


def job_of(session: Session, run: AnalysisRun) -> Job | None:
    """The job that does or did the run, for its progress."""
    return session.get(Job, run.job_id) if run.job_id else None
