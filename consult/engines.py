"""The engines of both databases. SQLite has one writer: see `db.py` for what that means."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.pool import ConnectionPoolEntry

# What is deleted is overwritten (secure_delete): an erased text must not stay in the free parts of the file.
# Pages written often are brought back to the file once in 16 MB of journal. A connection keeps 8 MB of them, what a
# search that finds seven hundred contents reads: the 2 MB of SQLite are read again and again, in twice the time.
_PRAGMAS: Final = (
    *("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"),
    *("secure_delete=ON", "wal_autocheckpoint=4000", "cache_size=-8000"),
)


def sqlite_engine(url: str, *, write: bool, pool_size: int, max_overflow: int) -> Engine:
    """Engine on a file in WAL; one that writes takes a file lock before each transaction, one that reads may not write.

    Raises ValueError for a database in memory.
    """
    path = make_url(url).database
    if not path or path == ":memory:":
        raise ValueError("SQLite serves several processes here: give DATABASE_URL the path of a file")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    # The connection used last is taken first: what it keeps of the file in memory is still good.
    engine = create_engine(
        url, pool_size=pool_size, max_overflow=max_overflow, pool_use_lifo=True, connect_args={"timeout": 10}
    )

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # BEGIN is ours to say
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    if write:
        _lock_writes(engine, f"{path}.lock")
    else:
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only=ON"))
        _begin_by(engine, _begin_reading)
    return engine


def _begin_by(engine: Engine, begin: Callable[[Any], None]) -> None:
    """Say to the driver what begins a transaction: were it an event of the engine, each query would pass by it too."""
    engine.dialect.do_begin = begin  # type: ignore[method-assign, assignment]  # of this engine alone


def _begin_reading(connection: Any) -> None:
    connection.execute("BEGIN")


def _lock_writes(engine: Engine, path: str) -> None:
    """Take the file lock before each transaction; it is over once the connection is back: "commit" is told before."""

    @event.listens_for(engine, "connect")
    def _on_connect(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["lock"] = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _begin(connection: Any) -> None:
        fcntl.flock(connection.info["lock"], fcntl.LOCK_EX)
        connection.execute("BEGIN IMMEDIATE")

    _begin_by(engine, _begin)

    @event.listens_for(engine, "checkin")
    def _on_checkin(_connection: Any, record: ConnectionPoolEntry) -> None:
        if "lock" in record.info:
            fcntl.flock(record.info["lock"], fcntl.LOCK_UN)

    @event.listens_for(engine, "close")
    def _on_close(_connection: Any, record: ConnectionPoolEntry) -> None:
        os.close(record.info.pop("lock"))


def postgresql_engine(url: str, pool_size: int) -> Engine:
    """Engine on PostgreSQL by psycopg, in UTC; nothing waits for a connection or a lock more than ten seconds.

    Its plans suppose a disk that reads a page anywhere as fast as the next one (random_page_cost): for the turning
    disks that PostgreSQL supposes, it reads whole tables of ten thousand rows rather than seven hundred by an index.
    """
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=4,
        pool_timeout=10,
        pool_recycle=1800,
        connect_args={"connect_timeout": 5, "options": "-c timezone=UTC -c lock_timeout=10s -c random_page_cost=1.1"},
    )
