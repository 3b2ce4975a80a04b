"""The full-text index: one row of normalised words per content, searched by FTS5 or by a GIN index."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, cast

from sqlalchemy import DDL, BigInteger, Dialect, ForeignKey, Integer, Table, Text, TypeDecorator, event
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from consult.db import NEVER, Base, TenantOwned, owner


class Words(TypeDecorator[str]):
    """Words of [a-z0-9]+ parted by spaces; PostgreSQL keeps them parted, sorted and each once (tsvector)."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """See TypeDecorator."""
        return dialect.type_descriptor(TSVECTOR() if dialect.name == "postgresql" else Text())

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """PostgreSQL quotes each word."""
        del dialect
        return value.replace("'", "") if value else value


class SearchDocument(TenantOwned, Base):
    """The words of one content, normalised in Python (`policy.words`) so that both databases find the same."""

    __tablename__ = "search_document"

    organisation_id: Mapped[uuid.UUID] = owner()
    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True, info=NEVER
    )
    item_id: Mapped[uuid.UUID] = mapped_column(unique=True, info=NEVER)
    step_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("step.id", ondelete="CASCADE"), index=True, info=NEVER)
    words: Mapped[str] = mapped_column(Words, info=NEVER)


def search_ddl(dialect: str) -> Iterator[str]:
    """The statements that make the index beside its table; a migration that creates the table runs them too."""
    if dialect == "postgresql":
        yield "CREATE INDEX ix_search_document_words ON search_document USING gin (words)"
        return
    yield (
        "CREATE VIRTUAL TABLE search_words USING fts5"
        "(words, content='search_document', content_rowid='id', tokenize='ascii')"
    )
    insert = "INSERT INTO search_words(rowid, words) VALUES (new.id, new.words);"
    delete = "INSERT INTO search_words(search_words, rowid, words) VALUES ('delete', old.id, old.words);"
    for act, body in (("insert", insert), ("delete", delete), ("update", delete + " " + insert)):
        yield f"CREATE TRIGGER search_document_{act} AFTER {act} ON search_document BEGIN {body} END"


def drop_search_ddl(dialect: str) -> Iterator[str]:
    """The statements that go before the table is dropped: triggers and indexes go with it, FTS5 does not."""
    if dialect == "sqlite":
        yield "DROP TABLE IF EXISTS search_words"


_table = cast("Table", SearchDocument.__table__)
for _dialect in ("sqlite", "postgresql"):
    for _when, _statements in (("after_create", search_ddl(_dialect)), ("before_drop", drop_search_ddl(_dialect))):
        for _statement in _statements:
            event.listen(_table, _when, DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]  # untyped there
