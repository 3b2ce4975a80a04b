"""Telling of delays as they pass, without anybody looking."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

from sqlalchemy.orm import Session

from consult import clock
from consult.accounts.notices.service import Sender
from consult.db import as_tenant
from consult.jobs.schedule import Task
from consult.organisations.models import Organisation
from consult.protocols import Progress
from consult.settings import Settings
from consult.tickets import queries, service

CHUNK: Final = 20


class AlertDelays:
    """Periodic: a mail when half, four fifths and all of a delay have passed; several at once are one."""

    kind: ClassVar[str] = "tickets.alert"

    def __init__(self, settings: Settings, now: Callable[[], dt.datetime] = clock.now) -> None:
        self._settings = settings
        self._now = now

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """What was told is kept with the mails."""
        del payload
        now, done = self._now(), int(cursor.get("done", 0))
        while passed := queries.to_alert(session, now, CHUNK):
            for delay, ticket in passed:
                with as_tenant(session, ticket.organisation_id):
                    organisation = session.get_one(Organisation, ticket.organisation_id)
                    sender = Sender.at_work(session, organisation, self._settings)
                    service.alert(session, delay, ticket, sender=sender, now=now)
            session.flush()
            done += len(passed)
            yield Progress(done, message=f"{done} délais dits", cursor={"done": done})


HANDLERS: Final = (AlertDelays,)
TASKS: Final = (Task(AlertDelays.kind, dt.timedelta(minutes=1)),)
