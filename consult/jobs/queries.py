"""What an operator, a page or a probe needs to know of the jobs."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from consult.jobs.models import Job, JobState


def is_due(session: Session, now: dt.datetime, *, kinds: Collection[str]) -> bool:
    """Whether a worker would find something: a read, so that an idle worker never takes SQLite's write lock."""
    due = or_(
        (Job.state == JobState.WAITING) & (Job.run_after <= now),
        (Job.state == JobState.RUNNING) & (Job.lease_until < now),
    )
    return bool(session.scalar(select(select(Job.id).where(due, Job.kind.in_(kinds)).exists())))


def failed_count(session: Session) -> int:
    """How many jobs failed for good and wait for somebody to look at them."""
    return session.scalar(select(func.count()).select_from(Job).where(Job.state == JobState.FAILED)) or 0


def overdue_seconds(session: Session, now: dt.datetime) -> float:
    """For how long the job due for longest has been waiting, in seconds; 0 when none is: no worker, or too few."""
    oldest = session.scalar(select(func.min(Job.run_after)).where(Job.state == JobState.WAITING, Job.run_after < now))
    return (now - oldest).total_seconds() if oldest else 0.0


def unfinished(session: Session, *, limit: int = 200) -> list[Job]:
    """Running, waiting and failed jobs, in that order, the oldest first."""
    rank = {JobState.RUNNING: 0, JobState.WAITING: 1, JobState.FAILED: 2}
    query = select(Job).where(Job.state.in_(rank)).order_by(Job.state, Job.run_after, Job.created_at).limit(limit)
    return sorted(session.scalars(query), key=lambda job: (rank[job.state], job.run_after, job.created_at))


def job(session: Session, job_id: uuid.UUID, *, organisation_id: uuid.UUID) -> Job | None:
    """One job of an organisation, for a progress page."""
    return session.scalars(select(Job).where(Job.id == job_id, Job.organisation_id == organisation_id)).one_or_none()


def going(session: Session, job_ids: Collection[uuid.UUID | None]) -> dict[uuid.UUID, Job]:
    """Those of these jobs that are not over (see `is_over`), by id."""
    ended = (JobState.DONE, JobState.FAILED)
    found = session.scalars(select(Job).where(Job.id.in_(job_ids), Job.state.not_in(ended)))
    return {job.id: job for job in found}


def is_over(session: Session, job_id: uuid.UUID | None) -> bool:
    """Whether nobody will work on that job any more: done, failed for good, or forgotten."""
    job = session.get(Job, job_id) if job_id else None
    return job is None or job.state in {JobState.DONE, JobState.FAILED}
