"""Count the edits of official answers, commitments and cases: a stale form of a draft wrote over a newer one."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0027"
down_revision: str | Sequence[str] | None = "0026"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLES = ("official_answer", "commitment", "use_case")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("edits", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "edits")
