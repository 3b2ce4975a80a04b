"""Let the feed of changes name the votes that are gone; of those written before, the last entry of each is named."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | Sequence[str] | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("registry_entry", sa.Column("vote_id", sa.Uuid(), nullable=True))
    op.execute(
        "UPDATE registry_entry SET vote_id = vote.id FROM vote WHERE vote.registry_ref = registry_entry.ref"
    )


def downgrade() -> None:
    op.drop_column("registry_entry", "vote_id")
