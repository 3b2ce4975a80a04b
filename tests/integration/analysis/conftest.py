"""Hand-made dumps in the published format."""

import hashlib
import json
from pathlib import Path

import pytest

FILES = ("consultation", "steps", "themes", "contributions", "arguments", "votes", "questions", "replies", "answers")


def write_dump(directory: Path, **rows: list[dict]) -> Path:
    """Write a dump directory; absent files are empty, absent columns null."""
    directory.mkdir(parents=True, exist_ok=True)
    rows.setdefault(
        "consultation", [{"id": "c", "slug": "climat", "title": "Climat & énergie", "sample": "volunteers"}]
    )
    files = []
    for name in FILES:
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows.get(name, [])).encode()
        (directory / f"{name}.ndjson").write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        files.append({"name": f"{name}.ndjson", "dataset": name, "rows": 0, "bytes": len(content), "sha256": digest})
    manifest = {
        "format": "consult-dump/1",
        "organisation": "o",
        "consultation": "climat",
        "title": "Climat",
        "licence": "etalab-2.0",
        "source": "https://exemple.fr/o/climat",
        "generated_at": "2026-03-02T09:00:00Z",
        "position": 1234,
        "files": files,
    }
    (directory / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return directory


def contribution(number: int, body: str | None, *, theme: str | None = "t1", **values) -> dict:
    votes = dict.fromkeys(
        ("votes_for", "votes_mixed", "votes_against", "imported_votes_for", "imported_votes_mixed",
         "imported_votes_against"), 0,
    )  # fmt: skip
    return {
        "id": f"p{number:03}",
        "step": "s1",
        "theme": theme,
        "title": None,
        "body": body,
        "status": "published",
        "status_reason": None,
        "origin": "live",
        **votes,
        **values,
    }


def step(identifier: str, kind: str, title: str, position: int) -> dict:
    return {"id": identifier, "slug": identifier, "kind": kind, "title": title, "position": position}


def question(identifier: str, kind: str, wording: str, position: int, *, options=(), visibility="rows") -> dict:
    return {
        "id": identifier,
        "step": "s2",
        "position": position,
        "kind": kind,
        "wording": wording,
        "options": [{"id": option, "label": label} for option, label in options],
        "required": False,
        "visibility": visibility,
    }


def answer(reply: str, asked: str, *, text=None, options=(), other=None) -> dict:
    return {"reply": reply, "question": asked, "text": text, "options": list(options), "other": other}


def small_rows() -> dict[str, list[dict]]:
    bodies = [
        ("t1", "Développer les pistes cyclables et le vélo en ville.", {"votes_for": 4, "votes_against": 1}),
        ("t1", "Plus de trains, moins de voitures : des transports en commun gratuits !", {"votes_for": 2}),
        ("t1", "Il ne faut pas taxer les voitures, mais aider le vélo électrique.", {"votes_mixed": 3}),
        ("t2", "Baisser la TVA sur l’isolation des logements <b>anciens</b>.", {"imported_votes_for": 9}),
        ("t2", "SUPPRIMER LA TAXE SUR LE GAZ DANS LES LOGEMENTS", {"votes_against": 7}),
        ("t2", "L'isolation des logements coûte cher ; les aides sont trop compliquées.", {}),
        ("t2", "RAS", {}),
        (None, "Voir ci-dessus.", {}),
        (None, "=1+1 est une formule", {}),
        ("t1", None, {"status": "hidden", "status_reason": "insult"}),
        ("t1", None, {"status": "withdrawn"}),
        ("t1", "essai", {"origin": "test"}),
    ]
    contributions = [contribution(n, body, theme=theme, **more) for n, (theme, body, more) in enumerate(bodies)]
    arguments = [
        {"id": "a1", "contribution": "p000", "side": "for", "title": None, "body": "Le vélo est bon pour la santé.",
         "status": "published", "origin": "live"},
        {"id": "a2", "contribution": "p000", "side": "against", "title": "Coût", "body": "Trop cher pour la commune.",
         "status": "published", "origin": "live"},
        {"id": "a3", "contribution": "p001", "side": "for", "title": None, "body": None,
         "status": "hidden", "origin": "live"},
    ]  # fmt: skip
    questions = [
        question("q1", "single", "Êtes-vous d’accord ?", 1, options=[("y", "Oui"), ("n", "Non")]),
        question("q2", "multiple", "Vos transports ?", 2, options=[("v", "Vélo"), ("t", "Train"), ("c", "Voiture")]),
        question("q3", "long_text", "Pourquoi ?", 3),
        question("q4", "single", "Votre âge ?", 4, options=[("j", "Jeune")], visibility="aggregates"),
    ]
    replies, answers = [], []
    for n in range(40):
        reply = f"r{n:02}"
        replies.append({"id": reply, "step": "s2", "received_on": "2026-03-01", "origin": "live"})
        yes = n % 2 == 0
        if n != 39:
            answers.append(answer(reply, "q1", options=["y" if yes else "n"]))
        answers.append(
            answer(reply, "q2", options=["v", "t"] if yes else ["c"], other="Trottinette" if n == 3 else None)
        )
        if n < 30:
            text = "Le vélo et le train, pour le climat" if yes else "La voiture reste nécessaire à la campagne"
            answers.append(answer(reply, "q3", text="NSP" if n == 5 else text))
    replies.append({"id": "rt", "step": "s2", "received_on": "2026-03-01", "origin": "test"})
    answers.append(answer("rt", "q3", text="essai"))
    return {
        "steps": [step("s2", "questionnaire", "Questionnaire", 2), step("s1", "proposals", "Propositions", 1)],
        "themes": [
            {"id": "t1", "step": "s1", "title": "Déplacements", "position": 1},
            {"id": "t2", "step": "s1", "title": "Logement", "position": 2},
        ],
        "contributions": contributions,
        "arguments": arguments,
        "questions": questions,
        "replies": replies,
        "answers": answers,
    }


PLAN = """
title: Plan de codification du climat
version: "1"
groups: {moins: "baisser OU supprimer OU diminuer"}
codes:
  - {id: mobilite, label: Mobilité}
  - id: velo
    label: Vélo
    parent: mobilite
    definition: Tout ce qui touche au vélo.
    patterns: ['vélo', '"pistes cyclables"']
    positive_examples: ['Faire du velo']
  - id: commun
    label: Transports en commun
    parent: mobilite
    patterns: ['train OU bus', 'transport PUIS/2 commun']
    positive_examples: ['Des bus']
  - id: taxes
    label: Moins de taxes
    patterns: ['@moins PUIS/4 (taxe OU tva)', 'NIE(taxer)']
    positive_examples: ['Baisser la taxe']
    negative_examples: ['Augmenter la taxe']
"""


@pytest.fixture(scope="session")
def small_dump(tmp_path_factory) -> Path:
    return write_dump(tmp_path_factory.mktemp("dump") / "climat", **small_rows())


@pytest.fixture(scope="session")
def plan(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("plan") / "plan.yaml"
    path.write_text(PLAN, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def lemma_cache(tmp_path_factory) -> Path:
    """Lemmas learnt once for all the runs of the session: spaCy takes seconds to start."""
    return tmp_path_factory.mktemp("lemmas")
