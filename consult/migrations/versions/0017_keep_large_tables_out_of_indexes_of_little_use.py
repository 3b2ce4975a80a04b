"""Drop the indexes of large tables on their organisation, and what each vote paid for little.

Nearly all rows of a large table are of one organisation: SQLite, which has no statistics, read them all by that index
where a better one was at hand.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | Sequence[str] | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LARGE = ("proposal", "argument", "content_version", "reply", "answer", "search_document", "rejected_row")
UNIQUE = "uq_vote_account_id_argument_id"
COPIED = ("organisation", "consultation", "step")  # what a vote has from the content it is on


def upgrade() -> None:
    for table in LARGE:
        op.drop_index(f"ix_{table}_organisation_id", table)
    op.drop_index("ix_vote_step_id", "vote")
    with op.batch_alter_table("vote") as vote:
        vote.drop_constraint(UNIQUE, type_="unique")
        for table in COPIED:
            vote.drop_constraint(f"fk_vote_{table}_id", type_="foreignkey")
    known = sa.text("argument_id IS NOT NULL")
    op.create_index(
        UNIQUE, "vote", ["account_id", "argument_id"], unique=True, sqlite_where=known, postgresql_where=known
    )


def downgrade() -> None:
    op.drop_index(UNIQUE, "vote")
    with op.batch_alter_table("vote") as vote:
        vote.create_unique_constraint(UNIQUE, ["account_id", "argument_id"])
        for table in COPIED:
            vote.create_foreign_key(f"fk_vote_{table}_id", table, [f"{table}_id"], ["id"], ondelete="CASCADE")
    op.create_index("ix_vote_step_id", "vote", ["step_id"])
    for table in LARGE:
        op.create_index(f"ix_{table}_organisation_id", table, ["organisation_id"])
