"""Odd and hostile input, by every command: an answer or one French line, never a traceback, never a row lost.

`test_lexicon_command.py` tries the same corpora on the lexical command, and kills its workers.
"""

import csv
import json

import numpy as np
import pytest

from analysis.__main__ import main
from analysis.coding.experts import Reader, train
from analysis.errors import AnalysisError
from tests.unit.analysis.test_classifier import answers

pytestmark = pytest.mark.slow  # many pages and processes: `make check` leaves it to `make test`

SENTENCE = "Il faut développer les pistes cyclables en ville."
CORPORA = {
    "empty corpus": [],
    "one word": ["vélo"],
    "one contribution": [SENTENCE],
    "all duplicates": [SENTENCE] * 30,
    "64,537 characters": [("une phrase ordinaire, " * 2934)[:64_537], "une autre phrase"],
    "other languages": ["Build more bike lanes", "더 많은 자전거 도로", "больше поездов", "المزيد من القطارات"],
    "emojis only": ["🙂", "👍👍", "❤️"],
}
COMMANDS = {
    "report": ["report", "{corpus}", "--codebook", "{plan}", "--out", "{out}"],
    "code": ["code", "{corpus}", "--codebook", "{plan}", "--out", "{out}"],
    "describe": ["describe", "{corpus}", "--codebook", "{plan}"],
    "tabulate": ["tabulate", "{corpus}", "--out", "{out}"],
    "reinert": ["reinert", "{corpus}", "--out", "{out}"],
    "duplicates": ["duplicates", "{corpus}", "--out", "{out}"],
    "concordance": ["concordance", "{corpus}", "vélo OU phrase OU piste"],
    "companions": ["companions", "{corpus}", "piste", "--segment", "20"],
    "iramuteq": ["iramuteq", "{corpus}", "--out", "{out}"],
    "themes": ["themes", "{corpus}", "--corpus", "avis", "--out", "{out}"],
    "classify": ["classify", "{corpus}", "--coded", "{coded}", "--codebook", "{plan}", "--out", "{out}"],
    "sample": ["sample", "{corpus}", "--codes", "{codes}", "--sheet", "{out}", "--key", "{out}.json"],
    "codebook propose": ["codebook", "propose", "{plan}", "--dump", "{corpus}", "--out", "{out}"],
    "codebook diff": ["codebook", "diff", "{plan}", "{plan}", "--dump", "{corpus}", "--out", "{out}"],
}
NO_CACHE = {"describe", "tabulate", "iramuteq", "classify", "sample", "codebook propose", "codebook diff"}
PLAN = """
version: "1"
codes:
  - {id: vélo, patterns: ['vélo OU "pistes cyclables"'], positive_examples: ['le vélo']}
  - {id: tout, patterns: ['phr* OU dév* OU ville OU ordinaire'], positive_examples: ['la ville']}
"""


@pytest.fixture(scope="module", params=CORPORA)
def place(request, tmp_path_factory):
    """A folder with one odd corpus, a plan, human codings and assignments of its contributions, and their number."""
    folder = tmp_path_factory.mktemp("odd")
    texts = CORPORA[request.param]
    for name, header, rows in (
        ("avis.csv", ["id", "text"], [(f"c{rank}", text) for rank, text in enumerate(texts)]),
        ("coded.csv", ["id", "code", "coder"], [(f"c{rank}", "vélo", "a") for rank in range(len(texts))]),
    ):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
    (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
    content = "".join(json.dumps({"contribution": f"c{rank}", "code": "vélo"}) + "\n" for rank in range(len(texts)))
    (folder / "codes.ndjson").write_text(content, encoding="utf-8")
    return folder, len(texts)


@pytest.mark.parametrize("command", COMMANDS)
def test_odd_corpora_get_an_answer_or_one_french_line(place, command, tmp_path, lemma_cache, capsys):
    folder, size = place
    names = {"corpus": "avis.csv", "plan": "plan.yaml", "coded": "coded.csv", "codes": "codes.ndjson"}
    paths = {key: folder / name for key, name in names.items()}
    line = [part.format(**paths, out=tmp_path / "out") for part in COMMANDS[command]]
    code = main(line if command in NO_CACHE else [*line, "--cache", str(lemma_cache)])
    told = capsys.readouterr()
    if code:
        assert code == 1
        *_, refusal = told.err.splitlines()
        assert refusal.startswith("Refusé")
        assert not list(tmp_path.iterdir())
    elif command in {"report", "code", "describe"}:
        assert f"{size} reçues" in told.out.replace("\u202f", " ") or command == "report"


def test_no_row_of_an_odd_corpus_is_lost(place, tmp_path, lemma_cache):
    """Received is the sum of the parts, in the report as in the lexicon (`test_lexicon_command.py`)."""
    folder, size = place
    out = tmp_path / "out"
    line = ["report", str(folder / "avis.csv"), "--codebook", str(folder / "plan.yaml"), "--cache", str(lemma_cache)]
    assert main([*line, "--out", str(out)]) == 0
    found = json.loads((out / "results.json").read_text(encoding="utf-8"))["corpora"][0]["reconciliation"]
    parts = ("set_apart", "nonresponse", "undecidable", "coded", "no_code")
    assert found["received"] == sum(found[part] for part in parts) == size


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ("[{id: a, parent: b, patterns: [x]}, {id: b, parent: a, patterns: [x]}]", "son propre ancêtre (a → b → a)"),
        ("[{id: a, patterns: ['@g'], positive_examples: [x]}]", "se contient lui-même"),
        ("[{id: a, patterns: ['e*'], positive_examples: [x]}]", "toucherait presque tout"),
        ("[{id: a, patterns: [x]}]", "aucun exemple"),
        ("[{id: a, label: Vide}]", "aucun motif"),
    ],
    ids=["a cycle of codes", "a cycle of groups", "a pattern that matches everything", "no example", "no pattern"],
)
@pytest.mark.parametrize("command", ["report", "code", "lexicon", "describe", "classify", "codebook propose"])
def test_a_plan_at_fault_is_refused_by_every_command(command, codes, words, tmp_path, capsys):
    (tmp_path / "plan.yaml").write_text(f'version: "1"\ngroups: {{g: "x OU @g"}}\ncodes: {codes}\n', encoding="utf-8")
    texts, coded = answers(70, 1)
    with (tmp_path / "avis.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "text"], *((f"c{rank}", text) for rank, text in enumerate(texts))])
    with (tmp_path / "coded.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [(f"c{rank}", code) for rank, codes in enumerate(coded) for code in codes]
        csv.writer(file).writerows([["id", "code"], *rows])
    lines = {**COMMANDS, "lexicon": ["lexicon", "{corpus}", "--codebook", "{plan}", "--out", "{out}"]}
    paths = {"corpus": tmp_path / "avis.csv", "plan": tmp_path / "plan.yaml", "coded": tmp_path / "coded.csv"}
    before = sorted(tmp_path.iterdir())
    assert main([part.format(**paths, out=tmp_path / "out") for part in lines[command]]) == 1
    refusal = capsys.readouterr().err.replace("\u202f", " ").replace("\xa0", " ").splitlines()[-1]
    assert refusal.startswith("Refusé : Code « a »")
    assert words in refusal
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("votes", "words"),
    [
        ([], "Aucun vote"),
        ([("p0", "s0", 1)], None),
        ([(f"p{row}", f"s{column}", 1) for row in range(30) for column in range(9)], None),
        ([("p0", "s0", "🙂")], "n’est pas un vote"),
    ],
    ids=["no vote", "one vote", "all alike", "an emoji"],
)
def test_odd_votes_get_an_answer_or_one_french_line(votes, words, tmp_path, capsys):
    path, out = tmp_path / "votes.csv", tmp_path / "groups.json"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["participant", "statement", "vote"], *votes])
    code = main(["groups", str(path), "--resamples", "3", "--out", str(out)])
    told = capsys.readouterr().err
    assert code == (1 if words else 0) or told.splitlines()[-1].startswith("Refusé")
    assert not words or words in told
    if code == 0:
        found = json.loads(out.read_text(encoding="utf-8"))
        assert len(found["participants"]) == len({participant for participant, *_ in votes})


def test_a_killed_worker_is_said_in_french_while_learning(monkeypatch):
    texts, coded = answers(60, 1)
    labels = np.array([["train" in given, "impôt" in given] for given in coded])
    monkeypatch.setattr("analysis.coding.experts._fit", _killed)
    with pytest.raises(AnalysisError, match="Un processus de calcul a été arrêté"):
        train(Reader(texts).read(texts), labels, jobs=2)


def _killed(*_arguments):
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)
