"""Give each organisation's registry its identity and its signed size; find pending entries at once."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | Sequence[str] | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

IMMUTABLE = "organisation_id, slug, origin, key"
TRIGGERS = {
    "postgresql": [
        f"CREATE TRIGGER registry_log_no_update BEFORE UPDATE OF {IMMUTABLE} ON registry_log FOR EACH ROW EXECUTE FUNCTION consult_refuse_change()",
        "CREATE TRIGGER registry_log_no_delete BEFORE DELETE ON registry_log FOR EACH ROW EXECUTE FUNCTION consult_refuse_change()",
    ],
    "sqlite": [
        f"CREATE TRIGGER registry_log_no_update BEFORE UPDATE OF {IMMUTABLE} ON registry_log FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'registry_log is append-only'); END",
        "CREATE TRIGGER registry_log_no_delete BEFORE DELETE ON registry_log FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'registry_log is append-only'); END",
    ],
}


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "registry_log",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("origin", sa.String(length=300), nullable=False),
        sa.Column("key", sa.String(length=400), nullable=False),
        sa.Column("size", big, nullable=False),
        sa.Column("signed_size", big, nullable=False),
        sa.Column("signed_root", sa.LargeBinary(length=32), nullable=True),
        sa.CheckConstraint("0 <= signed_size AND signed_size <= size", name=op.f("signed_is_placed")),
        sa.CheckConstraint(
            "(signed_size = 0) = (signed_root IS NULL)", name=op.f("signed_has_a_root")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_registry_log_organisation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_registry_log")),
        sa.UniqueConstraint("origin", name=op.f("uq_registry_log_origin")),
        sa.UniqueConstraint("slug", name=op.f("uq_registry_log_slug")),
    )
    op.create_table(
        "registry_sequencer",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_sequencer")),
    )
    op.create_table(
        "registry_lost_opening",
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_registry_lost_opening_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_registry_lost_opening")),
    )
    op.create_index(op.f("ix_registry_lost_opening_organisation_id"), "registry_lost_opening", ["organisation_id"])
    pending = sa.text("position IS NULL")
    op.create_index(
        "ix_registry_entry_pending",
        "registry_entry",
        ["organisation_id", "id"],
        sqlite_where=pending,
        postgresql_where=pending,
    )
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    op.drop_index("ix_registry_entry_pending", table_name="registry_entry")
    op.drop_table("registry_lost_opening")
    op.drop_table("registry_sequencer")
    op.drop_table("registry_log")
