"""Requests to exercise a right, and the accounts whose texts a granted one sets aside."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0020"
down_revision: str | Sequence[str] | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

RIGHTS = ("access", "rectification", "erasure", "limitation", "objection")
OUTCOMES = ("granted", "refused")
CHECKS = {
    "one_person": "(account_id IS NULL) <> (email IS NULL)",
    "due_once_confirmed": "(confirmed_at IS NULL) = (due_on IS NULL)",
    "extension_is_motivated": "(extended_at IS NULL) = (extension_reason = '')",
    "answered_or_not": "(outcome IS NULL) = (answered_at IS NULL)",
    "answer_is_motivated": "(outcome IS NULL) = (answer = '')",
    "granted_before_lifted": "lifted_at IS NULL OR outcome = 'granted'",
}


def upgrade() -> None:
    op.add_column("account", sa.Column("set_aside_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "rights_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("token_digest", sa.String(length=64), nullable=True),
        sa.Column("right", sa.Enum(*RIGHTS, name="right", native_enum=False, create_constraint=True, length=40), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("extended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("extension_reason", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Enum(*OUTCOMES, name="outcome", native_enum=False, create_constraint=True, length=40), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_on", sa.Date(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        *(sa.CheckConstraint(condition, name=name) for name, condition in CHECKS.items()),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_rights_request_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["account.id"], name=op.f("fk_rights_request_answered_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_rights_request_organisation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rights_request")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_rights_request_token_digest")),
    )
    op.create_index(op.f("ix_rights_request_account_id"), "rights_request", ["account_id"])
    op.create_index(op.f("ix_rights_request_organisation_id"), "rights_request", ["organisation_id"])
    op.create_index("ix_rights_request_waiting", "rights_request", ["organisation_id", "outcome", "due_on"])


def downgrade() -> None:
    op.drop_table("rights_request")
    op.drop_column("account", "set_aside_at")
