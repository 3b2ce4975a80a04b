"""Forget the census of drafts, which the public address gave: it is taken once they open."""

from collections.abc import Sequence

from alembic import op

revision: str = "0021"
down_revision: str | Sequence[str] | None = "0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    drafts = "SELECT id FROM consultation WHERE status = 'draft'"
    op.execute(f"DELETE FROM registry_census WHERE consultation_id IN ({drafts})")  # noqa: S608  # no value in it


def downgrade() -> None:
    """Nothing: the next count of each makes it again."""
