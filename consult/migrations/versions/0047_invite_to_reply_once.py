"""Issue single-use invitations to questionnaires."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0047"
down_revision: str | Sequence[str] | None = "0046"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _key(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE")


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "invitation_batch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("mailed", sa.Boolean(), nullable=False),
        sa.Column("issued", sa.Integer(), nullable=False),
        sa.Column("issued_at", instant, nullable=False),
        sa.Column("reminded_at", instant, nullable=True),
        sa.Column("revoked", sa.Integer(), nullable=False),
        sa.Column("revoked_at", instant, nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("issued > 0 AND revoked >= 0 AND revoked <= issued", name="revoked_among_issued"),
        sa.CheckConstraint("revoked_at IS NOT NULL OR revoked = 0", name="revocation_is_dated"),
        _key("invitation_batch", "step_id", "step"),
        _key("invitation_batch", "organisation_id", "organisation"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation_batch")),
    )
    for name in ("organisation_id", "step_id"):
        op.create_index(op.f(f"ix_invitation_batch_{name}"), "invitation_batch", [name])
    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("reminder_digest", sa.String(length=64), nullable=True),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        _key("invitation", "batch_id", "invitation_batch"),
        _key("invitation", "organisation_id", "organisation"),
        sa.UniqueConstraint("digest", name=op.f("uq_invitation_digest")),
        sa.UniqueConstraint("reminder_digest", name=op.f("uq_invitation_reminder_digest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
    )
    op.create_index("ix_invitation_batch", "invitation", ["batch_id", "used"])
    for name in ("email", "organisation_id"):
        op.create_index(op.f(f"ix_invitation_{name}"), "invitation", [name])


def downgrade() -> None:
    op.drop_table("invitation")
    op.drop_table("invitation_batch")
