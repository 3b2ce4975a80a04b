"""Make again the dumps of before formats: their files say none, which the catalogue and the API now tell."""

from collections.abc import Sequence

from alembic import op

revision: str = "0016"
down_revision: str | Sequence[str] | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # No consultation has fewer than no removals: they are served no more, and asked for again within five minutes.
    op.execute("UPDATE dump SET removals = -1 WHERE status = 'done' AND CAST(files AS TEXT) NOT LIKE '%\"format\"%'")


def downgrade() -> None:
    """Nothing: the dumps made since are read by the version before."""
