"""The jobs that make dumps: one on demand, and the periodic one that keeps every public consultation fresh."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult import clock
from consult.consultations.models import Consultation, ConsultationStatus
from consult.db import Database, as_tenant
from consult.jobs.schedule import Task
from consult.opendata import dump as files
from consult.opendata import service
from consult.opendata.models import Dump, DumpStatus
from consult.organisations.models import Organisation
from consult.protocols import Progress, PublicDataset
from consult.settings import Settings

FRESH: Final = dt.timedelta(hours=1)  # an open consultation is dumped again after that


class DumpMaker:
    """Writes the open dump of a consultation, reading in a transaction of its own: the only writer stays free."""

    def __init__(self, settings: Settings, datasets: Mapping[str, PublicDataset]) -> None:
        self._settings = settings
        self._datasets = datasets

    def __call__(self, organisation_id: uuid.UUID, consultation_id: uuid.UUID, folder: Path) -> Iterator[Progress]:
        """Fill a folder that does not exist yet."""
        folder.mkdir(parents=True)
        database = Database(self._settings.database_url, pool_size=1)
        try:
            with database.session(write=False, tenant=organisation_id) as reading:
                consultation = reading.get_one(Consultation, consultation_id)
                organisation = reading.get_one(Organisation, organisation_id)
                identity = files.Identity(
                    organisation=organisation.slug,
                    consultation=consultation.slug,
                    title=consultation.title,
                    source=f"{self._settings.public_url}/consultations/{consultation.slug}",
                    generated_at=clock.now(),
                )
                reading.rollback()
                yield from files.write_dump(reading, consultation_id, identity, self._datasets, folder)
        finally:
            database.dispose()


class MakeDump:
    """JobHandler of `opendata.dump`: a crash starts over; the folder appears whole or not at all."""

    kind: ClassVar[str] = service.DUMP_JOB

    def __init__(self, settings: Settings, make: DumpMaker) -> None:
        self._data_path = settings.data_path
        self._make = make

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """See JobHandler."""
        del cursor
        dump_id = uuid.UUID(payload["dump"])
        dump = session.get(Dump, dump_id)
        if dump is None or dump.status is not DumpStatus.WAITING:
            return
        organisation_id, consultation_id = dump.organisation_id, dump.consultation_id
        yield Progress(0, None, "Préparation")
        folder = service.dump_folder(self._data_path, dump_id)
        partial = folder.with_suffix(".partial")
        for leftover in (partial, folder):
            shutil.rmtree(leftover, ignore_errors=True)
        yield from self._make(organisation_id, consultation_id, partial)
        partial.replace(folder)
        written = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
        gone = service.finish(session, session.get_one(Dump, dump_id), written, clock.now())
        yield Progress(1, 1, "Terminé")
        for old in gone:
            shutil.rmtree(service.dump_folder(self._data_path, old), ignore_errors=True)


class RefreshDumps:
    """Periodic: asks for a dump of each public consultation whose last one is too old."""

    kind: ClassVar[str] = "opendata.refresh"

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """Ask for what is missing, one consultation a chunk."""
        del payload, cursor
        now = clock.now()
        latest = (
            select(Dump.consultation_id, func.max(Dump.finished_at).label("made"))
            .where(Dump.status == DumpStatus.DONE)
            .group_by(Dump.consultation_id)
            .subquery()
        )
        rows = session.execute(
            select(Consultation, latest.c.made)
            .outerjoin(latest, latest.c.consultation_id == Consultation.id)
            .where(Consultation.status != ConsultationStatus.DRAFT)
        ).all()
        due = [row.Consultation for row in rows if _is_due(row.Consultation, row.made, now)]
        for done, consultation in enumerate(due, 1):
            with as_tenant(session, consultation.organisation_id):
                service.request_dump(session, consultation, now=now)
            yield Progress(done, len(due))


def _is_due(consultation: Consultation, made: dt.datetime | None, now: dt.datetime) -> bool:
    if made is None:
        return True
    if consultation.closed_at is not None:
        return made <= consultation.closed_at
    return made + FRESH <= now


TASKS: Final = (Task(RefreshDumps.kind, dt.timedelta(minutes=5)),)
