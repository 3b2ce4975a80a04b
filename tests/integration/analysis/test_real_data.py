"""The real sets, converted on the fly to the published format: nothing of them is kept here."""

import csv
import gzip
import json
from itertools import islice

import pyarrow.parquet as pq
import pytest

from analysis.report import run
from tests.integration.analysis.conftest import PLAN, answer, contribution, step, write_dump

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN, encoding="utf-8")
    return path


def reconciled(corpus):
    parts = corpus["reconciliation"]
    return parts["set_apart"] + parts["nonresponse"] + parts["undecidable"] + parts["coded"] + parts["no_code"]


def test_grand_debat_answers_are_reconciled_and_told_apart(real_data, plan, tmp_path, lemma_cache):
    path = real_data / "gd_open_answers" / "gd_open_answers_fiscalite_transition.parquet"
    table = pq.read_table(path, columns=["row_id", "question_id", "comment"]).to_pylist()[::33]
    rows = sorted(table, key=lambda row: row["question_id"])
    numbers = sorted({row["question_id"] for row in rows})
    dump = write_dump(
        tmp_path / "dump",
        steps=[step("s2", "questionnaire", "Grand débat", 1)],
        questions=[
            {"id": str(n), "step": "s2", "position": n, "kind": "long_text", "wording": f"Question {n}", "options": [],
             "required": False, "visibility": "rows"}
            for n in numbers
        ],
        replies=[{"id": str(row["row_id"]), "step": "s2", "origin": "imported"} for row in rows],
        answers=[answer(str(row["row_id"]), str(row["question_id"]), text=row["comment"]) for row in rows],
    )  # fmt: skip
    made = run(dump, plan, tmp_path / "out", cache=lemma_cache)
    corpora = json.loads(made.results.read_text(encoding="utf-8"))["corpora"]
    assert [corpus["key"] for corpus in corpora] == [f"s2:q{n}" for n in numbers]
    assert sum(corpus["reconciliation"]["received"] for corpus in corpora) == len(rows)
    for corpus in corpora:
        assert reconciled(corpus) == corpus["reconciliation"]["received"]
    assert sum(corpus["rules"]["counts"]["does_not_know"] for corpus in corpora) > 10
    codes = {corpus["key"]: {code["code"]: code for code in corpus["codes"]} for corpus in corpora}
    transports = max(codes, key=lambda key: codes[key]["commun"]["total"])
    lemmas = next(corpus["lemmas"] for corpus in corpora if corpus["key"] == transports)
    assert {"transport", "commun"} <= {item["lemma"] for item in lemmas[:5]}
    found = codes[transports]["commun"]
    assert len(set(found["contributions"])) == found["total"] > 50


def test_republique_numerique_keeps_imported_votes_and_arguments_apart(real_data, plan, tmp_path, lemma_cache):
    folder = real_data / "republique_numerique_2015"
    with gzip.open(folder / "propositions.csv.gz", "rt", encoding="utf-8", newline="") as file:
        proposals = list(csv.DictReader(file))
    with gzip.open(folder / "arguments.csv.gz", "rt", encoding="utf-8", newline="") as file:
        arguments = list(csv.DictReader(file))
    known = {row["opinion_id"] for row in proposals}
    dump = write_dump(
        tmp_path / "dump",
        steps=[step("s1", "proposals", "Projet de loi", 1)],
        contributions=[
            contribution(
                n, row["title"], theme=None, id=row["opinion_id"], origin="imported",
                imported_votes_for=int(row["votes_ok"]), imported_votes_mixed=int(row["votes_mitige"]),
                imported_votes_against=int(row["votes_nok"]),
            )
            for n, row in enumerate(proposals)
        ],
        arguments=[
            {"id": row["argument_id"], "contribution": row["opinion_id"], "side": side(row["side"]), "title": None,
             "body": row["body"], "status": "published", "origin": "imported"}
            for row in arguments
            if row["opinion_id"] in known
        ],
    )  # fmt: skip
    made = run(dump, plan, tmp_path / "out", cache=lemma_cache)
    law, threads = json.loads(made.results.read_text(encoding="utf-8"))["corpora"]
    assert law["reconciliation"]["received"] == len(proposals)
    assert reconciled(law) == len(proposals)
    assert [table["key"] for table in law["flat"]] == ["imported_votes"]
    assert threads["reconciliation"]["received"] == sum(row["opinion_id"] in known for row in arguments)
    sides = threads["specificities"][0]["categories"]
    assert [part["category"] for part in sides] == ["Pour", "Contre"]
    assert sides[0]["over"]


def side(value):
    return "for" if value.lower() in {"yes", "pour", "for", "oui"} else "against"


def test_entendre_la_france_closed_answers_are_tabulated(real_data, tmp_path, lemma_cache):
    folder = real_data / "elf_survey"
    with (folder / "answers_qcm.csv").open(encoding="utf-8-sig", newline=None) as file:
        rows = list(islice(csv.DictReader(file, delimiter=";"), 30_000))
    counts = {}
    for row in rows:
        counts.setdefault(row["question_id"], {}).setdefault(row["answer"], set()).add(row["user_id"])
    asked = sorted(counts, key=lambda question: -sum(map(len, counts[question].values())))[:3]
    users = sorted({row["user_id"] for row in rows})
    answers = []
    for question in asked:
        chosen = {}
        for value, people in sorted(counts[question].items()):
            for person in people:
                chosen.setdefault(person, []).append(value)
        answers += [answer(person, question, options=values) for person, values in sorted(chosen.items())]
    dump = write_dump(
        tmp_path / "dump",
        steps=[step("s2", "questionnaire", "Entendre la France", 1)],
        questions=[
            {"id": question, "step": "s2", "position": n, "kind": "multiple", "wording": f"Question {question}",
             "options": [{"id": value, "label": value} for value in sorted(counts[question])],
             "required": False, "visibility": "rows"}
            for n, question in enumerate(asked)
        ],
        replies=[{"id": user, "step": "s2", "received_on": "2019-03-01", "origin": "imported"} for user in users],
        answers=answers,
    )  # fmt: skip
    made = run(dump, None, tmp_path / "out", cache=lemma_cache)
    (questionnaire,) = json.loads(made.results.read_text(encoding="utf-8"))["questionnaires"]
    for table in questionnaire["flat"]:
        assert table["base"] == len(users)
        for row in table["rows"]:
            assert row["count"] == len(counts[table["key"]][row["label"]])
    assert len(questionnaire["cross"]) == 3
