"""Keep beside the key of a pseudonym what its very capitals look like: whichever of two look-alikes came first."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from consult.accounts.pseudonyms.policy import written_look

revision: str = "0051"
down_revision: str | Sequence[str] | None = "0050"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TABLES = {"account": "ix_account_pseudonym_look", "consultation_pseudonym": "ix_consultation_pseudonym_look"}


def upgrade() -> None:
    connection = op.get_bind()
    for name, index in _TABLES.items():
        op.add_column(name, sa.Column("pseudonym_look", sa.String(length=160), nullable=True))
        table = sa.table(
            name,
            sa.column("id", sa.Uuid()),
            *(sa.column(each, sa.String()) for each in ("pseudonym", "pseudonym_key", "pseudonym_look")),
        )
        named = sa.select(table.c.id, table.c.pseudonym).where(table.c.pseudonym_key.is_not(None))  # else erased
        looks = [{"row": row.id, "look": written_look(row.pseudonym)} for row in connection.execute(named)]
        if looks:
            keep = sa.update(table).where(table.c.id == sa.bindparam("row"))
            connection.execute(keep.values(pseudonym_look=sa.bindparam("look")), looks)
        op.create_index(index, name, ["organisation_id", "pseudonym_look"])
    with op.batch_alter_table("consultation_pseudonym") as batch:
        batch.alter_column("pseudonym_look", existing_type=sa.String(length=160), nullable=False)


def downgrade() -> None:
    for name, index in _TABLES.items():
        op.drop_index(index, table_name=name)
        op.drop_column(name, "pseudonym_look")
