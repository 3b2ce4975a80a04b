"""Take bills article by article: the tree of their parts, and in proposals their texts and the versions of citizens."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0032"
down_revision: str | Sequence[str] | None = "0031"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LEVELS = (
    *("part", "book", "title", "subtitle", "chapter", "section", "subsection", "paragraph", "subparagraph"),
    *("annex", "heading", "article"),
)
KINDS = ("proposal", "version", "article", "question")
TEXT, OF = sa.text("kind = 'article'"), sa.text("kind = 'version'")


def upgrade() -> None:
    op.create_table(
        "article",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("level", sa.Enum(*LEVELS, name="level", native_enum=False, create_constraint=True, length=40), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("heading", sa.String(length=150), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_article_organisation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["article.id"], name=op.f("fk_article_parent_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_article_step_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article")),
    )
    op.create_index(op.f("ix_article_organisation_id"), "article", ["organisation_id"])
    op.create_index(op.f("ix_article_parent_id"), "article", ["parent_id"])
    op.create_index("ix_article_tree", "article", ["step_id", "parent_id", "position"])
    listed = ", ".join(f"'{kind}'" for kind in KINDS)
    with op.batch_alter_table("proposal") as batch:
        batch.add_column(sa.Column("kind", sa.String(length=40), nullable=False, server_default="proposal"))
        batch.add_column(sa.Column("article_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("rewrites_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("reason", sa.Text(), nullable=True))
        batch.add_column(sa.Column("sources", sa.JSON(), nullable=True))
        batch.create_check_constraint(op.f("proposalkind"), f"kind IN ({listed})")
        batch.create_check_constraint(
            "belongs_to_an_article", "(kind IN ('article', 'version')) = (article_id IS NOT NULL)"
        )
        batch.create_check_constraint("version_of_something", "(kind = 'version') = (rewrites_id IS NOT NULL)")
        batch.create_foreign_key(
            op.f("fk_proposal_article_id"), "article", ["article_id"], ["id"], ondelete="CASCADE"
        )
        batch.create_foreign_key(
            op.f("fk_proposal_rewrites_id"), "proposal", ["rewrites_id"], ["id"], ondelete="CASCADE"
        )
    with op.batch_alter_table("proposal") as batch:
        batch.alter_column("kind", server_default=None)
    op.create_index(
        "uq_proposal_article_text", "proposal", ["article_id"], unique=True, sqlite_where=TEXT, postgresql_where=TEXT
    )
    op.create_index(
        "ix_proposal_versions",
        "proposal",
        ["article_id", "status", "random_rank"],
        sqlite_where=OF,
        postgresql_where=OF,
    )
    op.create_index("ix_proposal_rewrites", "proposal", ["rewrites_id"], sqlite_where=OF, postgresql_where=OF)
    op.add_column("content_version", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column("content_version", sa.Column("sources", sa.JSON(), nullable=True))


def downgrade() -> None:
    # What the version before cannot hold goes, with its arguments, votes and former texts.
    op.execute("DELETE FROM proposal WHERE kind = 'version'")
    op.execute("DELETE FROM proposal WHERE kind <> 'proposal'")
    op.drop_column("content_version", "sources")
    op.drop_column("content_version", "reason")
    for index in ("ix_proposal_rewrites", "ix_proposal_versions", "uq_proposal_article_text"):
        op.drop_index(index, table_name="proposal")
    with op.batch_alter_table("proposal") as batch:
        batch.drop_constraint("version_of_something", type_="check")
        batch.drop_constraint("belongs_to_an_article", type_="check")
        batch.drop_constraint(op.f("proposalkind"), type_="check")
        for column in ("rewrites_id", "article_id"):
            batch.drop_constraint(op.f(f"fk_proposal_{column}"), type_="foreignkey")
        for column in ("sources", "reason", "rewrites_id", "article_id", "kind"):
            batch.drop_column(column)
    op.drop_table("article")
