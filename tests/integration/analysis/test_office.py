"""The workbook of a report as an office suite opens it: LibreOffice reads every cell back, and draws every sheet."""

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from analysis.report import run

pytestmark = [pytest.mark.audit, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def workbook(small_dump, plan, lemma_cache, tmp_path_factory):
    return run(small_dump, plan, tmp_path_factory.mktemp("report") / "out", seed=4, cache=lemma_cache).workbook


def cells(path):
    """Every cell that holds something, by sheet; numbers as they are read back by a program."""
    book = load_workbook(path)
    return {
        sheet.title: {
            cell.coordinate: (cell.value, bool(cell.hyperlink))
            for row in sheet
            for cell in row
            if cell.value not in {None, ""}
        }
        for sheet in book
    }


def test_an_office_suite_reads_every_cell_of_a_report(workbook, convert):
    """AT-20.4: nothing is lost, repaired or taken for a formula."""
    written, read = cells(workbook), cells(convert(workbook, "xlsx"))
    assert list(read) == list(written)
    for name, sheet in written.items():
        assert read[name] == sheet, name
    assert sum(map(len, written.values())) > 500
    assert any(link for _, link in written["Sommaire"].values())


def test_an_office_suite_draws_every_sheet_of_a_report(workbook, convert):
    pages = [page.extract_text() for page in PdfReader(convert(workbook, "pdf")).pages]
    drawn = " ".join(" ".join(pages).split())
    for sheet in load_workbook(workbook):
        assert " ".join(str(sheet["A1"].value).split()) in drawn, sheet.title
    assert "#NAME?" not in drawn
    assert "Err:" not in drawn
