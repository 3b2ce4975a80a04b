"""Let an account be shown under another name in one consultation."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0035"
down_revision: str | Sequence[str] | None = "0034"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "consultation_pseudonym",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("pseudonym", sa.String(length=40), nullable=False),
        sa.Column("pseudonym_key", sa.String(length=160), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"],
            name=op.f("fk_consultation_pseudonym_organisation_id"), ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"],
            name=op.f("fk_consultation_pseudonym_consultation_id"), ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_consultation_pseudonym_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consultation_pseudonym")),
        sa.UniqueConstraint(
            "consultation_id", "account_id", name=op.f("uq_consultation_pseudonym_consultation_id_account_id")
        ),
        sa.UniqueConstraint(
            "consultation_id", "pseudonym_key", name=op.f("uq_consultation_pseudonym_consultation_id_pseudonym_key")
        ),
    )
    op.create_index("ix_consultation_pseudonym_key", "consultation_pseudonym", ["organisation_id", "pseudonym_key"])
    op.create_index(op.f("ix_consultation_pseudonym_account_id"), "consultation_pseudonym", ["account_id"])


def downgrade() -> None:
    op.drop_table("consultation_pseudonym")
