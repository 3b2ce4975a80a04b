"""Keep the position of an entry out of its index until it has one: each act wrote a page for nothing.

Entries are never deleted (a trigger refuses it): SQLite needs no table of its own to number them, nor has each act to
lock its organisation.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | Sequence[str] | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ENTRY, UNIQUE = "registry_entry", "uq_registry_entry_organisation_id_position"


def upgrade() -> None:
    with triggers_kept(), op.batch_alter_table(ENTRY) as entry:
        entry.drop_constraint(UNIQUE, type_="unique")
        entry.drop_constraint("fk_registry_entry_organisation_id", type_="foreignkey")
        if op.get_bind().dialect.name == "sqlite":
            entry.create_primary_key("pk_registry_entry", ["id"])  # numbered apart, it had no name
    placed = sa.text("position IS NOT NULL")
    columns = ["organisation_id", "position"]
    op.create_index(UNIQUE, ENTRY, columns, unique=True, sqlite_where=placed, postgresql_where=placed)


def downgrade() -> None:
    op.drop_index(UNIQUE, ENTRY)
    with triggers_kept(), op.batch_alter_table(ENTRY, table_kwargs={"sqlite_autoincrement": True}) as entry:
        entry.create_unique_constraint(UNIQUE, ["organisation_id", "position"])
        of = ("fk_registry_entry_organisation_id", "organisation", ["organisation_id"], ["id"])
        entry.create_foreign_key(*of, ondelete="CASCADE")


@contextmanager
def triggers_kept() -> Iterator[None]:
    """SQLite alters a table by rebuilding it, without its triggers."""
    made: list[str] = []
    if op.get_bind().dialect.name == "sqlite":
        named = sa.text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :name")
        made = list(op.get_bind().scalars(named, {"name": ENTRY}))
    yield
    for statement in made:
        op.execute(statement)
