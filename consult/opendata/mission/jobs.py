"""Making the end-of-mission package, and deleting the files that are needed no more."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
import uuid
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from sqlalchemy.orm import Session

from consult import clock
from consult.consultations.models import Consultation
from consult.db import Database
from consult.errors import ConflictError
from consult.jobs.schedule import Task
from consult.opendata import library
from consult.opendata.dump import Written
from consult.opendata.mission import queries, service
from consult.opendata.mission.models import MissionPackage, MissionStatus
from consult.protocols import JobHandler, Progress, PublicDataset
from consult.settings import Settings


class MakeMission:
    """JobHandler of `opendata.mission`: a crash starts over; the archive appears whole or not at all."""

    kind: ClassVar[str] = service.MISSION_JOB

    def __init__(self, settings: Settings, datasets: Mapping[str, PublicDataset]) -> None:
        self._settings = settings
        self._datasets = datasets

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """See JobHandler."""
        del cursor
        package_id = uuid.UUID(payload["package"])
        package = session.get(MissionPackage, package_id)
        if package is None or package.status is not MissionStatus.WAITING:
            return
        organisation_id, consultation_id = package.organisation_id, package.consultation_id
        yield Progress(0, None, "Préparation")
        path = service.file_of(self._settings.data_path, package_id)
        folder, partial = path.with_suffix(".folder"), path.with_suffix(".partial")
        shutil.rmtree(folder, ignore_errors=True)
        partial.unlink(missing_ok=True)
        folder.mkdir(parents=True)
        try:
            written = yield from self._write(folder, organisation_id, consultation_id)
        except ConflictError as refusal:
            service.fail(session, session.get_one(MissionPackage, package_id), refusal.message, now=clock.now())
            return
        library.archive(folder, partial)
        shutil.rmtree(folder)
        with partial.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        size = partial.stat().st_size
        partial.replace(path)
        package = session.get_one(MissionPackage, package_id)
        service.finish(session, package, size=size, sha256=digest, removals=written.removals, now=clock.now())
        yield Progress(1, 1, "Dossier prêt")

    def _write(
        self, folder: Path, organisation_id: uuid.UUID, consultation_id: uuid.UUID
    ) -> Generator[Progress, None, Written]:
        """Fill the folder, reading in a transaction of its own: the only writer stays free."""
        database = Database(self._settings.database_url, pool_size=1)
        try:
            with database.session(write=False, tenant=organisation_id) as reading:
                consultation = reading.get_one(Consultation, consultation_id)
                return (
                    yield from library.write(
                        reading, self._settings, self._datasets, consultation, folder, now=clock.now()
                    )
                )
        finally:
            database.dispose()


class CleanMissions:
    """Periodic: deletes the archives that were replaced or hold what was taken away, and what a crash left."""

    kind: ClassVar[str] = "opendata.mission.clean"

    def __init__(self, settings: Settings) -> None:
        self._data_path = settings.data_path

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """See JobHandler."""
        del payload, cursor
        needed = queries.with_file(session)
        yield Progress(0)
        for path in (self._data_path / "missions").glob("*"):
            if path.stem in needed:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def handlers(settings: Settings, datasets: Mapping[str, PublicDataset]) -> tuple[JobHandler, ...]:
    """What `app.py` binds."""
    return MakeMission(settings, datasets), CleanMissions(settings)


TASKS: Final = (Task(CleanMissions.kind, dt.timedelta(minutes=10)),)
