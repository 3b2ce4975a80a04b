"""Migrating a database: up, down, and telling whether it is where the code expects it.

Each run is one transaction on both databases (SQLite and PostgreSQL undo DDL), so a failed migration changes nothing.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, event

from consult.db import Database
from consult.errors import ConflictError, InvalidError
from consult.migrations import is_modelled, load_models

FOLDER = Path(__file__).parent
LOCK = 7_034_261  # any constant: two upgrades of one PostgreSQL database wait for each other


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate up to that revision; nothing to do is not an error. Raises InvalidError, ConflictError."""
    with _migrating(url, revision) as config:
        command.upgrade(config, revision)


def downgrade(url: str, revision: str) -> None:
    """Migrate down to that revision (`base`: nothing left; `-1`: one step). Loses the data it has no place for.

    Raises InvalidError, ConflictError.
    """
    with _migrating(url, revision) as config:
        command.downgrade(config, revision)


def revise(url: str, message: str) -> None:
    """Write the migration from what the database holds to what the models say; to be read before it is kept."""
    with _migrating(url, "head") as config:
        command.revision(config, message, autogenerate=True)


def is_current(database: Database) -> bool:
    """Whether every migration was run on that database."""
    with database.session(write=False, tenant=None) as session:
        held = MigrationContext.configure(session.connection()).get_current_heads()
    return set(held) == set(ScriptDirectory(str(FOLDER)).get_heads())


def differences(database: Database) -> list[str]:
    """What would make the database what the models say, as « add_column proposal.title »; empty when they agree."""
    with database.session(write=False, tenant=None) as session:
        opts = {"compare_server_default": True, "include_object": is_modelled}
        context = MigrationContext.configure(session.connection(), opts=opts)
        return [_describe(difference) for difference in compare_metadata(context, load_models())]


def _describe(difference: Any) -> str:
    if isinstance(difference, list):  # several changes of one column
        return ", ".join(_describe(one) for one in difference)
    act, *what = difference
    names = [getattr(part, "name", part) for part in what if isinstance(part, str) or hasattr(part, "name")]
    table = getattr(what[0], "table", None)
    owner = [] if table is None else [table.name]
    return f"{act} {'.'.join(str(name) for name in (*owner, *names))}"


@contextlib.contextmanager
def _migrating(url: str, revision: str) -> Iterator[Config]:
    database = Database(url)
    if database.is_sqlite:
        # Changing a table rebuilds it, which would cascade; the pragma is deaf inside a transaction.
        event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys=OFF"))
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(FOLDER))
    try:
        with database.engine.begin() as connection:
            _take_turns(connection)
            _refuse_newer(connection)
            config.attributes["connection"] = connection
            yield config
            _check_references(connection)
    except CommandError:
        raise InvalidError(
            f"« {revision} » ne désigne aucune migration que l’on puisse atteindre depuis l’état de cette base."
        ) from None
    finally:
        database.dispose()


def _take_turns(connection: Connection) -> None:
    if connection.dialect.name != "postgresql":
        return  # BEGIN IMMEDIATE did
    connection.exec_driver_sql("SET LOCAL statement_timeout = '15min'")
    connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    # Rather fail than hold up the site: a migration that waits for a lock makes everybody queue behind it.
    connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")


def _refuse_newer(connection: Connection) -> None:
    known = {script.revision for script in ScriptDirectory(str(FOLDER)).walk_revisions()}
    foreign = set(MigrationContext.configure(connection).get_current_heads()) - known
    if foreign:
        raise ConflictError(
            f"La base de données en est à la migration « {', '.join(sorted(foreign))} », que cette version de Consult "
            "ne connaît pas : installez la version qui l’a faite."
        )


def _check_references(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise ConflictError(f"La migration laisserait des références rompues dans la table {broken[0]} : annulée.")
