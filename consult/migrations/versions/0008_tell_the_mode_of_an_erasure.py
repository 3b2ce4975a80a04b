"""Tell the mode of an erasure, so that it can be done again after a restore; those before erased everything."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | Sequence[str] | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

MODES = sa.Enum("everything", "account", name="erasuremode", native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    with op.batch_alter_table("erasure_entry") as batch_op:
        batch_op.add_column(sa.Column("mode", MODES, nullable=False, server_default="everything"))
    with op.batch_alter_table("erasure_entry") as batch_op:
        batch_op.alter_column("mode", existing_type=MODES, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("erasure_entry") as batch_op:
        batch_op.drop_constraint(op.f("erasuremode"), type_="check")
        batch_op.drop_column("mode")
