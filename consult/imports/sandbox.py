"""Parse a workbook or a Parquet file in a process that can do nothing else. Run as a program, never imported by one.

It reads the file on its standard input and writes JSON lines: a header `{"columns": [...], "notes": [...]}`, then one
array of texts per row. A refusal, in French, is the last line: `{"refused": "..."}`. Limits: see `consult.confinement`.

It stands alone (that module, the standard library, openpyxl, pyarrow): the child loads nothing else of the platform.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import sys
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, BinaryIO

from consult.confinement import confine

CPU_SECONDS = 900
MEMORY_BYTES = 2 * 1024**3
UNPACKED_LIMIT = 2 * 1024**3
RATIO_LIMIT = 250
RATIO_FLOOR = 20 * 1024**2  # below this an archive does no harm, whatever its ratio
REFUSED_EXIT = 3


class RefusedError(Exception):
    """The file cannot be taken; the message is for the person who sent it."""


def as_text(value: Any) -> str | list[str] | None:
    """One cell as the text a CSV would hold; a list stays a list of texts."""
    match value:
        case None:
            text: str | list[str] | None = None
        case bool():
            text = "true" if value else "false"
        case float() | Decimal():
            text = None if math.isnan(value) else str(int(value)) if value == value // 1 else str(value)
        case dt.date() | dt.time():
            text = value.isoformat()
        case list() | tuple():
            text = [str(as_text(item)) for item in value if item is not None]
        case bytes():
            text = value.decode("utf-8", "replace")
        case dict():
            text = json.dumps(value, ensure_ascii=False, default=str)
        case _:
            text = str(value)
    return text


def check_archive(stream: BinaryIO) -> None:
    """Refuse an archive that would unpack to an absurd size. Raises RefusedError."""
    try:
        with zipfile.ZipFile(stream) as archive:
            packed = sum(entry.compress_size for entry in archive.infolist())
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile:
        raise RefusedError("Ce classeur est illisible : le fichier est tronqué ou n’est pas un fichier XLSX.") from None
    if unpacked > UNPACKED_LIMIT or (unpacked > RATIO_FLOOR and unpacked > RATIO_LIMIT * max(packed, 1)):
        raise RefusedError(
            "Ce classeur se décompresserait en un volume anormal : il est refusé. "
            "Exportez la feuille en CSV, puis recommencez."
        )
    stream.seek(0)


def read_xlsx(stream: BinaryIO, sheet: str) -> Iterator[list[Any]]:
    """Header, then rows, of one sheet (the first by default); formulas give the value last computed, never run."""
    check_archive(stream)
    from openpyxl import load_workbook  # only the library of this file's kind is loaded

    book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    if sheet and sheet not in book.sheetnames:
        raise RefusedError(f"La feuille « {sheet} » n’existe pas. Feuilles du classeur : {', '.join(book.sheetnames)}.")
    worksheet = book[sheet or book.sheetnames[0]]
    yield [f"feuille « {worksheet.title} »"] if len(book.sheetnames) > 1 else []
    for row in worksheet.iter_rows(values_only=True):
        yield list(row)


def read_parquet(stream: BinaryIO, _sheet: str) -> Iterator[list[Any]]:
    """Column names, then rows, batch by batch."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pa.set_cpu_count(1)
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        file = pq.ParquetFile(stream, pre_buffer=False)
    except pa.ArrowInvalid:
        raise RefusedError("Ce fichier Parquet est illisible : il est tronqué ou d’un autre format.") from None
    yield []
    yield list(file.schema_arrow.names)
    for batch in file.iter_batches(batch_size=1000, use_threads=False):
        yield from map(list, zip(*(column.to_pylist() for column in batch.columns), strict=True))


READERS = {"xlsx": read_xlsx, "parquet": read_parquet}


def write_rows(kind: str, sheet: str) -> None:
    """Header line, then rows, to standard output."""
    rows = READERS[kind](sys.stdin.buffer, sheet)
    notes = next(rows)
    header = [str(as_text(name) or "") for name in next(rows, [])]
    while header and not header[-1]:
        header.pop()
    write = sys.stdout.write
    write(json.dumps({"columns": header, "notes": notes}) + "\n")
    for row in rows:
        cells = [as_text(value) for value in row]
        while len(cells) > len(header) and cells[-1] in (None, ""):  # a formatted empty column is not data
            cells.pop()
        write(json.dumps(cells) + "\n")


def main(arguments: list[str]) -> int:
    """Exit 0 when all was written, REFUSED_EXIT after a refusal."""
    kind, sheet = arguments
    confine(cpu_seconds=CPU_SECONDS, memory_bytes=MEMORY_BYTES)
    try:
        write_rows(kind, sheet)
    except RefusedError as refusal:
        message = str(refusal)
    except BrokenPipeError:
        return REFUSED_EXIT  # nobody reads any more
    except MemoryError:
        message = "La lecture de ce fichier demande trop de mémoire. Exportez-le en CSV, puis recommencez."
    except Exception as error:  # noqa: BLE001  # a hostile file may raise anything: the person gets one sentence
        message = f"Ce fichier est illisible ({type(error).__name__}). Ouvrez-le, enregistrez-le, puis recommencez."
    else:
        sys.stdout.flush()
        return 0
    sys.stdout.write(json.dumps({"refused": message}) + "\n")
    sys.stdout.flush()
    return REFUSED_EXIT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
