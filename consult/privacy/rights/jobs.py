"""Reminding those who must answer, before the delay is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from consult import clock
from consult.db import as_tenant
from consult.organisations import queries as organisations
from consult.organisations.models import Organisation
from consult.privacy.rights import queries, service
from consult.protocols import Progress
from consult.settings import Settings


class RemindRights:
    """Periodic: a mail a week before the due date of a request, then every week until its answer."""

    kind: ClassVar[str] = "rights.remind"

    def __init__(self, settings: Settings, now: Callable[[], dt.datetime] = clock.now) -> None:
        self._settings = settings
        self._now = now

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """One request a chunk; what remains after a crash is found again."""
        del payload, cursor
        now, done = self._now(), 0
        today = now.astimezone(clock.PARIS).date()
        while request := queries.to_remind(session, today):
            organisation = session.get_one(Organisation, request.organisation_id)
            with as_tenant(session, organisation.id):
                request.reminded_on = today
                site = organisations.address_of(session, organisation, self._settings)
                service.remind(session, organisation, request, site=site, now=now)
            done += 1
            yield Progress(done)
