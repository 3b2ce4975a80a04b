"""File proposals by the département that their authors declare, where a step asks for it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0037"
down_revision: str | Sequence[str] | None = "0036"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SOMEWHERE = sa.text("departement IS NOT NULL")


def upgrade() -> None:
    op.add_column("proposal", sa.Column("departement", sa.String(length=3), nullable=True))
    op.create_index(
        "ix_proposal_departement",
        "proposal",
        ["step_id", "departement"],
        sqlite_where=SOMEWHERE,
        postgresql_where=SOMEWHERE,
    )


def downgrade() -> None:
    op.drop_index("ix_proposal_departement", table_name="proposal")
    op.drop_column("proposal", "departement")
