"""Let accounts ask for a mail of what follows the consultations where they took part."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0029"
down_revision: str | Sequence[str] | None = "0028"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TOLD = sa.text("told_of_answers")


def upgrade() -> None:
    op.add_column("account", sa.Column("told_of_answers", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(
        "ix_account_told_of_answers", "account", ["organisation_id", "id"], sqlite_where=TOLD, postgresql_where=TOLD
    )


def downgrade() -> None:
    op.drop_index("ix_account_told_of_answers", table_name="account")
    op.drop_column("account", "told_of_answers")
