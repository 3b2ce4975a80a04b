"""Tell decisions that remove nothing apart in the log, and know by their number which removals a dump shows."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | Sequence[str] | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

KINDS = (
    "opened rules contribution edit argument version vote.cast vote.changed vote.withdrawn replies moderation "
    "moderation.reversed tombstone answer content release incident sealed"
).split()
KEPT = "moderation.kept"
FIXED = "id, organisation_id, consultation_id, kind, ref, commitment, recorded_at"
REFUSE = "BEGIN SELECT RAISE(ABORT, 'registry_entry is append-only'); END"
# Altering a table rebuilds it on SQLite, without its triggers.
SQLITE_TRIGGERS = [
    f"CREATE TRIGGER registry_entry_no_update BEFORE UPDATE OF {FIXED} ON registry_entry FOR EACH ROW {REFUSE}",
    f"CREATE TRIGGER registry_entry_no_delete BEFORE DELETE ON registry_entry FOR EACH ROW {REFUSE}",
]


def _accept(kinds: Sequence[str]) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table("registry_entry", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_constraint(op.f("entrykind"), type_="check")
        batch_op.create_check_constraint(op.f("entrykind"), f"kind IN ({listed})")
    if op.get_bind().dialect.name == "sqlite":
        for trigger in SQLITE_TRIGGERS:
            op.execute(trigger)


def upgrade() -> None:
    at = KINDS.index("moderation.reversed")
    _accept([*KINDS[:at], KEPT, *KINDS[at:]])
    with op.batch_alter_table("dump") as batch_op:
        batch_op.add_column(sa.Column("removals", sa.Integer(), nullable=True))
    # No count: dumps made before are served no more, and the worker makes others within minutes.
    op.execute("UPDATE dump SET removals = -1")
    with op.batch_alter_table("dump") as batch_op:
        batch_op.alter_column("removals", existing_type=sa.Integer(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("dump") as batch_op:
        batch_op.drop_column("removals")
    # Older versions called them so; the append-only table must let it through.
    postgresql = op.get_bind().dialect.name == "postgresql"
    op.execute("DROP TRIGGER registry_entry_no_update" + (" ON registry_entry" if postgresql else ""))
    op.execute(f"UPDATE registry_entry SET kind = 'moderation' WHERE kind = '{KEPT}'")
    if postgresql:
        op.execute(
            f"CREATE TRIGGER registry_entry_no_update BEFORE UPDATE OF {FIXED} ON registry_entry FOR EACH ROW"
            " EXECUTE FUNCTION consult_refuse_change()"
        )
    _accept(KINDS)
