"""Find which release a log told last."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0023"
down_revision: str | Sequence[str] | None = "0022"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INDEX = "ix_registry_entry_releases"


def upgrade() -> None:
    releases = sa.text("kind = 'release'")
    columns = ["organisation_id", "id"]
    op.create_index(INDEX, "registry_entry", columns, sqlite_where=releases, postgresql_where=releases)


def downgrade() -> None:
    op.drop_index(INDEX, "registry_entry")
