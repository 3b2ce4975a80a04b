"""After an erasure: tell it where no backup goes, and leave nothing of what was erased in the files beside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult import clock
from consult.accounts.models import Account
from consult.db import Database
from consult.jobs.schedule import Task
from consult.mail import service as mail
from consult.organisations import queries as organisations
from consult.organisations.models import Organisation
from consult.privacy import queries, retention, service
from consult.privacy.erasures import ErasureJournal
from consult.privacy.models import ErasureEntry, ErasureMode
from consult.privacy.rights.jobs import RemindRights
from consult.privacy.service import RECORD_JOB
from consult.protocols import Bindings, JobHandler, PersonalData, Progress
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


class Forget:
    """Periodic: applies the rules of `retention`, then lets go of the accounts that were never confirmed or sleep."""

    kind: ClassVar[str] = "privacy.forget"

    def __init__(
        self,
        settings: Settings,
        personal_data: Sequence[PersonalData],
        now: Callable[[], dt.datetime] = clock.now,
    ) -> None:
        self._settings = settings
        self._bindings = Bindings(personal_data=personal_data)
        self._now = now

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """Chunk by chunk, one account each; what remains after a crash is found again."""
        del payload, cursor
        now, done = self._now(), 0
        for rule, gone in retention.sweep_all(session, now):
            done += gone
            yield Progress(done, message=rule.what)
        for found, mode in (
            (queries.unconfirmed, ErasureMode.EVERYTHING),
            (queries.asleep, ErasureMode.ACCOUNT),
        ):
            while account := found(session, now):
                service.erase_account(session, self._bindings, account, mode=mode, now=now)
                done += 1
                yield Progress(done)
        while account := queries.falling_asleep(session, now):
            self._warn(session, account, now)
            done += 1
            yield Progress(done)

    def _warn(self, session: Session, account: Account, now: dt.datetime) -> None:
        account.warned_on = now.date()
        organisation = session.get_one(Organisation, account.organisation_id)
        context = {
            "organisation_name": organisation.name,
            "site_url": organisations.address_of(session, organisation, self._settings),
            "pseudonym": account.pseudonym,
            "on": now + retention.WARNED,
        }
        to = str(account.email)
        mail.send(
            session, organisation_id=organisation.id, to=to, template="privacy_inactive", context=context, now=now
        )


def handlers(settings: Settings, personal_data: Sequence[PersonalData]) -> tuple[JobHandler, ...]:
    """What `app.py` binds."""
    return RecordErasures(settings), Forget(settings, personal_data), RemindRights(settings)


TASKS: Final = (
    Task(RecordErasures.kind, dt.timedelta(minutes=10)),
    Task(Forget.kind, dt.timedelta(days=1)),
    Task(RemindRights.kind, dt.timedelta(days=1)),
)
