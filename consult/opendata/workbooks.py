"""A dump as one spreadsheet workbook, XLSX or ODS, written row after row in constant memory.

A sheet that tells what this is, a dictionary, then the tables; one longer than a sheet may be goes on in the next.
Texts are stored as texts, so that no spreadsheet computes one that looks like a formula or opens one that looks like an
address; none is changed, but for what a cell cannot hold: beyond 32,767 characters it ends with `SHORTENED`.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final
from xml.sax.saxutils import escape, quoteattr

from consult.html import xml_text
from consult.opendata.formats import MEDIA_TYPES, Format, Writer, day, described, instant, joined
from consult.opendata.tables import WORDS, Column, Kind, Table
from consult.protocols import Row

MAX_ROWS: Final = 1_048_576  # of a sheet, its header included
MAX_CELL: Final = 32_767  # UTF-16 units of a cell
SHORTENED: Final = " […] (texte coupé : il est entier dans les fichiers NDJSON, CSV et Parquet)"
README, DICTIONARY = "Lisez-moi", "Dictionnaire"
DICTIONARY_COLUMNS: Final = ("Table", "Colonne", "Type", "Signification")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_MARKUP: Final = ("<r>", "</r>")


def fitting(text: str) -> tuple[str, bool]:
    """A text as a cell can hold it, and whether it was shortened."""
    if len(text) <= MAX_CELL // 2 or len(text.encode("utf-16-le")) // 2 <= MAX_CELL:
        return text, False
    room = 2 * (MAX_CELL - len(SHORTENED))
    return text.encode("utf-16-le")[:room].decode("utf-16-le", "ignore") + SHORTENED, True


def dictionary(tables: Sequence[Table]) -> Iterator[tuple[str, str, str, str]]:
    """What each column of each table holds and means, in French."""
    for table in tables:
        for column in table.columns:
            yield table.name, column.name, WORDS[column.kind], column.description


class _Book(ABC):
    """What both workbooks share: sheets that follow each other, and texts that fit."""

    def __init__(self, path: Path, notice: Sequence[str], tables: Sequence[Table]) -> None:
        self._path, self._notice, self._tables = path, notice, tables
        self._shortened = 0

    def begin(self, table: Table) -> None:
        """See Writer."""
        self._table, self._part = table, 0
        self._next_part()

    def write(self, rows: Sequence[Row]) -> None:
        """See Writer."""
        for row in rows:
            if self._at == MAX_ROWS:
                self._next_part()
            self._add(row)
            self._at += 1

    def _next_part(self) -> None:
        self._part += 1
        self._open(self._table.name if self._part == 1 else f"{self._table.name} ({self._part})")
        self._at = 1  # below the header

    @abstractmethod
    def _open(self, sheet: str) -> None: ...

    @abstractmethod
    def _add(self, row: Row) -> None: ...

    def _text(self, value: Any) -> str:
        text, shortened = fitting(joined(value) if isinstance(value, list) else value)
        self._shortened += shortened
        return text

    def _described(self) -> dict[str, Any]:
        return described(self._path, shortened=self._shortened)


class XlsxWriter(_Book):
    """Through XlsxWriter, whose constant_memory mode keeps one row."""

    def __init__(self, path: Path, notice: Sequence[str], tables: Sequence[Table], made_at: dt.datetime) -> None:
        import xlsxwriter  # here and not above: only the worker that writes workbooks loads it

        super().__init__(path, notice, tables)
        self._scratch = path.with_suffix(".xlsx-sheets")
        self._scratch.mkdir()
        options = {"constant_memory": True, "tmpdir": str(self._scratch), "use_zip64": True}
        self._book = xlsxwriter.Workbook(str(path), options)
        self._book.set_properties({"created": made_at.replace(tzinfo=None)})
        self._bold = self._book.add_format({"bold": True})
        self._quoted = self._book.add_format({"quote_prefix": True})
        self._formats = {
            Kind.DATE: self._book.add_format({"num_format": "yyyy-mm-dd"}),
            Kind.INSTANT: self._book.add_format({"num_format": 'yyyy-mm-dd"T"hh:mm:ss"Z"'}),
        }
        readme = self._book.add_worksheet(README)
        readme.set_column(0, 0, 120)
        for at, line in enumerate(notice):
            readme.write_string(at, 0, line, self._bold if at == 0 else None)
        known = self._book.add_worksheet(DICTIONARY)
        known.set_column(0, 2, 24)
        known.set_column(3, 3, 100)
        for at, entry in enumerate((DICTIONARY_COLUMNS, *dictionary(tables))):
            for place, word in enumerate(entry):
                known.write_string(at, place, word, self._bold if at == 0 else None)

    def _open(self, sheet: str) -> None:
        self._sheet = self._book.add_worksheet(sheet)
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, len(self._table.columns) - 1, 20)
        for place, column in enumerate(self._table.columns):
            self._sheet.write_string(0, place, column.name, self._bold)
        self._writers = [(column.name, self._writer(column.kind)) for column in self._table.columns]

    def _writer(self, kind: Kind) -> Callable[[int, int, Any], object]:
        sheet = self._sheet
        if kind is Kind.INTEGER:
            return sheet.write_number  # type: ignore[no-any-return]  # the library has no types
        if kind is Kind.BOOLEAN:
            return sheet.write_boolean  # type: ignore[no-any-return]  # the library has no types
        if kind in self._formats:
            read, shown = {Kind.DATE: day, Kind.INSTANT: instant}[kind], self._formats[kind]
            # A workbook knows no time zone: the header's meaning and the format say UTC.
            return lambda at, place, value: sheet.write_datetime(at, place, _naive(read(value)), shown)
        return self._write_text

    def _write_text(self, at: int, place: int, value: Any) -> None:
        text = self._text(value)
        if text.startswith(_MARKUP[0]) and text.endswith(_MARKUP[1]):
            # The library takes this for markup of its own; in pieces it escapes it like the rest.
            self._sheet.write_rich_string(at, place, text[:1], text[1:2], text[2:])
        else:
            self._sheet.write_string(at, place, text, self._quoted if text.startswith(_FORMULA) else None)

    def _add(self, row: Row) -> None:
        at = self._at
        for place, (name, write) in enumerate(self._writers):
            value = row[name]
            if value is not None and value != "":
                write(at, place, value)

    def end(self) -> None:
        """All tables are in one file."""

    def close(self) -> dict[str, Any]:
        """See Writer."""
        self._book.close()
        self._scratch.rmdir()
        return self._described()

    def abandon(self) -> None:
        """See Writer; its scratch files are in the dump's folder, which goes."""
        self._book.fileclosed = True  # or the library writes the file when it is forgotten
        for sheet in self._book.worksheets():
            sheet.row_data_fh.close()


def _naive(value: dt.date) -> dt.date:
    return value.replace(tzinfo=None) if isinstance(value, dt.datetime) else value


_ODS_HEAD: Final = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" \
xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" \
xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" \
xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" \
xmlns:number="urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0" \
xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0" office:version="1.3">\
<office:automatic-styles>\
<number:date-style style:name="D"><number:year number:style="long"/><number:text>-</number:text>\
<number:month number:style="long"/><number:text>-</number:text><number:day number:style="long"/></number:date-style>\
<number:date-style style:name="I"><number:year number:style="long"/><number:text>-</number:text>\
<number:month number:style="long"/><number:text>-</number:text><number:day number:style="long"/>\
<number:text>T</number:text><number:hours number:style="long"/><number:text>:</number:text>\
<number:minutes number:style="long"/><number:text>:</number:text><number:seconds number:style="long"/>\
<number:text>Z</number:text></number:date-style>\
<style:style style:name="cd" style:family="table-cell" style:data-style-name="D"/>\
<style:style style:name="ci" style:family="table-cell" style:data-style-name="I"/>\
<style:style style:name="cb" style:family="table-cell"><style:text-properties fo:font-weight="bold"/></style:style>\
</office:automatic-styles><office:body><office:spreadsheet>"""
_ODS_TAIL: Final = "</office:spreadsheet></office:body></office:document-content>"
_ODS_MANIFEST: Final = """<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3">\
<manifest:file-entry manifest:full-path="/" manifest:version="1.3" \
manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>\
<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>"""
_SPACES: Final = re.compile(r"^ +| +$|  +|\t")
_EMPTY: Final = "<table:table-cell/>"


class OdsWriter(_Book):
    """Our own: the OpenDocument libraries that exist keep the whole document in memory."""

    def __init__(self, path: Path, notice: Sequence[str], tables: Sequence[Table], made_at: dt.datetime) -> None:
        super().__init__(path, notice, tables)
        self._stamp = made_at.timetuple()[:6]
        self._zip = zipfile.ZipFile(path, "x")
        self._zip.writestr(self._member("mimetype", zipfile.ZIP_STORED), MEDIA_TYPES[Format.ODS])
        self._zip.writestr(self._member("META-INF/manifest.xml"), _ODS_MANIFEST)
        self._content: IO[bytes] = self._zip.open(self._member("content.xml"), "w", force_zip64=True)
        self._opened = False
        self._put(_ODS_HEAD)
        self._open_sheet(README)
        for at, line in enumerate(notice):
            self._put_row(_ods_text(line, ' table:style-name="cb"' if at == 0 else ""))
        self._open_sheet(DICTIONARY)
        for at, entry in enumerate((DICTIONARY_COLUMNS, *dictionary(tables))):
            self._put_row("".join(_ods_text(word, ' table:style-name="cb"' if at == 0 else "") for word in entry))

    def _member(self, name: str, method: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
        found = zipfile.ZipInfo(name, self._stamp)
        found.compress_type = method
        return found

    def _put(self, markup: str) -> None:
        self._content.write(markup.encode())

    def _put_row(self, cells: str) -> None:
        self._put(f"<table:table-row>{cells}</table:table-row>\n")

    def _open_sheet(self, sheet: str) -> None:
        self._close_sheet()
        self._put(f"<table:table table:name={quoteattr(sheet)}>")
        self._opened = True

    def _close_sheet(self) -> None:
        if self._opened:
            self._put("</table:table>")
        self._opened = False

    def _open(self, sheet: str) -> None:
        self._open_sheet(sheet)
        self._put_row("".join(_ods_text(column.name, ' table:style-name="cb"') for column in self._table.columns))
        self._writers = [(column.name, self._writer(column)) for column in self._table.columns]

    def _writer(self, column: Column) -> Callable[[Any], str]:
        simple: Mapping[Kind, Callable[[Any], str]] = {
            Kind.INTEGER: lambda value: (
                f'<table:table-cell office:value-type="float" office:value="{value}">'
                f"<text:p>{value}</text:p></table:table-cell>"
            ),
            Kind.BOOLEAN: lambda value: (
                f'<table:table-cell office:value-type="boolean" office:boolean-value="{"true" if value else "false"}"/>'
            ),
            Kind.DATE: lambda value: (
                f'<table:table-cell table:style-name="cd" office:value-type="date" office:date-value="{value}"/>'
            ),
            Kind.INSTANT: lambda value: (
                '<table:table-cell table:style-name="ci" office:value-type="date" '
                f'office:date-value="{value.removesuffix("Z")}"/>'
            ),
        }
        return simple.get(column.kind, lambda value: _ods_text(self._text(value)))

    def _add(self, row: Row) -> None:
        self._put_row(
            "".join(
                _EMPTY if row[name] is None or row[name] == "" else write(row[name]) for name, write in self._writers
            )
        )

    def end(self) -> None:
        """All tables are in one file."""

    def close(self) -> dict[str, Any]:
        """See Writer."""
        self._close_sheet()
        self._put(_ODS_TAIL)
        self.abandon()
        return self._described()

    def abandon(self) -> None:
        """See Writer."""
        self._content.close()
        self._zip.close()


def _ods_text(text: str, style: str = "") -> str:
    """A text cell: a paragraph a line, spaces and tabs as OpenDocument keeps them."""
    safe = escape(xml_text(text))
    if "  " in safe or "\t" in safe or safe[:1] == " " or safe[-1:] == " " or "\n" in safe:
        lines = [_SPACES.sub(_ods_space, line) for line in safe.split("\n")]
        safe = "</text:p><text:p>".join(lines)
    return f'<table:table-cell office:value-type="string"{style}><text:p>{safe}</text:p></table:table-cell>'


def _ods_space(found: re.Match[str]) -> str:
    return "<text:tab/>" if found[0] == "\t" else f'<text:s text:c="{len(found[0])}"/>'


WORKBOOKS: Final[Mapping[Format, Callable[[Path, Sequence[str], Sequence[Table], dt.datetime], Writer]]] = {
    Format.XLSX: XlsxWriter,
    Format.ODS: OdsWriter,
}
