import csv
import json
import re
import shutil
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from openpyxl import load_workbook

from analysis import provenance
from analysis.coding.codebook import load
from analysis.errors import AnalysisError
from analysis.report import run, verify
from tests.integration.analysis.conftest import contribution, step, write_dump

pytestmark = pytest.mark.slow  # many pages and processes: `make check` leaves it to `make test`


@pytest.fixture(scope="module")
def made(small_dump, plan, lemma_cache, tmp_path_factory):
    return run(small_dump, plan, tmp_path_factory.mktemp("made") / "out", seed=4, cache=lemma_cache)


@pytest.fixture(scope="module")
def found(made):
    return json.loads(made.results.read_text(encoding="utf-8"))


def test_everything_received_is_accounted_for(found):
    """AT-U4.6: every contribution is coded, without code, undecidable, no answer, or set apart."""
    proposals = found["corpora"][0]["reconciliation"]
    assert proposals == {
        "received": 12, "set_apart": 3, "nonresponse": 1, "undecidable": 1, "coded": 5, "no_code": 2, "billable": 8,
    }  # fmt: skip
    answers = found["corpora"][2]["reconciliation"]
    assert (answers["received"], answers["nonresponse"], answers["coded"], answers["no_code"]) == (30, 1, 15, 14)
    assert found["billable"] == sum(corpus["reconciliation"]["billable"] for corpus in found["corpora"])
    rows = found["corpora"][0]["reconciliation_rows"]
    assert sum(row["count"] for row in rows) == 12


def test_codes_lead_to_their_contributions(found, made):
    codes = {code["code"]: code for code in found["corpora"][0]["codes"]}
    assert codes["velo"]["contributions"] == ["p000", "p002"]
    assert codes["commun"]["contributions"] == ["p001"]
    assert codes["taxes"]["contributions"] == ["p002", "p003", "p004"]
    assert codes["mobilite"]["contributions"] == ["p000", "p001", "p002"]
    assert (codes["mobilite"]["direct"], codes["mobilite"]["total"], codes["mobilite"]["base"]) == (0, 3, 8)
    assert codes["mobilite"]["share"] == 37.5
    page = (made.out / codes["velo"]["page"]).read_text(encoding="utf-8")
    assert re.findall(r'id="c-(p\d+)"', page) == ["p000", "p002"]
    rows = [json.loads(line) for line in made.assignments.read_text(encoding="utf-8").splitlines()]
    first = next(row for row in rows if row["contribution"] == "p002" and row["code"] == "taxes")
    assert (first["pattern"], first["words"]) == ("NIE(taxer)", ""), "a word of one text"
    assert found["codebook"]["failed_examples"] == []


def test_words_and_specificities_carry_their_numbers(found):
    lemmas = {item["lemma"]: item for item in found["corpora"][2]["lemmas"]}
    assert (lemmas["vélo"]["count"], lemmas["vélo"]["texts"]) == (15, 15)
    (by_answer, _) = found["corpora"][2]["specificities"]
    yes = next(item for item in by_answer["categories"] if item["category"] == "Oui")
    bike = next(item for item in yes["over"] if item["lemma"] == "vélo")
    assert (bike["f"], bike["total_f"], bike["significant"]) == (15, 15, True)
    assert found["corpora"][2]["words"]["tokens"] == 15 * 8 + 14 * 7


def test_tables_hold_bases_and_tests(found):
    (questionnaire,) = found["questionnaires"]
    agree, transports = questionnaire["flat"]
    assert (agree["base"], agree["answered"], agree["nonresponse"]) == (40, 39, 1)
    assert transports["rows"][0]["of_respondents"] == 50.0
    (cross,) = questionnaire["cross"]
    assert (cross["base"], cross["left_out"], cross["chi_square"]) == (39, 1, None)
    assert "non autorisée" in questionnaire["notices"][0]


def published(folder):
    """All that the files of a run say, but the codebook and the lists of whole texts, which it does not keep."""
    texts = []
    for path in folder.rglob("*"):
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                texts += [book.read(name).decode() for name in book.namelist()]
        elif path.is_file() and "contributions" not in path.parts and path.suffix != ".yaml":
            texts.append(path.read_text(encoding="utf-8"))
    return "\n".join(texts)


def test_a_word_of_one_or_two_texts_is_in_no_file(lemma_cache, tmp_path):
    """Published, it would outlive the text that alone held it, once that text is hidden or erased."""
    rare = ("zyglofarine", "zyglotrope", "metallurgie", "métallurgie", "pistse", "brumeval")
    texts = ["Le tramway passe par les pistes cyclables."] * 2 + [
        "Le tramway, encore le tramway : zyglofarine zyglofarine zyglofarine zyglofarine zyglofarine.",
        "Les pistes et la metallurgie, zyglotrope.",
        "Des pistse cyclables pour zyglotrope.",
        "Le tramway de Brumeval, les pistes de Brumeval.",
    ]
    plan = tmp_path / "plan.yaml"
    code = '{id: x, label: X, patterns: ["zyglo*", "tramway", "cyclable"], positive_examples: ["tramway"]}'
    plan.write_text(f'version: "1"\ncodes: [{code}]\n', encoding="utf-8")
    dump = write_dump(
        tmp_path / "dump",
        steps=[step("s1", "proposals", "Propositions", 1)],
        themes=[{"id": f"t{n}", "step": "s1", "title": f"Thème {n}", "position": n} for n in (1, 2)],
        contributions=[contribution(n, text, theme=f"t{n % 2 + 1}") for n, text in enumerate(texts)],
    )
    made = run(dump, plan, tmp_path / "out", cache=lemma_cache)
    everything = published(made.out).lower()
    assert [word for word in rare if word in everything] == []
    (corpus,) = json.loads(made.results.read_text(encoding="utf-8"))["corpora"]
    lemmas = {item["lemma"]: item["texts"] for item in corpus["lemmas"]}
    assert lemmas["tramway"] == 4, "a word of three texts or more is published"
    assert corpus["words"]["hapaxes"] > 0, "the rare ones are counted"
    rows = [json.loads(line) for line in made.assignments.read_text(encoding="utf-8").splitlines()]
    words = {row["contribution"]: row["words"] for row in rows}
    assert words == {"p000": "tramway", "p001": "tramway", "p002": "", "p003": "", "p004": "", "p005": "tramway"}


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links, self.ids, self.images = [], [], set(), []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append(tag)
        if "id" in values:
            self.ids.add(values["id"])
        if tag == "a":
            self.links.append(values["href"])
        if tag == "img":
            self.images.append(values)


def test_page_stands_alone_and_every_link_leads_somewhere(made):
    text = made.report.read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert text.startswith('<!DOCTYPE html>\n<html lang="fr">')
    assert "script" not in page.tags
    assert "link" not in page.tags
    assert all(image["src"].startswith("data:image/svg+xml") and image["alt"] for image in page.images)
    assert page.images
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        elif not link.startswith("https://exemple.fr/"):
            assert (made.out / link).is_file(), link
    assert "non représentatifs de la population" in text
    assert page.tags.count("h1") == 1


def test_citizens_words_are_shown_as_text(made):
    pages = [path.read_text(encoding="utf-8") for path in made.out.glob("contributions/**/*.html")]
    assert any("&lt;b&gt;anciens&lt;/b&gt;" in page for page in pages)
    assert not any("<b>anciens" in page for page in pages)


def test_unapproved_codebook_is_marked_and_approved_one_is_not(made, small_dump, plan, lemma_cache, tmp_path):
    """AT-U4.4: nothing is publishable until both have approved."""
    assert not made.publishable
    assert "Ne pas publier" in made.report.read_text(encoding="utf-8")
    raw = yaml.safe_load(plan.read_text(encoding="utf-8"))
    digest = load(plan).digest
    raw["approvals"] = [
        {"role": r, "by": "X", "on": "2026-03-02", "digest": digest} for r in ("ditp", "administration")
    ]
    approved = tmp_path / "plan.yaml"
    approved.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    again = run(small_dump, approved, tmp_path / "out", seed=4, cache=lemma_cache)
    assert again.publishable
    assert "Ne pas publier" not in again.report.read_text(encoding="utf-8")


def test_workbook_has_contents_bases_and_no_formula(made):
    book = load_workbook(made.workbook)
    assert book.sheetnames[0] == "Sommaire"
    linked = {cell.value for cell in book["Sommaire"]["A"] if cell.hyperlink}
    assert linked == set(book.sheetnames) - {"Sommaire"}
    assert book["C1 mots"].freeze_panes == "B3"
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert not any(cell.data_type == "f" for cell in cells)
    values = {cell.value for cell in cells}
    assert "Total reçu" in values
    assert any("non représentatifs" in str(value) for value in values)
    rows = list(book["Attributions"].iter_rows(min_row=3, values_only=True))
    assert ("p002", "s1", "taxes", "NIE(taxer)", "") in rows, "a word of one text is left out"


@pytest.mark.slow
def test_two_runs_make_the_same_bytes_with_or_without_cache(made, small_dump, plan, tmp_path):
    again = run(small_dump, plan, tmp_path / "again", seed=4)
    assert provenance.outputs(again.out) == provenance.outputs(made.out)
    assert again.manifest.read_bytes() == made.manifest.read_bytes()


@pytest.mark.slow
def test_verify_replays_and_names_the_first_file_that_differs(made, small_dump, lemma_cache, tmp_path):
    verify(made.out, small_dump, cache=lemma_cache)
    copy = tmp_path / "copy"
    shutil.copytree(made.out, copy)
    with (copy / "results.json").open("a", encoding="utf-8") as file:
        file.write(" ")
    with pytest.raises(AnalysisError, match=r"« results\.json » n’est plus celui que décrit le manifeste"):
        verify(copy, small_dump, cache=lemma_cache)


@pytest.mark.slow
def test_verify_sees_a_result_forged_with_its_manifest(made, small_dump, lemma_cache, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(made.out, copy)
    path = copy / "results.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"coded": 5', '"coded": 6'), encoding="utf-8")
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    manifest["outputs"]["results.json"] = provenance.file_digest(path)
    (copy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(AnalysisError, match=r"« results\.json » diffère de celui d’une nouvelle exécution"):
        verify(copy, small_dump, cache=lemma_cache)


def test_verify_refuses_another_dump(made, lemma_cache, tmp_path):
    other = write_dump(
        tmp_path / "other", steps=[step("s1", "proposals", "P", 1)], contributions=[contribution(1, "Vélo", theme=None)]
    )
    with pytest.raises(AnalysisError, match="n’est pas le jeu de données analysé"):
        verify(made.out, other, cache=lemma_cache)


@pytest.mark.slow
def test_result_directory_replaces_a_result_but_nothing_else(small_dump, plan, lemma_cache, tmp_path):
    out = tmp_path / "precious"
    out.mkdir()
    (out / "note.txt").write_text("à garder", encoding="utf-8")
    with pytest.raises(AnalysisError, match="choisissez un autre dossier"):
        run(small_dump, plan, out, cache=lemma_cache)
    assert [path.name for path in out.iterdir()] == ["note.txt"]
    run(small_dump, plan, tmp_path / "out", cache=lemma_cache)
    run(small_dump, None, tmp_path / "out", cache=lemma_cache)
    assert not (tmp_path / "out" / "codebook.yaml").exists()


@pytest.mark.slow
def test_progress_is_told_to_the_end(small_dump, plan, lemma_cache, tmp_path):
    told = []
    run(small_dump, plan, tmp_path / "out", cache=lemma_cache, progress=lambda *step: told.append(step))
    steps = told[0][1]
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert {done for done, _, _ in told} == set(range(steps + 1))
    assert told[-1][0] == steps
    assert all(label for _, _, label in told)


AWKWARD = {
    "no contribution at all": [],
    "one contribution": ["Des trains"],
    "one word": ["vélo"],
    "only duplicates": ["Baisser la TVA"] * 50,
    "only emojis": ["😀", "👍🏽", "🤷‍♂️"],
    "only non-responses": ["NSP", "", "RAS"],
    "64,537 characters": ["une phrase ordinaire, " * 2934],
    "other languages": ["I want more trains", "Ich möchte mehr Züge", "نريد المزيد", "我们想要更多火车"],
    "control characters": ["a\x00b\x0bc \ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "vélo\u202e"],
    "dollars and markup": ["$x_1$ & <script>alert(1)</script>", "{{ 7 * 7 }}"],
}


@pytest.mark.parametrize("texts", AWKWARD.values(), ids=AWKWARD.keys())
def test_awkward_corpora_get_a_correct_report(texts, plan, lemma_cache, tmp_path):
    dump = write_dump(
        tmp_path / "dump",
        steps=[step("s1", "proposals", "Propositions", 1)],
        contributions=[contribution(n, text, theme=None) for n, text in enumerate(texts)],
    )
    made = run(dump, plan, tmp_path / "out", cache=lemma_cache)
    (corpus,) = json.loads(made.results.read_text(encoding="utf-8"))["corpora"]
    assert corpus["reconciliation"]["received"] == len(texts)
    load_workbook(made.workbook)
    assert "<script>" not in made.report.read_text(encoding="utf-8")


def test_pattern_that_matches_everything_is_told(lemma_cache, tmp_path):
    wide = tmp_path / "plan.yaml"
    wide.write_text(
        'version: "1"\ncodes: [{id: x, label: Tout, patterns: ["le OU de"], positive_examples: [le]}]\n',
        encoding="utf-8",
    )
    path = tmp_path / "avis.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "text"], *[[n, f"le train de {n} heures"] for n in range(30)]])
    made = run(path, wide, tmp_path / "out", cache=lemma_cache)
    (corpus,) = json.loads(made.results.read_text(encoding="utf-8"))["corpora"]
    assert corpus["codes"][0]["total"] == 30
    assert "trop large" in corpus["notices"][0]
    assert Path(made.report).exists()
