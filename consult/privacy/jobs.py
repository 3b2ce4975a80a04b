"""After an erasure: tell it where no backup goes, and leave nothing of what was erased in the files beside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.db import Database
from consult.jobs.schedule import Task
from consult.privacy import queries
from consult.privacy.erasures import ErasureJournal
from consult.privacy.models import ErasureEntry
from consult.privacy.service import RECORD_JOB
from consult.protocols import Progress
from consult.settings import Settings


class RecordErasures:
    """Asked for by each erasure, and periodic: what a crash, or a folder that was away, kept from the file goes in."""

    kind: ClassVar[str] = RECORD_JOB

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """Copy to the file the entries that it does not tell, then have the write-ahead log given up."""
        del payload, cursor
        columns = select(ErasureEntry.account_id, ErasureEntry.mode, ErasureEntry.erased_at)
        erased = [(row.account_id, row.mode, row.erased_at) for row in session.execute(columns)]
        if not erased:
            return
        yield Progress(0, len(erased))  # commits: the file may be on a slow disk
        recorded = ErasureJournal(self._settings.erasures_path).record(erased)
        if recorded:
            database = Database(self._settings.database_url, pool_size=1)
            try:
                queries.give_up_log(database)
            finally:
                database.dispose()
        yield Progress(len(erased), len(erased))


TASKS: Final = (Task(RecordErasures.kind, dt.timedelta(minutes=10)),)
