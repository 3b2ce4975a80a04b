"""The jobs that make dumps: one on demand, and the periodic one that keeps every public consultation fresh."""

from __future__ import annotations

import datetime as dt
import shutil
import uuid
from collections.abc import Collection, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult import clock
from consult.consultations.models import Consultation, ConsultationStatus
from consult.db import Database, as_tenant
from consult.jobs.schedule import Task
from consult.opendata import dump as files
from consult.opendata import queries, service
from consult.opendata.formats import Format
from consult.opendata.models import Dump, DumpStatus
from consult.protocols import Progress, PublicDataset
from consult.registry import queries as registry
from consult.settings import Settings

FRESH: Final = dt.timedelta(hours=1)
WHOLE_FRESH: Final = dt.timedelta(days=1)


class DumpMaker:
    """Writes an open dump, reading in a transaction of its own: the only writer stays free."""

    def __init__(
        self,
        settings: Settings,
        datasets: Mapping[str, PublicDataset],
        *,
        formats: Collection[Format] = files.ALL,
    ) -> None:
        self._settings = settings
        self._datasets = datasets
        self._formats = formats

    def __call__(
        self, organisation_id: uuid.UUID, consultation_id: uuid.UUID | None, folder: Path
    ) -> Generator[Progress, None, files.Written]:
        """Fill a folder that does not exist yet, for a consultation or for all those of the organisation (None)."""
        folder.mkdir(parents=True)
        database = Database(self._settings.database_url, pool_size=1)
        try:
            with database.session(write=False, tenant=organisation_id) as reading:
                identity = queries.identity(reading, self._settings, organisation_id, consultation_id, clock.now())
                reading.rollback()
                return (
                    yield from files.write_dump(
                        reading, consultation_id, identity, self._datasets, folder, formats=self._formats
                    )
                )
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
        written = yield from self._make(organisation_id, consultation_id, partial)
        partial.replace(folder)
        dump = session.get_one(Dump, dump_id)
        gone = service.finish(session, dump, written, now=clock.now())
        yield Progress(1, 1, "Terminé")
        for old in gone:
            shutil.rmtree(service.dump_folder(self._data_path, old), ignore_errors=True)


class RefreshDumps:
    """Periodic: asks for a dump of each public consultation whose last one has gone stale."""

    kind: ClassVar[str] = "opendata.refresh"

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """Ask for what is missing, one consultation a chunk."""
        del payload, cursor
        now = clock.now()
        latest = queries.latest_dumps(session)
        public = select(Consultation.id).where(Consultation.status != ConsultationStatus.DRAFT)
        ids = session.scalars(public).all()
        for done, consultation_id in enumerate(ids, 1):
            if _is_due(session, consultation_id, latest.get(consultation_id), now):
                consultation = session.get_one(Consultation, consultation_id)
                with as_tenant(session, consultation.organisation_id):
                    service.request_dump(session, consultation, now=now)
                yield Progress(done, len(ids))
        owners = select(Consultation.organisation_id).where(Consultation.status != ConsultationStatus.DRAFT).distinct()
        for organisation_id in session.scalars(owners).all():
            with as_tenant(session, organisation_id):
                if _whole_is_due(session, queries.latest_whole_dump(session, organisation_id), now):
                    service.request_whole_dump(session, organisation_id, now=now)
            yield Progress(len(ids), len(ids))


def _whole_is_due(session: Session, dump: Dump | None, now: dt.datetime) -> bool:
    """Every day when something has happened, within the hour when something was taken away."""
    if dump is None or dump.finished_at is None:
        return True
    if not queries.is_served(session, dump):
        return dump.finished_at + FRESH <= now
    return registry.last_entry(session, None) > dump.last_entry and dump.finished_at + WHOLE_FRESH <= now


def _is_due(session: Session, consultation_id: uuid.UUID, dump: Dump | None, now: dt.datetime) -> bool:
    """At once when there is none or when something was taken away; every hour when something else has happened."""
    if dump is None or dump.finished_at is None or not queries.is_served(session, dump):
        return True
    changed = registry.last_entry(session, consultation_id) > dump.last_entry
    return changed and dump.finished_at + FRESH <= now


TASKS: Final = (Task(RefreshDumps.kind, dt.timedelta(minutes=5)),)
