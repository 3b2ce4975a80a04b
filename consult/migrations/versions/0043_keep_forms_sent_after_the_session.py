"""Keep the forms that were sent once the session was over."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0043"
down_revision: str | Sequence[str] | None = "0042"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "unsent_form",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("address_key", sa.String(64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_unsent_form_organisation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_unsent_form")),
    )
    op.create_index(op.f("ix_unsent_form_organisation_id"), "unsent_form", ["organisation_id"])
    op.create_index(op.f("ix_unsent_form_address_key"), "unsent_form", ["address_key"])
    op.create_index(op.f("ix_unsent_form_expires_at"), "unsent_form", ["expires_at"])


def downgrade() -> None:
    op.drop_table("unsent_form")
