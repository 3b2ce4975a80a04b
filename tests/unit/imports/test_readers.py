"""Every file that people send, as it comes: encodings, separators, ends of lines, damage, bombs."""

import gzip
import json
import os
import subprocess
import sys
import zipfile

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from consult.errors import InvalidError
from consult.imports import readers, sandbox

TEXT = "id;texte;votes\n1;Des arbres à l’école « vite »;3\n2;Où ça ? Là-bas…;0\n"
EXPECTED = [
    {"id": "1", "texte": "Des arbres à l’école « vite »", "votes": "3"},
    {"id": "2", "texte": "Où ça ? Là-bas…", "votes": "0"},
]


def write(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(path, **options):
    return [dict(row.values) for row in readers.open_source(path, **options).rows()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_a_table_is_read_the_same_whatever_its_encoding_ends_and_separator(tmp_path, encoding, ends, delimiter):
    text = TEXT.replace(";", delimiter).replace("\n", ends)
    source = readers.open_source(write(tmp_path, "t.csv", text.encode(encoding)))
    assert list(source.columns) == ["id", "texte", "votes"]
    assert [dict(row.values) for row in source.rows()] == EXPECTED
    assert all(row.problem is None for row in source.rows())
    if encoding == "cp1252":
        assert any("Windows-1252" in note for note in source.notes)
    if delimiter == ";":
        assert "séparateur « ; »" in source.notes


def test_a_gzipped_table_is_read_as_it_is(tmp_path):
    assert rows(write(tmp_path, "t.csv.gz", gzip.compress(TEXT.encode()))) == EXPECTED


def test_a_truncated_gzip_is_refused_in_french(tmp_path):
    path = write(tmp_path, "t.csv.gz", gzip.compress(os.urandom(9000).hex().encode())[:5000])
    with pytest.raises(InvalidError, match="tronqué ou abîmé"):
        list(readers.open_source(path).rows())


def test_a_gzip_bomb_is_refused(tmp_path):
    path = write(tmp_path, "bomb.csv.gz", gzip.compress(b"a,b\n" + b"0,0\n" * 8_000_000))
    with pytest.raises(InvalidError, match="volume anormal"):
        readers.open_source(path)


def test_a_damaged_utf8_file_keeps_its_encoding_and_says_so(tmp_path):
    content = ("id,texte\n" + "1,Été à l’école, déjà\n".replace(", d", " d") * 50).encode() + b"2,caf\xe9 noir\n"
    source = readers.open_source(write(tmp_path, "t.csv", content))
    found = [row.values["texte"] for row in source.rows()]
    assert found[0] == "Été à l’école déjà"
    assert found[-1] == "caf\ufffd noir"
    assert source.notes == ("encodage UTF-8 abîmé : 1 séquences illisibles remplacées par « � »",)


def test_a_replacement_character_written_in_the_file_is_no_damage(tmp_path):
    source = readers.open_source(write(tmp_path, "t.csv", "id,texte\n1,caf\ufffd\n"))
    assert source.notes == ()


def test_null_characters_and_lone_surrogates_never_reach_the_database(tmp_path):
    assert rows(write(tmp_path, "t.csv", b"id,texte\n1,a\x00b\n")) == [{"id": "1", "texte": "ab"}]
    assert rows(write(tmp_path, "t.ndjson", b'{"id": 1, "texte": "a\\ud800b\\u0000"}\n')) == [
        {"id": "1", "texte": "a\ufffdb"}
    ]


def test_quoted_line_ends_and_long_fields_stay_in_their_cell_with_true_line_numbers(tmp_path):
    long = "à" * 64_537
    source = readers.open_source(write(tmp_path, "t.csv", f'id,texte\n1,"un\ndeux\n\ntrois"\n2,"{long}"\n'))
    found = list(source.rows())
    assert [row.line for row in found] == [2, 6]
    assert found[0].values["texte"] == "un\ndeux\n\ntrois"
    assert found[1].values["texte"] == long


def test_a_quote_never_closed_is_refused_with_its_line(tmp_path):
    content = 'id,texte\n1,bon\n2,"jamais fermé\n' + "3,suite\n" * 200_000
    with pytest.raises(InvalidError, match="à partir de la ligne 3"):
        list(readers.open_source(write(tmp_path, "t.csv", content)).rows())


def test_a_row_with_missing_or_extra_cells_is_told_apart(tmp_path):
    found = list(readers.open_source(write(tmp_path, "t.csv", "id,texte,votes\n1,a\n2,b,3,4\n\n,,\n4,d,0\n")).rows())
    assert [row.problem is None for row in found] == [False, False, True]
    assert "2 champs au lieu de 3" in found[0].problem
    assert found[1].values["…"] == ["4"]
    assert found[2].line == 6


def test_column_names_are_trimmed_named_when_empty_and_never_double(tmp_path):
    source = readers.open_source(write(tmp_path, "t.csv", "\ufeff id , ,texte,texte\n1,2,3,4\n"))
    assert list(source.columns) == ["id", "colonne_2", "texte", "texte_4"]


def test_one_column_of_sentences_is_not_cut_at_its_commas(tmp_path):
    source = readers.open_source(write(tmp_path, "t.csv", "texte\nUn mot, puis un autre\nRien\n"))
    assert [row.values["texte"] for row in source.rows()] == ["Un mot, puis un autre", "Rien"]


@pytest.mark.parametrize("content", [b"", b"\n\n  \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(tmp_path, content):
    with pytest.raises(InvalidError, match="est vide"):
        readers.open_source(write(tmp_path, "t.csv", content))


def test_a_missing_file_and_an_old_workbook_are_refused(tmp_path):
    with pytest.raises(InvalidError, match="introuvable"):
        readers.open_source(tmp_path / "absent.csv")
    with pytest.raises(InvalidError, match="enregistrez-le en XLSX"):
        readers.open_source(write(tmp_path, "t.xls", b"\xd0\xcf\x11\xe0" + b"\x00" * 100))


def test_ndjson_keeps_lists_flattens_objects_and_refuses_bad_lines(tmp_path):
    lines = [
        json.dumps({"id": 1, "auteur": {"nom": "Zoé"}, "choix": ["a", "b"], "ok": True, "rien": None}),
        "{pas du json",
        "[1, 2]",
        "[" * 200_000,
        json.dumps({"id": 2.5}),
    ]
    source = readers.open_source(write(tmp_path, "t.ndjson", "\n".join(lines)))
    found = list(source.rows())
    assert dict(found[0].values) == {"id": "1", "auteur.nom": "Zoé", "choix": ["a", "b"], "ok": "true", "rien": None}
    assert [row.problem is None for row in found] == [True, False, False, False, True]
    assert found[4].values["id"] == "2.5"


def test_a_line_of_ndjson_without_end_is_passed_over(tmp_path):
    content = b'{"id": 1}\n{"id": "' + b"x" * (readers.MAX_LINE + 10) + b'"}\n{"id": 3}\n'
    found = list(readers.open_source(write(tmp_path, "t.ndjson", content)).rows())
    assert [row.problem for row in found] == [None, "La ligne est trop longue pour être lue.", None]


# Workbooks and Parquet: parsed by a child


def workbook(tmp_path, *lines, name="t.xlsx"):
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    book.save(tmp_path / name)
    return tmp_path / name


def test_a_workbook_is_read_by_a_child_and_its_formulas_are_never_run(tmp_path):
    path = workbook(tmp_path, ["id", "texte", "n", None], [1, "Été", 2.0, None], [2, "=1+1", 2.5, None], [None] * 4)
    assert rows(path) == [{"id": "1", "texte": "Été", "n": "2"}, {"id": "2", "texte": None, "n": "2.5"}]


def test_a_sheet_that_does_not_exist_is_refused_with_those_that_do(tmp_path):
    with pytest.raises(InvalidError, match="Feuilles du classeur : Sheet"):
        readers.open_source(workbook(tmp_path, ["id"], [1]), sheet="Feuil2")


def test_a_truncated_workbook_or_parquet_file_is_refused(tmp_path):
    whole = workbook(tmp_path, ["id"], *[[n] for n in range(5000)]).read_bytes()
    with pytest.raises(InvalidError, match="tronqué"):
        readers.open_source(write(tmp_path, "cut.xlsx", whole[:3000]))
    pq.write_table(pa.table({"id": list(range(1000))}), tmp_path / "t.parquet")
    with pytest.raises(InvalidError, match="tronqué"):
        readers.open_source(write(tmp_path, "cut.parquet", (tmp_path / "t.parquet").read_bytes()[:500]))


def test_a_workbook_that_is_a_zip_bomb_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    with pytest.raises(InvalidError, match="volume anormal"):
        readers.open_source(tmp_path / "bomb.xlsx")


def test_a_workbook_with_an_entity_bomb_is_refused(tmp_path):
    path = workbook(tmp_path, ["id"], ["x"])
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "' + "b" * 5000 + '">'
        '<!ENTITY c "'
        + "&b;"
        * 5000
        + '">]><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&c;</t></is></c></row></sheetData></worksheet>'
    )
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "entities.xlsx", "w") as new:
        for name in old.namelist():
            new.writestr(name, bomb if name == "xl/worksheets/sheet1.xml" else old.read(name))
    with pytest.raises(InvalidError, match="illisible"):
        readers.open_source(tmp_path / "entities.xlsx")


def test_parquet_values_become_the_texts_a_csv_would_hold(tmp_path):
    table = pa.table({"id": [1, 2], "choix": [["a", "b"], None], "ok": [True, None], "note": [0.5, float("nan")]})
    pq.write_table(table, tmp_path / "t.parquet")
    assert rows(tmp_path / "t.parquet") == [
        {"id": "1", "choix": ["a", "b"], "ok": "true", "note": "0.5"},
        {"id": "2", "choix": None, "ok": None, "note": None},
    ]


@pytest.mark.slow
def test_a_reader_abandoned_midway_leaves_no_child(tmp_path):
    pq.write_table(pa.table({"id": list(range(200_000))}), tmp_path / "t.parquet")
    before = children()
    reading = readers.open_source(tmp_path / "t.parquet").rows()
    next(reading)
    assert len(children()) == len(before) + 1
    reading.close()
    assert children() == before


def children():
    listed = subprocess.run(
        ["ps", "-ww", "--ppid", str(os.getpid()), "-o", "pid=,args="], capture_output=True, text=True, check=False
    ).stdout
    return [line for line in listed.splitlines() if readers.SANDBOX in line]


def confined(code):
    """Run a line in a process confined as the parser is."""
    limits = f"cpu_seconds={sandbox.CPU_SECONDS}, memory_bytes={sandbox.MEMORY_BYTES}"
    script = f"from consult.confinement import confine; confine({limits})\n{code}"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "import os; os.fork()",
        "open('/tmp/consult-sandbox-test', 'w')",
    ],
)
def test_the_parser_can_reach_neither_network_nor_process_nor_file(code):
    done = confined(code)
    assert done.returncode != 0
    assert "PermissionError: forbidden in a confined process" in done.stderr


def test_the_parser_cannot_take_more_memory_than_its_share():
    done = confined("x = bytearray(3 * 1024 ** 3)")
    assert done.returncode != 0
    assert "MemoryError" in done.stderr
