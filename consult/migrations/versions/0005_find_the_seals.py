"""Find at once the entries that seal a consultation."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | Sequence[str] | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    seals = sa.text("kind = 'sealed'")
    op.create_index(
        "ix_registry_entry_seals", "registry_entry", ["consultation_id"], sqlite_where=seals, postgresql_where=seals
    )


def downgrade() -> None:
    op.drop_index("ix_registry_entry_seals", table_name="registry_entry")
