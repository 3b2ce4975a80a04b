"""Keep the words of contents parted on PostgreSQL: parting them again for each content of a search took it long."""

from collections.abc import Sequence

from alembic import op

revision: str = "0030"
down_revision: str | Sequence[str] | None = "0029"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

PARTED = "array_to_tsvector(string_to_array(words, ' '))"
JOINED = "array_to_string(tsvector_to_array(words), ' ')"


def upgrade() -> None:
    _keep("TSVECTOR", PARTED, "words")


def downgrade() -> None:
    _keep("TEXT", JOINED, PARTED)


def _keep(kind: str, words: str, indexed: str) -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("DROP INDEX ix_search_document_words")
    op.execute(f"ALTER TABLE search_document ALTER COLUMN words TYPE {kind} USING {words}")
    op.execute(f"CREATE INDEX ix_search_document_words ON search_document USING gin (({indexed}))")
