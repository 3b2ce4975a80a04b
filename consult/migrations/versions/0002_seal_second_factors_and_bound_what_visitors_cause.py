"""Seal second factors; bound the drafts and the mails that visitors cause."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from consult.sealing import second_factors
from consult.settings import Settings

revision: str = "0002"
down_revision: str | Sequence[str] | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ACCOUNT = sa.table("account", sa.column("id", sa.Uuid()), sa.column("totp_secret", sa.String()))


def upgrade() -> None:
    op.create_table(
        "mailbox_count",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("sent", sa.JSON(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_mailbox_count")),
    )
    with op.batch_alter_table("mailbox_count", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mailbox_count_expires_at"), ["expires_at"], unique=False)
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.alter_column("totp_secret", type_=sa.String(length=200), existing_type=sa.String(length=64))
    _rewrite_secrets(seal=True)
    with op.batch_alter_table("contribution_draft", schema=None) as batch_op:
        batch_op.add_column(sa.Column("address_key", sa.String(length=64), nullable=True))
        batch_op.create_index(batch_op.f("ix_contribution_draft_address_key"), ["address_key"], unique=False)
    with op.batch_alter_table("reply_draft", schema=None) as batch_op:
        batch_op.add_column(sa.Column("address_key", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("size", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_reply_draft_address_key"), ["address_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_reply_draft_holder_digest"), ["holder_digest"], unique=False)
    op.execute("UPDATE reply_draft SET size = length(CAST(answers AS TEXT))")
    with op.batch_alter_table("reply_draft", schema=None) as batch_op:
        batch_op.alter_column("size", existing_type=sa.Integer(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("reply_draft", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reply_draft_holder_digest"))
        batch_op.drop_index(batch_op.f("ix_reply_draft_address_key"))
        batch_op.drop_column("size")
        batch_op.drop_column("address_key")
    with op.batch_alter_table("contribution_draft", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contribution_draft_address_key"))
        batch_op.drop_column("address_key")
    _rewrite_secrets(seal=False)
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.alter_column("totp_secret", type_=sa.String(length=64), existing_type=sa.String(length=200))
    op.drop_table("mailbox_count")


def _rewrite_secrets(*, seal: bool) -> None:
    """With the keys of the settings, as the service that follows; the format of `consult.sealing` is for good."""
    keyring = second_factors(Settings.from_env().seal_keys)
    connection = op.get_bind()
    for row in connection.execute(sa.select(ACCOUNT).where(ACCOUNT.c.totp_secret.is_not(None))).all():
        kept = keyring.unseal(row.totp_secret, row.id)
        values = {"totp_secret": keyring.seal(kept, row.id) if seal else kept}
        connection.execute(sa.update(ACCOUNT).where(ACCOUNT.c.id == row.id).values(values))
