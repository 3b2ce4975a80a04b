"""One row becomes one record, or a reason in French that says what to mend."""

import datetime as dt

import pytest

from consult.imports import mapping
from consult.imports.readers import Row
from consult.imports.records import RejectedError, convert, parse_instant, sample, shorten

HEAD = "format: consult-import/1\n"
PROPOSALS = HEAD + (
    "target: proposals\nhtml: [body]\nmissing: ['?']\ncolumns: {ref: id, title: titre, body: texte, "
    "votes_for: oui, hidden: masque, created_at: date, author: auteur}\n"
)
ARGUMENTS = HEAD + "target: arguments\ncolumns: {proposal: p, side: sens, body: texte}\n"
WIDE = HEAD + (
    "target: replies\ncolumns: {ref: id}\nmissing: ['?']\nquestions:\n"
    "  - {column: a, kind: single, values: {'1': Oui}}\n  - {column: b, kind: multiple, separator: ';'}\n"
    "  - {column: c, kind: long_text}\n"
)


def record(text, **values):
    return convert(Row(7, values), mapping.parse(text), {})


def reason(text, **values):
    with pytest.raises(RejectedError) as caught:
        record(text, **values)
    return str(caught.value)


def test_html_becomes_paragraphs_and_scripts_go():
    body = "<p>Des arbres&nbsp;!</p><script>alert(1)</script><ul><li>un</li><li>deux</li></ul>"
    found = record(PROPOSALS, id="1", titre="Arbres", texte=body, oui="3")
    assert found.body == "Des arbres !\nun\ndeux"
    assert found.votes == (3, 0, 0)


def test_a_text_of_markup_alone_is_an_empty_text():
    assert reason(PROPOSALS, id="1", titre="t", texte="<p> </p>") == "Le texte est vide (colonne « texte »)."


def test_a_title_too_long_is_shortened_and_kept_whole_in_the_text():
    title = "mot " * 80
    found = record(PROPOSALS, id="1", titre=title, texte="suite")
    assert len(found.title) <= 200
    assert found.title.endswith("…")
    assert found.body == f"{title.strip()}\n\nsuite"


def test_a_missing_title_is_the_beginning_of_the_text():
    assert record(PROPOSALS, id="1", texte="Planter\ndes arbres").title == "Planter des arbres"


@pytest.mark.parametrize("said", ["-1", "beaucoup", "1e9", "99999999999999", "²"])
def test_a_count_that_is_none_is_refused(said):
    assert "n’est pas un nombre de votes" in reason(PROPOSALS, id="1", texte="t", oui=said)


@pytest.mark.parametrize(("said", "count"), [("1 200", 1200), ("3.0", 3), ("?", 0), ("", 0)])
def test_counts_are_read_as_spreadsheets_write_them(said, count):
    assert record(PROPOSALS, id="1", texte="t", oui=said).votes[0] == count


@pytest.mark.parametrize(("said", "hidden"), [("True", "hidden_at_source"), ("oui", "hidden_at_source"), ("0", None)])
def test_what_the_source_had_hidden_stays_hidden(said, hidden):
    assert record(PROPOSALS, id="1", texte="t", masque=said).hidden == hidden


def test_a_doubtful_mark_of_hiding_is_refused():
    assert "ne dit pas si le contenu est masqué" in reason(PROPOSALS, id="1", texte="t", masque="peut-être")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2015-09-26T14:05:04+0200", dt.datetime(2015, 9, 26, 12, 5, 4, tzinfo=dt.UTC)),
        ("2026-07-01", dt.datetime(2026, 6, 30, 22, tzinfo=dt.UTC)),
        ("26/09/2015 14h05", dt.datetime(2015, 9, 26, 12, 5, tzinfo=dt.UTC)),
        ("2026-01-01T00:00:00Z", dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
    ],
)
def test_dates_are_read_as_iso_or_as_the_french_write_them(text, instant):
    assert parse_instant(text) == instant


@pytest.mark.parametrize("text", ["hier", "31/02/2020", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(RejectedError, match="n’est pas une date"):
        parse_instant(text)


def test_an_empty_identifier_is_refused_and_none_at_all_is_made_from_the_row():
    assert reason(PROPOSALS, texte="t") == "L’identifiant est vide (colonne « id »)."
    first, again = (record(ARGUMENTS, p="1", sens="Pour", texte="t").ref for _ in range(2))
    assert first == again != record(ARGUMENTS, p="1", sens="Pour", texte="u").ref


def test_an_argument_is_for_or_against():
    assert record(ARGUMENTS, p="1", sens="CONTRE", texte="t").side == "against"
    assert "n’est pas un sens" in reason(ARGUMENTS, p="1", sens="bof", texte="t")


def test_a_wide_row_gives_its_answers_and_leaves_missing_ones_out():
    found = record(WIDE, id="1", a="1", b="x; y;x;", c="?")
    assert [(answer.question, answer.values) for answer in found.answers] == [("a", ("Oui",)), ("b", ("x", "y"))]
    assert record(WIDE, id="1", b=["u", "?", "v"]).answers[0].values == ("u", "v")


def test_a_long_answer_is_kept_whole():
    assert len(record(WIDE, id="1", c="é" * 64_537).answers[0].values[0]) == 64_537


def test_the_raw_row_kept_beside_a_refusal_is_shortened():
    assert len(sample(Row(1, {"a": "x" * 100_000, "b": ["y" * 100_000]}))) == 2000


@pytest.mark.parametrize("title", ["x" * 500, "mot " * 100, "\n\n court \n"])
def test_titles_fit_on_one_line(title):
    assert 0 < len(shorten(title)) <= 200
    assert "\n" not in shorten(title)
