"""Append-only tables: triggers by which the database itself refuses changes, whatever code or person asks.

They live beside the table's metadata, so `create_all` makes them; a migration creates them with `refuse_changes_ddl`
(and must create them again after a batch operation on SQLite, which rebuilds the table without its triggers).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from sqlalchemy import DDL, Table, event
from sqlalchemy.orm import DeclarativeBase

POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION consult_refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
"""


def refuse_changes(
    model: type[DeclarativeBase], *, columns: Sequence[str] = (), keep_days: tuple[str, int] | None
) -> None:
    """Have the database refuse updates of `columns` (all of them when empty) and deletions.

    `keep_days` names the column of an instant and the days before which a row may not be deleted; None: never.
    """
    table = cast("Table", model.__table__)
    for dialect in ("sqlite", "postgresql"):
        for statement in refuse_changes_ddl(table.name, dialect, columns=columns, keep_days=keep_days):
            ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # SQLAlchemy's own gap
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))


def refuse_changes_ddl(
    table: str, dialect: str, *, columns: Sequence[str] = (), keep_days: tuple[str, int] | None
) -> Iterator[str]:
    """The statements that make those triggers on that dialect, for a table that has none."""
    of = f"UPDATE OF {', '.join(columns)}" if columns else "UPDATE"
    column, days = keep_days or ("", 0)
    if dialect == "postgresql":
        yield POSTGRESQL_FUNCTION
        recent = f"WHEN (OLD.{column} > now() - interval '{days} days') " if keep_days else ""
        end = "EXECUTE FUNCTION consult_refuse_change()"
        yield f"CREATE TRIGGER {table}_no_update BEFORE {of} ON {table} FOR EACH ROW {end}"
        yield f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {recent}{end}"
        return
    recent = f"WHEN OLD.{column} > datetime('now', '-{days} days') " if keep_days else ""
    body = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    yield f"CREATE TRIGGER {table}_no_update BEFORE {of} ON {table} FOR EACH ROW {body}"
    yield f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {recent}{body}"
