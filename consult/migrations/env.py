"""What Alembic runs; `commands.py` calls it with a connection, there is no alembic.ini."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection

from consult.db import UtcDateTime
from consult.migrations import is_modelled, load_models


def _render(kind: str, value: Any, _context: Any) -> str | Literal[False]:
    """Migrations stand alone: they spell the plain type of an instant, not ours, which may change."""
    if kind == "type" and isinstance(value, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=load_models(),
        render_as_batch=True,  # SQLite alters by rebuilding; PostgreSQL is not concerned
        compare_server_default=True,
        render_item=_render,
        include_object=is_modelled,
    )
    with context.begin_transaction():
        context.run_migrations()


_run(context.config.attributes["connection"])
