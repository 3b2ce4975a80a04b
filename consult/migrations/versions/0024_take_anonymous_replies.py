"""Take anonymous replies: who has replied, apart from the replies, which wait in urns for their batch."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0024"
down_revision: str | Sequence[str] | None = "0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ANONYMOUS = sa.text("edit_key IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "has_replied",
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_has_replied_account_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_has_replied_organisation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_has_replied_step_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("step_id", "account_id", name=op.f("pk_has_replied")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_has_replied_account_id"), "has_replied", ["account_id"])
    op.create_table(
        "reply_urn",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("replies", "changes", name="urnkind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("open", sa.Boolean(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("open IS NULL OR open", name="open_or_null"),
        sa.CheckConstraint("(kind = 'changes') = (day IS NOT NULL)", name="changes_have_a_day"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_reply_urn_organisation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_reply_urn_step_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply_urn")),
        sa.UniqueConstraint("step_id", "kind", "open", name=op.f("uq_reply_urn_step_id_kind_open")),
    )
    op.create_index(op.f("ix_reply_urn_organisation_id"), "reply_urn", ["organisation_id"])
    with op.batch_alter_table("reply") as batch:
        batch.add_column(sa.Column("batch_ref", sa.String(length=32), nullable=True))
        batch.add_column(sa.Column("batch_salt", sa.String(length=64), nullable=True))
        batch.add_column(sa.Column("edit_key", sa.String(length=64), nullable=True))
        batch.create_check_constraint("anonymous_names_nobody", "account_id IS NULL OR edit_key IS NULL")
        batch.create_check_constraint("anonymous_came_in_a_batch", "(edit_key IS NULL) = (batch_ref IS NULL)")
    op.create_index(
        "ix_reply_edit_key", "reply", ["edit_key"], sqlite_where=ANONYMOUS, postgresql_where=ANONYMOUS
    )


def downgrade() -> None:
    # An urn is lost with its replies, which the version before cannot hold; those that came out stay.
    op.drop_index("ix_reply_edit_key", table_name="reply")
    with op.batch_alter_table("reply") as batch:
        batch.drop_constraint("anonymous_came_in_a_batch", type_="check")
        batch.drop_constraint("anonymous_names_nobody", type_="check")
        batch.drop_column("edit_key")
        batch.drop_column("batch_salt")
        batch.drop_column("batch_ref")
    op.drop_table("reply_urn")
    op.drop_table("has_replied")
