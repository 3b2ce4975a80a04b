"""Word documents that anyone can read: in French, with real headings, and the same bytes for the same content.

python-docx stamps its archive with the time of writing (its issue 1042): the members are written again here, undated.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from html.parser import HTMLParser
from typing import Any, Final

import docx
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from consult.html import render_plain, xml_text

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
DEEPEST: Final = 9  # headings that Word knows
_LANGUAGE: Final = "fr-FR"
_INK: Final = RGBColor(0x1B, 0x2A, 0x49)  # 13 to 1 on white
_SIZES: Final = (18, 16, 14, 13, 12, 11, 11, 11, 11)  # of headings, in points
_MARKS: Final = {"strong": "w:b", "em": "w:i"}
_SPACE: Final = "{http://www.w3.org/XML/1998/namespace}space"
# What the template of python-docx holds of its author's machine.
_FOREIGN: Final = {
    RELATIONSHIP_TYPE.EXTENDED_PROPERTIES,
    RELATIONSHIP_TYPE.THUMBNAIL,
    RELATIONSHIP_TYPE.CUSTOM_XML,
    "http://schemas.microsoft.com/office/2007/relationships/stylesWithEffects",
}


class Document:
    """A document being written, from the top to the bottom; `content` ends it."""

    def __init__(self, title: str, *, author: str, subject: str, made_at: dt.datetime) -> None:
        self._docx = docx.Document()
        said = self._docx.core_properties
        said.title, said.author, said.subject = (_short(text) for text in (title, author, subject))
        said.language, said.comments, said.last_modified_by = _LANGUAGE, "", ""
        said.created = said.modified = made_at.astimezone(dt.UTC).replace(tzinfo=None, microsecond=0)
        self._drop_foreign_parts()
        self._dress()
        self._styles = {style.name: style.style_id for style in self._docx.styles}
        self._end = self._docx.element.body.sectPr
        self.paragraph(title, "Title")

    def paragraph(self, text: str, style: str = "Normal") -> None:
        """One paragraph, its line ends kept."""
        _run(self._add(style), text)

    def heading(self, text: str, level: int) -> None:
        """A heading, of level 1 to 9: what is deeper takes the last one."""
        self.paragraph(text, f"Heading {min(level, DEEPEST)}")

    def prose(self, text: str) -> None:
        """A text typed by someone, with the light formatting that pages show (see `html.render_plain`)."""
        _Prose(self).feed(str(render_plain(text)))

    def table(self, about: str, columns: Mapping[str, float], rows: Iterable[Sequence[str]]) -> None:
        """A table told as `about`, whose columns have a header, repeated on each page, and a width in centimetres."""
        table = self._docx.add_table(rows=0, cols=len(columns), style="Table Grid")
        table.autofit = False
        for column, width in zip(table.columns, columns.values(), strict=True):
            column.width = Cm(width)  # what LibreOffice reads; Word reads that of each cell
        _in(table._tblPr, "w:tblDescription").set(qn("w:val"), xml_text(about))  # noqa: SLF001  # no word for it
        for values in ((*columns,), *rows):
            for cell, value, width in zip(table.add_row().cells, values, columns.values(), strict=True):
                cell.width = Cm(width)
                _run(cell.paragraphs[0]._p, value)  # noqa: SLF001
        for name in ("w:cantSplit", "w:tblHeader"):
            _in(table.rows[0]._tr.get_or_add_trPr(), name)  # noqa: SLF001
        for cell in table.rows[0].cells:
            cell.paragraphs[0].runs[0].bold = True

    def content(self) -> bytes:
        """The file."""
        written, undated = io.BytesIO(), io.BytesIO()
        self._docx.save(written)
        with zipfile.ZipFile(written) as source, zipfile.ZipFile(undated, "w", zipfile.ZIP_DEFLATED) as target:
            for name in source.namelist():
                member = zipfile.ZipInfo(name)  # of 1 January 1980
                member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                target.writestr(member, source.read(name))
        return undated.getvalue()

    def _add(self, style: str) -> Any:
        """An empty paragraph at the end. `add_paragraph` would look through all those before it."""
        paragraph = OxmlElement("w:p")
        _in(_in(paragraph, "w:pPr"), "w:pStyle").set(qn("w:val"), self._styles[style])
        self._end.addprevious(paragraph)
        return paragraph

    def _drop_foreign_parts(self) -> None:
        for relations in (self._docx.part.package.rels, self._docx.part.rels):
            for key in [key for key, each in relations.items() if each.reltype in _FOREIGN]:
                del relations[key]

    def _dress(self) -> None:
        """A4, French everywhere, dark headings, the number of each page."""
        section = self._docx.sections[0]
        section.page_width, section.page_height = Cm(21), Cm(29.7)
        section.left_margin = section.right_margin = Cm(2.5)
        for element in (self._docx.styles.element, self._docx.settings.element):
            for spoken in element.iter(qn("w:lang"), qn("w:themeFontLang")):
                spoken.attrib.clear()
                spoken.set(qn("w:val"), _LANGUAGE)
        for level, size in enumerate(_SIZES, 1):
            _paint(self._docx.styles[f"Heading {level}"], size)
        for name, size in (("Title", 22), ("Subtitle", 13), ("Caption", 10)):
            _paint(self._docx.styles[name], size)
        foot = section.footer.paragraphs[0]._p  # noqa: SLF001
        _run(foot, "Page\u00a0")
        _in(foot, "w:fldSimple").set(qn("w:instr"), "PAGE")


class _Prose(HTMLParser):
    """Writes what `render_plain` makes, and nothing else, into a document."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        self._paragraph: Any = None
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.append(tag)
        if tag == "br":
            self._open.pop()
            self._run("\n")
        elif tag in {"p", "li"}:
            style = "Quote" if "blockquote" in self._open else "List Bullet" if "ul" in self._open else "Normal"
            numbered = "ol" in self._open
            self._paragraph = self._document._add("List" if numbered else style)  # noqa: SLF001
            if numbered:  # the number that was typed, not one that Word counts
                self._run(f"{dict(attrs).get('value')}. ")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass
        if tag in {"p", "li"}:
            self._paragraph = None

    def handle_data(self, data: str) -> None:
        self._run(data)

    def _run(self, text: str) -> None:
        if self._paragraph is not None:
            _run(self._paragraph, text, *(_MARKS[tag] for tag in self._open if tag in _MARKS))


def _in(parent: Any, name: str) -> Any:
    """A new element at the end of another."""
    element = OxmlElement(name)
    parent.append(element)
    return element


def _run(paragraph: Any, text: str, *marks: str) -> None:
    """Add words to a paragraph, their line ends kept. What python-docx would do ten times slower."""
    run = _in(paragraph, "w:r")
    if marks:
        properties = _in(run, "w:rPr")
        for mark in sorted(set(marks)):  # in the order of the schema
            _in(properties, mark)
    for rank, line in enumerate(xml_text(text).split("\n")):
        if rank:
            _in(run, "w:br")
        if line:
            words = _in(run, "w:t")
            words.text = line
            words.set(_SPACE, "preserve")


def _short(text: str) -> str:
    """As long as a property may be."""
    return xml_text(text)[:255]


def _paint(style: Any, size: int) -> None:
    style.font.color.rgb, style.font.size = _INK, Pt(size)
