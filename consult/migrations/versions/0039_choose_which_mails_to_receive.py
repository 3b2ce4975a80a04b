"""Let accounts choose which mails they receive."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0039"
down_revision: str | Sequence[str] | None = "0038"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

CHOICES = ("told_when_answered", "told_of_reports", "told_of_delays")


def upgrade() -> None:
    for name in CHOICES:
        op.add_column("account", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.true()))


def downgrade() -> None:
    for name in CHOICES:
        op.drop_column("account", name)
