"""Base, column types, engines, transactions and the tenant filter: all that both databases need to agree on.

SQLite (WAL, one host) and PostgreSQL (psycopg 3) are served by the same code. SQLite has one writer: a write
transaction starts with BEGIN IMMEDIATE, behind a file lock that keeps the waiting fair; a reading one may not write
on either database, which is how « GET never writes » is enforced.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import enum
import fcntl
import functools
import hashlib
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, Final, TypeAlias, cast
from weakref import WeakKeyDictionary

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Enum,
    ForeignKey,
    MetaData,
    Table,
    event,
    func,
    literal,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, ORMExecuteState, Session, mapped_column, with_loader_criteria
from sqlalchemy.sql import visitors
from sqlalchemy.sql.base import ExecutableOption
from sqlalchemy.types import TypeDecorator

from consult.engines import postgresql_engine, sqlite_engine

# Who may see a column. Every column declares one: `mapped_column(info=PUBLIC)`.
PUBLIC: Final = {"visibility": "public"}
ADMINISTRATION: Final = {"visibility": "administration"}
NEVER: Final = {"visibility": "never"}

ALL_TENANTS: Final = "all tenants"
Tenant: TypeAlias = uuid.UUID | str | None


class TenantMissingError(RuntimeError):
    """A query reached rows of an organisation without saying which organisation it serves."""


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An instant: aware in Python, UTC in the database; a naive value is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without a time zone cannot be stored")
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if dialect.name == "sqlite" else value.astimezone(dt.UTC)


def _check_name(constraint: CheckConstraint, _table: Table) -> str:
    """Name the check of an enumeration after its column, so that two columns may share one enumeration."""
    bound = getattr(constraint, "_type_bound", False)
    return next(iter(constraint.columns)).name if bound else str(constraint.name)


class Base(DeclarativeBase):
    """Declarative base: enumerations are stored by value and checked, instants are UTC, ids are random."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(check_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
            "check_name": _check_name,  # type: ignore[dict-item]  # a token may be a callable (SQLAlchemy docs)
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        dt.datetime: UtcDateTime,
        dict[str, Any]: JSON,
        list[str]: JSON,
        enum.Enum: Enum(
            enum.Enum,
            native_enum=False,
            create_constraint=True,
            length=40,
            values_callable=lambda members: [member.value for member in members],
        ),
    }


def owner(*, index: bool = False) -> Mapped[uuid.UUID]:
    """The column of the organisation; large tables, most of which is one organisation's, go without its index."""
    return mapped_column(ForeignKey("organisation.id", ondelete="CASCADE"), index=index, info=NEVER)


class TenantOwned:
    """Mixin of every row that belongs to one organisation."""

    organisation_id: Mapped[uuid.UUID] = owner(index=True)


class Database:
    """The engine and the ways to open a transaction on it."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            # One connection writes in each process: those who wait for the only writer hold nothing meanwhile, and
            # the pages that it keeps in memory stay good as long as no other process has written.
            self.engine = sqlite_engine(url, write=True, pool_size=1, max_overflow=0)
            reader = sqlite_engine(url, write=False, pool_size=pool_size, max_overflow=10)
            self.engines: tuple[Engine, ...] = (self.engine, reader)
        else:
            reader = self.engine = postgresql_engine(url, pool_size)
            self.engines = (self.engine,)
        # A page, a reply or an export tells one state of the database, as SQLite always does.
        one_state = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reader = reader.execution_options(consult_write=False, **one_state)
        self._writer = self.engine.execution_options(consult_write=True)

    def session(self, *, write: bool, tenant: Tenant) -> Session:
        """A session that reads or writes for one organisation (or ALL_TENANTS, said aloud)."""
        return Session(
            self._writer if write else self._reader, autoflush=True, info={"tenant": tenant, "survivors": []}
        )

    @contextlib.contextmanager
    def before_writing(self, session: Session) -> Iterator[Connection]:
        """A connection for the queries, on tables, that decide what a session will write: on SQLite, not its own."""
        if not self.is_sqlite or session.bind is self._reader:
            yield session.connection()
            return
        with self._reader.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def transaction(self, *, tenant: Tenant, write: bool = True) -> Iterator[Session]:
        """Commit at the end of the block, roll back on an exception; then run what was to survive either way."""
        session = self.session(write=write, tenant=tenant)
        try:
            yield session
            session.commit()
        finally:
            session.close()
            self.run_survivors(session)

    def run_survivors(self, session: Session) -> None:
        """Commit, in a transaction of its own, what `survives` was given during that session."""
        survivors: list[Callable[[Session], object]] = session.info["survivors"]
        if not survivors:
            return
        todo, survivors[:] = list(survivors), []
        with self.session(write=True, tenant=session.info["tenant"]) as after, after.begin():
            for work in todo:
                work(after)

    @contextlib.contextmanager
    def alone(self, name: str) -> Iterator[Callable[[], bool] | None]:
        """Be the only process of that name for the block; gives None when another one is.

        Otherwise gives a function that tells whether it still holds, and raises once the database is away.
        """
        if self.is_sqlite:
            with _locked_file(f"{self.url.database}.{name}") as held:
                yield (lambda: True) if held else None
            return
        key = _lock_key(name)
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.detach()  # closed at the end, not given back: the lock goes with it
            held = bool(connection.scalar(select(func.pg_try_advisory_lock(key))))
            yield (lambda: bool(connection.scalar(select(literal(1))))) if held else None
            if held:
                connection.scalar(select(func.pg_advisory_unlock(key)))  # the next one need not wait for the closing

    def dispose(self) -> None:
        """Close every connection of the pools."""
        for engine in self.engines:
            engine.dispose()


def session_on(connection: Connection, *, tenant: Tenant) -> Session:
    """A session that reads in the transaction of a connection, which outlives it."""
    return Session(connection, info={"tenant": tenant, "survivors": []})


def survives(session: Session, work: Callable[[Session], object]) -> None:
    """Run `work` in an always-committed transaction once this one is over, whether it commits or not.

    For what must outlive a refusal: the failed-login counter, a spent proof of work, a denied access. It runs after,
    not inside, because SQLite has one writer and would wait for itself.
    """
    session.info["survivors"].append(work)


def one_snapshot(session: Session) -> None:
    """Have every statement of a transaction that has not begun see the same instant (SQLite always does)."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def oldest_transaction(session: Session) -> dt.datetime | None:
    """When the oldest other transaction of this database began; None when none is under way.

    A write transaction of SQLite is alone: whoever asks from one has nobody beside.
    """
    if session.get_bind().dialect.name != "postgresql":
        return None
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    return cast(
        "dt.datetime | None",
        session.scalar(text(f"SELECT min(xact_start) FROM pg_stat_activity WHERE {others}")),  # noqa: S608  # no value in it
    )


def one_at_a_time(session: Session, names: Iterable[str]) -> None:
    """Wait for every other transaction that named one of these, and be waited for until the end of this one.

    A write transaction of SQLite is alone already.
    """
    if session.get_bind().dialect.name == "postgresql":
        for key in sorted(_lock_key(name) for name in names):  # all in one order: nobody waits for each other
            session.execute(select(func.pg_advisory_xact_lock(key)))


def _lock_key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def is_race(error: DBAPIError) -> bool:
    """Whether PostgreSQL undid the transaction because of another one: it may be tried again at once."""
    return getattr(error.orig, "sqlstate", None) in {"40001", "40P01"}


@contextlib.contextmanager
def as_tenant(session: Session, tenant: Tenant) -> Iterator[None]:
    """Serve another organisation, or ALL_TENANTS, within the block (platform staff, jobs, commands)."""
    before = session.info["tenant"]
    session.info["tenant"] = tenant
    try:
        yield
    finally:
        session.info["tenant"] = before


def insert_once(session: Session, model: type[Base], *, conflict: Sequence[str], **values: Any) -> bool:
    """Insert a row unless one already holds the same `conflict` columns; tells whether it did."""
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    partial = [index for index in cast("Table", model.__table__).indexes if index.columns.keys() == list(conflict)]
    where = partial[0].dialect_options[dialect]["where"] if partial else None
    statement = insert(model).values(**values).on_conflict_do_nothing(index_elements=conflict, index_where=where)
    return session.execute(statement.returning(literal(1))).first() is not None


@contextlib.contextmanager
def _locked_file(path: str) -> Iterator[bool]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = True
        except BlockingIOError:
            held = False
        yield held
    finally:
        os.close(handle)


@event.listens_for(Session, "do_orm_execute")
def _keep_to_tenant(state: ORMExecuteState) -> None:
    tenant = state.session.info.get("tenant")
    if tenant == ALL_TENANTS or state.is_column_load:
        return
    if tenant is None:
        touched = _tenant_tables(state.statement)
        if touched:
            raise TenantMissingError(f"no organisation is set for a query on {', '.join(sorted(touched))}")
    elif state.is_orm_statement:  # one on tables alone is left as it is
        state.statement = _of_tenant(state.statement, tenant)


# What was worked out of statements that live on (those built once, at import): working it out costs as much as running
# a small query. Those built for one use are forgotten with them.
_tables_of: WeakKeyDictionary[Any, frozenset[str]] = WeakKeyDictionary()
_kept: WeakKeyDictionary[Any, tuple[Tenant, Any]] = WeakKeyDictionary()


def _of_tenant(statement: Any, tenant: Tenant) -> Any:
    """The statement, with the filter of that organisation."""
    known = _kept.get(statement)
    if known is None or known[0] != tenant:
        known = _kept[statement] = tenant, statement.options(_only_of(tenant))
    return known[1]


@functools.lru_cache(maxsize=256)
def _only_of(tenant: Tenant) -> ExecutableOption:
    return with_loader_criteria(TenantOwned, lambda cls: cls.organisation_id == tenant, include_aliases=True)


def _tenant_tables(statement: Any) -> frozenset[str]:
    """The tables of organisations that the statement reads or writes."""
    if statement not in _tables_of:
        tables = [node for node in visitors.iterate(statement) if isinstance(node, Table)]
        _tables_of[statement] = frozenset(table.name for table in tables if "organisation_id" in table.c)
    return _tables_of[statement]


@event.listens_for(Session, "before_flush")
def _stamp_tenant(session: Session, _context: Any, _instances: Any) -> None:
    tenant = session.info.get("tenant")
    for row in session.new:
        if not isinstance(row, TenantOwned) or tenant == ALL_TENANTS:
            continue
        owner = cast("uuid.UUID | None", row.organisation_id)  # unset until flushed
        if owner is None and tenant is not None:
            row.organisation_id = cast("uuid.UUID", tenant)
        else:
            check_tenant(session, owner, type(row))


def check_tenant(session: Session, owner: uuid.UUID | None, model: type[TenantOwned]) -> None:
    """Raise TenantMissingError unless the session may write a row of that organisation."""
    tenant = session.info.get("tenant")
    if tenant is None:
        raise TenantMissingError(f"no organisation is set to write a {model.__name__}")
    if tenant not in {ALL_TENANTS, owner}:
        raise TenantMissingError(f"a {model.__name__} of another organisation")
