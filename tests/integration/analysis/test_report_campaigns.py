"""Campaigns in the report: told, listed and linked, and every figure that copies swell given without them too."""

import csv
import json

import openpyxl
import pytest

from analysis.__main__ import main
from analysis.report import run
from tests.integration.analysis.test_report import Page
from tests.unit.analysis.lexical.conftest import planted

LETTER = "Nous demandons toutes et tous la gratuité des transports publics pour les habitants de la région"
PLAN = """
version: "1"
codes:
  - {id: mobilité, label: Mobilité}
  - {id: vélo, label: Vélo, parent: mobilité, patterns: ['vélo'], positive_examples: ['le vélo']}
  - {id: transports, label: Transports, parent: mobilité, patterns: ['transport'], positive_examples: ['transport']}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, lemma_cache):
    """Two reports: of 150 texts and eight copies of a letter, and of the same with the letter once."""
    place = tmp_path_factory.mktemp("campaigns")
    texts, themes = planted(150)
    sides = [("est", "ouest", "nord")[theme] for theme in themes]
    rows = [(f"c{rank}", *row, "", "") for rank, row in enumerate(zip(texts, sides, strict=True))]
    rows += [(f"l{rank}", LETTER, "est", f"a{rank % 4}", f"2026-03-0{1 + rank}") for rank in range(8)]
    (place / "plan.yaml").write_text(PLAN, encoding="utf-8")
    for name, given in (("all", rows), ("once", rows[:151])):
        with (place / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["id", "text", "side", "author", "date"], *given])
        run(place / f"{name}.csv", place / "plan.yaml", place / name, cache=lemma_cache)
    return place


def corpus(folder, name):
    return json.loads((folder / name / "results.json").read_text(encoding="utf-8"))["corpora"][0]


@pytest.mark.slow
def test_the_register_leads_to_the_contributions_and_holds_none_of_their_words(folder):
    found = corpus(folder, "all")["campaigns"]
    assert found == {
        "billable_without": 151,
        "register": [
            {
                "authors": 4, "first": "2026-03-01", "last": "2026-03-08", "kinds": ["exact"], "size": 8,
                "single_author": False, "wordings": 1, "model": "l0", "contributions": [f"l{n}" for n in range(8)],
            }
        ],
    }  # fmt: skip
    assert "Nous demandons toutes" not in (folder / "all" / "results.json").read_text(encoding="utf-8")
    page = (folder / "all" / "report.html").read_text(encoding="utf-8")
    assert "Nous demandons toutes" not in page
    parsed = Page()
    parsed.feed(page)
    (link,) = [link for link in parsed.links if "campagne-" in link]
    assert (folder / "all" / link).read_text(encoding="utf-8").count(LETTER) == 8
    assert "2026-03-01 – 2026-03-08" in page


def test_figures_without_campaigns_are_those_of_a_corpus_where_each_letter_stands_once(folder):
    found, once = corpus(folder, "all"), corpus(folder, "once")
    codes = {code["code"]: code for code in found["codes"]}
    assert (codes["transports"]["total"], codes["transports"]["without"]) == (8, 1)
    assert {name: code["without"] for name, code in codes.items()} == {c["code"]: c["total"] for c in once["codes"]}
    lemmas = {item["lemma"]: item for item in found["lemmas"]}
    for item in once["lemmas"]:
        assert lemmas[item["lemma"]]["count_without"] == item["count"] == item["count_without"]
        assert lemmas[item["lemma"]]["texts_without"] == item["texts"]
    specific = {item["variable"]: item for item in found["specificities"]}["side"]
    alone = {item["variable"]: item for item in once["specificities"]}["side"]
    expected = {(c["category"], item["lemma"]): item for c in alone["categories"] for item in c["over"]}
    compared = 0
    for category in specific["categories"]:
        for item in category["over"]:
            match = expected.get((category["category"], item["lemma"]))
            if match:
                compared += 1
                assert item["without"] == {name: match[name] for name in item["without"]}
    assert compared > 5


def test_the_workbook_holds_the_register_and_the_figures_without(folder):
    book = openpyxl.load_workbook(folder / "all" / "report.xlsx", read_only=True)
    rows = list(book["C1 rapprochement"].iter_rows(values_only=True))
    at = next(rank for rank, row in enumerate(rows) if row[0] == "Campagne")
    assert rows[at + 1][:6] == (1, 8, 1, "4", "2026-03-01 – 2026-03-08", "copies")
    codes = {row[1]: row for row in book["C1 codes"].iter_rows(values_only=True) if len(row) > 6}
    assert (codes["mobilité"][4] - codes["mobilité"][6], codes["transports"][6]) == (7, 1)


def test_a_corpus_without_campaign_says_nothing_of_them(folder):
    assert corpus(folder, "once")["campaigns"] == {"billable_without": 151, "register": []}
    assert "<h3>Campagnes</h3>" not in (folder / "once" / "report.html").read_text(encoding="utf-8")


def test_cross_tables_are_given_without_campaigns_as_if_the_letter_stood_once(folder):
    tables, once = (corpus(folder, name)["cross"] for name in ("all", "once"))
    assert tables
    for table, expected in zip(tables, once, strict=True):
        without = table.pop("without")
        assert table["base"] - without["base"] == 7
        assert expected.pop("without") == expected
        place = [without["columns"].index(column) for column in expected["columns"]]
        assert [[row[column] for column in place] for row in without["counts"]] == expected["counts"]
        assert {name: without[name] for name in ("rows", "row_totals", "base", "left_out", "chi_square")} == {
            name: expected[name] for name in ("rows", "row_totals", "base", "left_out", "chi_square")
        }
    page = (folder / "all" / "report.html").read_text(encoding="utf-8")
    assert page.count(", hors campagnes</h4>") == len(tables)
    assert ", hors campagnes</h4>" not in (folder / "once" / "report.html").read_text(encoding="utf-8")
    sheet = openpyxl.load_workbook(folder / "all" / "report.xlsx", read_only=True)["C1 tableaux"]
    lines = [str(row[0]) for row in sheet.iter_rows(values_only=True) if row and row[0]]
    assert sum(line.endswith(", hors campagnes") for line in lines) == len(tables)


def test_tables_of_a_command_are_given_without_campaigns_too(folder, tmp_path):
    found = {}
    for name in ("all", "once"):
        line = ["tabulate", str(folder / f"{name}.csv"), "--out", str(tmp_path / f"{name}.json")]
        assert main(line) == 0
        found[name] = {table["key"]: table for table in json.loads((tmp_path / f"{name}.json").read_text("utf-8"))}
    assert found["all"]["side"]["base"] - found["all"]["side"]["without"]["base"] == 7
    for figure in ("base", "answered", "rows"):
        assert found["all"]["side"]["without"][figure] == found["once"]["side"][figure]


def test_a_report_tells_how_far_its_long_parts_are(folder, tmp_path):
    told = []
    run(folder / "all.csv", folder / "plan.yaml", tmp_path / "out", progress=lambda *step: told.append(step))
    steps = [done for done, total, _ in told]
    assert steps == sorted(steps)
    assert told[-1][0] == told[-1][1]
    for words in ("lecture en contexte, ", "doublons de ", "motifs de ", "mots de "):
        assert any(label.startswith(words) and " sur " in label for *_, label in told), words
