"""The file formats of a dump, each written row after row in constant memory.

NDJSON is the canonical form. In CSV a list is joined by `|`, and a cell that a spreadsheet could take for a formula
begins with an apostrophe; so does one that already begins with an apostrophe: taking one apostrophe away gives every
cell back as it was. Parquet keeps types, lists included. Workbooks are in `workbooks`.
"""

from __future__ import annotations

import csv
import datetime as dt
import enum
import functools
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, Protocol

from consult.opendata.tables import Column, Kind, Table
from consult.protocols import Row

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "'")
GROUP: Final = 20_000  # rows of a Parquet row group: what is held in memory before it is written


class Format(enum.StrEnum):
    """The formats in which rows are written."""

    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"
    XLSX = "xlsx"
    ODS = "ods"


MEDIA_TYPES: Final[Mapping[str, str]] = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "json": "application/json",
    "md": "text/markdown",
    "zip": "application/zip",
}


class Writer(Protocol):
    """One format, through the tables of a dump: `begin`, `write` as often as there are rows, `end`; then `close`."""

    def begin(self, table: Table) -> None:
        """Start a table."""

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows to it."""

    def end(self) -> dict[str, Any] | None:
        """Finish it; returns the file that it has of its own, described."""

    def close(self) -> dict[str, Any] | None:
        """Finish the dump; returns the file that holds all tables, described."""

    def abandon(self) -> None:
        """Let go of what is open: the dump has failed."""


def described(path: Path, *, dataset: str = "", rows: int | None = None, shortened: int = 0) -> dict[str, Any]:
    """A finished file, as the manifest tells it; `shortened`: cells whose text did not fit."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {
        "name": path.name,
        "dataset": dataset,
        "format": path.suffix.removeprefix("."),
        "media_type": MEDIA_TYPES[path.suffix.removeprefix(".")],
        "rows": rows,
        "shortened": shortened,
        "bytes": path.stat().st_size,
        "sha256": digest,
    }


def joined(value: Sequence[Any]) -> str:
    """A list, as one cell."""
    return "|".join(each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in value)


def cell(value: Any) -> str:
    """A value as its CSV cell; see the module's docstring."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        value = joined(value)
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return str(value)


@functools.lru_cache(maxsize=4096)
def instant(text: str) -> dt.datetime:
    """What `clock.written` wrote; hours are few, and each is read once."""
    return dt.datetime.fromisoformat(text)


@functools.lru_cache(maxsize=4096)
def day(text: str) -> dt.date:
    """A day, as public data write it."""
    return dt.date.fromisoformat(text)


class _Text:
    """A text file for each table."""

    suffix: str

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[str] | None = None
        self._rows = 0

    def begin(self, table: Table) -> None:
        """See Writer."""
        self._table, self._rows = table, 0
        self._names = [column.name for column in table.columns]
        self._path = self._folder / f"{table.name}.{self.suffix}"
        self._file = self._path.open("x", encoding="utf-8", newline="")

    def end(self) -> dict[str, Any]:
        """See Writer."""
        self.abandon()
        return described(self._path, dataset=self._table.name, rows=self._rows)

    def close(self) -> None:
        """Each table has its file."""

    def abandon(self) -> None:
        """See Writer."""
        if self._file:
            self._file.close()


class NdjsonWriter(_Text):
    """One JSON object a line."""

    suffix = Format.NDJSON

    def write(self, rows: Sequence[Row]) -> None:
        """See Writer."""
        assert self._file
        names, dumps = self._names, json.JSONEncoder(ensure_ascii=False).encode
        self._file.writelines(dumps({name: row[name] for name in names}) + "\n" for row in rows)
        self._rows += len(rows)


class CsvWriter(_Text):
    """Comma, UTF-8, CRLF, a header."""

    suffix = Format.CSV

    def begin(self, table: Table) -> None:
        """See Writer."""
        super().begin(table)
        assert self._file
        self._writer = csv.writer(self._file, lineterminator="\r\n")
        self._writer.writerow(self._names)

    def write(self, rows: Sequence[Row]) -> None:
        """See Writer."""
        self._writer.writerows([cell(row[name]) for name in self._names] for row in rows)
        self._rows += len(rows)


class ParquetWriter:
    """One Parquet file a table, in row groups."""

    def __init__(self, folder: Path) -> None:
        # Here and not above: only the worker that writes Parquet loads it.
        import pyarrow as pa
        from pyarrow import parquet

        self._arrow, self._parquet = pa, parquet
        self._folder = folder
        self._file: Any = None

    def begin(self, table: Table) -> None:
        """See Writer."""
        arrow = self._arrow
        plain: dict[Kind, Any] = {
            Kind.TEXT: arrow.string(),
            Kind.INTEGER: arrow.int64(),
            Kind.BOOLEAN: arrow.bool_(),
            Kind.DATE: arrow.date32(),
            Kind.INSTANT: arrow.timestamp("ms", tz="UTC"),
            Kind.TEXTS: arrow.list_(arrow.string()),
        }

        def kept(column: Column) -> Any:
            if column.kind is not Kind.OBJECTS:
                return plain[column.kind]
            return arrow.list_(arrow.struct([(name, plain[kind]) for name, kind in column.members]))

        self._schema = arrow.schema(
            [
                arrow.field(
                    column.name,
                    kept(column),
                    nullable=not column.required,
                    metadata={"description": column.description},
                )
                for column in table.columns
            ]
        )
        self._table, self._rows, self._held = table, 0, list[Row]()
        self._path = self._folder / f"{table.name}.{Format.PARQUET}"
        self._file = self._parquet.ParquetWriter(self._path, self._schema, compression="zstd")

    def write(self, rows: Sequence[Row]) -> None:
        """See Writer."""
        self._held += rows
        if len(self._held) >= GROUP:
            self._flush()

    def _flush(self) -> None:
        arrays = []
        for column, kept in zip(self._table.columns, self._schema, strict=True):
            read = {Kind.DATE: day, Kind.INSTANT: instant}.get(column.kind)
            values = [row[column.name] for row in self._held]
            if read:
                values = [value and read(value) for value in values]
            arrays.append(self._arrow.array(values, kept.type))
        self._file.write_batch(self._arrow.record_batch(arrays, schema=self._schema))
        self._rows += len(self._held)
        self._held = []

    def end(self) -> dict[str, Any]:
        """See Writer."""
        if self._held:
            self._flush()
        self.abandon()
        return described(self._path, dataset=self._table.name, rows=self._rows)

    def close(self) -> None:
        """Each table has its file."""

    def abandon(self) -> None:
        """See Writer."""
        if self._file:
            self._file.close()


def batches(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    """The rows, `size` at a time."""
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
