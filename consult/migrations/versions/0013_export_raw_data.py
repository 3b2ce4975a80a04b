"""Keep the raw exports that an administration asked for."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | Sequence[str] | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "raw_export",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("waiting", "ready", "failed", "expired", name="rawstatus", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("passphrase", sa.String(length=300), nullable=True),
        sa.Column("requested_by_id", sa.Uuid(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(status = 'waiting') = (finished_at IS NULL)", name="end_is_dated"),
        sa.CheckConstraint(
            "(status = 'waiting') = (passphrase IS NOT NULL)", name="passphrase_is_forgotten"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"],
            name=op.f("fk_raw_export_organisation_id"), ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["requested_by_id"], ["account.id"], name=op.f("fk_raw_export_requested_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_raw_export")),
    )
    op.create_index(op.f("ix_raw_export_expires_at"), "raw_export", ["expires_at"])
    op.create_index(op.f("ix_raw_export_organisation_id"), "raw_export", ["organisation_id"])


def downgrade() -> None:
    op.drop_table("raw_export")
