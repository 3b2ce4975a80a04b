"""Tables, and external sources: what is read, what is refused, and that nothing external is counted."""

import zipfile

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis import readers
from analysis.corpus import Source
from analysis.errors import AnalysisError
from analysis.external import read_sources
from analysis.report.study import Steps, study

DOCX = (
    '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
    "<w:p><w:r><w:t>Un premier </w:t></w:r><w:r><w:t>paragraphe.</w:t></w:r></w:p><w:p/>"
    "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Une cellule</w:t></w:r></w:p></w:tc></w:tr></w:tbl></w:body></w:document>"
)
LISTED = "sources:\n- {{file: {file}, title: Rapport, publisher: Commission, licence: {licence}, kind: report}}\n"


def listed(tmp_path, file, *, licence="Etalab 2.0"):
    path = tmp_path / "sources.yaml"
    path.write_text(LISTED.format(file=file, licence=licence), encoding="utf-8")
    return path


def pdf(*lines):
    """A minimal one-page PDF."""
    text = b" T* ".join(b"(" + line.encode("latin-1") + b") Tj" for line in lines)
    stream = b"BT /F1 12 Tf 14 TL 72 720 Td " + text + b" ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
            b" /Resources << /Font << /F1 5 0 R >> >> >>"
        ),
        b"<< /Length %d >> stream\n%b\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    content, places = b"%PDF-1.4\n", []
    for number, value in enumerate(objects, start=1):
        places.append(len(content))
        content += b"%d 0 obj %b endobj\n" % (number, value)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(content)
    return content + (
        b"xref\n0 6\n0000000000 65535 f \n"
        + table
        + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % start
    )


@pytest.fixture(params=["csv", "xlsx", "parquet"])
def table(request, tmp_path):
    names = ["id", "text", "author", "date", "region"]
    rows = [
        ["1", "Plus de trains", "a", "2026-03-01", "Nord"],
        ["2", "", "", "2026-03-02", ""],
        ["3", "Rien", "a", "", "Sud"],
    ]
    path = tmp_path / f"avis.{request.param}"
    if request.param == "csv":
        path.write_text("\n".join(";".join(row) for row in [names, *rows]), encoding="utf-8-sig")
    elif request.param == "xlsx":
        book = openpyxl.Workbook()
        for row in [names, *rows, [None] * 5]:
            book.active.append([int(value) if value and value.isdigit() else value or None for value in row])
        book.save(path)
    else:
        columns = list(zip(*rows, strict=True))
        pq.write_table(
            pa.table({name: [v or None for v in column] for name, column in zip(names, columns, strict=True)}), path
        )
    return path


def test_tables_of_any_format_are_the_same_corpus(table):
    source = readers.read(table)
    corpus = source.corpora[0]
    assert corpus.ids == ("1", "2", "3")
    assert corpus.texts == ("Plus de trains", "", "Rien")
    assert (corpus.authors, corpus.dates) == (("a", None, "a"), ("2026-03-01", "2026-03-02", None))
    region = next(variable for variable in corpus.variables if variable.key == "region")
    assert region.members.tolist() == [[True, False], [False, False], [False, True]]
    assert corpus.received == 3


@pytest.mark.parametrize("name", ["avis.xlsx", "avis.parquet"])
def test_a_damaged_table_is_refused_in_french(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"PK\x03\x04 nothing of the kind")
    with pytest.raises(AnalysisError, match=f"« {name} » n’a pas pu être lu : il est abîmé"):
        readers.read(path)


def test_a_workbook_without_the_columns_names_those_it_has(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["numero", "avis"])
    book.save(tmp_path / "avis.xlsx")
    with pytest.raises(AnalysisError, match=r"une colonne « id » et une seule ; colonnes lues : \['numero', 'avis'\]"):
        readers.read(tmp_path / "avis.xlsx")


@pytest.mark.slow
def test_reports_become_paragraphs_with_their_provenance(tmp_path):
    (tmp_path / "rapport.pdf").write_bytes(pdf("Le réseau ferroviaire", "doit être entretenu."))
    with zipfile.ZipFile(tmp_path / "rapport.docx", "w") as archive:
        archive.writestr("word/document.xml", DOCX)
    (tmp_path / "rapport.txt").write_text("Un.\nDeux.\n\nTrois.", encoding="utf-8")
    found = {}
    for name in ("rapport.pdf", "rapport.docx", "rapport.txt"):
        (corpus,), digests = read_sources(listed(tmp_path, name))
        found[name] = corpus.texts
        assert (corpus.provenance.publisher, corpus.provenance.licence) == ("Commission", "Etalab 2.0")
        assert list(digests) == [f"external/{name}"]
    assert " ".join(found["rapport.pdf"][0].split()) == "Le réseau ferroviaire doit être entretenu."
    assert found["rapport.docx"] == ("Un premier paragraphe.", "Une cellule")
    assert found["rapport.txt"] == ("Un. Deux.", "Trois.")


def test_an_external_source_enters_no_count_of_contributions(tmp_path, lemma_cache):
    (tmp_path / "loi.txt").write_text("Article premier sur le vélo.\n\nArticle deux.", encoding="utf-8")
    (tmp_path / "avis.csv").write_text("id,text\n1,Le vélo en ville\n2,RAS\n", encoding="utf-8")
    external, _ = read_sources(listed(tmp_path, "loi.txt"))
    source = readers.read(tmp_path / "avis.csv")
    both = Source("s", "s", (*source.corpora, *external), (), source.digests)
    found = study(both, None, seed=1, cache=lemma_cache, steps=Steps(1, None))
    assert found.billable == 1
    assert len(found.corpora) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"licence": '""'}, "il manque licence"),
        ({"file": "absent.pdf"}, "/absent.pdf » est introuvable"),
    ],
)
def test_a_source_without_licence_or_file_is_refused(tmp_path, change, words):
    (tmp_path / "loi.txt").write_text("Texte", encoding="utf-8")
    with pytest.raises(AnalysisError, match=words):
        read_sources(listed(tmp_path, **{"file": "loi.txt", **change}))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("rapport.pdf", b"%PDF-1.4 rien", "n’a pas pu être lu : il est abîmé"),
        ("rapport.docx", b"rien", "n’a pas pu être lu : il est abîmé"),
        ("rapport.txt", b"\xff\xfe", "n’est pas en UTF-8"),
        ("rapport.txt", b"\n \n", "ne contient aucun texte"),
        ("rapport.odt", b"x", "format inconnu"),
    ],
)
def test_unreadable_reports_are_refused_in_french(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AnalysisError, match=words):
        read_sources(listed(tmp_path, name))
