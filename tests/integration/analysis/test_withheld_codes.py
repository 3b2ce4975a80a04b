"""A code under its threshold is withheld or marked, by one rule, wherever codes are shown."""

import csv
import json

import pytest
from openpyxl import load_workbook

from analysis.__main__ import main
from tests.unit.analysis.test_classifier import answers

pytestmark = pytest.mark.slow  # many pages and processes: `make check` leaves it to `make test`

PLAN = """
title: Plan
version: "1"
codes:
  - {id: deplacements, label: Déplacements}
  - id: vélo
    label: Vélo
    parent: deplacements
    patterns: ['vélo OU bicyclette', '"piste cyclable"']
    positive_examples: ['le vélo']
  - {id: train, label: Train, parent: deplacements, patterns: ['commune OU train'], positive_examples: ['le train']}
  - {id: impôt, label: Impôt, patterns: ['impôt OU taxe'], positive_examples: ['la taxe']}
  - {id: jamais, label: Jamais, patterns: ['zyglotron'], positive_examples: ['un zyglotron']}
"""
VERDICTS = {"vélo": "published", "train": "withheld", "impôt": "marked"}
PARTS = ("set_apart", "nonresponse", "undecidable", "coded", "no_code")


@pytest.fixture(scope="module")
def place(tmp_path_factory, lemma_cache):
    """Answers coded by a plan and by people, and the measure of the plan: `train` finds what is not about trains."""
    folder = tmp_path_factory.mktemp("withheld")
    texts, coded = answers(300, 5)
    ids = [f"c{rank}" for rank in range(300)]
    with (folder / "avis.csv").open("w", encoding="utf-8", newline="") as file:
        regions = [("nord", "sud")[rank % 2] for rank in range(300)]
        csv.writer(file).writerows([["id", "text", "region"], *zip(ids, texts, regions, strict=True)])
    with (folder / "people.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [(unit, code, "final") for unit, codes in zip(ids, coded, strict=True) for code in codes or {""}]
        csv.writer(file).writerows([["id", "code", "coder"], *rows])
    (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        cache = ["--cache", str(lemma_cache)]
        assert main(["code", "avis.csv", "--codebook", "plan.yaml", "--out", "codes.ndjson", *cache]) == 0
        sample = ["sample", "avis.csv", "--codes", "codes.ndjson", "--codebook", "plan.yaml", "--per-stratum", "300"]
        assert main([*sample, "--sheet", "sheet.csv", "--key", "key.json"]) == 0
        assert main(["quality", "key.json", "--coded", "people.csv", "--recall", "0.6", "--out", "quality.json"]) == 0
    return folder


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_measure_says_which_corpus_and_which_plan_it_is_of(place):
    found = json.loads((place / "quality.json").read_text(encoding="utf-8"))
    assert {code["code"]: code["verdict"] for code in found["codes"]} == VERDICTS
    assert found["corpus"] == "avis"
    assert len(found["codebook"]) == 64


@pytest.fixture(scope="module")
def report(place, lemma_cache, tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "out"
    line = ["report", str(place / "avis.csv"), "--codebook", str(place / "plan.yaml"), "--out", str(out)]
    assert main([*line, "--quality", str(place / "quality.json"), "--cache", str(lemma_cache)]) == 0
    return out


def test_a_report_names_withheld_codes_and_counts_none_of_them(place, report):
    everything = {row["contribution"] for row in rows(place / "codes.ndjson") if row["code"] == "train"}
    (corpus,) = json.loads((report / "results.json").read_text(encoding="utf-8"))["corpora"]
    codes = {code["code"]: code for code in corpus["codes"]}
    assert {code: row["verdict"] for code, row in codes.items()} == VERDICTS | {
        "deplacements": "marked",
        "jamais": "withheld",
    }
    for code in ("train", "jamais"):
        figures = ("total", "direct", "without", "share", "page")
        assert [codes[code][key] for key in figures] == [None] * 5
        assert codes[code]["contributions"] == []
    assert "précision 0," in codes["train"]["reason"]
    assert "jamais été mesurée" in codes["jamais"]["reason"]
    assert "sous-codes retenus\u00a0: Train" in codes["deplacements"]["reason"]
    assert codes["deplacements"]["contributions"] == codes["vélo"]["contributions"], "those of the withheld one are not"
    assert codes["vélo"]["total"] > 50
    alone = set(corpus["withheld"])
    assert alone
    assert alone == everything - {unit for code in codes.values() for unit in code["contributions"]}
    rec = corpus["reconciliation"]
    assert rec["undecidable"] == len(alone)
    assert sum(rec[part] for part in PARTS) == rec["received"] == 300
    assert sum(row["count"] for row in corpus["reconciliation_rows"]) == 300
    assert not alone & set(corpus["uncoded"]), "people must read them: they are not without code"


def test_no_file_of_a_report_counts_a_withheld_code_and_marked_ones_are_marked(report):
    assert {row["code"] for row in rows(report / "assignments.ndjson")} == {"vélo", "impôt"}
    (corpus,) = json.loads((report / "results.json").read_text(encoding="utf-8"))["corpora"]
    crossed = [row for table in corpus["cross"] for row in table["rows"]]
    assert crossed == ["Déplacements (à lire avec prudence)", "Vélo", "Impôt (à lire avec prudence)"]
    page = (report / "report.html").read_text(encoding="utf-8")
    assert "1 code publiable, 2 à lire avec prudence, 2 retenus" in page
    assert "Indécidable – tous leurs codes sont retenus" in page
    titles = [path.read_text(encoding="utf-8") for path in report.glob("contributions/**/code-*.html")]
    assert len(titles) == 3
    assert not any("«\u202fTrain" in title for title in titles)
    assert len(list(report.glob("contributions/**/codes-retenus.html"))) == 1
    book = load_workbook(report / "report.xlsx")
    lines = {row[0]: row for row in book["C1 codes"].iter_rows(min_row=3, values_only=True)}
    assert lines["Train"][3:7] == (None, None, None, None)
    assert lines["Train"][7].startswith("Retenu")
    assert lines["Vélo"][3] > 50
    assert "train" not in {row[2] for row in book["Attributions"].iter_rows(values_only=True)}


def test_a_report_is_verified_with_the_measure_it_keeps(place, report, lemma_cache):
    assert (report / "quality" / "quality.json").read_bytes() == (place / "quality.json").read_bytes()
    assert main(["verify", str(report), "--dump", str(place / "avis.csv"), "--cache", str(lemma_cache)]) == 0


def test_the_lexicon_and_the_codes_obey_too(place, report, lemma_cache, tmp_path, capsys):
    common = ["--codebook", str(place / "plan.yaml"), "--quality", str(place / "quality.json")]
    line = ["lexicon", str(place / "avis.csv"), "--out", str(tmp_path / "out"), "--classes", "2", *common]
    assert main([*line, "--cache", str(lemma_cache)]) == 0
    (corpus,) = json.loads((tmp_path / "out" / "lexicon.json").read_text(encoding="utf-8"))["corpora"]
    codes = {code["code"]: code for code in corpus["codes"]}
    assert [codes["train"][key] for key in ("count", "without", "verdict")] == [None, None, "withheld"]
    assert codes["vélo"]["count"] > 50
    assert {row["code"] for row in rows(tmp_path / "out" / "codes.ndjson")} == {"vélo", "impôt"}
    (told,) = json.loads((report / "results.json").read_text(encoding="utf-8"))["corpora"]
    assert corpus["reconciliation"] == told["reconciliation"]
    assert main(["verify", str(tmp_path / "out"), "--dump", str(place / "avis.csv"), "--cache", str(lemma_cache)]) == 0
    capsys.readouterr()
    line = ["code", str(place / "avis.csv"), "--out", str(tmp_path / "codes.ndjson"), *common]
    assert main([*line, "--cache", str(lemma_cache)]) == 0
    assert "Code «\u202ftrain\u202f»\u00a0: Retenu" in capsys.readouterr().out
    assert (tmp_path / "codes.ndjson").read_bytes() == (report / "assignments.ndjson").read_bytes()
    manifest = json.loads((tmp_path / "codes.ndjson.manifest.json").read_text(encoding="utf-8"))
    assert manifest["summary"]["codes"]["avis"]["train"]["verdict"] == "withheld"
    assert manifest["summary"]["reconciliation"]["avis"] == told["reconciliation"]
    verify = ["verify", str(tmp_path / "codes.ndjson"), "--beside", str(place), "--cache", str(lemma_cache)]
    assert main(verify) == 0


def test_suggestions_of_a_withheld_code_are_left_to_a_person(place, tmp_path, capsys):
    head = (place / "people.csv").read_text(encoding="utf-8").splitlines()[:200]
    (tmp_path / "coded.csv").write_text("\n".join(head) + "\n", encoding="utf-8")
    line = ["classify", str(place / "avis.csv"), "--coded", str(tmp_path / "coded.csv")]
    line += ["--codebook", str(place / "plan.yaml"), "--out", str(tmp_path / "out.ndjson")]
    found = {}
    for name, more in (("before", []), ("after", ["--quality", str(place / "quality.json")])):
        assert main([*line, *more]) == 0
        manifest = json.loads((tmp_path / "out.ndjson.manifest.json").read_text(encoding="utf-8"))
        found[name] = manifest["summary"]["counts"], rows(tmp_path / "out.ndjson")
    before, after = found["before"][0], found["after"][0]
    assert before["human"] == after["human"]
    assert sum(before.values()) == sum(after.values()) == 300
    assert after["to_read"] > before["to_read"]
    assert {row["origin"] for row in found["after"][1] if row["code"] == "train"} == {"human"}
    assert {row["origin"] for row in found["before"][1] if row["code"] == "train"} > {"human"}
    assert "Code «\u202ftrain\u202f»\u00a0: Retenu" in capsys.readouterr().out


def test_codes_are_tabulated_without_those_withheld(place, report, tmp_path):
    out = tmp_path / "tables.json"
    line = ["tabulate", str(place / "avis.csv"), "--codes", str(place / "codes.ndjson"), "--out", str(out)]
    line += ["--codebook", str(place / "plan.yaml"), "--quality", str(place / "quality.json")]
    assert main(line) == 0
    codes, region = json.loads(out.read_text(encoding="utf-8"))
    assert (codes["key"], codes["base"], region["key"]) == ("codes", 300, "region")
    counts = {row["label"]: row["count"] for row in codes["rows"]}
    (told,) = json.loads((report / "results.json").read_text(encoding="utf-8"))["corpora"]
    totals = {code["label"]: code["total"] for code in told["codes"]}
    assert counts == {
        "Déplacements (à lire avec prudence)": totals["Déplacements"],
        "Vélo": totals["Vélo"],
        "Impôt (à lire avec prudence)": totals["Impôt"],
        "Aucun code": told["reconciliation"]["no_code"],
        "Indécidables": told["reconciliation"]["undecidable"],
    }
    assert codes["standings"]["train"]["verdict"] == "withheld"
    assert codes["reconciliation"] == told["reconciliation"]
    assert main([*line, "--cross", "codes", "region"]) == 0
    (table,) = json.loads(out.read_text(encoding="utf-8"))
    assert table["rows"] == list(counts)
    assert (table["base"], table["row_totals"]) == (300, list(counts.values()))
    assert main(["verify", str(out), "--beside", str(place)]) == 0


def test_a_revision_says_how_good_each_code_was(place, tmp_path):
    (tmp_path / "plan2.yaml").write_text(PLAN.replace("commune OU train", "train"), encoding="utf-8")
    line = [
        "codebook",
        "diff",
        str(place / "plan.yaml"),
        str(tmp_path / "plan2.yaml"),
        "--dump",
        str(place / "avis.csv"),
    ]
    assert main([*line, "--quality", str(place / "quality.json"), "--out", str(tmp_path / "diff.json")]) == 0
    found = json.loads((tmp_path / "diff.json").read_text(encoding="utf-8"))
    assert found["standings"]["train"]["verdict"] == "withheld"


def test_without_a_measure_every_code_says_so(place, lemma_cache, tmp_path):
    line = ["report", str(place / "avis.csv"), "--codebook", str(place / "plan.yaml"), "--out", str(tmp_path / "out")]
    assert main([*line, "--cache", str(lemma_cache)]) == 0
    (corpus,) = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))["corpora"]
    assert {code["verdict"] for code in corpus["codes"]} == {"unmeasured"}
    assert all(code["total"] is not None for code in corpus["codes"])
    assert "Qualité non mesurée" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{}", "n’a pas été écrit par «\u202fquality\u202f»"),
        ('{"corpus": "avis", "codebook": null, "codes": []}', "ne mesure pas ce plan de codification"),
        (
            '{"corpus": "avis", "codebook": null, "codes": [{"code": "a", "verdict": "ok", "reason": ""}]}',
            "le verdict «\u202fok\u202f» n’existe pas",
        ),
    ],
)
def test_a_measure_of_something_else_is_refused(place, lemma_cache, tmp_path, capsys, content, words):
    (tmp_path / "quality.json").write_text(content, encoding="utf-8")
    line = ["code", str(place / "avis.csv"), "--codebook", str(place / "plan.yaml"), "--cache", str(lemma_cache)]
    assert main([*line, "--quality", str(tmp_path / "quality.json"), "--out", str(tmp_path / "codes.ndjson")]) == 1
    assert words in capsys.readouterr().err


def test_a_folder_of_measures_holds_one_a_corpus(place, lemma_cache, tmp_path, capsys):
    folder = tmp_path / "measures"
    folder.mkdir()
    line = ["code", str(place / "avis.csv"), "--codebook", str(place / "plan.yaml"), "--cache", str(lemma_cache)]
    line += ["--quality", str(folder), "--out", str(tmp_path / "codes.ndjson")]
    assert main(line) == 1
    assert "ne contient aucun fichier écrit par" in capsys.readouterr().err
    for name in ("one.json", "two.json"):
        (folder / name).write_bytes((place / "quality.json").read_bytes())
    (folder / "one.json.manifest.json").write_text("{}", encoding="utf-8")
    assert main(line) == 1
    assert "«\u202fone.json\u202f» et «\u202ftwo.json\u202f» portent sur le même corpus" in capsys.readouterr().err
    (folder / "two.json").unlink()
    assert main(line) == 0


def test_a_sample_is_drawn_from_the_codes_of_its_corpus_and_its_plan(small_dump, plan, lemma_cache, tmp_path, capsys):
    """Answers to two questions of one reply have the same identifier."""
    line = ["code", str(small_dump), "--codebook", str(plan), "--out", str(tmp_path / "codes.ndjson")]
    assert main([*line, "--cache", str(lemma_cache)]) == 0
    given = rows(tmp_path / "codes.ndjson")
    other = [{**row, "corpus": "s2:q9", "code": "elsewhere"} for row in given if row["corpus"] == "s2:q3"]
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in (*given, *other))
    (tmp_path / "codes.ndjson").write_text(content, encoding="utf-8")
    line = ["sample", str(small_dump), "--corpus", "s2:q3", "--codes", str(tmp_path / "codes.ndjson")]
    line += ["--sheet", str(tmp_path / "sheet.csv"), "--key", str(tmp_path / "key.json")]
    assert main([*line, "--codebook", str(plan)]) == 0
    key = json.loads((tmp_path / "key.json").read_text(encoding="utf-8"))
    assert set(key["sizes"]) == {row["code"] for row in given if row["corpus"] == "s2:q3"}
    changed = tmp_path / "plan.yaml"
    changed.write_text(plan.read_text(encoding="utf-8").replace("'vélo'", "'bicyclette'"), encoding="utf-8")
    capsys.readouterr()
    assert main([*line, "--codebook", str(changed)]) == 1
    assert "ce plan ne donne pas ainsi le code «\u202fvelo\u202f»" in capsys.readouterr().err
