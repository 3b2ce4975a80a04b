"""Keep reports of traffic, and who wants them by mail."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0075"
down_revision: str | Sequence[str] | None = "0056"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "traffic_report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "period", sa.Enum("week", "day", name="period", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("traffic", sa.JSON(), nullable=True),
        sa.Column("traffic_before", sa.JSON(), nullable=True),
        sa.Column("acts", sa.JSON(), nullable=True),
        sa.Column("acts_before", sa.JSON(), nullable=True),
        sa.Column("outage", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("recommendations", sa.Text(), nullable=False),
        sa.Column("edits", sa.Integer(), nullable=False),
        sa.CheckConstraint("(made_at IS NULL) = (acts IS NULL)", name="made_with_acts"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_traffic_report_organisation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_traffic_report")),
        sa.UniqueConstraint(
            "organisation_id", "period", "first_day", name=op.f("uq_traffic_report_organisation_id_period_first_day")
        ),
    )
    op.create_index(op.f("ix_traffic_report_organisation_id"), "traffic_report", ["organisation_id"])
    op.add_column("account", sa.Column("told_of_traffic", sa.Boolean(), server_default=sa.true(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("account") as batch:
        batch.drop_column("told_of_traffic")
    op.drop_table("traffic_report")
