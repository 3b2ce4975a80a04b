"""Suggest texts to moderators, with the reason."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0063"
down_revision: str | Sequence[str] | None = "0075"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_KINDS = ("insult", "name", "links", "repetition", "campaign")


def _key(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "suggestion",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("item_type", sa.String(length=40), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind", sa.Enum(*_KINDS, name="kind", native_enum=False, create_constraint=True, length=40), nullable=False
        ),
        sa.Column("version", sa.String(length=60), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("spans", sa.JSON(), nullable=False),
        sa.Column("with_others", sa.Integer(), nullable=False),
        sa.Column("text_digest", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        _key("suggestion", "consultation_id", "consultation"),
        _key("suggestion", "organisation_id", "organisation"),
        sa.UniqueConstraint(
            "item_type", "item_id", "kind", "version", "text_digest", name=op.f("uq_suggestion_item_type_item_id_kind_version_text_digest")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestion")),
    )
    op.create_index("ix_suggestion_latest", "suggestion", ["consultation_id", "made_at"])
    op.create_index("ix_suggestion_item", "suggestion", ["item_id"])
    op.create_index(op.f("ix_suggestion_organisation_id"), "suggestion", ["organisation_id"])
    op.create_table(
        "suggestion_mark",
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("read_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        _key("suggestion_mark", "step_id", "step"),
        _key("suggestion_mark", "organisation_id", "organisation"),
        sa.PrimaryKeyConstraint("step_id", name=op.f("pk_suggestion_mark")),
    )
    op.create_index(op.f("ix_suggestion_mark_organisation_id"), "suggestion_mark", ["organisation_id"])


def downgrade() -> None:
    op.drop_table("suggestion_mark")
    op.drop_table("suggestion")
