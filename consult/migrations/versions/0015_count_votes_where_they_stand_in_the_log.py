"""Count where acts have their position in the log: votes, the figures of steps, the conservation census."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | Sequence[str] | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

VALUES = ("for", "mixed", "against")
TARGETS = ("argument_id", "proposal_id")
JOB = "contributions.fold"
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # What waited is counted now: for entries without a position yet, a moment before they have one.
    for value in VALUES:
        count("proposal", [f"votes_{value}", "votes_total"], "proposal_id", f"value = '{value}'")
    count("argument", ["votes_for"], "argument_id", "1 = 1")
    op.drop_table("vote_delta")
    op.execute(sa.text("DELETE FROM job WHERE kind = :kind").bindparams(kind=JOB))
    op.add_column("registry_entry", sa.Column("effect", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("registry_log", sa.Column("counted_size", BIG, nullable=False, server_default="0"))
    create_counted_tables()
    replace_indexes(("origin", "votes_for"))
    op.create_index("ix_reply_census", "reply", ["consultation_id", "origin", "status"])
    awaiting = sa.text("NOT counted")
    op.create_index("ix_vote_awaiting", "vote", ["consultation_id"], sqlite_where=awaiting, postgresql_where=awaiting)
    # What the log holds already, as far as the rows tell: what was taken back or undone before is not among it.
    for kind in ("proposal", "argument", "reply"):
        fill_flows(kind, "origin", "status <> 'pending'")
    fill_flows("vote", "'live'", "counted")


def create_counted_tables() -> None:
    op.create_table(
        "step_figures",
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        belongs("step_figures", "step"),
        belongs("step_figures", "organisation"),
        sa.PrimaryKeyConstraint("step_id", name=op.f("pk_step_figures")),
    )
    op.create_index(op.f("ix_step_figures_organisation_id"), "step_figures", ["organisation_id"])
    op.create_table(
        "registry_census",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        belongs("registry_census", "consultation"),
        belongs("registry_census", "organisation"),
        sa.PrimaryKeyConstraint("consultation_id", name=op.f("pk_registry_census")),
    )
    op.create_index(op.f("ix_registry_census_organisation_id"), "registry_census", ["organisation_id"])
    key = ("consultation_id", "type", "origin", "act")
    op.create_table(
        "registry_flow",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.String(length=20), nullable=False) for name in key[1:]),
        sa.Column("count", BIG, nullable=False),
        belongs("registry_flow", "consultation"),
        belongs("registry_flow", "organisation"),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_registry_flow")),
    )


def belongs(table: str, of: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{of}_id")
    return sa.ForeignKeyConstraint([f"{of}_id"], [f"{of}.id"], name=name, ondelete="CASCADE")


def replace_indexes(counted: Sequence[str]) -> None:
    op.drop_index("ix_argument_tally", table_name="argument")
    op.create_index("ix_argument_tally", "argument", ["step_id", "status", *counted])


def fill_flows(table: str, origin: str, logged: str) -> None:
    columns = "organisation_id, consultation_id, type, origin, act, count"
    op.execute(
        f"INSERT INTO registry_flow ({columns}) SELECT organisation_id, consultation_id, '{table}', {origin}, "
        f"'submitted', count(*) FROM {table} WHERE {logged} GROUP BY 1, 2, 4"
    )


def count(table: str, counters: Sequence[str], target: str, which: str) -> None:
    waiting = f"SELECT sum(change) FROM vote_delta WHERE {target} = {table}.id AND {which}"
    added = ", ".join(f"{counter} = {counter} + coalesce(({waiting}), 0)" for counter in counters)
    touched = f"SELECT {target} FROM vote_delta WHERE {target} IS NOT NULL AND {which}"
    op.execute(f"UPDATE {table} SET {added} WHERE id IN ({touched})")


def downgrade() -> None:
    op.drop_index("ix_vote_awaiting", table_name="vote")
    op.drop_index("ix_reply_census", table_name="reply")
    replace_indexes(("votes_for",))
    for table in ("registry_flow", "registry_census", "step_figures"):
        op.drop_table(table)
    op.drop_column("registry_log", "counted_size")
    value = sa.Enum(*VALUES, name="value", native_enum=False, create_constraint=True, length=40)
    op.create_table(
        "vote_delta",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=True),
        sa.Column("argument_id", sa.Uuid(), nullable=True),
        sa.Column("value", value, nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{column.removesuffix('_id')}.id"], name=op.f(f"fk_vote_delta_{column}"), ondelete="CASCADE"
            )
            for column in ("organisation_id", *TARGETS)
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vote_delta")),
    )
    for column in TARGETS:
        known = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_vote_delta_{column}", "vote_delta", [column], sqlite_where=known, postgresql_where=known)
    give_back()
    op.drop_column("registry_entry", "effect")


def give_back() -> None:
    """What the entries without a position would have counted waits for the job again."""
    columns = {"organisation_id": sa.Uuid(), "effect": sa.JSON(none_as_null=True)}
    entry = sa.table("registry_entry", *(sa.column(name, kind) for name, kind in columns.items()))
    kinds: dict[str, Any] = {"organisation_id": sa.Uuid(), "value": sa.String(), "change": sa.Integer()}
    kinds |= dict.fromkeys(TARGETS, sa.Uuid())
    delta = sa.table("vote_delta", *(sa.column(name, kind) for name, kind in kinds.items()))
    rows = []
    for owner, effect in op.get_bind().execute(sa.select(*entry.c).where(entry.c.effect.is_not(None))).all():
        told = json.loads(effect) if isinstance(effect, str) else effect
        targets = {
            f"{name}_id": uuid.UUID(told[key]) if key in told else None
            for name, key in (("argument", "argument"), ("proposal", "contribution"))
        }
        changes = {value: told[value] for value in VALUES if value in told}
        rows += [{"organisation_id": owner, **targets, "value": value, "change": changes[value]} for value in changes]
    if rows:
        op.get_bind().execute(sa.insert(delta), rows)
