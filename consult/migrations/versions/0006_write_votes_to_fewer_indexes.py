"""Drop the indexes that each vote wrote to and that no query needs: an organisation is most of its own tables."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | Sequence[str] | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLES = ("vote", "vote_delta", "registry_entry")
TARGETS = ("argument_id", "proposal_id")  # a vote is about one of them: the other is not worth a page


def upgrade() -> None:
    for table in TABLES:
        op.drop_index(f"ix_{table}_organisation_id", table_name=table)
    for table in TABLES[:2]:
        for column in TARGETS:
            op.drop_index(f"ix_{table}_{column}", table_name=table)
            known = sa.text(f"{column} IS NOT NULL")
            op.create_index(f"ix_{table}_{column}", table, [column], sqlite_where=known, postgresql_where=known)


def downgrade() -> None:
    for table in TABLES[:2]:
        for column in TARGETS:
            op.drop_index(f"ix_{table}_{column}", table_name=table)
            op.create_index(f"ix_{table}_{column}", table, [column])
    for table in TABLES:
        op.create_index(f"ix_{table}_organisation_id", table, ["organisation_id"])
