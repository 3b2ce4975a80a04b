"""Take requests for help from the public."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0085"
down_revision: str | Sequence[str] | None = "0080"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TOPICS = ("account", "taking_part", "vote", "data", "accessibility", "other")


def _key(column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{other}.id"], name=op.f(f"fk_help_request_{column}"), ondelete="CASCADE"
    )  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "help_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("email", sa.String(254), nullable=True),
        sa.Column(
            "topic", sa.Enum(*_TOPICS, name="topic", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(account_id IS NULL) <> (email IS NULL)", name="one_person"),
        sa.CheckConstraint("(ticket_id IS NULL) <> (body = '')", name="said_in_the_ticket"),
        _key("account_id", "account"),
        _key("ticket_id", "ticket"),
        _key("organisation_id", "organisation"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_help_request")),
        sa.UniqueConstraint("ticket_id", name=op.f("uq_help_request_ticket_id")),
    )  # fmt: skip
    for column in ("account_id", "email", "asked_at", "organisation_id"):
        op.create_index(op.f(f"ix_help_request_{column}"), "help_request", [column])


def downgrade() -> None:
    op.drop_table("help_request")
