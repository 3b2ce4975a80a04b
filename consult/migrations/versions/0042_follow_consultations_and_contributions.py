"""Let accounts follow consultations and contributions."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0042"
down_revision: str | Sequence[str] | None = "0041"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INDEXED = ("consultation_id", "organisation_id", "proposal_id", "told_until")


def upgrade() -> None:
    op.add_column("account", sa.Column("told_of_followed", sa.Boolean(), nullable=False, server_default=sa.true()))
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "subscription",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=True),
        sa.Column("proposal_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("told_until", instant, nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(consultation_id IS NULL) <> (proposal_id IS NULL)", name="one_target"),
        sa.UniqueConstraint("account_id", "consultation_id", name=op.f("uq_subscription_account_id_consultation_id")),
        sa.UniqueConstraint("account_id", "proposal_id", name=op.f("uq_subscription_account_id_proposal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        *(
            sa.ForeignKeyConstraint(
                [f"{table}_id"], [f"{table}.id"], name=op.f(f"fk_subscription_{table}_id"), ondelete="CASCADE"
            )
            for table in ("account", "consultation", "proposal", "organisation")
        ),
    )
    for name in INDEXED:
        op.create_index(op.f(f"ix_subscription_{name}"), "subscription", [name])


def downgrade() -> None:
    op.drop_table("subscription")
    op.drop_column("account", "told_of_followed")
