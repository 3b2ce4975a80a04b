"""Take ballots: points to spread over the texts of a step, or a ranking of some of them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0045"
down_revision: str | Sequence[str] | None = "0044"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

COUNTERS = ("points", "ballots", "first_choices")


def upgrade() -> None:
    for name in COUNTERS:
        op.add_column("proposal", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "ballot",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("registry_ref", sa.String(length=32), nullable=True),
        sa.Column("cast_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_ballot_account_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_ballot_step_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot")),
        sa.UniqueConstraint("account_id", "step_id", name=op.f("uq_ballot_account_id_step_id")),
    )
    op.create_index("ix_ballot_step", "ballot", ["step_id", "counted"])
    op.create_index("ix_ballot_listed", "ballot", ["consultation_id", "counted", "id"])


def downgrade() -> None:
    op.drop_table("ballot")
    for name in COUNTERS:
        op.drop_column("proposal", name)
