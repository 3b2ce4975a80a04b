"""Commands whose results are files: the manifest of each, what `verify` finds, and equal results in any processes."""

import argparse
import csv
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from distributed import LocalCluster

from analysis import __main__ as command_line
from analysis.__main__ import main
from analysis.coding.classifier import NOTICE
from analysis.errors import AnalysisError
from analysis.lexical import cli as lexical
from analysis.provenance import check_replayed, file_digest
from tests.unit.analysis.test_classifier import answers

PLAN = """
title: Plan
version: "1"
codes:
  - {id: vélo, label: Vélo, patterns: ['vélo OU bicyclette'], positive_examples: ['le vélo']}
  - {id: train, label: Train, patterns: ['train'], positive_examples: ['le train']}
"""
COMMANDS = {
    "code": ["code", "avis.csv", "--codebook", "plan.yaml", "--out", "codes.ndjson"],
    "classify": [
        *("classify", "avis.csv", "--coded", "coded.csv", "--codebook", "plan.yaml"),
        *("--out", "suggestions.ndjson", "--next", "next.csv"),
    ],
    "sample": [
        *("sample", "avis.csv", "--codes", "codes.ndjson", "--per-stratum", "5"),
        *("--sheet", "sheet.csv", "--key", "key.json"),
    ],
    "quality": ["quality", "key.json", "--coded", "everything.csv", "--out", "quality.json"],
    "drift": [
        *("drift", "codes.ndjson", "suggestions.ndjson", "--dump", "avis.csv", "--codebook", "plan.yaml"),
        *("--out", "drift.json", "--table", "drift.csv"),
    ],
    "codebook convert": ["codebook", "convert", "plan.yaml", "plan.xlsx"],
    "codebook diff": ["codebook", "diff", "plan.yaml", "plan2.yaml", "--dump", "avis.csv", "--out", "diff.json"],
    "codebook propose": [
        *("codebook", "propose", "plan.yaml", "--dump", "avis.csv", "--number", "2", "--out", "proposals.json"),
    ],
    "themes": ["themes", "avis.csv", "--corpus", "avis", "--themes", "3", "--out", "themes.json"],
    "groups": ["groups", "votes.csv", "--before", "before.csv", "--resamples", "4", "--out", "groups.json"],
    "arguments": ["arguments", "arguments.ndjson", "--out", "maps.json"],
    "iramuteq": ["iramuteq", "avis.csv", "--out", "corpus.txt"],
    "concordance": ["concordance", "avis.csv", "vélo OU train", "--order", "left", "--out", "lines.txt"],
    "companions": ["companions", "avis.csv", "train", "--out", "companions.txt"],
    "tabulate": ["tabulate", "closed.csv", "--cross", "age", "region", "--out", "tables.json"],
}
FIRST = {name: next(part for part in reversed(line) if "." in part) for name, line in COMMANDS.items()} | {
    "classify": "suggestions.ndjson",
    "drift": "drift.json",
    "sample": "sheet.csv",
}


PARTS = ("set_apart", "nonresponse", "undecidable", "coded", "no_code")


def write_csv(path, header, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def told(capsys):
    return capsys.readouterr().err.replace("\u202f", " ").replace("\xa0", " ")


def told_out(capsys):
    return capsys.readouterr().out.replace("\u202f", " ").replace("\xa0", " ")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with an input for every command, where each was run in turn, `sample` reading what `code` wrote."""
    folder = tmp_path_factory.mktemp("recorded")
    texts, coded = answers(140, 1)
    ids = [f"c{rank}" for rank in range(len(texts))]
    write_csv(folder / "avis.csv", ["id", "text"], zip(ids, texts, strict=True))
    rows = [(unit, code, "a") for unit, codes in zip(ids, coded, strict=True) for code in codes or {""}]
    write_csv(folder / "everything.csv", ["id", "code", "coder"], rows)
    write_csv(folder / "coded.csv", ["id", "code", "coder"], rows[:120])
    closed = [(unit, "", ("jeune", "âgé")[rank % 2], f"r{rank % 3}") for rank, unit in enumerate(ids)]
    write_csv(folder / "closed.csv", ["id", "text", "age", "region"], closed)
    (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
    (folder / "plan2.yaml").write_text(PLAN.replace("['train']", "['train OU gare']"), encoding="utf-8")
    draws = np.random.default_rng(1)
    for name in ("votes.csv", "before.csv"):
        sides = np.where(draws.random((40, 12)) < 0.85, 1, -1) * np.repeat([1, -1], 20)[:, None]
        votes = [(f"p{row}", f"s{column}", sides[row, column]) for row in range(40) for column in range(12)]
        write_csv(folder / name, ["participant", "statement", "vote"], votes)
    arguments = [
        {"id": f"a{rank}", "contribution": f"p{rank % 3}", "side": ("for", "against")[rank % 2], "title": None,
         "body": text, "status": "published", "origin": "live"}
        for rank, text in enumerate(texts[:30])
    ]  # fmt: skip
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in arguments)
    (folder / "arguments.ndjson").write_text(content, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, line in COMMANDS.items():
            assert main(line) == 0, name
    return folder


def test_every_command_that_writes_is_recorded():
    """A command that gains an output without a manifest is told here."""
    found = set()

    def walk(parser, name):
        for action in parser._actions:  # argparse has no public list of its arguments
            if isinstance(action, argparse._SubParsersAction):
                for sub, below in action.choices.items():
                    walk(below, f"{name} {sub}".strip())
            elif action.dest in {"out", "target", "sheet", "next"}:
                found.add(name)

    walk(command_line._parser(), "")
    directories = {"report", *lexical.PARTS}
    told_inside = {"aids", "insults"}  # a suggestion says its version, a model its data, seed and measures
    assert found - directories - told_inside == command_line._COMMANDS.keys() == COMMANDS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_at_u4_6_each_result_is_made_again_alike(place, name, capsys):
    manifest = json.loads((place / f"{FIRST[name]}.manifest.json").read_text(encoding="utf-8"))
    assert manifest["parameters"]["command"] == name
    assert all(file_digest(place / file) == digest for file, digest in manifest["outputs"].items())
    for read in manifest["source"].values():
        assert read["files"] == {read["name"]: file_digest(place / read["name"])}
    assert manifest["publishable"] == (
        not {"codebook", "plan", "after"} & manifest["source"].keys() and name != "codebook convert"
    )
    assert str(place) not in json.dumps(manifest)
    assert main(["verify", str(place / FIRST[name])]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("Conforme")
    assert ("[140/140] lecture des mots" in said.err) == (
        name in {"classify", "sample", "codebook diff", "codebook propose", "themes"}
    )


@pytest.mark.slow
def test_forms_read_as_others_are_listed_and_each_is_undone(tmp_path, capsys, lemma_cache):
    """Accents restored and typing errors mended: counted, shown in the manifest, all listed, undone by `form: form`."""
    texts = ["la santé des bicyclettes"] * 5 + ["la bicyclete et la sante"] * 3 + ["une bicylette"]
    texts += ["la bicyclette avant tout"] * 200
    write_csv(tmp_path / "avis.csv", ["id", "text"], [(f"c{rank}", text) for rank, text in enumerate(texts)])
    plan = PLAN.replace("'vélo OU bicyclette'", "'bicyclette'")
    (tmp_path / "plan.yaml").write_text(plan, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        line = [*COMMANDS["code"], "--corrections", "formes.yaml", "--cache", str(lemma_cache)]
        assert main(line) == 0
        assert "1 forme lue avec ses accents rétablis, 2 fautes de frappe corrigées" in told_out(capsys)
        expected = {"bicyclete": "bicyclette", "bicylette": "bicyclette", "sante": "santé"}
        assert yaml.safe_load(Path("formes.yaml").read_text(encoding="utf-8")) == expected
        manifest = json.loads(Path("codes.ndjson.manifest.json").read_text(encoding="utf-8"))
        assert manifest["summary"]["corrections"] == {
            "total": 3,
            "shown": [
                {"form": "bicyclete", "read_as": "bicyclette", "why": "typo"},
                {"form": "sante", "read_as": "santé", "why": "accents"},
            ],
        }
        assert len(Path("codes.ndjson").read_text(encoding="utf-8").splitlines()) == 209
        assert main(["verify", "codes.ndjson"]) == 0
        Path("lemmes.yaml").write_text("bicyclete: bicyclete", encoding="utf-8")
        assert main([*line, "--lemmas", "lemmes.yaml"]) == 0
        assert "bicyclete" not in yaml.safe_load(Path("formes.yaml").read_text(encoding="utf-8"))
        assert len(Path("codes.ndjson").read_text(encoding="utf-8").splitlines()) == 206
        write_csv(tmp_path / "coded.csv", ["id", "code"], [("c0", "vélo")])
        assert main([*COMMANDS["classify"][:4], "--out", "s.ndjson", "--corrections", "f.yaml"]) == 1
    assert "donnez-le (--codebook)" in told(capsys)


def test_a_text_layer_that_changed_is_named(place):
    manifest = json.loads((place / "lines.txt.manifest.json").read_text(encoding="utf-8"))
    old = {**manifest, "languages": {"fr": "fr-3"}, "outputs": {"lines.txt": "0" * 64}}
    with pytest.raises(AnalysisError, match=r"diffère de celui d’une nouvelle exécution .*texte fr-4 au lieu de fr-3"):
        check_replayed(old, place / "lines.txt.manifest.json")


@pytest.mark.slow
def test_every_result_says_what_became_of_each_contribution(tmp_path, capsys):
    """The parts add up to what was received; who points elsewhere is coded by people alone."""
    texts, coded = answers(140, 1)
    texts[100:104] = ["RAS", "", "voir la question précédente", "cf. ci-dessus"]
    ids = [f"c{rank}" for rank in range(140)]
    write_csv(tmp_path / "avis.csv", ["id", "text"], zip(ids, texts, strict=True))
    rows = [(unit, code) for unit, codes in zip(ids[:100], coded, strict=False) for code in codes or {""}]
    write_csv(tmp_path / "coded.csv", ["id", "code"], [*rows, ("c103", "train"), ("c100", "train"), ("zzz", "train")])
    plan = PLAN.replace("'train']", "'question OU train']")
    (tmp_path / "plan.yaml").write_text(plan, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        for name in ("code", "classify", "codebook diff", "codebook propose", "themes"):
            line = [part.replace("plan2", "plan") for part in COMMANDS[name] if part not in {"--next", "next.csv"}]
            assert main(line) == 0, name
    assert "2 codages laissés de côté" in capsys.readouterr().out
    found = {}
    for name in ("codes.ndjson", "suggestions.ndjson"):
        manifest = json.loads((tmp_path / f"{name}.manifest.json").read_text(encoding="utf-8"))
        found[name] = manifest["summary"]["reconciliation"]
    found["codes.ndjson"] = found["codes.ndjson"]["avis"]
    assert manifest["summary"]["notice"] == NOTICE
    assert manifest["summary"]["codings_ignored"] == 2
    for name in ("diff.json", "proposals.json", "themes.json"):
        found[name] = json.loads((tmp_path / name).read_text(encoding="utf-8"))["reconciliation"]
    both = found.pop("diff.json")
    assert both["before"] == both["after"] == found["codes.ndjson"]
    assert found["proposals.json"] == found["codes.ndjson"]
    for name, parts in found.items():
        assert parts["received"] == 140 == sum(parts[part] for part in PARTS), name
        assert (parts["set_apart"], parts["nonresponse"], parts["billable"]) == (0, 2, 138)
        if name != "suggestions.ndjson":
            assert parts["undecidable"] == 2
    rows = [json.loads(line) for line in (tmp_path / "suggestions.ndjson").read_text(encoding="utf-8").splitlines()]
    assert [(row["code"], row["origin"]) for row in rows if row["unit"] in {"c102", "c103"}] == [("train", "human")]


@pytest.mark.slow
@pytest.mark.parametrize("command", ["classify", "codebook diff", "codebook propose", "themes"])
def test_corrected_lemmas_are_read_by_every_command_that_reads_lemmas(place, command, tmp_path, capsys):
    """The one file, by the one option: a word that no dictionary holds is read as « vélo »."""
    for path in place.glob("*"):
        if path.suffix in {".csv", ".yaml"}:
            text = path.read_text(encoding="utf-8")
            (tmp_path / path.name).write_text(text.replace("vélo", "zibule") if path.name == "avis.csv" else text)
    (tmp_path / "lemmas.yaml").write_text("zibule: vélo\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        line = [*COMMANDS[command], "--lemmas", "lemmas.yaml"]
        assert main(line) == 0
        assert main(["verify", FIRST[command]]) == 0
        out = Path(FIRST[command]).read_text(encoding="utf-8")
        (tmp_path / "lemmas.yaml").write_text("[zibule]\n", encoding="utf-8")
        assert main(line) == 1
    assert "une ligne « forme: lemme » par correction" in told(capsys)
    plain = (place / FIRST[command]).read_text(encoding="utf-8")
    if command == "classify":
        assert "zibule" in out
        assert [row["unit"] for row in rules(out)] == [row["unit"] for row in rules(plain)]
    else:
        name = "themes" if command == "themes" else "reconciliation"
        assert json.loads(out)[name] == json.loads(plain)[name]


def test_every_command_mends_the_same_typing_errors(place, tmp_path, capsys):
    """What `codebook diff` and `classify` say of a plan is what `code` then does."""
    texts = [f"Une bicyclette rue {n}" for n in range(60)] + ["Une bicyclete rue 61", "Le train"]
    write_csv(tmp_path / "avis.csv", ["id", "text"], [(f"c{rank}", text) for rank, text in enumerate(texts)])
    for name in ("plan.yaml", "plan2.yaml"):
        shutil.copy(place / name, tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert main(COMMANDS["code"]) == main(COMMANDS["codebook diff"]) == 0
    coded = json.loads((tmp_path / "codes.ndjson.manifest.json").read_text(encoding="utf-8"))
    account = coded["summary"]["reconciliation"]["avis"]
    assert account["coded"] == 62
    assert json.loads((tmp_path / "diff.json").read_text(encoding="utf-8"))["reconciliation"]["before"] == account


def rules(rows):
    return [row for row in map(json.loads, rows.splitlines()) if row["origin"] == "rule"]


def test_the_statements_that_want_votes_come_first(place, tmp_path):
    """Those of which little is known: here the one that few were shown, though all agree with it."""
    shown = (place / "votes.csv").read_text(encoding="utf-8") + "".join(f"p{row},rare,1\n" for row in range(0, 40, 8))
    (tmp_path / "votes.csv").write_text(shown, encoding="utf-8")
    line = ["groups", str(tmp_path / "votes.csv"), "--resamples", "0", "--exclude", "s3"]
    assert main([*line, "--out", str(tmp_path / "groups.json")]) == 0
    asked = json.loads((tmp_path / "groups.json").read_text(encoding="utf-8"))["ask_next"]
    assert [row["priority"] for row in asked] == sorted((row["priority"] for row in asked), reverse=True)
    assert asked[0]["statement"] == "rare"
    assert {row["statement"] for row in asked} == {"rare", *(f"s{n}" for n in range(12))} - {"s3"}


def test_what_was_read_and_written_elsewhere_is_looked_for_there(place, tmp_path, capsys):
    mine, theirs, moved = tmp_path / "mine", tmp_path / "theirs", tmp_path / "avis2.csv"
    mine.mkdir()
    theirs.mkdir()
    for name in ("sheet.csv", "sheet.csv.manifest.json"):
        shutil.copy(place / name, mine)
    shutil.copy(place / "avis.csv", moved)
    assert main(["verify", str(mine / "sheet.csv")]) == 1
    assert "« key.json » manque : dites dans quel dossier le trouver (--beside)" in told(capsys)
    for name in ("key.json", "codes.ndjson"):
        shutil.copy(place / name, theirs)
    shutil.copy(place / "avis.csv", theirs)
    assert main(["verify", str(mine / "sheet.csv"), "--beside", str(theirs)]) == 0
    assert main(["verify", str(mine / "sheet.csv.manifest.json"), "--beside", str(theirs)]) == 0


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ("themes.json", "« themes.json » n’est plus celui que décrit le manifeste"),
        ("avis.csv", "« avis.csv » n’est pas ce qui a été lu : son empreinte diffère"),
        ("themes.json.manifest.json", "n’annonce pas le format"),
    ],
)
def test_what_was_changed_since_is_named(place, tmp_path, capsys, changed, words):
    for name in ("themes.json", "avis.csv", "themes.json.manifest.json"):
        shutil.copy(place / name, tmp_path)
    (tmp_path / changed).write_text("{}", encoding="utf-8")
    assert main(["verify", str(tmp_path / "themes.json")]) == 1
    assert words in told(capsys)


def test_a_forged_result_and_manifest_are_found_by_running_again(place, tmp_path, capsys):
    for name in ("themes.json", "avis.csv", "themes.json.manifest.json"):
        shutil.copy(place / name, tmp_path)
    (tmp_path / "themes.json").write_text("{}", encoding="utf-8")
    path = tmp_path / "themes.json.manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["outputs"]["themes.json"] = file_digest(tmp_path / "themes.json")
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert main(["verify", str(tmp_path / "themes.json")]) == 1
    assert "« themes.json » diffère de celui d’une nouvelle exécution" in told(capsys)


def test_a_forged_summary_is_found_by_running_again(place, tmp_path, capsys):
    for name in ("codes.ndjson", "avis.csv", "plan.yaml", "codes.ndjson.manifest.json"):
        shutil.copy(place / name, tmp_path)
    path = tmp_path / "codes.ndjson.manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["summary"]["reconciliation"]["avis"]["received"] = 1
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert main(["verify", str(tmp_path / "codes.ndjson")]) == 1
    assert "Le bilan que donne le manifeste diffère de celui d’une nouvelle exécution" in told(capsys)


@pytest.mark.parametrize("escape", ["outputs", "options"])
def test_a_manifest_of_a_stranger_writes_nowhere(place, tmp_path, capsys, escape):
    """Results are verified by whoever downloads them: running again touches none of their files."""
    mine, here = tmp_path / "mine.json", tmp_path / "downloaded"
    mine.write_text("à moi", encoding="utf-8")
    here.mkdir()
    for name in ("themes.json", "avis.csv", "themes.json.manifest.json"):
        shutil.copy(place / name, here)
    path = here / "themes.json.manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["parameters"]["outputs"] = {}
    manifest["parameters"][escape]["out"] = str(mine)
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert main(["verify", str(here / "themes.json")]) == 1
    assert "donne des chemins au lieu de noms" in told(capsys)
    assert mine.read_text(encoding="utf-8") == "à moi"


def test_a_zip_of_the_dump_stands_for_the_dump(small_dump, tmp_path):
    assert main(["arguments", str(small_dump), "--out", str(tmp_path / "maps.json")]) == 0
    with zipfile.ZipFile(tmp_path / "climat.zip", "w") as archive:
        for path in small_dump.iterdir():
            archive.write(path, f"climat/{path.name}")
    arguments = ["--dump", str(tmp_path / "climat.zip")]
    assert main(["verify", str(tmp_path / "maps.json"), *arguments]) == 0


def test_a_refused_command_writes_nothing(place, tmp_path, capsys):
    (tmp_path / "themes.json").write_text("avant", encoding="utf-8")
    line = ["themes", str(place / "avis.csv"), "--corpus", "absent", "--out", str(tmp_path / "themes.json")]
    assert main(line) == 1
    assert "« absent » n’existe pas" in told(capsys)
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["avant"]


def test_two_results_of_one_name_are_refused(place, tmp_path, capsys):
    line = ["sample", str(place / "avis.csv"), "--codes", str(place / "codes.ndjson")]
    assert main([*line, "--sheet", str(tmp_path / "x"), "--key", str(tmp_path / "there" / "x")]) == 1
    assert "portent le même nom" in told(capsys)


@pytest.mark.slow
def test_learning_gives_equal_files_in_two_processes_and_on_a_dask_cluster(place, tmp_path):
    line = ["classify", str(place / "avis.csv"), "--coded", str(place / "coded.csv")]
    line += ["--codebook", str(place / "plan.yaml"), "--jobs", "2", "--next", str(tmp_path / "next.csv")]
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        for more in ([], ["--dask", cluster.scheduler_address]):
            assert main([*line, "--out", str(tmp_path / "suggestions.ndjson"), *more]) == 0
            for name in ("suggestions.ndjson", "next.csv", "suggestions.ndjson.manifest.json"):
                assert (tmp_path / name).read_bytes() == (place / name).read_bytes()
