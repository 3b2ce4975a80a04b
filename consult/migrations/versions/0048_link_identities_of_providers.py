"""Link the identities of FranceConnect and ProConnect to accounts."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0048"
down_revision: str | Sequence[str] | None = "0047"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

PROVIDERS = ("franceconnect", "proconnect")


def upgrade() -> None:
    op.create_table(
        "federated_identity",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "provider",
            sa.Enum(*PROVIDERS, name="identityprovider", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("subject_digest", sa.String(64), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_federated_identity_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_federated_identity_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_federated_identity")),
        sa.UniqueConstraint("account_id", "provider", name=op.f("uq_federated_identity_account_id_provider")),
        sa.UniqueConstraint(
            "organisation_id", "subject_digest", name=op.f("uq_federated_identity_organisation_id_subject_digest")
        ),
    )


def downgrade() -> None:
    op.drop_table("federated_identity")
