"""Keep blind samples, who codes them, what they coded, and the measure."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0050"
down_revision: str | Sequence[str] | None = "0048"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TABLES = ("quality_sample", "sample_coder", "sample_coding")
_PARENTS = {
    "organisation_id": ("organisation", "CASCADE"),
    "consultation_id": ("consultation", "CASCADE"),
    "run_id": ("analysis_run", "CASCADE"),
    "codebook_id": ("codebook", "CASCADE"),
    "drawn_by_id": ("account", "SET NULL"),
    "account_id": ("account", "SET NULL"),
    "sample_id": ("quality_sample", "CASCADE"),
    "coder_id": ("sample_coder", "CASCADE"),
}


def _refers(table: str, *columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            [column], [f"{_PARENTS[column][0]}.id"], name=op.f(f"fk_{table}_{column}"), ondelete=_PARENTS[column][1]
        )
        for column in columns
    ]


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "quality_sample",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("codebook_id", sa.Uuid(), nullable=False),
        sa.Column("corpus", sa.String(length=200), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("per_stratum", sa.Integer(), nullable=False),
        sa.Column("readers", sa.Integer(), nullable=False),
        sa.Column("precision", sa.Double(), nullable=False),
        sa.Column("recall", sa.Double(), nullable=False),
        sa.Column("alpha", sa.Double(), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("drawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("drawn_at", instant, nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("measured_at", instant, nullable=True),
        sa.Column("measure", sa.Text(), nullable=True),
        sa.Column("measure_digest", sa.String(length=64), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(measured_at IS NULL) = (measure IS NULL)", name="measure_is_dated"
        ),
        sa.CheckConstraint(
            "(measured_at IS NULL) = (measure_digest IS NULL)", name="measure_has_a_digest"
        ),
        *_refers("quality_sample", "organisation_id", "consultation_id", "run_id", "codebook_id", "drawn_by_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_sample")),
    )
    op.create_index(op.f("ix_quality_sample_consultation_id"), "quality_sample", ["consultation_id"])
    op.create_index(op.f("ix_quality_sample_codebook_id"), "quality_sample", ["codebook_id"])
    op.create_table(
        "sample_coder",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sample_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        *_refers("sample_coder", "organisation_id", "sample_id", "account_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample_coder")),
        sa.UniqueConstraint("sample_id", "account_id", name=op.f("uq_sample_coder_sample_id_account_id")),
        sa.UniqueConstraint("sample_id", "rank", name=op.f("uq_sample_coder_sample_id_rank")),
    )
    op.create_index(op.f("ix_sample_coder_account_id"), "sample_coder", ["account_id"])
    op.create_table(
        "sample_coding",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("coder_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Uuid(), nullable=False),
        sa.Column("codes", sa.Text(), nullable=True),
        sa.Column("coded_at", instant, nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        *_refers("sample_coding", "organisation_id", "coder_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample_coding")),
        sa.UniqueConstraint("coder_id", "number", name=op.f("uq_sample_coding_coder_id_number")),
    )
    for table in _TABLES:
        op.create_index(op.f(f"ix_{table}_organisation_id"), table, ["organisation_id"])


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
