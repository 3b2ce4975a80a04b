"""Let an erasure find the entries of a voter in the log; those written before name none."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | Sequence[str] | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("registry_entry", sa.Column("holder", sa.String(length=32), nullable=True))
    held = sa.text("holder IS NOT NULL")
    op.create_index(
        "ix_registry_entry_holder", "registry_entry", ["holder"], sqlite_where=held, postgresql_where=held
    )


def downgrade() -> None:
    op.drop_index("ix_registry_entry_holder", table_name="registry_entry")
    op.drop_column("registry_entry", "holder")
