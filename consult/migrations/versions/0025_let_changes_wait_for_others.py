"""Let changes of anonymous replies wait for others, not for the day to be over.

No released version has the column that goes.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0025"
down_revision: str | Sequence[str] | None = "0024"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("reply_urn") as batch:
        batch.drop_constraint("changes_have_a_day", type_="check")
        batch.drop_column("day")


def downgrade() -> None:
    op.add_column("reply_urn", sa.Column("day", sa.Date(), nullable=True))
    op.execute("UPDATE reply_urn SET day = CURRENT_DATE WHERE kind = 'changes'")
    with op.batch_alter_table("reply_urn") as batch:
        batch.create_check_constraint("changes_have_a_day", "(kind = 'changes') = (day IS NOT NULL)")
