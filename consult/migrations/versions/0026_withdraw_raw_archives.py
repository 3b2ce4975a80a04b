"""Withdraw raw archives that hold what was taken away since."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0026"
down_revision: str | Sequence[str] | None = "0025"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # Archives of before say nothing of it: the first removal, whenever it was, withdraws them.
    op.add_column("raw_export", sa.Column("removal_count", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("raw_export", "removal_count")
