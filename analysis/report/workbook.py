"""The report as an XLSX file: a contents sheet, then one sheet per table family, each with bases and notes.

Written row after row in constant memory. A cell that begins with `=`, `+`, `-` or `@` stays text.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from analysis.lexical.disclosure import PUBLISHED_FROM
from analysis.plurals import counted
from analysis.report.pages import (
    APPROVER_LABELS,
    Lists,
    billed_label,
    code_rows,
    quality_note,
    reconciliation_rows,
    shown,
    shown_campaigns,
)
from analysis.report.study import CodeCount, CorpusResult, Study
from analysis.tabulate.cross import CrossTable
from analysis.tabulate.flat import VOLUNTEERS_NOTICE, FlatTable

LONGEST_CELL = 32_767
LONGEST_SHEET = 1_048_000
KEPT_LEMMAS = 20_000
CUT = " […]"
Cell = str | int | float | bool | None


class _Book:
    """Sheets in order, with the formats they share; the first sheet links to all the others."""

    def __init__(self, path: Path, names: Sequence[tuple[str, str]], title: str, notes: Sequence[str]) -> None:
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self.file = xlsxwriter.Workbook(str(path), options)
        self.file.set_properties({"title": title, "created": dt.datetime(2000, 1, 1, tzinfo=dt.UTC)})
        self.bold = self.file.add_format({"bold": True})
        self.head = self.file.add_format({"bold": True, "bg_color": "#EEF2F8", "text_wrap": True, "valign": "top"})
        self.heading = self.file.add_format({"bold": True, "font_size": 14})
        self.note = self.file.add_format({"italic": True, "font_color": "#4A4F57"})
        self.link = self.file.add_format({"underline": 1, "font_color": "#1D4F91"})
        contents = _Sheet(self, "Sommaire", title)
        for note in notes:
            contents.line(note, self.note)
        contents.table(["Feuille", "Contenu"], [], frozen=False)
        for name, description in names:
            contents.sheet.write_url(contents.row, 0, f"internal:'{name}'!A1", self.link, name)
            contents.sheet.write_string(contents.row, 1, description)
            contents.row += 1


class _Sheet:
    def __init__(self, book: _Book, name: str, title: str) -> None:
        self.book = book
        self.sheet = book.file.add_worksheet(name)
        self.sheet.set_column(0, 0, 44)
        self.sheet.set_column(1, 30, 16)
        self.row = 0
        self.line(title, book.heading)

    def line(self, text: str, style: Any = None) -> None:
        self.sheet.write_string(self.row, 0, _fit(text), style)
        self.row += 1

    def table(self, header: Sequence[str], rows: Iterable[Sequence[Cell]], *, frozen: bool) -> None:
        for column, label in enumerate(header):
            self.sheet.write_string(self.row, column, _fit(label), self.book.head)
        self.row += 1
        if frozen:
            self.sheet.freeze_panes(self.row, 1)
        for row in rows:
            for column, value in enumerate(row):
                if isinstance(value, str):
                    self.sheet.write_string(self.row, column, _fit(value))
                elif value is not None:
                    self.sheet.write_number(self.row, column, value)
            self.row += 1
        self.row += 1


def _fit(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - len(CUT)] + CUT


def write(path: Path, study: Study, lists: Lists) -> None:
    """Write the workbook of a study."""
    rarest = f"Mots publiés : ceux d’au moins {PUBLISHED_FROM} contributions d’un même corpus."
    notes = [VOLUNTEERS_NOTICE, rarest, f"Données : empreinte SHA-256 {study.source.digest}."]
    if study.codebook:
        notes.append(f"Plan de codification : version {study.codebook.version}, empreinte {study.codebook.digest}.")
        if not study.publishable:
            missing = ", ".join(APPROVER_LABELS[role] for role in study.codebook.missing_approvals)
            notes.append(f"NE PAS PUBLIER : plan de codification non approuvé par {missing}.")
    book = _Book(path, list(_names(study)), f"{study.source.title} : analyse des contributions", notes)
    for number, result in enumerate(study.corpora, start=1):
        _corpus(book, f"C{number}", study, result, lists)
    for number, answers in enumerate(study.questionnaires, start=1):
        title = answers.questionnaire.title
        _flats(_Sheet(book, f"Q{number} à plat", f"{title} – tris à plat"), answers.flat)
        _crosses(_Sheet(book, f"Q{number} croisés", f"{title} – tris croisés"), answers.cross)
    for number, part in enumerate(_parts(study), start=1):
        sheet = _Sheet(book, _assignment_name(number), "Attributions : un code donné à une contribution")
        sheet.table(["Contribution", "Corpus", "Code", "Motif qui a décidé", "Mots trouvés"], part, frozen=True)
    book.file.close()


def _names(study: Study) -> Iterable[tuple[str, str]]:
    for number, result in enumerate(study.corpora, start=1):
        title = result.corpus.title
        yield f"C{number} rapprochement", f"{title} : de ce qui est reçu à ce qui est codé"
        yield f"C{number} mots", f"{title} : mots les plus employés"
        yield f"C{number} spécificités", f"{title} : mots spécifiques"
        if study.codebook:
            yield f"C{number} codes", f"{title} : contributions par code"
        yield f"C{number} tableaux", f"{title} : tris à plat et croisés"
    for number, answers in enumerate(study.questionnaires, start=1):
        yield f"Q{number} à plat", f"{answers.questionnaire.title} : tris à plat"
        yield f"Q{number} croisés", f"{answers.questionnaire.title} : tris croisés"
    for number, _ in enumerate(_parts(study), start=1):
        yield _assignment_name(number), "Chaque attribution de code, avec le motif qui a décidé"


def _assignment_name(number: int) -> str:
    return "Attributions" if number == 1 else f"Attributions {number}"


def _parts(study: Study) -> list[list[tuple[Cell, ...]]]:
    rows: list[tuple[Cell, ...]] = [
        (result.corpus.ids[hit.text], result.corpus.key, hit.code, hit.pattern, hit.words)
        for result in study.corpora
        for hit in result.hits
    ]
    return [rows[at : at + LONGEST_SHEET] for at in range(0, len(rows), LONGEST_SHEET)]


def _corpus(book: _Book, name: str, study: Study, result: CorpusResult, lists: Lists) -> None:
    title, rec = result.corpus.title, result.reconciliation
    sheet = _Sheet(book, f"{name} rapprochement", title)
    rows = [(label, count) for label, count, _ in reconciliation_rows(study, result, lists)]
    rows += [("Total reçu", rec.received), (billed_label(result), rec.billable)]
    sheet.table(["Devenir", "Effectif"], rows, frozen=True)
    campaigns = [
        (row.number + 1, row.size, row.wordings, row.authors, row.dates, row.kinds) for row in shown_campaigns(result)
    ]
    if campaigns:
        header = ["Campagne", "Contributions", "Rédactions", "Auteurs", "Dates", "Ce qui les réunit"]
        sheet.table(header, campaigns, frozen=False)
    _words(book, f"{name} mots", result)
    _specificities(book, f"{name} spécificités", result)
    if study.codebook:
        base = f"base : {counted(rec.billable, 'contribution')} hors non-réponses"
        sheet = _Sheet(book, f"{name} codes", f"{title} – {base}")
        sheet.table(
            [
                "Code",
                "Identifiant",
                "Parent",
                "Par ses motifs",
                "Avec ses sous-codes",
                "% de la base",
                "Hors campagnes",
                "Qualité",
            ],
            (
                (row.code.label, row.code.id, row.code.parent, *_counts(row.count), row.quality)
                for row in code_rows(study, result)
            ),
            frozen=True,
        )
        sheet.line(quality_note(result), book.note)
    sheet = _Sheet(book, f"{name} tableaux", title)
    _flats(sheet, result.flat)
    for table, without in zip(result.cross, result.cross_without, strict=True):
        _crosses(sheet, [table])
        if without.base != table.base:
            _crosses(sheet, [without], ", hors campagnes")


def _counts(count: CodeCount | None) -> tuple[Cell, ...]:
    return (count.direct, count.total, count.share, count.without) if count else (None,) * 4


def _words(book: _Book, name: str, result: CorpusResult) -> None:
    rec = result.reconciliation
    base = f"{result.corpus.title} – base : {counted(rec.coded + rec.no_code, 'contribution lisible')}"
    sheet = _Sheet(book, name, base)
    sheet.table(
        ["Mot", "Nature", "Occurrences", "Contributions", "Contributions hors campagnes", "Mot plein", "Formes"],
        (
            (
                shown(result, item.lemma),
                item.pos,
                item.count,
                item.texts,
                result.frequencies_without[item.lemma][1],
                "oui" if item.content else "non",
                ", ".join(f"{form} ({count})" for form, count in item.forms[:20]),
            )
            for item in result.frequencies[:KEPT_LEMMAS]
        ),
        frozen=True,
    )


def _specificities(book: _Book, name: str, result: CorpusResult) -> None:
    sheet = _Sheet(book, name, f"{result.corpus.title} – spécificités de Lafon")
    sheet.table(
        ["Mot", "Variable", "Modalité", "Score", "f", "t", "F", "T", "Rapport", "Significatif (BH 5 %)"],
        (
            (
                shown(result, item.lemma),
                variable.label,
                item.category,
                item.score,
                item.f,
                item.t,
                item.total_f,
                item.total_t,
                item.ratio,
                "oui" if item.significant else "non",
            )
            for variable, rows in result.specificities
            for item in rows
        ),
        frozen=True,
    )


def _flats(sheet: _Sheet, tables: Sequence[FlatTable]) -> None:
    for table in tables:
        sheet.line(table.label, sheet.book.bold)
        sheet.line(f"Base : {counted(table.answered, 'réponse')} sur {table.base} ; sans réponse : {table.nonresponse}")
        rows: list[tuple[Cell, ...]] = [(r.label, r.count, r.of_respondents, r.of_answers) for r in table.rows]
        sheet.table(["Modalité", "Effectif", "% des répondants", "% des réponses"], rows, frozen=False)
        for note in table.notes:
            sheet.line(note, sheet.book.note)
        sheet.row += 1


def _crosses(sheet: _Sheet, tables: Sequence[CrossTable], which: str = "") -> None:
    for table in tables:
        sheet.line(f"{table.row_label} × {table.column_label}{which}", sheet.book.bold)
        sheet.line(f"Base : {table.base} ; laissés de côté : {table.left_out}")
        blocks: list[tuple[str, tuple[tuple[Cell, ...], ...]]] = [
            ("Effectifs", table.counts),
            ("% en ligne", table.row_percent),
            ("% en colonne", table.column_percent),
            ("Résidus ajustés", table.residuals),
        ]
        for label, values in blocks:
            rows = [(row, *line) for row, line in zip(table.rows, values, strict=True)]
            sheet.table([label, *table.columns], rows, frozen=False)
        if table.chi_square:
            test = table.chi_square
            sheet.line(f"Khi-deux {test.statistic}, ddl {test.degrees}, p {test.p_value}, V corrigé {test.cramer_v}")
        for note in table.notes:
            sheet.line(note, sheet.book.note)
        sheet.row += 1
