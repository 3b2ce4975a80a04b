"""Asking for work, and the life of a leased job. Every function joins the caller's transaction."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Any, cast

from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.orm import Session

from consult.db import insert_once
from consult.jobs.models import Job, JobState
from consult.protocols import Progress

FIRST_DELAY = dt.timedelta(seconds=10)
LONGEST_DELAY = dt.timedelta(hours=1)
INTERRUPTED = "Le travail a été interrompu à chaque essai avant d’avancer : le processus qui l’exécutait s’est arrêté."


class LeaseLostError(RuntimeError):
    """The job is no longer ours: another worker took it over, so nothing of this chunk may be kept."""


def enqueue(
    session: Session,
    kind: str,
    payload: Mapping[str, Any],
    *,
    organisation_id: uuid.UUID | None,
    now: dt.datetime,
    run_after: dt.datetime | None = None,
    unique_key: str | None = None,
    max_attempts: int = 5,
) -> Job | None:
    """Ask for work in the transaction of the act that causes it.

    `payload` is JSON-able and holds identifiers, not personal data. Returns None, and writes nothing, when a job of
    the same `unique_key` exists, whatever its state.
    """
    job = Job(
        id=uuid.uuid4(),
        organisation_id=organisation_id,
        kind=kind,
        payload=dict(payload),
        run_after=run_after or now,
        unique_key=unique_key,
        max_attempts=max_attempts,
        created_at=now,
    )
    if unique_key is None:
        session.add(job)
        session.flush()
        return job
    columns = ("id", "organisation_id", "kind", "payload", "run_after", "unique_key", "max_attempts", "created_at")
    if not insert_once(session, Job, conflict=["unique_key"], **{name: getattr(job, name) for name in columns}):
        return None
    return session.get_one(Job, job.id)


def claim(
    session: Session, worker: str, now: dt.datetime, lease: dt.timedelta, *, kinds: Collection[str] | None = None
) -> Job | None:
    """Lease the job that has been due for longest, of these kinds if given; None when nothing is due.

    A job whose lease is over is due again. One that was interrupted `max_attempts` times without advancing fails.
    """
    while True:
        due = or_(
            (Job.state == JobState.WAITING) & (Job.run_after <= now),
            (Job.state == JobState.RUNNING) & (Job.lease_until < now),
        )
        query = select(Job).where(due).order_by(Job.run_after, Job.created_at, Job.id).limit(1)
        if kinds is not None:
            query = query.where(Job.kind.in_(kinds))
        job = session.scalars(query.with_for_update(skip_locked=True)).one_or_none()
        if job is None:
            return None
        if job.attempts < job.max_attempts:
            break
        _close(job, JobState.FAILED, now, error=job.error or INTERRUPTED)
        session.flush()
    job.state, job.worker, job.attempts = JobState.RUNNING, worker, job.attempts + 1
    job.lease_token, job.lease_until = uuid.uuid4(), now + lease
    session.flush()
    return job


def heartbeat(session: Session, job_id: uuid.UUID, token: uuid.UUID, now: dt.datetime, lease: dt.timedelta) -> bool:
    """Make the lease last; False when it is no longer ours."""
    return _while_leased(session, job_id, token, lease_until=now + lease)


def checkpoint(
    session: Session, job_id: uuid.UUID, token: uuid.UUID, progress: Progress, *, now: dt.datetime, lease: dt.timedelta
) -> None:
    """Keep the progress and the cursor in the transaction of the chunk. Raises LeaseLostError.

    A cursor is real progress, so it gives the job all its attempts back; a chunk that says none does not, since the
    next attempt would start over.
    """
    values: dict[str, Any] = {
        "done": progress.done,
        "total": progress.total,
        "message": progress.message[:300],
        "lease_until": now + lease,
    }
    if progress.cursor is not None:
        values |= {"cursor": dict(progress.cursor), "attempts": 1}
    if not _while_leased(session, job_id, token, **values):
        raise LeaseLostError(f"job {job_id}")


def finish(session: Session, job_id: uuid.UUID, token: uuid.UUID, now: dt.datetime) -> None:
    """Mark the job done, in the transaction of its last chunk. Raises LeaseLostError."""
    values = {"state": JobState.DONE, "finished_at": now, "error": "", "lease_token": None, "lease_until": None}
    if not _while_leased(session, job_id, token, **values):
        raise LeaseLostError(f"job {job_id}")


def release(session: Session, job_id: uuid.UUID, token: uuid.UUID, now: dt.datetime) -> None:
    """Give the job back, to be resumed at once by another worker: this one is asked to stop, nothing went wrong."""
    _while_leased(
        session, job_id, token,
        state=JobState.WAITING, run_after=now, attempts=Job.attempts - 1, lease_token=None, lease_until=None,
    )  # fmt: skip


def fail(
    session: Session,
    job_id: uuid.UUID,
    token: uuid.UUID,
    *,
    error: str,
    now: dt.datetime,
    random: Callable[[], float],
    retry: bool = True,
) -> JobState | None:
    """Record a failure: tried again later, or failed for good when `retry` is false or the attempts are spent.

    Returns the state the job is in, None when the lease is no longer ours (whoever took it decides).
    """
    query = select(Job).where(Job.id == job_id, Job.lease_token == token).with_for_update()
    job = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if job is None:
        return None
    if retry and job.attempts < job.max_attempts:
        job.state, job.error = JobState.WAITING, error
        job.run_after = now + delay(job.attempts, random)
        job.lease_token, job.lease_until = None, None
    else:
        _close(job, JobState.FAILED, now, error=error)
    session.flush()
    return job.state


def delay(attempts: int, random: Callable[[], float]) -> dt.timedelta:
    """How long to wait after that many failed attempts: doubling, capped, half of it drawn by lot (`random` in [0, 1)).

    The lot keeps jobs that failed together from coming back together.
    """
    full: dt.timedelta = min(FIRST_DELAY * 2 ** min(attempts - 1, 20), LONGEST_DELAY)
    return full / 2 + full / 2 * random()


def _close(job: Job, state: JobState, now: dt.datetime, *, error: str) -> None:
    job.state, job.finished_at, job.error = state, now, error
    job.lease_token, job.lease_until = None, None


def _while_leased(session: Session, job_id: uuid.UUID, token: uuid.UUID, **values: Any) -> bool:
    statement = (
        update(Job)
        .where(Job.id == job_id, Job.lease_token == token, Job.state == JobState.RUNNING)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", session.execute(statement)).rowcount == 1
