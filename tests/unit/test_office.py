"""Word documents: what is read in the file itself, and what python-docx reads back."""

import datetime as dt
import io
import subprocess
import sys
import zipfile
from xml.etree import ElementTree as ET

import docx
import pytest

from consult.office import Document
from tests.e2e.site_map import FOREIGN

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
LANGUAGES = {f"{W}lang", f"{W}themeFontLang"}
NOW = dt.datetime(2026, 3, 1, 9, 30, tzinfo=dt.UTC)
HOSTILE = "<b>Titre</b> & <script>alert(1)</script>\x00\x0b\x1b\ufffe \U0001f6b2 ]]> " + "long" * 50_000


def document(title="Le texte"):
    return Document(title, author="Ministère des essais", subject="Texte soumis", made_at=NOW)


def opened(content):
    return docx.Document(io.BytesIO(content))


def parts(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def sample():
    made = document()
    made.heading("Titre Ier – Des trajets", 1)
    made.heading("Article 1er", 2)
    made.prose("Les autocars sont **gratuits** et *sûrs*.\nÀ la ligne.\n\n- un\n- deux\n\n3. trois\n\n> cité")
    made.table("Les votes de chaque article.", {"Article": 5, "D’accord": 3}, [("Article 1er", "12")])
    return made.content()


def test_headings_and_light_formatting_are_those_of_word():
    """AT-U4.8: real styles, so that a screen reader lists the headings and says the lists."""
    read = opened(sample())
    assert [(each.style.name, each.text) for each in read.paragraphs] == [
        ("Title", "Le texte"),
        ("Heading 1", "Titre Ier – Des trajets"),
        ("Heading 2", "Article 1er"),
        ("Normal", "Les autocars sont gratuits et sûrs.\nÀ la ligne."),
        ("List Bullet", "un"),
        ("List Bullet", "deux"),
        ("List", "3. trois"),
        ("Quote", "cité"),
    ]
    marked = {run.text: (run.bold, run.italic) for run in read.paragraphs[3].runs if run.bold or run.italic}
    assert marked == {"gratuits": (True, None), "sûrs": (None, True)}


def test_the_file_speaks_french_and_tells_its_title():
    content = sample()
    said = opened(content).core_properties
    assert (said.title, said.author, said.language) == ("Le texte", "Ministère des essais", "fr-FR")
    assert said.created == said.modified == NOW
    found = parts(content)
    for name in ("word/styles.xml", "word/settings.xml"):
        spoken = [each.attrib for each in ET.fromstring(found[name]).iter() if each.tag in LANGUAGES]
        assert spoken
        assert all(set(each.values()) == {"fr-FR"} for each in spoken), name
    assert not any("thumbnail" in name or "customXml" in name for name in found)
    assert b"python-docx" not in found["docProps/core.xml"]
    assert not FOREIGN.search(" ".join(ET.fromstring(found["word/document.xml"]).itertext()))


def test_a_table_repeats_its_headers_and_is_described():
    table = ET.fromstring(parts(sample())["word/document.xml"]).find(f".//{W}tbl")
    rows = table.findall(f"{W}tr")
    assert [row.find(f"{W}trPr/{W}tblHeader") is not None for row in rows] == [True, False]
    assert table.find(f"{W}tblPr/{W}tblDescription").get(f"{W}val") == "Les votes de chaque article."
    assert ["".join(cell.itertext()) for cell in rows[1].findall(f"{W}tc")] == ["Article 1er", "12"]


def test_what_word_has_no_heading_for_takes_the_last_one():
    made = document()
    for level in range(1, 13):
        made.heading(f"Niveau {level}", level)
    names = [each.style.name for each in opened(made.content()).paragraphs[1:]]
    assert names == [f"Heading {min(level, 9)}" for level in range(1, 13)]


@pytest.mark.parametrize("written", ["heading", "paragraph", "prose", "table", "title"])
def test_hostile_words_stay_words(written):
    made = document(HOSTILE if written == "title" else "Le texte")
    if written == "heading":
        made.heading(HOSTILE, 1)
    elif written == "table":
        made.table(HOSTILE, {HOSTILE: 5}, [(HOSTILE,)])
    elif written != "title":
        getattr(made, written)(HOSTILE)
    content = made.content()
    read = "".join(ET.fromstring(parts(content)["word/document.xml"]).itertext())
    assert "<script>alert(1)</script>" in read
    assert "long" * 50_000 in read
    assert opened(content).paragraphs


@pytest.mark.slow
def test_the_same_words_give_the_same_bytes_in_any_process():
    program = "import sys; from tests.unit.test_office import sample; sys.stdout.buffer.write(sample())"
    made = [
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert made[0] == made[1] == sample()
    with zipfile.ZipFile(io.BytesIO(made[0])) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
