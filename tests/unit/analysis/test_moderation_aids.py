"""Aids of moderation on files alone: a model that is weights only, copies, links, names; nothing is decided."""

import csv
import dataclasses
import datetime as dt
import json

import numpy as np
import pytest

from analysis.__main__ import main
from analysis.errors import AnalysisError
from analysis.moderation import insults, training
from analysis.moderation.reading import Text, read

DAY = dt.date(2026, 11, 28)
RUDE = ("espèce de bandit {}", "tu es un bandit, {}", "quel bandit ce {}, vraiment", "{} vaurien que tu es")
FAIR = ("il faudrait une école à {}", "la gare de {} manque de trains", "à {} les loyers montent", "un banc près de {}")
PLACES = [f"lieu{letter}{other}" for letter in "abcdefghijklmnop" for other in "abcdefghijkl"]


def write(path, rows, columns=("texte", "avis")):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


@pytest.fixture
def labelled(tmp_path):
    rows = [(RUDE[rank % 4].format(place), "insulte") for rank, place in enumerate(PLACES)]
    rows += [(f"{place}, réunion de quartier numéro {rank}", "normal") for rank, place in enumerate(PLACES)]
    return write(tmp_path / "labelled.csv", rows)


@pytest.fixture
def legitimate(tmp_path):
    rows = [(FAIR[rank % 4].format(place) + f" et {extra}",) for rank, place in enumerate(PLACES) for extra in "xyzt"]
    return write(tmp_path / "legitimate.csv", rows, ("texte",))


@pytest.fixture
def model(labelled, legitimate, tmp_path):
    parts = training.load(labelled, "texte", "avis", ("insulte",)), [training.load(legitimate, "texte")]
    return training.train(*parts, None, tmp_path / "model.json", seed=1, day=DAY)


def test_the_model_is_trained_measured_and_dated_by_a_command(labelled, legitimate, tmp_path, capsys):
    out = tmp_path / "out.json"
    command = ["insults", str(labelled), "--text", "texte", "--label", "avis", "--insulting", "insulte,menace"]
    command += ["--legitimate", f"{legitimate}:texte", "--criticism", f"{legitimate}:texte"]
    assert main([*command, "--out", str(out), "--date", "2026-11-28"]) == 0
    model = insults.read(out)
    assert model.card["date"] == "2026-11-28"
    assert [each["part"] for each in model.card["files"]] == ["labelled", "legitimate", "criticism"]
    assert all(len(each["sha256"]) == 64 for each in model.card["files"])
    measures = model.card["measures"]
    assert measures["recall"]["share"] > 0.9
    assert measures["recall"]["low"] < measures["recall"]["share"] <= measures["recall"]["high"]
    assert measures["criticism_wrongly_suggested"]["high"] < 0.05
    assert "recall" in capsys.readouterr().out
    again = tmp_path / "again.json"
    assert main([*command, "--out", str(again), "--date", "2026-11-28"]) == 0
    assert again.read_bytes() == out.read_bytes(), "the same files, seed and day: the same model"


def test_the_reason_is_where_the_words_that_weighed_are(model):
    text = "Bonjour : espèce de bandit va"
    found = insults.score(model, text)
    assert found.score >= model.threshold
    assert "bandit" in [text[start:end] for start, end in found.spans]
    assert insults.score(model, "un banc près de la gare").score < model.threshold
    assert insults.score(model, "").spans == ()


def test_who_is_spoken_of_does_not_weigh_by_itself(model):
    packaged = insults.read(insults.MODEL)
    for people in ("arabes", "juifs", "musulmans", "femmes", "homosexuels", "immigrés", "handicapés", "noirs"):
        for each in (packaged, model):
            assert insults.score(each, people) == insults.score(each, ""), people
        assert insults.score(packaged, f"Les {people} sont citoyens comme tous.").score < packaged.threshold


def test_near_copies_are_never_on_both_sides_of_the_split():
    texts = [f"le même texte assez long pour être comparé, lettre {mark}" for mark in ("a", "b", "c")]
    texts += [f"{place} parle d’une chose tout à fait différente des autres {place}" for place in PLACES]
    for seed in range(8):
        learnt, held = training._split(texts, np.random.default_rng(seed))
        assert len({rank in learnt for rank in range(3)}) == 1
        assert sorted([*learnt, *held]) == list(range(len(texts)))


HOLLOW = '{"format": "consult-insults/1", "card": {}, "bias": 0, "threshold": 0, "unit": 1, "weights": "eJw="}'


@pytest.mark.parametrize("content", ["", "[]", '{"format": "other"}', '{"format": "consult-insults/1"}', HOLLOW])
def test_what_is_no_model_is_refused(tmp_path, content):
    path = tmp_path / "model.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(AnalysisError):
        insults.read(path)


def test_too_little_is_not_learnt(tmp_path, legitimate, labelled):
    few = training.load(write(tmp_path / "few.csv", [("espèce de bandit", "insulte")]), "texte", "avis", ("insulte",))
    whole = training.load(labelled, "texte", "avis", ("insulte",))
    for data, fair in ((few, [training.load(legitimate, "texte")]), (whole, [])):
        with pytest.raises(AnalysisError, match="Il faut au moins"):
            training.train(data, fair, None, tmp_path / "x.json", seed=1, day=DAY)
    with pytest.raises(AnalysisError, match="colonne"):
        training.load(labelled, "corps")


LETTER = "Nous demandons que la ligne du bord de mer reste ouverte toute l’année pour les habitants du canton"


def batch(*written):
    return [Text(str(rank), author, text, rank > 0) for rank, (author, text) in enumerate(written)]


def kinds(texts, model=None, *, names=False):
    return {(row["id"], row["kind"]) for row in read(texts, model, names=names)}


def test_copies_of_one_are_a_repetition_and_those_of_several_a_campaign():
    alone = batch(*[("a", LETTER)] * 3)
    assert kinds(alone) == {("1", "repetition"), ("2", "repetition")}, "the first was read before"
    several = batch(*[(author, f"{LETTER}, dit {author}") for author in "abcde"])
    assert kinds(several) == {(str(rank), "campaign") for rank in range(1, 5)}
    assert kinds(several[:4]) == set(), "a few neighbours are no campaign"
    assert {row["with_others"] for row in read(several, None, names=False)} == {4}
    apart = [dataclasses.replace(each, among=each.id) for each in several]
    assert kinds(apart) == set(), "one of each step is no copy"


def test_links_are_suggested_when_there_are_many_or_nothing_else():
    links = "voir https://a.exemple/x et https://b.exemple/y et www.c.exemple"
    texts = batch(
        ("a", "x"), ("a", links), ("b", "Le rapport est là : https://a.exemple/x, pages 3 à 9"), ("c", "bit.ly/x")
    )
    assert kinds(texts) == {("1", "links"), ("3", "links")}


@pytest.mark.slow
def test_the_command_reads_names_with_the_tagger_and_insults_with_the_model(model, tmp_path):
    texts, out = tmp_path / "texts.ndjson", tmp_path / "out.json"
    rows = [
        {"id": "1", "author": "a", "text": "espèce de bandit va", "new": True},
        {"id": "2", "author": None, "text": "Le dossier est suivi par Yazdan Rahimi à la mairie.", "new": True},
    ]
    texts.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    command = ["aids", str(texts), "--model", str(tmp_path / "model.json"), "--names", "--out", str(out)]
    assert main(command) == 0
    found = json.loads(out.read_text(encoding="utf-8"))["suggestions"]
    assert {(row["id"], row["kind"]) for row in found} >= {("1", "insult"), ("2", "name")}
    assert {row["version"] for row in found if row["kind"] == "insult"} == {f"insults-{model.version}"}
    texts.write_text('{"id": 1}', encoding="utf-8")
    assert main(command) == 1


@pytest.mark.real_data
def test_the_packaged_model_keeps_its_published_measures(real_data, tmp_path, capsys):
    """Trained again on the real files it is the packaged one: its recall, the criticism it wrongly suggests."""
    files = {
        "labelled": "fr_toxic_mlma/fr_even.csv.gz",
        "answers": "gd_open_answers/sample_q165_protection_sociale.csv.gz",
        "arguments": "republique_numerique_2015/arguments.csv.gz",
        "criticism": "gd_moderation_labels/dissident_labels_part1.csv",
    }
    paths = {name: real_data / path for name, path in files.items()}
    labels = ("abusive", "offensive", "hateful", "disrespectful")
    labelled = training.load(paths["labelled"], "tweet", "sentiment", labels)
    legitimate = [training.load(paths["answers"], "comment"), training.load(paths["arguments"], "body")]
    criticism = training.load(paths["criticism"], "text")
    trained = training.train(labelled, legitimate, criticism, tmp_path / "model.json", seed=1, day=DAY)
    packaged = insults.read(insults.MODEL)
    measures = packaged.card["measures"]
    with capsys.disabled():
        print(f"\ninsults: {measures}")
    assert trained.card["measures"] == measures
    assert measures["recall"]["share"] >= 0.6
    assert measures["recall"]["low"] >= 0.6
    assert measures["criticism_wrongly_suggested"]["among"] == 255
    assert measures["criticism_wrongly_suggested"]["high"] <= 0.08
    assert trained.weights == pytest.approx(packaged.weights, abs=0.1)
