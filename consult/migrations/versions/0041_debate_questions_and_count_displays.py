"""Ask one question a debate, and count how many times each text is displayed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0041"
down_revision: str | Sequence[str] | None = "0040"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_ASKED = sa.text("kind = 'question'")


def upgrade() -> None:
    op.create_index(
        "uq_proposal_question", "proposal", ["step_id"], unique=True, sqlite_where=_ASKED, postgresql_where=_ASKED
    )
    op.create_table(
        "exposure",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("drawn", sa.Boolean(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("past", sa.BigInteger(), nullable=False),
        sa.Column("latest", sa.Integer(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_exposure_organisation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_exposure_step_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("item_id", "drawn", name=op.f("pk_exposure")),
    )
    op.create_index(op.f("ix_exposure_step_id"), "exposure", ["step_id"])


def downgrade() -> None:
    op.drop_table("exposure")
    op.drop_index("uq_proposal_question", "proposal")
