"""Dump all the consultations of an organisation together, and keep the position at which a dump stands."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | Sequence[str] | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("dump") as batch:
        batch.alter_column("consultation_id", existing_type=sa.Uuid(), nullable=True)
        batch.add_column(sa.Column("position", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM dump WHERE consultation_id IS NULL"))
    with op.batch_alter_table("dump") as batch:
        batch.drop_column("position")
        batch.alter_column("consultation_id", existing_type=sa.Uuid(), nullable=False)
