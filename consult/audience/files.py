"""A report as files: Word, PDF, spreadsheet. The same bytes as long as the report says the same."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from consult import office
from consult.audience import labels
from consult.audience.models import TrafficReport
from consult.audience.pages import Section, Told
from consult.labels import moment, number

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FIGURES: Final = ("Mesure", "Cette période", "Période précédente", "Évolution")
NONE_YET: Final = "Aucune recommandation n’a été écrite."
_WIDTHS: Final = (5.5, 3.5, 3.5, 3.5)  # centimetres
_WIDE, _NARROW = 12.5, 3.5


@dataclass(frozen=True, slots=True)
class Paper:
    """A report to be written: whose it is, and what it says."""

    organisation: str
    title: str
    period: str
    made_at: dt.datetime
    told: Told
    recommendations: str

    @property
    def stamp(self) -> str:
        """When it was measured."""
        return f"Bilan établi le {moment(self.made_at)}."


def paper(organisation: str, report: TrafficReport) -> Paper:
    """What the files of a report say. It was made."""
    told = Told.of(report)
    assert report.made_at is not None
    return Paper(
        organisation=organisation,
        title=f"{labels.PERIODS[report.period]} de fréquentation",
        period=labels.period(told.span),
        made_at=report.made_at,
        told=told,
        recommendations=report.recommendations,
    )


def docx(paper: Paper) -> bytes:
    """The note, for a word processor."""
    told = paper.told
    document = office.Document(paper.title, author=paper.organisation, subject=paper.period, made_at=paper.made_at)
    document.paragraph(f"{paper.organisation}\n{paper.period}", "Subtitle")
    document.paragraph(paper.stamp)
    for note in told.notes():
        document.paragraph(note, "Intense Quote")
    document.heading("Chiffres de la période", 1)
    document.table("Chiffres de la période", dict(zip(FIGURES, _WIDTHS, strict=True)), told.rows())
    document.paragraph(labels.APART, "Caption")
    for section in told.sections():
        document.heading(section.title, 1)
        columns = {section.column: _WIDE, section.unit.capitalize(): _NARROW}
        document.table(section.title, columns, [(label, number(count)) for label, count in section.rows])
    document.heading("Recommandations", 1)
    document.prose(paper.recommendations or NONE_YET)
    document.heading("Méthode", 1)
    for line in told.method():
        document.paragraph(line)
    return document.content()


def xlsx(paper: Paper) -> bytes:
    """The figures, for a spreadsheet: real numbers, one sheet a table, charts along time."""
    import xlsxwriter  # here and not above: only whoever writes a workbook loads it

    written = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(written, options)
    book.set_properties(
        {"title": paper.title, "author": paper.organisation, "created": paper.made_at.replace(tzinfo=None)}
    )
    bold = book.add_format({"bold": True, "bg_color": "#EEF2F8", "text_wrap": True, "valign": "top"})
    _summary(book, paper, bold)
    for section in paper.told.sections():
        _sheet(book, section, bold)
    book.close()
    return written.getvalue()


def _summary(book: Any, paper: Paper, bold: Any) -> None:
    sheet, wrap = book.add_worksheet("Synthèse"), book.add_format({"text_wrap": True, "valign": "top"})
    share = book.add_format({"num_format": "+0.0 %;-0.0 %;0 %"})
    sheet.set_column(0, 0, 60)
    sheet.set_column(1, 3, 20)
    lines = (paper.title, paper.organisation, paper.period, paper.stamp, *paper.told.notes())
    for at, line in enumerate(lines):
        sheet.write_string(at, 0, line, wrap)
    top = len(lines) + 1
    _head(sheet, top, FIGURES, bold)
    for at, (label, now, before) in enumerate(paper.told.figures(), top + 1):
        sheet.write_string(at, 0, label)
        for place, value in ((1, now), (2, before)):
            if value is None:
                sheet.write_string(at, place, labels.figure(value))
            else:
                sheet.write_number(at, place, value)
        if now is not None and before:
            sheet.write_number(at, 3, (now - before) / before, share)
        else:
            sheet.write_string(at, 3, "–" if now is None else labels.changed(now, before))
    at = top + 2 + len(paper.told.figures())
    for line in (*paper.told.method(), "Recommandations", paper.recommendations or NONE_YET):
        sheet.write_string(at, 0, line, wrap)
        at += 1
    _print(sheet)


def _sheet(book: Any, section: Section, bold: Any) -> None:
    sheet = book.add_worksheet(section.column)
    sheet.set_column(0, 0, 60)
    sheet.set_column(1, 1, 16)
    _head(sheet, 0, (section.column, section.unit.capitalize()), bold)
    sheet.freeze_panes(1, 0)
    for at, (label, count) in enumerate(section.rows, 1):
        sheet.write_string(at, 0, label)
        sheet.write_number(at, 1, count)
    if section.ordered:
        last = len(section.rows)
        chart = book.add_chart({"type": "column"})
        named = {"name": section.title, "categories": [section.column, 1, 0, last, 0]}
        chart.add_series({**named, "values": [section.column, 1, 1, last, 1], "fill": {"color": "#0B5563"}})
        chart.set_legend({"none": True})
        chart.set_y_axis({"name": section.unit.capitalize(), "min": 0})
        sheet.insert_chart(1, 3, chart, {"description": f"{section.title}\u00a0: les nombres sont dans le tableau"})
    _print(sheet)


def _head(sheet: Any, at: int, words: Sequence[str], bold: Any) -> None:
    for place, word in enumerate(words):
        sheet.write_string(at, place, word, bold)


def _print(sheet: Any) -> None:
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
