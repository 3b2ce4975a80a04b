"""Asking for dumps, recording their end, forgetting the old ones."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from consult.consultations.models import Consultation
from consult.jobs import queries as job_queries
from consult.jobs import service as jobs
from consult.opendata.dump import Written
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
    return _request(session, consultation.organisation_id, consultation.id, now)


def request_whole_dump(session: Session, organisation_id: uuid.UUID, *, now: dt.datetime) -> Dump:
    """Ask for a dump of all the public consultations of an organisation, as `request_dump` does for one."""
    return _request(session, organisation_id, None, now)


def _request(session: Session, organisation_id: uuid.UUID, consultation_id: uuid.UUID | None, now: dt.datetime) -> Dump:
    waiting = session.scalar(_alike(organisation_id, consultation_id).where(Dump.status == DumpStatus.WAITING))
    if waiting is not None:
        if not job_queries.is_over(session, waiting.job_id):
            return waiting
        fail(session, waiting, error=INTERRUPTED, now=now)
    dump = Dump(
        id=uuid.uuid4(),
        organisation_id=organisation_id,
        consultation_id=consultation_id,
        requested_at=now,
    )
    session.add(dump)
    payload = {"dump": str(dump.id)}
    job = jobs.enqueue(session, DUMP_JOB, payload, organisation_id=organisation_id, now=now)
    dump.job_id = job.id if job else None
    session.flush()
    return dump


def _alike(organisation_id: uuid.UUID, consultation_id: uuid.UUID | None) -> Select[Dump]:
    """The dumps of the same consultation, or of the whole organisation."""
    return select(Dump).where(Dump.organisation_id == organisation_id, Dump.consultation_id == consultation_id)


def finish(session: Session, dump: Dump, written: Written, *, now: dt.datetime) -> list[uuid.UUID]:
    """Record that the files are in place; returns the ids of the dumps whose folders must go."""
    dump.status, dump.finished_at, dump.files = DumpStatus.DONE, now, list(written.files)
    dump.position, dump.last_entry, dump.removals = written.position, written.last_entry, written.removals
    session.flush()
    # Older files may hold what was taken away since; a download that has begun goes on.
    alike = _alike(dump.organisation_id, dump.consultation_id)
    old = session.scalars(alike.where(Dump.status == DumpStatus.DONE, Dump.id != dump.id)).all()
    for each in old:
        session.delete(each)
    session.flush()
    return [each.id for each in old]


def fail(session: Session, dump: Dump, *, error: str, now: dt.datetime) -> None:
    """Record, in French, why there is no dump: nothing of it is served."""
    dump.status, dump.finished_at, dump.error = DumpStatus.FAILED, now, error
    session.flush()
