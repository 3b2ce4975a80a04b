"""Keep the end-of-mission packages that an administrator asked for."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0028"
down_revision: str | Sequence[str] | None = "0027"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "mission_package",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("waiting", "ready", "failed", name="missionstatus", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("requested_by_id", sa.Uuid(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("removals", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(status = 'waiting') = (finished_at IS NULL)", name="end_is_dated"),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"],
            name=op.f("fk_mission_package_consultation_id"), ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"],
            name=op.f("fk_mission_package_organisation_id"), ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["requested_by_id"], ["account.id"], name=op.f("fk_mission_package_requested_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mission_package")),
    )
    op.create_index(op.f("ix_mission_package_consultation_id"), "mission_package", ["consultation_id"])
    op.create_index(op.f("ix_mission_package_organisation_id"), "mission_package", ["organisation_id"])


def downgrade() -> None:
    op.drop_table("mission_package")
