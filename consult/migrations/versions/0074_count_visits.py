"""Add up visits, pages, sources and devices."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0074"
down_revision: str | Sequence[str] | None = "0051"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_MEASURES = ("visit", "page", "source", "device")


def upgrade() -> None:
    op.create_table(
        "audience_count",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "measure", sa.Enum(*_MEASURES, name="measure", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("value", sa.String(200), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_audience_count_organisation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("organisation_id", "measure", "hour", "value", name=op.f("pk_audience_count")),
    )


def downgrade() -> None:
    op.drop_table("audience_count")
