"""How many contents of an import the search for personal data put in the queue of moderation."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0022"
down_revision: str | Sequence[str] | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("import_batch", sa.Column("flagged", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("import_batch", "flagged")
