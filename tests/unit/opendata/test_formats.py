"""What each file format holds, read back by other programs than those that wrote it (AT-20.10, AT-19.8)."""

import csv
import datetime as dt
import json
import re
import zipfile
from pathlib import Path

import openpyxl
import pyarrow.parquet
import pytest
from python_calamine import load_workbook

from consult.opendata import workbooks
from consult.opendata.dump import TABLES
from consult.opendata.formats import Format, batches
from consult.opendata.tables import Column, Kind, Table
from consult.opendata.workbooks import WORKBOOKS

MADE_AT = dt.datetime(2026, 11, 27, 9, 30, tzinfo=dt.UTC)
TABLE = Table(
    "contributions",
    (
        Column("id", Kind.TEXT, "Identifiant", required=True),
        Column("body", Kind.TEXT, "Texte", required=False),
        Column("votes", Kind.INTEGER, "Votes", required=True),
        Column("required", Kind.BOOLEAN, "Obligatoire", required=True),
        Column("day", Kind.DATE, "Jour", required=True),
        Column("at", Kind.INSTANT, "Heure", required=True),
        Column("tags", Kind.TEXTS, "Mots", required=False),
        Column("options", Kind.OBJECTS, "Réponses", required=False, members=(("id", Kind.TEXT), ("label", Kind.TEXT))),
    ),
    ("id",),
    {},
)
HOSTILE = [
    "=1+1", "+33 1 02 03", "-5", "@SUM(A1)", "'déjà", '=HYPERLINK("https://exemple.fr")', "https://exemple.fr/a?b=c&d",
    "mailto:a@exemple.fr", "<r>gras</r>", "<r><t>x</t></r>", "</text:p><b>", "_x0041_", "&amp; & <", "]]>",
    '"guillemets"', "  deux espaces  devant et derrière  ",
    "ligne\nligne\n\nfin", "\ttabulation", "😀 emoji", "12",
    "1e5", "2026-11-27", "TRUE", "#N/A", "0012",
]  # fmt: skip


def rows(texts):
    return [
        {
            "id": f"{number:04d}",
            "body": text,
            "votes": number,
            "required": number % 2 == 0,
            "day": "2026-03-29",
            "at": f"2026-03-29T{number % 24:02d}:00:00Z",
            "tags": ["un", "=deux"][: number % 3],
            "options": [{"id": "a", "label": "Oui"}] if number % 2 else [],
        }
        for number, text in enumerate(texts)
    ]


def write(folder, form, listed, *, chunk=7, end=True):
    """Write one table in one format; returns the writer, and the file as the manifest tells it."""
    if form in TABLES:
        writer = TABLES[form](folder)
    else:
        writer = WORKBOOKS[form](
            folder / f"essai.{form}", ["Un essai", "= ceci n’est pas une formule"], [TABLE], MADE_AT
        )
    writer.begin(TABLE)
    for batch in batches(iter(listed), chunk):
        writer.write(batch)
    found = writer.end()
    return (found or writer.close()) if end else writer


def sheets(path):
    """The sheets of a workbook, as lists of rows, read by calamine."""
    book = load_workbook(str(path))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def as_cells(row):
    listed = "|".join(row["tags"]), "|".join(json.dumps(each, ensure_ascii=False) for each in row["options"])
    at = dt.datetime.fromisoformat(row["at"]).replace(tzinfo=None)
    day = dt.date.fromisoformat(row["day"])
    return [row["id"], row["body"] or "", float(row["votes"]), row["required"], day, at, *listed]


def plain(cell):
    """A midnight that a reader gives as an instant or as a day is the same."""
    if isinstance(cell, dt.datetime):
        return cell.date() if cell.time() == dt.time() else cell
    return cell


@pytest.mark.parametrize("form", [Format.XLSX, Format.ODS])
def test_a_workbook_holds_every_row_with_its_types_and_texts_as_they_were(tmp_path, form):
    listed = rows([*HOSTILE, "", None])
    told = write(tmp_path, form, listed)
    found = sheets(tmp_path / f"essai.{form}")
    assert list(found) == ["Lisez-moi", "Dictionnaire", "contributions"]
    assert found["Lisez-moi"][1] == ["= ceci n’est pas une formule"]
    assert ["contributions", "votes", "nombre entier", "Votes"] in found["Dictionnaire"]
    header, *cells = found["contributions"]
    assert header == [column.name for column in TABLE.columns]
    # This reader leaves out the tabs of an ODS file, which another test finds.
    kept = (lambda cell: cell.replace("\t", "") if isinstance(cell, str) else cell) if form is Format.ODS else plain
    expected = [[kept(plain(cell)) for cell in as_cells(row)] for row in listed]
    assert [[kept(plain(cell)) for cell in line] for line in cells] == expected
    assert told["shortened"] == 0
    assert told["rows"] is None


@pytest.mark.parametrize("form", [Format.XLSX, Format.ODS])
def test_no_cell_of_a_workbook_is_computed_or_followed(tmp_path, form):
    write(tmp_path, form, rows(HOSTILE))
    with zipfile.ZipFile(tmp_path / f"essai.{form}") as opened:
        markup = b"".join(opened.read(name) for name in opened.namelist() if name.endswith(".xml"))
        names = opened.namelist()
    assert not re.search(rb"<f[ >]|table:formula|<hyperlink|text:a |xlink:href", markup)
    assert not any("externalLink" in name or name.endswith("sheet3.xml.rels") for name in names)


def test_excel_is_told_not_to_take_a_formula_for_one_when_a_cell_is_edited(tmp_path):
    write(tmp_path, Format.XLSX, rows(["=1+1", "texte"]))
    sheet = openpyxl.load_workbook(tmp_path / "essai.xlsx")["contributions"]
    assert [sheet.cell(at, 2).quotePrefix for at in (2, 3)] == [True, False]
    assert [sheet.cell(at, 2).data_type for at in (2, 3)] == ["s", "s"] or sheet.cell(2, 2).data_type == "inlineStr"


@pytest.mark.parametrize("form", [Format.XLSX, Format.ODS])
def test_a_table_longer_than_a_sheet_goes_on_in_the_next(tmp_path, form, monkeypatch):
    monkeypatch.setattr(workbooks, "MAX_ROWS", 4)
    listed = rows([f"texte {number}" for number in range(8)])
    write(tmp_path, form, listed)
    found = sheets(tmp_path / f"essai.{form}")
    parts = [name for name in found if name.startswith("contributions")]
    assert parts == ["contributions", "contributions (2)", "contributions (3)"]
    assert [len(found[name]) for name in parts] == [4, 4, 3]
    assert all(found[name][0][0] == "id" for name in parts), "each sheet has its header"
    assert [line[0] for name in parts for line in found[name][1:]] == [row["id"] for row in listed]


@pytest.mark.parametrize("form", [Format.XLSX, Format.ODS])
@pytest.mark.parametrize("letter", ["a", "é", "😀"])
def test_a_text_longer_than_a_cell_is_cut_says_so_and_is_counted(tmp_path, form, letter):
    units = 2 if letter == "😀" else 1
    fits, longer = letter * (32_767 // units), letter * 40_000
    told = write(tmp_path, form, rows([fits, longer]))
    first, second = (line[1] for line in sheets(tmp_path / f"essai.{form}")["contributions"][1:])
    assert first == fits
    assert second.endswith(workbooks.SHORTENED)
    assert longer.startswith(second.removesuffix(workbooks.SHORTENED))
    assert 32_760 <= len(second.encode("utf-16-le")) // 2 <= 32_767
    assert told["shortened"] == 1


@pytest.mark.parametrize("form", [Format.XLSX, Format.ODS])
def test_characters_that_xml_cannot_hold_do_not_break_a_workbook(tmp_path, form):
    write(tmp_path, form, rows(["a\x01b\x0bc\ufffe", "d\r\ne"]))
    first, second = (line[1] for line in sheets(tmp_path / f"essai.{form}")["contributions"][1:])
    assert first[0] == "a"
    assert "\x01" not in first or form is Format.XLSX, "XLSX has a way to write it"
    assert second.replace("\r", "").replace("_x000D_", "") == "d\ne"


def test_tabs_and_runs_of_spaces_are_kept_in_ods(tmp_path):
    write(tmp_path, Format.ODS, rows(["\ta  b ", " <c>\n\td"]))
    with zipfile.ZipFile(tmp_path / "essai.ods") as opened:
        content = opened.read("content.xml").decode()
        assert opened.infolist()[0].filename == "mimetype"
        assert opened.infolist()[0].compress_type == zipfile.ZIP_STORED
    assert '<text:p><text:tab/>a<text:s text:c="2"/>b<text:s text:c="1"/></text:p>' in content
    assert '<text:p><text:s text:c="1"/>&lt;c&gt;</text:p><text:p><text:tab/>d</text:p>' in content


def test_parquet_keeps_types_lists_and_meaning(tmp_path):
    listed = rows([*HOSTILE, None, "x" * 40_000])
    told = write(tmp_path, Format.PARQUET, listed)
    table = pyarrow.parquet.read_table(tmp_path / "contributions.parquet")
    expected = [
        {
            **row,
            "day": dt.date.fromisoformat(row["day"]),
            "at": dt.datetime.fromisoformat(row["at"]),
        }
        for row in listed
    ]
    assert table.to_pylist() == expected
    assert [str(field.type) for field in table.schema][2:6] == ["int64", "bool", "date32[day]", "timestamp[ms, tz=UTC]"]
    assert table.schema.field("votes").metadata == {b"description": b"Votes"}
    assert told["rows"] == len(listed)


def test_parquet_is_written_by_groups_and_may_be_empty(tmp_path, monkeypatch):
    monkeypatch.setattr("consult.opendata.formats.GROUP", 10)
    write(tmp_path, Format.PARQUET, rows(["texte"] * 35))
    assert pyarrow.parquet.ParquetFile(tmp_path / "contributions.parquet").num_row_groups == 3
    (tmp_path / "vide").mkdir()
    write(tmp_path / "vide", Format.PARQUET, [])
    assert pyarrow.parquet.read_table(tmp_path / "vide/contributions.parquet").num_rows == 0


def test_text_formats_hold_the_same_rows(tmp_path):
    listed = rows([*HOSTILE, None, "x" * 40_000])
    for form in (Format.NDJSON, Format.CSV):
        assert write(tmp_path, form, listed)["rows"] == len(listed)
    read = [
        json.loads(line) for line in (tmp_path / "contributions.ndjson").read_text(encoding="utf-8").split("\n")[:-1]
    ]
    assert read == listed
    with (tmp_path / "contributions.csv").open(encoding="utf-8", newline="") as stream:
        table = list(csv.DictReader(stream))
    assert [line["body"].removeprefix("'") for line in table] == [row["body"] or "" for row in listed]


def test_the_same_rows_give_the_same_workbooks(tmp_path):
    digests = []
    for folder in (tmp_path / "un", tmp_path / "deux"):
        folder.mkdir()
        digests.append([write(folder, form, rows(HOSTILE))["sha256"] for form in (Format.XLSX, Format.ODS)])
    assert digests[0] == digests[1]


@pytest.mark.parametrize("form", list(Format))
def test_what_fails_lets_go_of_its_files(tmp_path, form):
    writer = write(tmp_path, form, rows(["texte"]), end=False) if form in WORKBOOKS else None
    if writer is None:
        writer = TABLES[form](tmp_path)
        writer.begin(TABLE)
        writer.write(rows(["texte"]))
    writer.abandon()
    held = [each.readlink() for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    assert [path for path in held if path.is_relative_to(tmp_path)] == []
