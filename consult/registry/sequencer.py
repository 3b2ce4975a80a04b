"""The sequencer: the one process that gives entries their positions and signs the logs. See decision 0006.

Rows decide: positions are given in a transaction, under a lock on the log's row, and files and checkpoints follow from
them. The lock between processes only spares work; two sequencers at once would still make one sequence.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from consult import clock
from consult.db import ALL_TENANTS, Database, as_tenant, insert_once, is_race, one_snapshot
from consult.protocols import Sequencing
from consult.registry import cosigning, publishing, queries, release, sealing, seed
from consult.registry.cosigning import Cosigning, Witness
from consult.registry.models import RegistryEntry, RegistryLog, SequencerState
from consult.registry.notes import SigningKey
from consult.registry.publishing import OpenLog, OvertakenError, RefusedError, Stores
from consult.registry.store import Store
from consult.settings import Settings

logger = logging.getLogger(__name__)
BATCH: Final = 5_000  # positions given in one transaction: well under the 200 ms of SQLite's writer
IDLE_SECONDS: Final = 0.45  # less often, each checkpoint costs votes less; within a second all the same
STANDBY_SECONDS: Final = 2.0
AWAY_SECONDS: Final = 5.0
REFUSED_SECONDS: Final = 60.0
COUNT_SECONDS: Final = 1.0
MISCOUNTS: Final = 3  # refused so many times in a row, a count is no race: the beat stops, and `/readyz` tells
COUNT_SHARE: Final = 20  # counting takes one part of so many of the time, and of SQLite's only writer
BEAT: Final = dt.timedelta(seconds=10)
LOCK: Final = "sequencer"


@dataclass(frozen=True, slots=True)
class _Refusal:
    error: Exception
    until: float


class Sequencer:
    """Places, publishes, signs. `secret` is the seed of the keys; `host` begins the origin of the logs it creates."""

    def __init__(
        self,
        database: Database,
        where: Stores,
        secret: bytes,
        *,
        host: str,
        features: Sequencing,
        now: Callable[[], dt.datetime] = clock.now,
        batch: int = BATCH,
        witnesses: Sequence[Witness] = (),
    ) -> None:
        self._database = database
        self._stores = where
        self._secret = secret
        self._host = host
        self._features = features
        self._now = now
        self._batch = batch
        self._cosigning = Cosigning(database, where, witnesses)
        self._logs: dict[uuid.UUID, OpenLog] = {}
        self._refused: dict[uuid.UUID, _Refusal] = {}
        self._miscounts: Counter[uuid.UUID] = Counter()  # counts refused in a row, by log
        self._counts_after: dict[uuid.UUID, float] = {}
        self._beat_at: dt.datetime | None = None

    def run_forever(self, stop: threading.Event) -> None:
        """Work until `stop` is set, alone: while another sequencer does, wait to take its place."""
        while not stop.is_set():
            try:
                with self._database.alone(LOCK) as holds:
                    if holds is None:
                        stop.wait(STANDBY_SECONDS)
                    else:
                        with self._cosigning.running():
                            self._lead(stop, holds)
            except (SQLAlchemyError, OSError):
                logger.exception("the database or a store is away")
                stop.wait(AWAY_SECONDS)
        logger.info("sequencer stopped")

    def _lead(self, stop: threading.Event, holds: Callable[[], bool]) -> None:
        logger.info("sequencer started")
        self._logs.clear()
        self.run_once(every=True)  # a log that its stores contradict is told at once, not at its next entry
        while not stop.is_set() and holds():
            if not self.run_once():
                stop.wait(IDLE_SECONDS)

    def run_once(self, *, every: bool = False) -> bool:
        """One turn over the logs that have something to place or to sign (or `every`); tells whether more waits."""
        with self._database.session(write=False, tenant=ALL_TENANTS) as session:
            waiting = {*queries.unsettled(session), *self._refused}
            if every:
                waiting.update(session.scalars(select(RegistryLog.organisation_id)))
        more = False
        for organisation_id in waiting:
            refusal = self._refused.get(organisation_id)
            if refusal is None or refusal.until <= time.monotonic():
                more |= self._turn(organisation_id)
        if not more and not self._refused and max(self._miscounts.values(), default=0) < MISCOUNTS:
            self._beat()
        return more

    def run_alone(self) -> bool:
        """`run_until_settled`, unless another sequencer is at work: False, and nothing done. Raises the same."""
        with self._database.alone(LOCK) as holds:
            if holds is None:
                return False
            self.run_until_settled()
            return True

    def run_until_settled(self) -> None:
        """Work until nothing waits, and ask each witness once. Raises what a log was refused for."""
        self._counts_after.clear()
        more = self.run_once(every=True)
        while more:
            more = self.run_once()
        self._cosigning.ask_once()
        for refusal in self._refused.values():
            raise refusal.error

    def _turn(self, organisation_id: uuid.UUID) -> bool:
        """Place and publish one log; forget what is known of it whenever that may no longer be true."""
        try:
            log = self._logs.pop(organisation_id, None) or self._open(organisation_id)
            placed, size = self._place_or_race(log)
            publishing.publish(self._database, self._stores, log, self._key(log.key.name), size)
        except OvertakenError:
            return True
        except (SQLAlchemyError, OSError) as error:
            if isinstance(error, DBAPIError) and is_race(error):
                return True
            raise
        except Exception as error:  # one log must not stop the others: it is told, and tried again
            self._refused[organisation_id] = _Refusal(error, time.monotonic() + REFUSED_SECONDS)
            logger.exception("nothing is placed nor signed in a log", extra={"organisation": str(organisation_id)})
            return False
        self._logs[organisation_id] = log
        publishing.announce(self._stores, log, self._key(log.key.name))
        self._cosigning.offer(log)
        self._refused.pop(organisation_id, None)
        return placed == self._batch

    def _open(self, organisation_id: uuid.UUID) -> OpenLog:
        """Open the log, creating it for its first entry. Raises RefusedError, OvertakenError."""
        with self._database.session(write=False, tenant=organisation_id) as session:
            log = session.get(RegistryLog, organisation_id)
        if log is None:
            with self._database.transaction(tenant=organisation_id) as session:
                session.expire_on_commit = False
                log = self._create(session, organisation_id)
        if str(self._key(log.origin).verifier) != log.key:
            raise RefusedError(log.slug, "la graine donnée n’est pas celle de sa clé (CONSULT_REGISTRY_SEED_FILE).")
        self._tell_release(organisation_id)
        try:
            return publishing.open_log(self._database, self._stores, log)
        except RefusedError as error:
            if self._moved(log):
                raise OvertakenError from error
            raise

    def _moved(self, log: RegistryLog) -> bool:
        """Whether another sequencer has placed or signed since the row was read: then the stores are newer than it."""
        with self._database.session(write=False, tenant=log.organisation_id) as session:
            now = session.get_one(RegistryLog, log.organisation_id)
        return (now.size, now.signed_size) != (log.size, log.signed_size)

    def _tell_release(self, organisation_id: uuid.UUID) -> None:
        """Say in the log which software runs, if it is another than before; its entry is placed as any other."""
        running = dict(self._features.release)
        with self._database.session(write=False, tenant=organisation_id) as session:
            if not running or release.told(session, organisation_id) == running:
                return
        with self._database.transaction(tenant=organisation_id) as session:
            release.tell(session, organisation_id, running, self._now())

    def _key(self, origin: str) -> SigningKey:
        return SigningKey(self._secret, origin)

    def _create(self, session: Session, organisation_id: uuid.UUID) -> RegistryLog:
        with as_tenant(session, ALL_TENANTS):
            slug = self._features.slugs(session)[organisation_id]
        origin = f"{self._host}/registry/{slug}"
        insert_once(
            session,
            RegistryLog,
            conflict=["organisation_id"],
            organisation_id=organisation_id,
            slug=slug,
            origin=origin,
            key=str(self._key(origin).verifier),
            size=0,
            signed_size=0,
        )
        return session.get_one(RegistryLog, organisation_id)

    def _place_or_race(self, log: OpenLog) -> tuple[int, int]:
        """`_place`; when another transaction undoes it, what is known of the log stays true: it is not read again."""
        try:
            return self._place(log)
        except DBAPIError as error:
            if is_race(error):
                self._logs[log.organisation_id] = log
            raise

    def _place(self, log: OpenLog) -> tuple[int, int]:
        """Step 1: the next positions, and what depends on them, in one transaction; how many, and the size it gives."""
        with self._database.transaction(tenant=log.organisation_id) as session:
            one_snapshot(session)
            row = session.get_one(RegistryLog, log.organisation_id, with_for_update=True)
            refs = place(session, log.organisation_id, row.size, self._batch)
            if refs:
                row.size += len(refs)
                session.flush()
                for apply in self._features.on_placed:
                    apply(session, log.organisation_id, refs)
            if len(refs) < self._batch and row.counted_size < row.size:
                self._count(session, row)
            return len(refs), row.size

    def _count(self, session: Session, row: RegistryLog) -> None:
        """Count what is counted where everything has its place; rarely enough to take little of the time."""
        began = time.monotonic()
        if began < self._counts_after.get(row.organisation_id, 0.0):
            return
        # A step that is deleted as it is counted undoes the count alone: a later turn counts what is left.
        try:
            with session.begin_nested():
                self._features.count(session, row.organisation_id, row.counted_size, row.size - 1)
                row.counted_size = row.size
                session.flush()
        except IntegrityError:
            self._miscounts[row.organisation_id] += 1
            refusals = {"organisation": str(row.organisation_id), "in_a_row": self._miscounts[row.organisation_id]}
            logger.warning("the database refused a count", extra=refusals, exc_info=True)
        else:
            self._miscounts.pop(row.organisation_id, None)
        now = time.monotonic()
        self._counts_after[row.organisation_id] = now + max(COUNT_SECONDS, COUNT_SHARE * (now - began))

    def _beat(self) -> None:
        """Say that everything is placed and signed, now and then, and seal what is over."""
        now = self._now()
        if self._beat_at is not None and now - self._beat_at < BEAT:
            return
        with self._database.transaction(tenant=ALL_TENANTS) as session:
            if not insert_once(session, SequencerState, conflict=["id"], id=1, settled_at=now):
                session.execute(update(SequencerState).values(settled_at=now))
        self._seal(now)
        self._beat_at = now

    def _seal(self, now: dt.datetime) -> None:
        """Seal the consultations that are over; what cannot be yet will be at another beat."""
        with self._database.session(write=False, tenant=ALL_TENANTS) as session:
            due = sealing.due(session, self._features.closed(session, now), now)
        for closed in due:
            with self._database.transaction(tenant=closed.organisation_id) as session:
                sealing.seal(session, closed, now)


def place(session: Session, organisation_id: uuid.UUID, size: int, limit: int) -> list[str]:
    """Give the positions from `size` on to the pending entries written first; returns their refs in order."""
    pending = (
        select(RegistryEntry.id, (size - 1 + func.row_number().over(order_by=RegistryEntry.id)).label("position"))
        .where(RegistryEntry.organisation_id == organisation_id, RegistryEntry.position.is_(None))
        .order_by(RegistryEntry.id)
        .limit(limit)
        .subquery()
    )
    placed = (
        update(RegistryEntry)
        .where(RegistryEntry.id == pending.c.id)
        .values(position=pending.c.position)
        .returning(RegistryEntry.position, RegistryEntry.ref)
        .execution_options(synchronize_session=False)
    )
    return [ref for _, ref in sorted((position, ref) for position, ref in session.execute(placed))]


def stores(settings: Settings) -> Stores:
    """The two stores of these settings."""
    return Stores(Store(settings.registry_path), Store(settings.registry_second_path))


def from_settings(database: Database, settings: Settings, features: Sequencing) -> Sequencer:
    """The sequencer of these settings. Raises ConflictError when the seed may not be used."""
    host = urlsplit(settings.public_url).netloc
    witnesses = cosigning.configured(settings)
    return Sequencer(database, stores(settings), seed.read(settings), host=host, features=features, witnesses=witnesses)
