import json

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from tests.integration.analysis.conftest import answer, question, step, write_dump


@pytest.mark.slow
def test_report_then_verify(small_dump, plan, lemma_cache, tmp_path, capsys):
    out = tmp_path / "out"
    cache = ["--cache", str(lemma_cache)]
    assert main(["report", str(small_dump), "--codebook", str(plan), "--out", str(out), "--seed", "4", *cache]) == 0
    told = capsys.readouterr()
    assert "Ne pas publier" in told.out
    assert told.err.splitlines()[0].startswith("[0/")
    assert main(["verify", str(out), "--dump", str(small_dump), *cache]) == 0
    assert "Conforme" in capsys.readouterr().out
    (out / "words.ndjson").unlink()
    assert main(["verify", str(out), "--dump", str(small_dump), *cache]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "Refusé : « words.ndjson » manque."


def test_describe_tells_what_is_there(small_dump, plan, capsys):
    assert main(["describe", str(small_dump), "--codebook", str(plan)]) == 0
    told = capsys.readouterr().out
    assert "s2:q3 : Pourquoi ? ; 30 reçues, 0 écartée, 1 non-réponse, 29 facturables (UO 2.4.4" in told
    assert "Approbations manquantes : ditp, administration" in told


@pytest.mark.slow
def test_code_writes_assignments_and_the_reconciliation(small_dump, plan, lemma_cache, tmp_path, capsys):
    out = tmp_path / "codes.ndjson"
    arguments = ["code", str(small_dump), "--codebook", str(plan), "--out", str(out), "--corpus", "s1"]
    assert main([*arguments, "--cache", str(lemma_cache)]) == 0
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert {row["corpus"] for row in rows} == {"s1"}
    assert "12 reçues = 3 écartées + 1 non-réponse + 1 indécidable + 5 codées + 2 sans code" in capsys.readouterr().out


def test_tabulate_writes_flat_and_cross_tables(small_dump, tmp_path, capsys):
    out = tmp_path / "tables.json"
    line = ["tabulate", str(small_dump), "--out", str(out)]
    assert main(line) == 0
    assert [table["key"] for table in json.loads(out.read_text(encoding="utf-8"))][-2:] == ["q1", "q2"]
    assert "[3/3] tableaux de « s2 »" in capsys.readouterr().err
    assert main([*line, "--cross", "q1", "q2"]) == 0
    (table,) = json.loads(out.read_text(encoding="utf-8"))
    assert (table["row_key"], table["base"]) == ("q1", 39)
    assert main([*line, "--cross", "q1", "rien"]) == 1
    assert "variables connues : imported_votes, q1, q2, side, theme, votes" in capsys.readouterr().err


def test_tabulate_gives_intervals_to_the_people_of_a_declared_sample(small_dump, tmp_path, capsys):
    """AT-U4.2: whoever wrote a proposal is a volunteer, whatever the sample of the questionnaire."""
    out = tmp_path / "tables.json"
    line = ["tabulate", str(small_dump), "--out", str(out)]
    assert main(line) == 0
    assert "Participants volontaires" in capsys.readouterr().out
    assert all(row["interval"] is None for table in json.loads(out.read_text("utf-8")) for row in table["rows"])
    assert main([*line, "--sample", "random"]) == 0
    assert "Échantillon déclaré tiré au hasard." in capsys.readouterr().out
    tables = {table["key"]: table for table in json.loads(out.read_text("utf-8"))}
    assert [row["interval"] for row in tables["q1"]["rows"]] == [[36.2, 66.1], [33.9, 63.8]]
    assert all(row["interval"] is None for row in tables["theme"]["rows"])
    assert main(["verify", str(out), "--dump", str(small_dump)]) == 0


def test_tabulate_sums_up_the_questions_of_a_dump_that_stand_in_an_order(tmp_path):
    """AT-U4.2: rankings and judgements as the platform exports them, a group of cells an option."""

    def asked(identifier, kind, position, cells):
        row = question(identifier, kind, f"Question {kind}", position)
        return {**row, "cells": [{"id": key, "label": label, "group": group} for key, label, group in cells]}

    ranks = [(f"{option}:{rank}", f"Rang {rank}", option) for option in "ab" for rank in (1, 2)]
    mentions = [(f"{row}:{mention}", mention, row) for row in ("vélo", "train") for mention in ("bien", "mal")]
    dump = write_dump(
        tmp_path / "dump",
        steps=[step("s2", "questionnaire", "Questionnaire", 1)],
        questions=[
            asked("q1", "ranking", 1, ranks),
            asked("q2", "judgement", 2, mentions),
            asked("q3", "scale", 3, [(str(note), str(note), "") for note in range(11)]),
        ],
        replies=[{"id": f"r{n}", "step": "s2", "received_on": "2026-03-01", "origin": "live"} for n in range(3)],
        answers=[
            answer("r0", "q1", options=["a:1", "b:2"]),
            answer("r1", "q1", options=["b:1"]),
            answer("r0", "q2", options=["vélo:mal", "train:bien"]),
            answer("r1", "q2", options=["vélo:bien", "train:bien"]),
            *(answer(f"r{n}", "q3", options=[note]) for n, note in enumerate(("10", "3", "5"))),
        ],
    )
    out = tmp_path / "tables.json"
    assert main(["tabulate", str(dump), "--out", str(out)]) == 0
    tables = {table["key"]: table for table in json.loads(out.read_text("utf-8")) if "summary" in table}
    assert [(table["base"], table["answered"]) for table in tables.values()] == [(3, 2), (3, 2), (3, 3)]
    found = [
        (each["label"], each["mean_rank"], each["first_choices"], each["borda"]) for each in tables["q1"]["summary"]
    ]
    assert found == [("a", 1, 1, 2), ("b", 1.5, 1, 3)]
    found = [(each["label"], each["mention"], each["place"]) for each in tables["q2"]["summary"]]
    assert found == [("vélo", "mal", 2), ("train", "bien", 1)]
    (note,) = [table for table in json.loads(out.read_text("utf-8")) if table.get("kind") == "scale"]
    assert (note["summary"][0]["mean"], note["summary"][0]["median"]) == (6, 5)


def test_tabulate_puts_several_banners_side_by_side(tmp_path, capsys):
    """AT-U4.2: the counts and shares are those of pandas; a question is not crossed with itself."""
    draws = np.random.default_rng(3)
    people = pd.DataFrame(
        {
            "id": [f"p{n}" for n in range(400)],
            "text": [f"texte {n} {'abcdefghij'[n % 10]}" for n in range(400)],
            "avis": draws.choice(["pour", "contre", "neutre", ""], 400),
            "bus": draws.choice(["oui", "non"], 400),
            "age": draws.choice(["jeune", "moyen", "vieux", ""], 400),
            "region": draws.choice(["nord", "sud"], 400),
        }
    )
    people.to_csv(tmp_path / "avis.csv", index=False)
    line = ["tabulate", str(tmp_path / "avis.csv"), "--out", str(tmp_path / "tables.json")]
    assert main([*line, "--banner", "age", "--banner", "region", "--banner", "age"]) == 0
    tables = {table["key"]: table for table in json.loads((tmp_path / "tables.json").read_text("utf-8"))}
    assert list(tables) == ["avis", "bus"]
    kept = people.replace("", None)
    for key, table in tables.items():
        assert [row["count"] for row in table["rows"]] == kept[key].value_counts().sort_index().tolist()
        assert [banner["column_key"] for banner in table["banners"]] == ["age", "region"]
        for banner in table["banners"]:
            expected = pd.crosstab(kept[key], kept[banner["column_key"]])
            assert banner["counts"] == expected.to_numpy().tolist()
            shares = 100 * expected / expected.sum()
            assert np.array(banner["column_percent"]) == pytest.approx(shares.to_numpy(), abs=0.0501)
    capsys.readouterr()
    assert main([*line, "--banner", "age", "--banner", "rien"]) == 1
    assert "variables connues : age, avis, bus, region" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["report", "absent", "--out", "x"], 1),
        (["describe"], 1),
        (["report"], 2),
        (["inconnu"], 2),
        ([], 2),
    ],
)
def test_exit_code_tells_refusal_from_wrong_use(arguments, code, capsys):
    try:
        found = main(arguments)
    except SystemExit as stop:
        found = stop.code
    assert found == code
    assert capsys.readouterr().err.strip()


def test_refusal_is_one_french_line(small_dump, tmp_path, capsys):
    broken = tmp_path / "plan.yaml"
    broken.write_text(
        'version: "1"\ncodes: [{id: a, parent: a, patterns: [x], positive_examples: [x]}]\n', encoding="utf-8"
    )
    assert main(["report", str(small_dump), "--codebook", str(broken), "--out", str(tmp_path / "out")]) == 1
    told = capsys.readouterr().err.splitlines()
    assert told == ["Refusé : Code « a » : il est son propre ancêtre (a → a) ; retirez un « parent »."]
    assert not (tmp_path / "out").exists()
