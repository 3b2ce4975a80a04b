"""The workbook of a report as an office suite opens it: LibreOffice reads every cell back, and draws every sheet."""

import os
import shutil
import subprocess

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from analysis.report import run
from tests.conftest import missing

pytestmark = [pytest.mark.audit, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def workbook(small_dump, plan, lemma_cache, tmp_path_factory):
    return run(small_dump, plan, tmp_path_factory.mktemp("report") / "out", seed=4, cache=lemma_cache).workbook


@pytest.fixture(scope="module")
def convert(tmp_path_factory):
    """Open a file with LibreOffice and save it in another format."""
    office = os.environ.get("CONSULT_TEST_OFFICE") or shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        missing("no LibreOffice: run `deploy/system-packages audit`, or give CONSULT_TEST_OFFICE")
    profile = tmp_path_factory.mktemp("profile").as_uri()

    def convert(path, extension):
        folder = tmp_path_factory.mktemp(extension)
        arguments = [f"-env:UserInstallation={profile}", "--convert-to", extension, "--outdir", folder, path]
        done = subprocess.run(
            [office, "--headless", *arguments], capture_output=True, text=True, timeout=300, check=True
        )
        assert "Error" not in done.stdout + done.stderr, done.stderr
        return folder / f"{path.stem}.{extension}"

    return convert


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
