"""Periodic tasks, declared as data: each slot of time asks for its job once, however many workers there are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from consult import clock
from consult.db import ALL_TENANTS, Database
from consult.jobs import service
from consult.jobs.models import Job, JobState
from consult.protocols import Progress

KEPT_DONE = dt.timedelta(days=30)
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Task:
    """Work of that kind, asked for once in every slot of that length (slots are counted from 1970, in UTC)."""

    kind: str
    every: dt.timedelta
    payload: Mapping[str, Any] = field(default_factory=dict)

    def slot(self, now: dt.datetime) -> int:
        """The number of the slot that holds this instant."""
        return int(now.timestamp() // self.every.total_seconds())


class Schedule:
    """Enqueues due tasks; remembers the slots it has seen, so that most turns touch no database."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = tasks
        self._seen: dict[str, int] = {}

    def enqueue_due(self, database: Database, now: dt.datetime) -> None:
        """Ask for the work of each slot that has begun; the unique key makes it one job for all workers."""
        due = [(task, task.slot(now)) for task in self._tasks if self._seen.get(task.kind) != task.slot(now)]
        if not due:
            return
        with database.transaction(tenant=ALL_TENANTS) as session:
            for task, slot in due:
                key = f"{task.kind}:{slot}"
                service.enqueue(session, task.kind, task.payload, organisation_id=None, now=now, unique_key=key)
        self._seen.update({task.kind: slot for task, slot in due})


class PruneJobs:
    """Forget done jobs: periodic ones once their slot is well over, the others after a month.

    Failed ones stay until somebody has looked at them.
    """

    kind: ClassVar[str] = "jobs.prune"

    def __init__(self, tasks: Sequence[Task] = (), now: Callable[[], dt.datetime] = clock.now) -> None:
        self._tasks = tasks
        self._now = now

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """Delete in chunks."""
        del payload
        now, gone = self._now(), int(cursor.get("gone", 0))
        over = [(Job.kind == task.kind) & (Job.finished_at < now - 2 * task.every) for task in self._tasks]
        old = or_(Job.finished_at < now - KEPT_DONE, *over)
        while ids := list(session.scalars(select(Job.id).where(Job.state == JobState.DONE, old).limit(CHUNK))):
            session.execute(delete(Job).where(Job.id.in_(ids)))
            gone += len(ids)
            yield Progress(gone, message=f"{gone} travaux anciens oubliés", cursor={"gone": gone})


TASKS: tuple[Task, ...] = (Task(PruneJobs.kind, dt.timedelta(hours=1)),)
