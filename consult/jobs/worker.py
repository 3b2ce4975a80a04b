"""The worker: takes due jobs one at a time and runs them chunk by chunk.

Each chunk commits its work, its progress and the proof that the lease is still ours together. A worker killed at any
instant leaves committed chunks and nothing else; its job is due again when the lease is over, and resumes at the
cursor. The same code runs embedded beside one web server on SQLite and as several processes on PostgreSQL.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import os
import random
import socket
import threading
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from consult import clock
from consult.db import ALL_TENANTS, Database, Tenant
from consult.errors import ConsultError
from consult.jobs import queries, service
from consult.jobs.models import Job, JobState
from consult.jobs.schedule import Schedule, Task
from consult.jobs.service import LeaseLostError
from consult.protocols import JobHandler, Progress

logger = logging.getLogger(__name__)
LEASE = dt.timedelta(seconds=60)
IDLE_SECONDS = 0.5
AWAY_SECONDS = 5.0


class _StopAskedError(Exception):
    """The worker is asked to stop between two chunks."""


@dataclass(frozen=True, slots=True)
class _Lease:
    """What the worker keeps of a claimed job, outside any session."""

    id: uuid.UUID
    token: uuid.UUID
    kind: str
    tenant: Tenant
    payload: Mapping[str, Any]
    cursor: Mapping[str, Any]


class Worker:
    """Runs the jobs that its handlers know; the others are left to a worker that knows them (a newer version)."""

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, JobHandler],
        *,
        tasks: Sequence[Task] = (),
        name: str = "",
        lease: dt.timedelta = LEASE,
        now: Callable[[], dt.datetime] = clock.now,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._schedule = Schedule(tasks)
        self._name = (name or f"{socket.gethostname()}:{os.getpid()}")[:80]
        self._lease = lease
        self._now = now
        self._random = random

    def run_forever(self, stop: threading.Event, *, idle_seconds: float = IDLE_SECONDS) -> None:
        """Run what comes until `stop` is set; a database that is away is waited for."""
        logger.info("worker started", extra={"worker": self._name})
        while not stop.is_set():
            try:
                self._schedule.enqueue_due(self._database, self._now())
                if not self.run_once(stop):
                    stop.wait(idle_seconds)
            except SQLAlchemyError:
                logger.exception("the database is away or busy", extra={"worker": self._name})
                stop.wait(AWAY_SECONDS)
        logger.info("worker stopped", extra={"worker": self._name})

    def run_once(self, stop: threading.Event | None = None) -> bool:
        """Run the job due for longest, if there is one; tells whether there was. Never raises for a failed job."""
        lease = self._claim()
        if lease is None:
            return False
        facts = {"job": str(lease.id), "kind": lease.kind, "worker": self._name}
        logger.info("job started", extra=facts)
        try:
            with self._beating(lease):
                self._run(lease, stop or threading.Event())
        except LeaseLostError:
            logger.warning("job lost to another worker", extra=facts)
        except _StopAskedError:
            logger.info("job given back", extra=facts)
        except Exception as error:  # the job's failure is a row, not the worker's death
            state = self._fail(lease, error)
            logger.exception("job failed", extra=facts | {"state": state.value if state else "lost"})
        else:
            logger.info("job done", extra=facts)
        return True

    def _claim(self) -> _Lease | None:
        kinds = list(self._handlers)
        with self._database.session(write=False, tenant=ALL_TENANTS) as session:
            if not queries.is_due(session, self._now(), kinds=kinds):
                return None
        with self._database.transaction(tenant=ALL_TENANTS) as session:
            job = service.claim(session, self._name, self._now(), self._lease, kinds=kinds)
            return _lease_of(job) if job else None

    def _run(self, lease: _Lease, stop: threading.Event) -> None:
        session = self._database.session(write=True, tenant=lease.tenant)
        try:
            with session, contextlib.closing(self._chunks(session, lease)) as chunks:
                for progress in chunks:
                    service.checkpoint(session, lease.id, lease.token, progress, now=self._now(), lease=self._lease)
                    session.commit()
                    if stop.is_set():
                        service.release(session, lease.id, lease.token, self._now())
                        session.commit()
                        raise _StopAskedError
                service.finish(session, lease.id, lease.token, self._now())
                session.commit()
        finally:
            self._database.run_survivors(session)

    def _chunks(self, session: Session, lease: _Lease) -> Generator[Progress]:
        chunks = self._handlers[lease.kind].run(session, lease.payload, lease.cursor)
        return cast("Generator[Progress]", chunks)  # a handler is a generator, by contract

    def _fail(self, lease: _Lease, error: Exception) -> JobState | None:
        # A refusal says the same thing however often it is asked again; a part that is away comes back.
        refused = isinstance(error, ConsultError) and error.status < 500  # noqa: PLR2004  # 503: something is away
        words = error.message if isinstance(error, ConsultError) else ""
        with self._database.transaction(tenant=ALL_TENANTS) as session:
            return service.fail(
                session,
                lease.id,
                lease.token,
                error=words or f"Erreur inattendue ({type(error).__name__}), décrite dans le journal applicatif.",
                now=self._now(),
                random=self._random,
                retry=not refused,
            )

    @contextlib.contextmanager
    def _beating(self, lease: _Lease) -> Iterator[None]:
        """Renew the lease from a thread of its own while a long chunk computes."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(self._lease.total_seconds() / 3):
                try:
                    with self._database.transaction(tenant=ALL_TENANTS) as session:
                        if not service.heartbeat(session, lease.id, lease.token, self._now(), self._lease):
                            return  # the next chunk finds out and gives up
                except SQLAlchemyError:
                    logger.warning("heartbeat missed", extra={"job": str(lease.id), "worker": self._name})

        thread = threading.Thread(target=beat, name=f"heartbeat-{lease.id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _lease_of(job: Job) -> _Lease:
    assert job.lease_token is not None
    tenant: Tenant = job.organisation_id or ALL_TENANTS
    return _Lease(job.id, job.lease_token, job.kind, tenant, dict(job.payload), dict(job.cursor or {}))
