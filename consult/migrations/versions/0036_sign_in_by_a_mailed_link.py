"""Let mailed links sign in."""

from collections.abc import Sequence

from alembic import op

revision: str = "0036"
down_revision: str | Sequence[str] | None = "0035"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

FORMER = "'confirm_email', 'reset_password'"


def upgrade() -> None:
    with op.batch_alter_table("single_use_token") as batch_op:
        batch_op.drop_constraint(op.f("tokenpurpose"), type_="check")
        batch_op.create_check_constraint(op.f("tokenpurpose"), "purpose IN ('confirm_email', 'sign_in', 'reset_password')")


def downgrade() -> None:
    op.execute("DELETE FROM single_use_token WHERE purpose = 'sign_in'")
    with op.batch_alter_table("single_use_token") as batch_op:
        batch_op.drop_constraint(op.f("tokenpurpose"), type_="check")
        batch_op.create_check_constraint(op.f("tokenpurpose"), f"purpose IN ({FORMER})")
