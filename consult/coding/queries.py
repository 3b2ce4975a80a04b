"""Reading codebooks and runs."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from consult.coding.models import AnalysisRun, Codebook, QualitySample
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


def samples(session: Session, consultation_id: uuid.UUID, run_id: uuid.UUID | None = None) -> Sequence[QualitySample]:
    """Every blind sample of a consultation, or of one run, latest first."""
    query = select(QualitySample).where(QualitySample.consultation_id == consultation_id)
    if run_id is not None:
        query = query.where(QualitySample.run_id == run_id)
    latest_first = query.order_by(QualitySample.drawn_at.desc(), QualitySample.id)
    return session.scalars(
        latest_first.options(
            selectinload(QualitySample.coders), selectinload(QualitySample.codebook), selectinload(QualitySample.run)
        )
    ).all()


def sample(session: Session, consultation_id: uuid.UUID, sample_id: uuid.UUID) -> QualitySample:
    """One sample. Raises NotFoundError."""
    found = session.scalar(
        select(QualitySample).where(QualitySample.consultation_id == consultation_id, QualitySample.id == sample_id)
    )
    if found is None:
        raise NotFoundError("Cet échantillon n’existe pas.")
    return found


def measures(session: Session, codebook_id: uuid.UUID | None) -> list[QualitySample]:
    """What was measured of one version of a codebook: the last measure of each corpus."""
    if codebook_id is None:
        return []
    rows = session.scalars(
        select(QualitySample)
        .where(QualitySample.codebook_id == codebook_id, QualitySample.measured_at.is_not(None))
        .order_by(QualitySample.measured_at, QualitySample.id)
    )
    return list({each.corpus: each for each in rows}.values())


def unread_measures(session: Session, run: AnalysisRun) -> list[QualitySample]:
    """The measures of its codebook that a run could not read: they were made after it was asked for."""
    made = measures(session, run.codebook_id)
    return [each for each in made if each.measured_at is not None and each.measured_at > run.requested_at]
