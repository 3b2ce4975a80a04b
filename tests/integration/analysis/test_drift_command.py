"""`drift` on files: two versions of a plan, two dates, what people coded; every contribution accounted for."""

import csv
import json

import pytest

from analysis.__main__ import main

PLAN = """
title: Plan
version: "{version}"
codes:
  - {{id: vélo, label: Vélo, patterns: ['{velo}'], positive_examples: ['le vélo']}}
  - {{id: train, label: Train, patterns: ['train'], positive_examples: ['le train']}}
"""
TEXTS = ["Le vélo en ville", "Une bicyclette", "Le train du soir", "Des routes", "RAS", "voir ci-dessus"]


def write_csv(path, header, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture(scope="module")
def place(tmp_path_factory, lemma_cache):
    folder = tmp_path_factory.mktemp("drift")
    later = [*TEXTS, "Encore du vélo"]
    for name, texts in (("avis.csv", TEXTS), ("plus_tard.csv", later)):
        write_csv(folder / name, ["id", "text"], [(f"c{rank}", text) for rank, text in enumerate(texts)])
    for number, velo in (("1", "vélo"), ("2", "vélo OU bicyclette")):
        (folder / f"plan{number}.yaml").write_text(PLAN.format(version=number, velo=velo), encoding="utf-8")
    write_csv(
        folder / "people.csv", ["id", "code", "coder"], [("c0", "vélo", "a"), ("c3", "", "a"), ("zz", "vélo", "a")]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, plan, out in (("avis", "1", "one"), ("avis", "2", "two"), ("plus_tard", "2", "later")):
            line = ["code", f"{name}.csv", "--corpus", name, "--codebook", f"plan{plan}.yaml", "--out", f"{out}.ndjson"]
            assert main([*line, "--cache", str(lemma_cache)]) == 0
    rows = (folder / "later.ndjson").read_text(encoding="utf-8")
    (folder / "later.ndjson").write_text(rows.replace('"plus_tard"', '"avis"'), encoding="utf-8")
    (folder / "later").mkdir()
    (folder / "plus_tard.csv").rename(folder / "later" / "avis.csv")
    return folder


def run(place, monkeypatch, capsys, *line):
    monkeypatch.chdir(place)
    code = main(["drift", *line, "--out", "drift.json", "--table", "drift.csv"])
    said = capsys.readouterr()
    report = json.loads((place / "drift.json").read_text(encoding="utf-8")) if code == 0 else None
    return report, (said.err if code else said.out).replace("\u202f", " ").replace("\xa0", " ")


@pytest.mark.slow
def test_two_versions_of_a_plan(place, monkeypatch, capsys):
    plans = ["--codebook-before", "plan1.yaml", "--codebook", "plan2.yaml"]
    report, said = run(place, monkeypatch, capsys, "one.ndjson", "two.ndjson", "--dump", "avis.csv", *plans)
    parts = report["reconciliation"]
    assert parts["before"] == {
        "received": 6,
        "set_apart": 0,
        "nonresponse": 1,
        "undecidable": 1,
        "coded": 2,
        "no_code": 2,
        "billable": 5,
    }
    assert (parts["after"]["coded"], parts["compared"]["machine"], sum(parts["compared"].values())) == (3, 4, 4)
    velo, train = report["machine"]["codes"]
    assert (velo["code"], velo["gained"], velo["lost"]) == ("vélo", ["c1"], [])
    assert (train["gained"], train["alpha"]["value"]) == ([], 1.0)
    assert "Code « vélo » : 25,0 % [4,6 ; 69,9] avant, 50,0 % [15,0 ; 85,0] après ; gagnées : 1, perdues : 0" in said
    assert "codes changés dans 1 contribution sur 4" in said
    assert "Ne pas publier" in said
    manifest = json.loads((place / "drift.json.manifest.json").read_text(encoding="utf-8"))
    assert (manifest["publishable"], manifest["summary"]["reconciliation"]) == (False, parts)
    header, *rows = csv.reader((place / "drift.csv").read_text(encoding="utf-8-sig").splitlines())
    assert [dict(zip(header, row, strict=True))["gagnées"] for row in rows] == ["1", "0"]
    assert main(["verify", str(place / "drift.json")]) == 0


def test_two_dates(place, monkeypatch, capsys):
    line = ["two.ndjson", "later.ndjson", "--dump", "later/avis.csv", "--dump-before", "avis.csv"]
    report, said = run(place, monkeypatch, capsys, *line)
    assert report["reconciliation"]["compared"]["after_only"] == 1
    (velo,) = (code for code in report["machine"]["codes"] if code["code"] == "vélo")
    assert (velo["before"]["count"], velo["after"]["count"], velo["after"]["total"], velo["gained"]) == (2, 3, 5, [])
    assert "Sans changement : train, vélo." in said


def test_what_people_coded_is_a_part_of_its_own(place, monkeypatch, capsys):
    report, said = run(place, monkeypatch, capsys, "people.csv", "people.csv", "--dump", "avis.csv")
    assert (report["human"]["compared"], report["codings_ignored"], report["machine"]["compared"]) == (2, 2, 2)
    assert "2 contributions codées hors des réponses de ce corpus : laissées de côté" in said
    report, said = run(place, monkeypatch, capsys, "people.csv", "two.ndjson", "--dump", "avis.csv")
    assert report["reconciliation"]["compared"]["changed_hands"] == 2
    assert report["human"]["compared"] == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["absent.ndjson", "two.ndjson", "--dump", "avis.csv"], "absent.ndjson"),
        (["one.ndjson", "plan1.yaml", "--dump", "avis.csv"], "« plan1.yaml », ligne 1 : attribution incomprise"),
        (["two.ndjson", "two.ndjson", "--dump", "avis.csv", "--codebook", "plan1.yaml"], "ce plan ne donne pas ainsi"),
    ],
)
def test_faulty_files_are_refused(place, monkeypatch, capsys, line, words):
    report, said = run(place, monkeypatch, capsys, *line)
    assert report is None
    assert said.splitlines()[-1].startswith("Refusé : ")
    assert words in said
