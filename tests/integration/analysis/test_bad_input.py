"""Odd and hostile input, by every command: an answer or one French line, never a traceback, never a row lost."""

import argparse
import csv
import json

import pytest

from analysis import __main__ as command_line
from analysis.__main__ import main
from analysis.plurals import counted
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
LEXICAL = ["--cache", "{cache}", "--out", "{out}"]
COMMANDS = {
    "report": ["report", "{corpus}", "--codebook", "{plan}", *LEXICAL],
    "code": ["code", "{corpus}", "--codebook", "{plan}", *LEXICAL],
    "describe": ["describe", "{corpus}", "--codebook", "{plan}"],
    "tabulate": ["tabulate", "{corpus}", "--codes", "{codes}", "--codebook", "{plan}", "--out", "{out}"],
    "lexicon": ["lexicon", "{corpus}", "--codebook", "{plan}", "--double", *LEXICAL],
    "reinert": ["reinert", "{corpus}", "--segment", "40", *LEXICAL],
    "duplicates": ["duplicates", "{corpus}", *LEXICAL],
    "concordance": ["concordance", "{corpus}", "vélo OU phrase OU piste", *LEXICAL],
    "companions": ["companions", "{corpus}", "piste", "--segment", "20", *LEXICAL],
    "iramuteq": ["iramuteq", "{corpus}", "--out", "{out}"],
    "themes": ["themes", "{corpus}", "--corpus", "avis", *LEXICAL],
    "classify": ["classify", "{corpus}", "--coded", "{coded}", "--codebook", "{plan}", "--out", "{out}"],
    "sample": [
        *("sample", "{corpus}", "--codes", "{codes}", "--codebook", "{plan}"),
        *("--sheet", "{out}", "--key", "{out}.json"),
    ],
    "quality": ["quality", "{key}", "--coded", "{coded}", "--out", "{out}"],
    "drift": ["drift", "{codes}", "{codes}", "--dump", "{corpus}", "--codebook", "{plan}", "--out", "{out}"],
    "codebook convert": ["codebook", "convert", "{examples}", "{out}.xlsx"],
    "codebook diff": ["codebook", "diff", "{plan}", "{plan}", "--dump", "{corpus}", "--out", "{out}"],
    "codebook propose": ["codebook", "propose", "{plan}", "--dump", "{corpus}", "--out", "{out}"],
    "groups": ["groups", "{votes}", "--resamples", "2", "--before", "{votes}", "--out", "{out}"],
    "arguments": ["arguments", "{arguments}", "--out", "{out}"],
    "aids": ["aids", "{texts}", "--out", "{out}"],
    "insults": [
        *("insults", "{coded}", "--text", "unit", "--label", "code", "--insulting", "vélo"),
        *("--legitimate", "{corpus}:text", "--out", "{out}"),
    ],
    "verify": ["verify", "{verified}", "--cache", "{cache}"],
}
PLAN = """
version: "1"
codes:
  - {id: vélo, patterns: ['vélo OU "pistes cyclables"', 'phr* OU dév* OU ordinaire'], positive_examples: ['le vélo']}
  - {id: tout, patterns: ['ville'], positive_examples: ['la ville']}
"""
PARTS = ("set_apart", "nonresponse", "undecidable", "coded", "no_code")


def leaves(parser, name=""):
    """The commands of a parser, those of its commands included."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for action in below:
        for sub, parsed in action.choices.items():
            yield from leaves(parsed, f"{name} {sub}".strip())
    if not below:
        yield name


def test_every_command_is_tried():
    """A command that is added and not tried on bad input is told here."""
    assert set(leaves(command_line._parser())) == set(COMMANDS)


def write_csv(path, header, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="module", params=CORPORA)
def place(request, tmp_path_factory, lemma_cache):
    """Paths by name: one odd corpus as each command reads it, and how many texts it holds (`size`)."""
    folder = tmp_path_factory.mktemp("odd")
    texts = CORPORA[request.param]
    ids = [f"c{rank}" for rank in range(len(texts))]
    names = {"corpus": "avis.csv", "plan": "plan.yaml", "coded": "coded.csv", "codes": "codes.ndjson"}
    names |= {"key": "key.json", "examples": "examples.yaml", "votes": "votes.csv", "arguments": "arguments.ndjson"}
    paths = {name: folder / file for name, file in names.items()} | {"cache": lemma_cache}
    write_csv(paths["corpus"], ["id", "text"], zip(ids, texts, strict=True))
    write_csv(paths["coded"], ["id", "code", "coder"], [(unit, "vélo", coder) for unit in ids for coder in "ab"])
    write_csv(
        paths["votes"], ["participant", "statement", "vote"], [(f"p{n}", text, 1) for n in range(9) for text in texts]
    )
    paths["texts"] = folder / "texts.ndjson"
    write_rows(
        paths["texts"],
        [{"id": unit, "author": None, "text": text, "new": True} for unit, text in zip(ids, texts, strict=True)],
    )
    paths["plan"].write_text(PLAN, encoding="utf-8")
    write_rows(paths["codes"], [{"contribution": unit, "code": "vélo"} for unit in ids])
    write_rows(
        paths["arguments"],
        [
            {
                "id": unit,
                "contribution": "p",
                "side": "for",
                "title": None,
                "body": text,
                "status": "published",
                "origin": "live",
            }
            for unit, text in zip(ids, texts, strict=True)
        ],
    )
    drawn = {"drawn": [(unit, "vélo", "given", unit) for unit in ids], "units": ids, "seed": 1}
    sizes = {"given": len(ids), "given_near": 0, "refused_near": 0, "refused": 0}
    key = {**drawn, "sizes": {"vélo": sizes}, "corpus": "avis", "codebook": None}
    paths["key"].write_text(json.dumps(key), encoding="utf-8")
    code = {"id": "a", "patterns": ["vélo"], "positive_examples": texts or ["vélo"]}
    paths["examples"].write_text(json.dumps({"version": "1", "codes": [code]}), encoding="utf-8")
    assert main(["iramuteq", str(paths["corpus"]), "--out", str(folder / "avis.txt")]) == 0
    return paths | {"verified": folder / "avis.txt", "size": len(texts)}


def tried(place, command, tmp_path, capsys):
    """What a command says of an odd corpus, and its exit code."""
    line = [part.format(**place, out=tmp_path / "out") for part in COMMANDS[command]]
    return main(line), capsys.readouterr()


@pytest.mark.parametrize("command", COMMANDS)
def test_odd_corpora_get_an_answer_or_one_french_line(place, command, tmp_path, capsys):
    code, told = tried(place, command, tmp_path, capsys)
    if code:
        assert code == 1
        *_, refusal = told.err.splitlines()
        assert refusal.startswith("Refusé\u00a0: ")
        assert refusal.endswith(".")
        assert not list(tmp_path.iterdir())
    else:
        assert "Traceback" not in told.err
        assert told.out


def reconciliations(value):
    """Every account of where contributions went, wherever it stands in a result."""
    if isinstance(value, dict):
        if set(PARTS) <= value.keys():
            yield value
        for each in value.values():
            yield from reconciliations(each)
    elif isinstance(value, list):
        for each in value:
            yield from reconciliations(each)


def results(folder):
    """What the JSON files of a result say, manifests included."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            try:
                yield json.loads(path.read_text(encoding="utf-8"))
            except ValueError:
                continue  # another format


ACCOUNTED = (
    *("report", "code", "tabulate", "lexicon", "reinert", "duplicates", "themes", "classify"),
    *("drift", "codebook diff", "codebook propose", "sample", "iramuteq", "arguments"),
)


@pytest.mark.parametrize("command", ACCOUNTED)
def test_no_row_of_an_odd_corpus_is_lost(place, command, tmp_path, capsys):
    """What was received is the sum of the parts, in every result that there is."""
    code, _ = tried(place, command, tmp_path, capsys)
    if code == 0:
        found = list(reconciliations(list(results(tmp_path))))
        assert found
        for each in found:
            assert each["received"] == sum(each[part] for part in PARTS) == place["size"]


def test_what_has_no_account_lists_every_row(place, tmp_path, capsys):
    size = place["size"]
    assert tried(place, "iramuteq", tmp_path, capsys)[0] == 0
    assert (tmp_path / "out").read_text(encoding="utf-8").count("**** *id_c") == size
    code, told = tried(place, "describe", tmp_path, capsys)
    assert (code, f"; {counted(size, 'reçue')}," in told.out) == (0, True)
    if tried(place, "arguments", tmp_path, capsys)[0] == 0:
        (found,) = json.loads((tmp_path / "out").read_text(encoding="utf-8"))
        said = json.loads((tmp_path / "out.manifest.json").read_text(encoding="utf-8"))["summary"]["reconciliation"]
        assert (
            found["counts"]["for"] == said["arguments"]["coded"] == sum(len(t["arguments"]) for t in found["threads"])
        )
    if tried(place, "groups", tmp_path, capsys)[0] == 0:
        found = json.loads((tmp_path / "out").read_text(encoding="utf-8"))
        assert len(found["participants"]) == 9
        account = found["reconciliation"]
        assert account["received"] == sum(account.values()) - account["received"] == 9 * size
        assert account["replaced"] == 9 * (size - len({row["statement"] for row in found["statements"]}))


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
@pytest.mark.parametrize("command", [name for name, line in COMMANDS.items() if {"{plan}", "{examples}"} & {*line}])
def test_a_plan_at_fault_is_refused_by_every_command(command, codes, words, tmp_path, lemma_cache, capsys):
    (tmp_path / "plan.yaml").write_text(f'version: "1"\ngroups: {{g: "x OU @g"}}\ncodes: {codes}\n', encoding="utf-8")
    texts, coded = answers(70, 1)
    write_csv(tmp_path / "avis.csv", ["id", "text"], [(f"c{rank}", text) for rank, text in enumerate(texts)])
    rows = [(f"c{rank}", code) for rank, codes in enumerate(coded) for code in codes]
    write_csv(tmp_path / "coded.csv", ["id", "code"], rows)
    write_rows(tmp_path / "codes.ndjson", [{"contribution": unit, "code": code} for unit, code in rows])
    files = {"corpus": "avis.csv", "plan": "plan.yaml", "examples": "plan.yaml", "coded": "coded.csv"}
    paths = {name: tmp_path / file for name, file in {**files, "codes": "codes.ndjson"}.items()}
    before = sorted(tmp_path.iterdir())
    line = [part.format(**paths, cache=lemma_cache, out=tmp_path / "out") for part in COMMANDS[command]]
    assert main(line) == 1
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


@pytest.mark.parametrize(
    ("command", "task"),
    [
        ("classify", "analysis.coding.experts._fit"),
        ("lexicon", "analysis.prepare._read_part"),
        ("reinert", "analysis.prepare._read_part"),
        ("duplicates", "analysis.prepare._read_part"),
    ],
)
def test_a_killed_worker_is_said_in_french(command, task, monkeypatch, lemma_cache, tmp_path, capsys):
    """By each command that shares its work between processes, and nothing is written."""
    shared = {name for name, line in COMMANDS.items() if "--jobs" in options_of(name)}
    assert command in shared == {"classify", "lexicon", "reinert", "duplicates"}
    texts, coded = answers(60, 1)
    write_csv(tmp_path / "avis.csv", ["id", "text"], [(f"c{rank}", text) for rank, text in enumerate(texts)])
    rows = [(f"c{rank}", code) for rank, codes in enumerate(coded) for code in codes or [""]]
    write_csv(tmp_path / "coded.csv", ["id", "code"], rows)
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    paths = {
        name: tmp_path / file for name, file in (("corpus", "avis.csv"), ("coded", "coded.csv"), ("plan", "plan.yaml"))
    }
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(task, _killed)
    line = [part.format(**paths, cache=lemma_cache, out=tmp_path / "out") for part in COMMANDS[command]]
    assert main([*line, "--jobs", "2"]) == 1
    assert "Un processus de calcul a été arrêté" in capsys.readouterr().err.splitlines()[-1]
    assert sorted(tmp_path.iterdir()) == before


def options_of(command):
    """The options of a command."""
    parser = command_line._parser()
    for name in command.split():
        (action,) = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
        parser = action.choices[name]
    return {option for action in parser._actions for option in action.option_strings}


def _killed(*_arguments):
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)
