"""Know which accounts have not been used for long; those there are count from today."""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | Sequence[str] | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("account", sa.Column("seen_on", sa.Date(), nullable=True))
    op.add_column("account", sa.Column("warned_on", sa.Date(), nullable=True))
    account = sa.table("account", sa.column("seen_on", sa.Date()), sa.column("status", sa.String()))
    today = dt.datetime.now(dt.UTC).date()
    op.execute(sa.update(account).where(account.c.status != "erased").values(seen_on=today))


def downgrade() -> None:
    op.drop_column("account", "warned_on")
    op.drop_column("account", "seen_on")
