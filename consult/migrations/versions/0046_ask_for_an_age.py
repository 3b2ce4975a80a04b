"""Let a consultation ask people to declare an age."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0046"
down_revision: str | Sequence[str] | None = "0045"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("consultation", sa.Column("minimum_age", sa.Integer(), nullable=True))
    op.add_column(
        "consultation", sa.Column("parental_consent", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("account", sa.Column("declared_age", sa.Integer(), nullable=True))
    op.add_column("account", sa.Column("declared_consent", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("account", sa.Column("age_declared_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for name in ("age_declared_at", "declared_consent", "declared_age"):
        op.drop_column("account", name)
    for name in ("parental_consent", "minimum_age"):
        op.drop_column("consultation", name)
