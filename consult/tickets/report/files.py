"""The report as files: a text, a workbook, and pages to print; the same bytes for the same report."""

from __future__ import annotations

import datetime as dt
import io
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, Final

import matplotlib as mpl
import xlsxwriter
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from consult.html import xml_text
from consult.office import Document
from consult.seam import service_levels as levels
from consult.tickets.report.content import Cell, Section, Table, sections, title, words
from consult.tickets.report.figures import Report

_OPTIONS: Final = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
_INCH: Final = 2.54


def docx(report: Report) -> bytes:
    """A text with real headings, and tables whose header comes again on each page."""
    document = Document(title(report), author=report.organisation, subject="Rapport de service", made_at=report.until)
    for section in sections(report):
        document.heading(section.title, 1)
        for said in section.said:
            document.paragraph(said)
        for table in section.tables:
            document.heading(table.about, 2)
            document.table(table.about, table.columns, [[words(cell) for cell in row] for row in table.rows])
    return document.content()


# Workbook -----------------------------------------------------------------------------------------------------------


def xlsx(report: Report) -> bytes:
    """A workbook: a contents sheet, then one sheet a part, with real numbers, dates and lengths of time."""
    out, parts = io.BytesIO(), sections(report)
    book = xlsxwriter.Workbook(out, _OPTIONS)
    named = {"title": title(report), "author": report.organisation}
    book.set_properties({**named, "created": report.until.astimezone(dt.UTC).replace(tzinfo=None, microsecond=0)})
    formats = {
        "title": book.add_format({"bold": True, "font_size": 14}),
        "head": book.add_format({"bold": True, "bg_color": "#EEF2F8", "text_wrap": True, "valign": "top"}),
        "text": book.add_format({"text_wrap": True, "valign": "top"}),
        "link": book.add_format({"underline": 1, "font_color": "#1D4F91"}),
        "moment": book.add_format({"num_format": "dd/mm/yyyy hh:mm:ss", "valign": "top"}),
        "length": book.add_format({"num_format": "[h]:mm:ss", "valign": "top"}),
    }
    contents = book.add_worksheet("Sommaire")
    contents.set_column(0, 0, 60)
    contents.write_string(0, 0, title(report), formats["title"])
    for rank, part in enumerate(parts, 2):
        contents.write_url(rank, 0, f"internal:'{part.name}'!A1", formats["link"], part.title)
    for part in parts:
        _sheet(book, part, formats)
    book.close()
    return out.getvalue()


def _sheet(book: Any, part: Section, formats: dict[str, Any]) -> None:
    sheet = book.add_worksheet(part.name)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    columns = part.tables[0].columns if part.tables else {}
    for place, width in enumerate(columns.values()):
        sheet.set_column(place, place, max(14, width * 4.5))
    sheet.write_string(0, 0, part.title, formats["title"])
    row = 1
    for said in part.said:
        sheet.write_string(row, 0, said)
        row += 1
    for table in part.tables:
        row = _put(sheet, table, row + 1, formats)


def _put(sheet: Any, table: Table, row: int, formats: dict[str, Any]) -> int:
    """Write a table from that row; returns the one after it."""
    sheet.write_string(row, 0, xml_text(table.about))
    for place, name in enumerate(table.columns):
        sheet.write_string(row + 1, place, name, formats["head"])
    for rank, cells in enumerate(table.rows, row + 2):
        for place, cell in enumerate(cells):
            _cell(sheet, rank, place, cell, formats)
    return row + 2 + len(table.rows)


def _cell(sheet: Any, row: int, place: int, cell: Cell, formats: dict[str, Any]) -> None:
    match cell:
        case dt.datetime():
            local = cell.astimezone(levels.PARIS).replace(tzinfo=None, microsecond=0)
            sheet.write_datetime(row, place, local, formats["moment"])
        case dt.timedelta():
            sheet.write_number(row, place, cell / dt.timedelta(days=1), formats["length"])
        case int() | float():
            sheet.write_number(row, place, cell)
        case _:
            sheet.write_string(row, place, xml_text(words(cell)), formats["text"])


# Pages to print -----------------------------------------------------------------------------------------------------

WIDTH, HEIGHT, MARGIN = 21.0, 29.7, 2.0  # centimetres, A4
SIZE: Final = 9  # points
LINE: Final = 0.45  # centimetres
_PER_CHARACTER: Final = 0.19  # centimetres of a line, at that size


def pdf(report: Report) -> bytes:
    """The same on A4 pages, with text that can be searched."""
    out = io.BytesIO()
    made_at = report.until.astimezone(dt.UTC).replace(microsecond=0)
    about = {"Title": title(report), "Author": report.organisation, "CreationDate": made_at, "Producer": "Consult"}
    with mpl.rc_context({"pdf.fonttype": 42, "font.family": "DejaVu Sans"}), PdfPages(out, metadata=about) as file:
        for number, page in enumerate(_pages(list(_lines(report))), 1):
            file.savefig(_drawn(page, number))
    return out.getvalue()


Placed = tuple[float, str, float, bool]  # where from the left, the words, their size, bold


def _lines(report: Report) -> Iterator[Sequence[Placed]]:
    """Every line, as the words that stand on it; an empty one parts."""
    yield [(0, title(report), 16, True)]
    yield []
    for part in sections(report):
        yield [(0, part.title, 13, True)]
        yield []
        for said in part.said:
            yield from ([(0, line, SIZE, False)] for line in _wrapped(said, WIDTH - 2 * MARGIN))
        for table in part.tables:
            yield []
            yield from ([(0, line, SIZE, True)] for line in _wrapped(table.about, WIDTH - 2 * MARGIN))
            yield from _row(list(table.columns), table, bold=True)
            for row in table.rows:
                yield from _row([words(cell) for cell in row], table, bold=False)
        yield []


def _row(cells: Sequence[str], table: Table, *, bold: bool) -> Iterator[Sequence[Placed]]:
    parts = [_wrapped(cell, width - 0.2) for cell, width in zip(cells, table.columns.values(), strict=True)]
    starts = [sum(list(table.columns.values())[:place]) for place in range(len(parts))]
    for rank in range(max(len(lines) for lines in parts)):
        yield [
            (start, lines[rank], SIZE, bold) for start, lines in zip(starts, parts, strict=True) if rank < len(lines)
        ]


def _wrapped(text: str, width: float) -> list[str]:
    return textwrap.wrap(text, max(4, int(width / _PER_CHARACTER))) or [""]


def _pages(lines: Sequence[Sequence[Placed]]) -> Iterator[Sequence[Sequence[Placed]]]:
    """As many lines as a page holds; a heading goes with what it is of."""
    most, first = int((HEIGHT - 2 * MARGIN) / LINE) - 2, 0
    while first < len(lines):
        last = first + most
        if last < len(lines):
            while last > first + 1 and not _is_text(lines[last - 1]):
                last -= 1
        yield lines[first:last]
        first = last


def _is_text(line: Sequence[Placed]) -> bool:
    return bool(line) and not line[0][3]


def _drawn(lines: Sequence[Sequence[Placed]], number: int) -> Figure:
    figure = Figure(figsize=(WIDTH / _INCH, HEIGHT / _INCH))
    for rank, line in enumerate(lines):
        for left, said, size, bold in line:
            # A dollar would begin a formula.
            figure.text(
                (MARGIN + left) / WIDTH, 1 - (MARGIN + rank * LINE) / HEIGHT, said.replace("$", r"\$"),
                fontsize=size, weight="bold" if bold else "normal", va="top", color="#1B2A49" if bold else "black",
            )  # fmt: skip
    figure.text(0.5, MARGIN / 2 / HEIGHT, f"Page {number}", fontsize=SIZE, ha="center")
    return figure
