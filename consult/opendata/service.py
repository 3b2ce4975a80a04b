"""Asking for dumps, recording their end, forgetting the old ones."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.consultations.models import Consultation
from consult.jobs import queries as job_queries
from consult.jobs import service as jobs
from consult.opendata.dump import Standing
from consult.opendata.models import Dump, DumpStatus

DUMP_JOB: Final = "opendata.dump"
INTERRUPTED: Final = "La production des fichiers s’est arrêtée à chaque essai."


def dump_folder(data_path: Path, dump_id: uuid.UUID) -> Path:
    """Where the files of a finished dump stand."""
    return data_path / "dumps" / str(dump_id)


def request_dump(session: Session, consultation: Consultation, *, now: dt.datetime) -> Dump:
    """Ask a worker for a dump; the one already waiting for this consultation is returned instead of a second.

    One whose job has failed for good is recorded as such first.
    """
    waiting = session.scalar(
        select(Dump).where(Dump.consultation_id == consultation.id, Dump.status == DumpStatus.WAITING)
    )
    if waiting is not None:
        if not job_queries.is_over(session, waiting.job_id):
            return waiting
        fail(session, waiting, error=INTERRUPTED, now=now)
    dump = Dump(
        id=uuid.uuid4(),
        organisation_id=consultation.organisation_id,
        consultation_id=consultation.id,
        requested_at=now,
    )
    session.add(dump)
    payload = {"dump": str(dump.id)}
    job = jobs.enqueue(session, DUMP_JOB, payload, organisation_id=consultation.organisation_id, now=now)
    dump.job_id = job.id if job else None
    session.flush()
    return dump


def finish(
    session: Session, dump: Dump, files: Sequence[dict[str, Any]], *, standing: Standing, now: dt.datetime
) -> list[uuid.UUID]:
    """Record that the files are in place; returns the ids of the dumps whose folders must go."""
    dump.status, dump.finished_at, dump.files = DumpStatus.DONE, now, list(files)
    dump.last_entry, dump.removals = standing.last_entry, standing.removals
    session.flush()
    # Older files may hold what was taken away since; a download that has begun goes on.
    old = session.scalars(
        select(Dump).where(
            Dump.consultation_id == dump.consultation_id, Dump.status == DumpStatus.DONE, Dump.id != dump.id
        )
    ).all()
    for each in old:
        session.delete(each)
    session.flush()
    return [each.id for each in old]


def fail(session: Session, dump: Dump, *, error: str, now: dt.datetime) -> None:
    """Record, in French, why there is no dump: nothing of it is served."""
    dump.status, dump.finished_at, dump.error = DumpStatus.FAILED, now, error
    session.flush()
