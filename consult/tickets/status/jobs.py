"""Reading the samples of the probe, so that no page has to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

from sqlalchemy.orm import Session

from consult import clock
from consult.jobs.schedule import Task
from consult.protocols import Progress
from consult.settings import Settings
from consult.tickets.status import service


class MeasureAvailability:
    """Periodic: what the samples say of this month and of the last one."""

    kind: ClassVar[str] = "status.measure"

    def __init__(self, settings: Settings, now: Callable[[], dt.datetime] = clock.now) -> None:
        self._folder = settings.probe_path
        self._now = now

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """Both at once: a month is some forty thousand lines."""
        del payload, cursor
        yield Progress(service.measure(session, self._folder, self._now()))


HANDLERS: Final = (MeasureAvailability,)
TASKS: Final = (Task(MeasureAvailability.kind, dt.timedelta(minutes=1)),)
