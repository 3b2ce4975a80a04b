"""Tables as CSV that a spreadsheet opens: UTF-8 with its mark, and no cell that could be run as a formula."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

Cell = str | int | float | None

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write a table. A text that begins as a formula does gets an apostrophe before it, as in the open data."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([_guarded(cell) for cell in row] for row in rows)


def _guarded(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
