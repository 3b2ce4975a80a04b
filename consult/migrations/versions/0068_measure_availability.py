"""Keep what the probe says of each month, and what the status page says of an anomaly."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0068"
down_revision: str | Sequence[str] | None = "0067"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "service_month",
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("measured_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("measured_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("down_ms", sa.BigInteger(), nullable=False),
        sa.Column("up", sa.Boolean(), nullable=False),
        sa.Column("outages", sa.JSON(), nullable=False),
        sa.CheckConstraint("measured_to > measured_from", name="something_was_measured"),
        sa.PrimaryKeyConstraint("first_day", name=op.f("pk_service_month")),
    )
    op.add_column("ticket", sa.Column("public_words", sa.Text(), server_default=sa.text("''"), nullable=False))


def downgrade() -> None:
    op.drop_column("ticket", "public_words")
    op.drop_table("service_month")
