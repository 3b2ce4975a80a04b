"""Take any kind of question: those that packages bring are not known to the database."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0031"
down_revision: str | Sequence[str] | None = "0030"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

FORMER = "'single', 'multiple', 'short_text', 'long_text'"
OPTIONS = "'normal', 'other', 'exclusive'"


def upgrade() -> None:
    with op.batch_alter_table("question") as batch_op:
        batch_op.drop_constraint(op.f("questionkind"), type_="check")
    with op.batch_alter_table("question_option") as batch_op:
        batch_op.drop_constraint(op.f("optionkind"), type_="check")
        batch_op.create_check_constraint(op.f("optionkind"), f"kind IN ({OPTIONS}, 'row')")


def downgrade() -> None:
    # Older versions know four kinds: what had options becomes a choice, the rest texts; answers stay as they are.
    choices = "SELECT question_id FROM question_option"
    op.execute(sa.text(f"UPDATE question SET kind = 'multiple' WHERE kind NOT IN ({FORMER}) AND id IN ({choices})"))  # noqa: S608  # constants
    op.execute(sa.text(f"UPDATE question SET kind = 'long_text' WHERE kind NOT IN ({FORMER})"))  # noqa: S608  # constants
    op.execute("UPDATE question_option SET kind = 'normal' WHERE kind = 'row'")
    with op.batch_alter_table("question_option") as batch_op:
        batch_op.drop_constraint(op.f("optionkind"), type_="check")
        batch_op.create_check_constraint(op.f("optionkind"), f"kind IN ({OPTIONS})")
    with op.batch_alter_table("question") as batch_op:
        batch_op.create_check_constraint(op.f("questionkind"), f"kind IN ({FORMER})")
