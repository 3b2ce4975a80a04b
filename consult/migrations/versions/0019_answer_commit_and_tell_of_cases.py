"""Answer officially, commit in public and tell of cases; the log knows commitments and cases by their kinds."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0019"
down_revision: str | Sequence[str] | None = "0018"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

KINDS = (
    "opened rules contribution edit argument version vote.cast vote.changed vote.withdrawn replies moderation "
    "moderation.kept moderation.reversed tombstone answer content release incident sealed"
).split()
ADDED = ["commitment", "case"]
STAGES = ("planned", "in_progress", "done", "abandoned")
STANDING = sa.text("status <> 'withdrawn'")


def _accept(kinds: Sequence[str]) -> None:
    triggers: list[str] = []  # SQLite alters a table by rebuilding it, without them
    if op.get_bind().dialect.name == "sqlite":
        named = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'registry_entry'"
        triggers = list(op.get_bind().scalars(sa.text(named)))
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table("registry_entry") as batch_op:
        batch_op.drop_constraint(op.f("entrykind"), type_="check")
        batch_op.create_check_constraint(op.f("entrykind"), f"kind IN ({listed})")
    for trigger in triggers:
        op.execute(trigger)


def _enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def _to(table: str, column: str, *, of: str, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{of}.id"], name=op.f(f"fk_{table}_{column}"), ondelete=ondelete)


def _create(table: str, *parts: Any, indexed: Sequence[str] = ("organisation_id",)) -> None:
    """A table of an organisation, with its own columns and constraints."""
    owner = sa.Column("organisation_id", sa.Uuid(), nullable=False)
    op.create_table(table, *parts, owner, _to(table, "organisation_id", of="organisation"))
    for column in indexed:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def _create_said(table: str, *parts: Any) -> None:
    """A table of what an administration says of a consultation."""
    instant = sa.DateTime(timezone=True)
    _create(
        table,
        *parts,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("status", _enum("status", "draft", "published", "withdrawn"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("published_at", instant, nullable=True),
        sa.Column("edited_at", instant, nullable=True),
        sa.Column("withdrawn_at", instant, nullable=True),
        sa.Column("withdrawal_reason", sa.Text(), nullable=True),
        sa.Column("registry_ref", sa.String(length=32), nullable=True),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(status = 'draft') = (published_at IS NULL)", name="publication_is_dated"),
        sa.CheckConstraint("(status = 'withdrawn') = (withdrawn_at IS NOT NULL)", name="withdrawal_is_dated"),
        sa.CheckConstraint("(status = 'withdrawn') = (withdrawal_reason IS NOT NULL)", name="withdrawal_is_motivated"),
        _to(table, "author_id", of="account", ondelete="SET NULL"),
        _to(table, "consultation_id", of="consultation"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        indexed=("organisation_id", "consultation_id"),
    )


def upgrade() -> None:
    at = KINDS.index("content")
    _accept([*KINDS[:at], *ADDED, *KINDS[at:]])
    _create_said(
        "official_answer",
        sa.Column("target_type", _enum("targettype", "contribution", "theme", "step", "consultation"), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column(
            "outcome", _enum("outcome", "under_study", "accepted", "partly_accepted", "declined"), nullable=False
        ),
        sa.Column("authority", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_index(
        "uq_official_answer_target", "official_answer", ["target_id"], unique=True,
        sqlite_where=STANDING, postgresql_where=STANDING,
    )  # fmt: skip
    _create_commitments()
    _create_said(
        "use_case",
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("partner", sa.String(length=200), nullable=False),
        sa.Column("theme", sa.String(length=100), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("result_link", sa.String(length=500), nullable=False),
        sa.Column("licence", sa.String(length=40), nullable=False),
        sa.CheckConstraint("ends_on >= starts_on", name="ends_after_it_starts"),
    )
    _create(
        "followup_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        _to("followup_version", "consultation_id", of="consultation"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_followup_version")),
        sa.UniqueConstraint("item_id", "version", name=op.f("uq_followup_version_item_id_version")),
        indexed=("organisation_id", "consultation_id"),
    )


def _create_commitments() -> None:
    _create_said(
        "commitment",
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("stage", _enum("stage", *STAGES), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("link", sa.String(length=500), nullable=False),
        sa.Column("reminded_for", sa.Date(), nullable=True),
    )
    op.create_index("ix_commitment_due", "commitment", ["status", "due_on"])
    _create(
        "commitment_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("commitment_id", sa.Uuid(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("target_type", sa.String(length=20), nullable=False),
        _to("commitment_link", "commitment_id", of="commitment"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commitment_link")),
        sa.UniqueConstraint("commitment_id", "target_id", name=op.f("uq_commitment_link_commitment_id_target_id")),
        indexed=("organisation_id", "target_id"),
    )
    _create(
        "commitment_update",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("commitment_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("stage", _enum("stage", *STAGES), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        _to("commitment_update", "commitment_id", of="commitment"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commitment_update")),
        sa.UniqueConstraint("commitment_id", "number", name=op.f("uq_commitment_update_commitment_id_number")),
    )


def downgrade() -> None:
    listed = ", ".join(f"'{kind}'" for kind in ADDED)
    if op.get_bind().scalar(sa.text(f"SELECT count(*) FROM registry_entry WHERE kind IN ({listed})")):
        # The kind is in the bytes that were signed: nothing else can be made of these entries.
        raise RuntimeError("the log holds commitments or cases, which the version before cannot read")
    for table in (
        "followup_version", "use_case", "commitment_update", "commitment_link", "commitment", "official_answer",
    ):  # fmt: skip
        op.drop_table(table)
    _accept(KINDS)
