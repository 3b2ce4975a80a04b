"""Let one moderator at a time examine a content."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0080"
down_revision: str | Sequence[str] | None = "0063"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _key(column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_moderation_hold_{column}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "moderation_hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("item_type", sa.String(length=40), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        _key("consultation_id", "consultation"),
        _key("holder_id", "account"),
        _key("organisation_id", "organisation"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moderation_hold")),
        sa.UniqueConstraint("item_type", "item_id", name=op.f("uq_moderation_hold_item_type_item_id")),
    )
    for column in ("consultation_id", "holder_id", "held_until", "organisation_id"):
        op.create_index(op.f(f"ix_moderation_hold_{column}"), "moderation_hold", [column])


def downgrade() -> None:
    op.drop_table("moderation_hold")
