"""Take replies that no account holds and that wait for no batch: a code opens each of them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0038"
down_revision: str | Sequence[str] | None = "0037"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

BY_CODE = sa.text("edit_key IS NOT NULL")


def upgrade() -> None:
    op.drop_index("ix_reply_edit_key", table_name="reply")
    with op.batch_alter_table("reply") as batch:
        batch.drop_constraint("anonymous_came_in_a_batch", type_="check")
        batch.drop_constraint("anonymous_names_nobody", type_="check")
        batch.create_check_constraint("batch_comes_with_codes", "batch_ref IS NULL OR edit_key IS NOT NULL")
        batch.create_check_constraint("code_names_nobody", "account_id IS NULL OR edit_key IS NULL")
    op.create_index(
        "ix_reply_edit_key",
        "reply",
        ["edit_key", "step_id"],
        unique=True,
        sqlite_where=BY_CODE,
        postgresql_where=BY_CODE,
    )


def downgrade() -> None:
    # The version before knows no code but those of anonymous replies: the others stay, and nothing opens them any more.
    op.execute("UPDATE reply SET edit_key = NULL WHERE batch_ref IS NULL")
    op.drop_index("ix_reply_edit_key", table_name="reply")
    with op.batch_alter_table("reply") as batch:
        batch.drop_constraint("code_names_nobody", type_="check")
        batch.drop_constraint("batch_comes_with_codes", type_="check")
        batch.create_check_constraint("anonymous_names_nobody", "account_id IS NULL OR edit_key IS NULL")
        batch.create_check_constraint("anonymous_came_in_a_batch", "(edit_key IS NULL) = (batch_ref IS NULL)")
    op.create_index("ix_reply_edit_key", "reply", ["edit_key"], sqlite_where=BY_CODE, postgresql_where=BY_CODE)
