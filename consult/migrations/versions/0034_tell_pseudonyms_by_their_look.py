"""Tell pseudonyms apart by the table of Unicode, and let organisations list names that nobody may wear.

Keys are made again. Of two people whose names now look alike, each keeps theirs: the later one's key is marked.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from consult.accounts.pseudonyms.policy import KEY_MAX_LENGTH, skeleton

revision: str = "0034"
down_revision: str | Sequence[str] | None = "0033"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ACCOUNT = sa.table(
    "account",
    sa.column("id", sa.Uuid()),
    sa.column("organisation_id", sa.Uuid()),
    sa.column("pseudonym", sa.String()),
    sa.column("pseudonym_key", sa.String()),
    sa.column("created_at", sa.DateTime()),
)


def upgrade() -> None:
    op.add_column("organisation", sa.Column("protected_names", sa.Text(), nullable=False, server_default=sa.text("''")))
    connection, a = op.get_bind(), ACCOUNT.c
    held = sa.select(a.id, a.organisation_id, a.pseudonym, a.pseudonym_key).where(a.pseudonym_key.is_not(None))
    worn: set[tuple[object, str]] = set()
    changed = []
    for row in connection.execute(held.order_by(a.created_at, a.id)):
        key = skeleton(row.pseudonym)
        if (row.organisation_id, key) in worn:
            key = f"{key[: KEY_MAX_LENGTH - 33]} {row.id.hex}"
        worn.add((row.organisation_id, key))
        if key != row.pseudonym_key:
            changed.append({"account": row.id, "key": key})
    if changed:
        rekey = sa.update(ACCOUNT).where(a.id == sa.bindparam("account"))
        # Twice, since a key may be another account's until that one is changed too.
        connection.execute(rekey.values(pseudonym_key=sa.func.substr(sa.cast(a.id, sa.String()), 1, 40)), changed)
        connection.execute(rekey.values(pseudonym_key=sa.bindparam("key")), changed)


def downgrade() -> None:
    op.drop_column("organisation", "protected_names")
