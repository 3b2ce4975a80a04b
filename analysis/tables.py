"""Flat tables of texts: CSV, XLSX and Parquet, one row a contribution.

Columns `id` and `text` are needed; `author` and `date` are kept for campaigns; every other column with few values is
a closed variable.
"""

import csv
import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

from analysis.confined import confined
from analysis.corpus import Corpus, Source, single
from analysis.errors import AnalysisError
from analysis.provenance import file_digest

MAX_CATEGORIES = 60
AUTHOR, DATE = "author", "date"

Columns = dict[str, list[str]]


def read_table(path: Path) -> Source:
    """Read a table into a source of one corpus. Raises AnalysisError naming the file, the column or the row."""
    digest = file_digest(path)
    if path.suffix.lower() == ".xlsx":
        columns = confined(xlsx_columns, path)
    elif path.suffix.lower() == ".parquet":
        columns = confined(parquet_columns, path)
    else:
        columns = csv_columns(path)
    return _source(path, columns, digest)


def _source(path: Path, columns: Columns, digest: str) -> Source:
    ids, texts = columns.pop("id"), columns.pop("text")
    twice = [identifier for identifier, count in Counter(ids).items() if count > 1]
    if twice:
        raise AnalysisError(f"« {path.name} » : l’identifiant « {twice[0]} » sert {ids.count(twice[0])} fois.")
    values = {name: [value.strip() or None for value in column] for name, column in columns.items()}
    authors, dates = values.pop(AUTHOR, []), values.get(DATE, [])
    few = {name: column for name, column in values.items() if 0 < len({*column} - {None}) <= MAX_CATEGORIES}
    return Source(
        slug=path.stem,
        title=path.stem,
        corpora=(
            Corpus(
                key=path.stem,
                title=path.stem,
                unit="row",
                ids=tuple(ids),
                texts=tuple(texts),
                variables=tuple(single(name, name, column) for name, column in few.items()),
                authors=tuple(authors),
                dates=tuple(dates),
            ),
        ),
        questionnaires=(),
        digests={path.name: digest},
        notices=tuple(
            f"Colonne « {name} » : vide ou plus de {MAX_CATEGORIES} modalités, écartée."
            for name in values
            if name not in few
        ),
    )


def csv_columns(path: Path) -> Columns:
    """The columns of a CSV, separated by what its first line uses most among comma, semicolon and tab."""
    csv.field_size_limit(2**27)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            rows = csv.reader(file, delimiter=max(",;\t", key=header.count))
            columns = _checked(path.name, next(rows, []))
            for row in rows:
                if row:
                    for position, column in enumerate(columns.values()):
                        column.append(row[position] if position < len(row) else "")
    except UnicodeDecodeError:
        raise AnalysisError(f"« {path.name} » n’est pas en UTF-8 : enregistrez-le de nouveau en UTF-8.") from None
    return columns


def _checked(name: str, names: list[str]) -> Columns:
    for needed in ("id", "text"):
        if names.count(needed) != 1:
            raise AnalysisError(
                f"« {name} » : il faut une colonne « {needed} » et une seule ; colonnes lues : {names}."
            )
    columns: Columns = {column: [] for column in names}
    if len(columns) < len(names):
        raise AnalysisError(f"« {name} » : deux colonnes portent le même nom ; colonnes lues : {names}.")
    return columns


def xlsx_columns(path: Path) -> Columns:
    """The columns of the first sheet of a workbook; rows without any value are skipped."""
    import openpyxl  # here and below: only a child process needs it

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    sheet = book.worksheets[0]
    sheet.reset_dimensions()
    rows = sheet.iter_rows(values_only=True)
    names = [_cell(value) for value in next(rows, ())]
    while names and not names[-1]:
        names.pop()
    columns = _checked(path.name, names)
    for row in rows:
        if any(value is not None for value in row):
            for position, column in enumerate(columns.values()):
                column.append(_cell(row[position]) if position < len(row) else "")
    return columns


def _cell(value: Any) -> str:
    """A cell as text: 12.0 is « 12 », a date is ISO 8601, an empty cell an empty text."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime) and value.time() == dt.time(0):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, dt.date | dt.datetime) else str(value)


def parquet_columns(path: Path) -> Columns:
    """The columns of a Parquet file."""
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    columns = _checked(path.name, list(table.column_names))
    return {name: [_cell(value) for value in table[name].to_pylist()] for name in columns}
