"""Keep the totals of questions as they were published."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | Sequence[str] | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ORIGINS = sa.Enum(
    "live", "imported", "offline", "test", name="origin", native_enum=False, create_constraint=True, length=40
)


def upgrade() -> None:
    op.create_table(
        "published_total",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("origin", ORIGINS, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_published_total_organisation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("fk_published_total_question_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_published_total")),
        sa.UniqueConstraint(
            "question_id", "origin", "number", name=op.f("uq_published_total_question_id_origin_number")
        ),
    )
    op.create_index(op.f("ix_published_total_organisation_id"), "published_total", ["organisation_id"])


def downgrade() -> None:
    op.drop_table("published_total")
