"""Read texts before they are published, by one moderator or two; ask for another wording; leave to an administrator."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0056"
down_revision: str | Sequence[str] | None = "0068"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

KINDS = (
    "opened rules contribution edit argument version vote.cast vote.changed vote.withdrawn replies moderation "
    "moderation.kept moderation.reversed tombstone answer commitment case content release incident sealed"
).split()
WITHHELD = "moderation.withheld"
ACTS = ["hide", "dismiss", "restore", "uphold"]
MORE_ACTS = ["publish", "read", "reword", "escalate"]
READINGS = ("a_posteriori", "a_priori", "divisive")
OFF_HOURS = ("queue", "close")
HELD = sa.text("status_reason = 'awaiting'")
HELD_SINCE = {"proposal": "ended_at", "argument": "ended_at", "reply": "edited_at"}


def _listed(values: Sequence[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _accept(kinds: Sequence[str]) -> None:
    triggers: list[str] = []  # SQLite alters a table by rebuilding it, without them
    if op.get_bind().dialect.name == "sqlite":
        named = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'registry_entry'"
        triggers = list(op.get_bind().scalars(sa.text(named)))
    with op.batch_alter_table("registry_entry") as batch_op:
        batch_op.drop_constraint(op.f("entrykind"), type_="check")
        batch_op.create_check_constraint(op.f("entrykind"), f"kind IN ({_listed(kinds)})")
    for trigger in triggers:
        op.execute(trigger)


def _decide(acts: Sequence[str], hiding: str, explained: str) -> None:
    with op.batch_alter_table("moderation_decision") as batch_op:
        for name, rule in (
            ("act", f"act IN ({_listed(acts)})"),
            ("hiding_has_a_ground", hiding),
            ("explained", explained),
        ):
            batch_op.drop_constraint(op.f(name), type_="check")
            batch_op.create_check_constraint(op.f(name), rule)


def _enum(name: str, values: Sequence[str]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    _accept([*KINDS[: KINDS.index("moderation.reversed")], WITHHELD, *KINDS[KINDS.index("moderation.reversed") :]])
    with op.batch_alter_table("moderation_decision") as batch_op:
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=True))
    _decide(
        [*ACTS, *MORE_ACTS],
        "(act IN ('hide', 'reword')) = (ground IS NOT NULL)",
        "act IN ('dismiss', 'publish', 'read') OR length(message) > 0",
    )
    with op.batch_alter_table("step") as batch_op:
        batch_op.add_column(
            sa.Column("reading", _enum("reading", READINGS), nullable=False, server_default="a_posteriori")
        )
        batch_op.add_column(sa.Column("off_hours", _enum("offhours", OFF_HOURS), nullable=False, server_default="queue"))
        batch_op.add_column(sa.Column("charter", sa.Text(), nullable=False, server_default=sa.text("''")))
    for table, since in HELD_SINCE.items():
        op.create_index(
            f"ix_{table}_held", table, ["consultation_id", since], sqlite_where=HELD, postgresql_where=HELD
        )
    op.create_table(
        "reading_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("reading", _enum("reading", READINGS), nullable=False),
        sa.Column("off_hours", _enum("offhours", OFF_HOURS), nullable=False),
        sa.Column("charter", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("registry_ref", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [f"{parent}_id"],
                [f"{parent}.id"],
                name=op.f(f"fk_reading_change_{parent}_id"),
                ondelete="CASCADE",
            )
            for parent in ("consultation", "step", "organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading_change")),
    )
    for column in ("changed_at", "consultation_id", "organisation_id"):
        op.create_index(op.f(f"ix_reading_change_{column}"), "reading_change", [column])


def downgrade() -> None:
    op.drop_table("reading_change")
    for table in HELD_SINCE:
        op.drop_index(f"ix_{table}_held", table_name=table)
    with op.batch_alter_table("step") as batch_op:
        for name in ("reading", "offhours"):
            batch_op.drop_constraint(op.f(name), type_="check")
        for column in ("charter", "off_hours", "reading"):
            batch_op.drop_column(column)
    _decide(
        ACTS,
        "(act = 'hide') = (ground IS NOT NULL)",
        "act = 'dismiss' OR length(message) > 0",
    )
    with op.batch_alter_table("moderation_decision") as batch_op:
        batch_op.drop_column("version")
    _accept(KINDS)
