"""External sources in every command that reads texts: beside contributions, or alone, and never counted with them."""

import csv
import json
import shutil

import pytest

from analysis.__main__ import main

PLAN = """
title: Plan
version: "1"
codes:
  - {id: velo, label: Vélo, patterns: ['vélo'], positive_examples: ['le vélo']}
  - {id: train, label: Train, patterns: ['train'], positive_examples: ['le train']}
"""
SOURCES = """
sources:
- {file: loi.txt, title: Loi sur les mobilités, publisher: Journal officiel, licence: Etalab 2.0, kind: law}
- {file: tribunes.csv, title: Tribunes, publisher: Presse, licence: citation, kind: social}
"""
LAW = [
    "Le vélo et le train sont des transports publics.",
    "RAS",
    "La piste cyclable suit le vélo des transports.",
    "Article abrogé du train public, la piste suit.",
]
PARTS = ("set_apart", "nonresponse", "undecidable", "coded", "no_code")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("external")
    themes = ("le vélo sur la piste cyclable", "le train et la gare", "le bus et son arrêt")
    texts = [f"{themes[rank % 3]} numéro {rank}" for rank in range(30)]
    rows = [
        *((f"c{rank}", text, "nord") for rank, text in enumerate(texts)),
        ("c30", "RAS", ""),
        ("c31", "cf. ci-dessus", ""),
    ]
    with (folder / "avis.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "text", "region"], *rows])
    with (folder / "tribunes.csv").open("w", encoding="utf-8", newline="") as file:
        columns = ["id", "text", "side", "contribution"]
        said = [
            ["t1", "Le vélo est bon pour la santé.", "pour", "p1"],
            ["t2", "Le vélo coûte trop cher à la commune.", "Contre", "p1"],
            ["t3", "Sans opinion", "pour", "p2"],
            ["t4", "Le train du matin est bondé.", "contre", "p2"],
        ]
        csv.writer(file).writerows([columns, *said])
    (folder / "loi.txt").write_text("\n\n".join(LAW), encoding="utf-8")
    (folder / "sources.yaml").write_text(SOURCES, encoding="utf-8")
    kept = "".join(line for line in SOURCES.splitlines(keepends=True) if "loi.txt" not in line)
    (folder / "tribunes.yaml").write_text(kept, encoding="utf-8")
    (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
    argument = {"title": None, "status": "published", "origin": "live", "contribution": "p1"}
    arguments = [
        {**argument, "id": "a1", "side": "for", "body": "Le vélo est bon."},
        {**argument, "id": "a2", "side": "against", "body": "RAS"},
        {**argument, "id": "a3", "side": "against", "body": None, "status": "hidden"},
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in arguments)
    (folder / "arguments.ndjson").write_text(lines, encoding="utf-8")
    return folder


COMMANDS = {
    "code": ["code", "avis.csv", "--codebook", "plan.yaml"],
    "concordance": ["concordance", "avis.csv", "vélo"],
    "companions": ["companions", "avis.csv", "vélo"],
    "arguments": ["arguments", "arguments.ndjson"],
    "themes": ["themes", "avis.csv", "--corpus", "external:loi", "--themes", "2"],
    "iramuteq": ["iramuteq", "avis.csv", "--corpus", "external:loi"],
}


def ran(place, name, out, *more, lemma_cache):
    sources = "tribunes.yaml" if name == "arguments" else "sources.yaml"
    line = [*COMMANDS[name], "--external", sources, "--out", str(out), *more]
    if name not in {"iramuteq", "arguments"}:
        line += ["--cache", str(lemma_cache)]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        return main(line)


def accounts(manifest):
    return manifest["summary"]["reconciliation"]


@pytest.mark.parametrize("name", ["code", "concordance", "companions", "arguments", "iramuteq"])
def test_each_corpus_has_its_account_and_the_source_its_licence(place, name, tmp_path, lemma_cache):
    assert ran(place, name, tmp_path / "out", lemma_cache=lemma_cache) == 0
    manifest = json.loads((tmp_path / "out.manifest.json").read_text(encoding="utf-8"))
    found = accounts(manifest)
    for each in found.values():
        assert each["received"] == sum(each[part] for part in PARTS)
    assert manifest["summary"]["external"]["external:loi" if name != "arguments" else "external:tribunes"]["licence"]
    if name == "iramuteq":
        assert set(found) == {"external:loi"}
    elif name == "arguments":
        assert {
            key: (each["received"], each["set_apart"], each["nonresponse"], each["coded"])
            for key, each in found.items()
        } == {
            "arguments": (3, 1, 1, 1),
            "external:tribunes": (4, 0, 1, 3),
        }
    else:
        assert set(found) == {"avis", "external:loi", "external:tribunes"}
        avis = found["avis"]
        assert (avis["received"], avis["nonresponse"], avis["undecidable"]) == (32, 1, 1)
        assert avis["coded"] == (20 if name == "code" else 10)
        assert (found["external:loi"]["nonresponse"], found["external:loi"]["coded"]) == (1, 3 if name == "code" else 2)


def test_arguments_of_a_source_are_mapped_apart_from_those_of_citizens(place, tmp_path):
    line = ["arguments", str(place / "arguments.ndjson"), "--external", str(place / "tribunes.yaml")]
    assert main([*line, "--out", str(tmp_path / "maps.json")]) == 0
    maps = json.loads((tmp_path / "maps.json").read_text(encoding="utf-8"))
    assert {(each["source"], each["target"], each["counts"]["for"], each["counts"]["against"]) for each in maps} == {
        (None, "p1", 1, 0),
        ("external:tribunes", "p1", 1, 1),
        ("external:tribunes", "p2", 0, 1),
    }
    assert main(["verify", str(tmp_path / "maps.json"), "--beside", str(place)]) == 0


def test_a_source_whose_texts_are_no_arguments_is_refused(place, tmp_path, capsys):
    line = ["arguments", str(place / "arguments.ndjson"), "--external", str(place / "sources.yaml")]
    assert main([*line, "--out", str(tmp_path / "maps.json")]) == 1
    assert "une colonne «\u202fside\u202f»" in capsys.readouterr().err


@pytest.mark.slow
def test_themes_and_samples_are_of_one_corpus_contributions_or_source(place, tmp_path, lemma_cache, capsys):
    assert ran(place, "themes", tmp_path / "themes.json", lemma_cache=lemma_cache) == 0
    found = json.loads((tmp_path / "themes.json").read_text(encoding="utf-8"))
    assert found["reconciliation"]["received"] == 4
    assert found["provenance"]["licence"] == "Etalab 2.0"
    assert set(found["contributions"]) <= {f"loi-{rank}" for rank in range(1, 5)}
    assert "source externe, hors du compte" in capsys.readouterr().out
    assert ran(place, "code", tmp_path / "codes.ndjson", lemma_cache=lemma_cache) == 0
    shutil.copy(tmp_path / "codes.ndjson", place)
    line = ["sample", str(place / "avis.csv"), "--external", str(place / "sources.yaml"), "--corpus", "external:loi"]
    line += [
        "--codes",
        str(place / "codes.ndjson"),
        "--sheet",
        str(tmp_path / "s.csv"),
        "--key",
        str(tmp_path / "k.json"),
    ]
    assert main(line) == 0
    manifest = json.loads((tmp_path / "s.csv.manifest.json").read_text(encoding="utf-8"))
    assert accounts(manifest)["external:loi"]["coded"] == 3
    assert (
        main(
            ["themes", str(place / "avis.csv"), "--external", str(place / "sources.yaml"), "--out", str(tmp_path / "x")]
        )
        == 1
    )
    assert "avis, external:loi, external:tribunes" in capsys.readouterr().err


def test_a_list_of_sources_is_read_alone(place, tmp_path, lemma_cache, capsys):
    line = [
        "concordance",
        str(place / "sources.yaml"),
        "train",
        "--corpus",
        "external:loi",
        "--cache",
        str(lemma_cache),
    ]
    assert main(line) == 0
    told = capsys.readouterr().out.replace("\u00a0", " ")
    assert (
        "external:loi : 4 reçues = 0 écartée + 1 non-réponse + 0 indécidable + 2 où il est employé + 1 sans lui" in told
    )
    assert "source externe, hors du compte des contributions" in told
    assert main(["describe", str(place / "sources.yaml")]) == 0
    assert "source externe, licence Etalab 2.0" in capsys.readouterr().out


@pytest.mark.slow
def test_a_report_bills_contributions_alone_and_is_verified_with_its_sources(place, tmp_path, lemma_cache, capsys):
    line = ["report", str(place / "avis.csv"), "--external", str(place / "sources.yaml"), "--cache", str(lemma_cache)]
    assert main([*line, "--out", str(tmp_path / "out")]) == 0
    assert "31 contributions facturables" in capsys.readouterr().out
    found = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert found["billable"] == 31
    assert [bool(corpus["tier"]) for corpus in found["corpora"]] == [True, False, False]
    assert found["corpora"][1]["provenance"]["publisher"] == "Journal officiel"
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "n’entre dans aucun de leurs comptes" in page
    verify = ["verify", str(tmp_path / "out"), "--dump", str(place / "avis.csv"), "--cache", str(lemma_cache)]
    assert main(verify) == 1
    assert "--external" in capsys.readouterr().err
    assert main([*verify, "--external", str(place / "sources.yaml")]) == 0


def test_a_source_changed_since_is_found_out(place, tmp_path, lemma_cache, capsys):
    here = shutil.copytree(place, tmp_path / "here")
    assert ran(here, "concordance", here / "lines.txt", lemma_cache=lemma_cache) == 0
    assert main(["verify", str(here / "lines.txt")]) == 0
    (here / "loi.txt").write_text("Autre loi sur le vélo.", encoding="utf-8")
    assert main(["verify", str(here / "lines.txt")]) == 1
    assert "son empreinte diffère" in capsys.readouterr().err
