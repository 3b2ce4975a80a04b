import csv
import json

import numpy as np
import pytest
from joblib import parallel_config

from analysis.__main__ import main
from analysis.coding.assignments import combine
from analysis.coding.classifier import WITH_VECTORS, decide, doubt_band, learn, log_odds, reading_order, thresholds
from analysis.coding.hits import Hit
from analysis.errors import AnalysisError
from analysis.lemmas import Lemmas

WORDS = {
    "vélo": ("vélo", "piste cyclable", "bicyclette"),
    "train": ("train", "gare", "ligne ferroviaire"),
    "impôt": ("impôt", "taxe", "fiscalité"),
}
FILLER = ("il faut penser à", "nous voulons", "je demande", "surtout pour", "dans ma commune", "avec les habitants")


def answers(n, seed):
    """Answers made of one or two subjects and filler, with their true codes."""
    draws = np.random.default_rng(seed)
    texts, coded = [], []
    for _ in range(n):
        codes = draws.choice(list(WORDS), size=draws.choice([0, 1, 1, 2]), replace=False)
        parts = [str(draws.choice(WORDS[code])) for code in codes] + [str(w) for w in draws.choice(FILLER, size=3)]
        draws.shuffle(parts)
        texts.append(" ".join(parts) + f" {draws.integers(1000)}")
        coded.append(frozenset(codes.tolist()))
    return texts, coded


@pytest.fixture(scope="module")
def learnt():
    texts, coded = answers(160, 1)
    return learn(texts, coded, [*WORDS, "rare"], np.arange(len(texts)))


def test_what_people_coded_is_learnt_and_found_in_new_answers(learnt):
    texts, coded = answers(80, 2)
    found = learnt.predict(texts)
    truth = np.array([[code in given for code in learnt.codes] for given in coded])
    agreed = 2 * (found.given & truth).sum() / (found.given.sum() + truth.sum())
    assert agreed > 0.9
    assert learnt.unlearnt == {"rare": 0}
    assert found.threshold.shape == (3,)
    assert learnt.out_of_fold.score.shape == (160, 3)


def test_learning_repeats_whatever_the_number_of_workers(learnt):
    texts, coded = answers(160, 1)
    with parallel_config(backend="threading"):  # processes take longer to start than all that is learnt here
        again = learn(texts, coded, [*WORDS, "rare"], np.arange(len(texts)), jobs=2)
    assert np.array_equal(again.cut, learnt.cut)
    assert np.array_equal(again.predict(texts[:9]).score, learnt.predict(texts[:9]).score)


def test_each_suggestion_says_which_words_decided(learnt):
    views = learnt.views(["une bicyclette pour tous"])
    assert "bicyclette" in learnt.reasons(views, 0, learnt.codes.index("vélo"))


def test_people_rules_and_model_never_mix(learnt):
    """AT-U4.6: every code leads to its contribution and says who gave it, and why; nobody is dropped."""
    texts = ["un train", "une taxe", "une taxe", "la fiscalité et le train", "🙂", "rien de tout cela", "un vélo"]
    units = [f"u{i}" for i in range(len(texts))]
    human = {"u0": frozenset({"impôt"}), "u5": frozenset()}
    hits = [Hit(0, "train", "train", "train"), Hit(6, "vélo", "vélo", "vélo"), Hit(6, "loisirs", "vélo", "vélo")]
    clusters = np.array([0, 1, 1, 3, 4, 5, 6])
    found = combine(units, texts, human, clusters, hits=hits, model=learnt)
    by_unit = {unit: {a.code: a for a in found.assignments if a.unit == unit} for unit in units}
    assert {a.origin for a in by_unit["u0"].values()} == {"human"}
    assert set(by_unit["u0"]) == {"impôt"}
    assert by_unit["u5"] == {}
    assert by_unit["u6"]["vélo"].origin == "rule"
    assert by_unit["u6"]["loisirs"].reason == "vélo → « vélo »"
    assert by_unit["u1"]["impôt"].origin == "model"
    assert "taxe" in by_unit["u1"]["impôt"].reason
    assert by_unit["u1"]["impôt"].copy_of is None
    assert by_unit["u2"]["impôt"].copy_of == "u1"
    assert by_unit["u2"]["impôt"].score == by_unit["u1"]["impôt"].score
    assert sum(found.counts.values()) == len(units)
    assert found.counts["human"] == 2
    assert "à relire par une personne" in found.notice


def test_doubt_is_left_to_a_person():
    labels = np.array([[True]] * 30 + [[True], [False]] * 15 + [[False]] * 40)
    margin = np.concatenate([np.full(30, 3.0), np.full(30, 0.5), np.full(40, -2.0)])[:, None]
    band = doubt_band(margin, labels)
    assert 0 < band <= 3
    found = decide(("x",), 1 / (1 + np.exp(-margin)), np.zeros(1), 1.0)
    assert found.abstained.tolist() == [False] * 30 + [True] * 30 + [False] * 40
    assert doubt_band(-margin, labels) == np.inf


def test_thresholds_move_with_how_often_people_gave_the_code():
    draws = np.random.default_rng(1)
    labels = np.stack([draws.random(400) < 0.5, draws.random(400) < 0.05], axis=1)
    odds = np.where(labels, 1.5, -1.5) + draws.normal(size=(400, 2)) + np.array([0.0, -2.0])
    cut = thresholds(1 / (1 + np.exp(-odds)), labels)
    assert cut[1] < cut[0]
    balanced = thresholds(1 / (1 + np.exp(-odds)), labels, WITH_VECTORS)
    rare = [2 * (given & labels[:, 1]).sum() / (given.sum() + labels[:, 1].sum()) for given in
            (odds[:, 1] >= found[1] for found in (cut, balanced))]  # fmt: skip
    assert rare[1] >= rare[0]
    assert np.isfinite(log_odds(np.array([0.0, 1.0]))).all()


def test_reading_order_gives_turns_to_codes_and_asks_for_copies_once():
    margin = np.array([[0.1, 5.0], [0.1, 5.0], [3.0, 0.2], [2.0, 0.1]])
    found = decide(("a", "b"), 1 / (1 + np.exp(-margin)), np.zeros(2), 0.0)
    asked = reading_order(found, np.array([0, 0, 2, 3]), 10)
    assert asked == [(0, "a"), (3, "b"), (2, "a")]
    assert reading_order(found, np.array([0, 0, 2, 3]), 1) == [(0, "a")]


@pytest.mark.parametrize(
    ("texts", "coded", "message"),
    [
        (["a b"] * 3, [frozenset({"x"})] * 3, "Aucun code n’a assez d’exemples codés par des personnes .1 au mieux"),
        ([], [], "0 au mieux, il en faut 20"),
        (["🙂"] * 30, [frozenset({"x"})] * 30, "pas assez de mots pour apprendre"),
    ],
)
def test_too_little_to_learn_from_is_refused(texts, coded, message):
    clusters = np.arange(len(texts)) if "🙂" in texts else np.zeros(len(texts), dtype=np.int64)
    with pytest.raises(AnalysisError, match=message):
        learn(texts, coded, ["x"], clusters)


def write(path, header, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.mark.slow
def test_commands_learn_sample_and_measure(tmp_path, capsys):
    """AT-U4.6: from human codings to suggestions, to a blind sample, to a published quality."""
    texts, coded = answers(260, 5)
    corpus = write(tmp_path / "corpus.csv", ("id", "text"), [(f"u{i}", t) for i, t in enumerate(texts)])
    rows = [(f"u{i}", code, "A") for i in range(160) for code in sorted(coded[i]) or [""]]
    human = write(tmp_path / "human.csv", ("id", "code", "coder"), rows)
    out, todo = tmp_path / "codes.ndjson", tmp_path / "next.csv"
    arguments = ["classify", str(corpus), "--coded", str(human), "--out", str(out), "--next", str(todo)]
    assert main(arguments) == 0
    told = capsys.readouterr()
    assert "260 contributions = 160 codées par des personnes" in told.out
    assert "[4/4] apprentissage" in told.err
    first = out.read_bytes()
    assert main(arguments) == 0
    assert out.read_bytes() == first
    sheet, key = tmp_path / "sheet.csv", tmp_path / "key.json"
    sample = ["sample", str(corpus), "--codes", str(out), "--sheet", str(sheet), "--key", str(key)]
    assert main([*sample, "--per-stratum", "15"]) == 0
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        drawn = [row["id"] for row in csv.DictReader(file)]
    codings = [(unit, code, coder) for unit in drawn for coder in "AB" for code in sorted(coded[int(unit[1:])]) or [""]]
    read = write(tmp_path / "read.csv", ("id", "code", "coder"), codings)
    report = tmp_path / "quality.json"
    quality = ["quality", str(key), "--coded", str(read), "--out", str(report), "--alpha", "0.6"]
    assert main(quality) == 0
    found = json.loads(report.read_text(encoding="utf-8"))
    assert {row["code"] for row in found["codes"]} == set(WORDS)
    assert all(row["precision"]["value"] > 0.8 for row in found["codes"])
    assert found["agreement"]["sets"]["value"] == 1.0
    assert "periods" not in found
    dated = [(*row, "2" if rank > len(codings) // 2 else "1") for rank, row in enumerate(codings)]
    write(tmp_path / "read.csv", ("id", "code", "coder", "period"), dated)
    assert main(quality) == 0
    found = json.loads(report.read_text(encoding="utf-8"))
    assert {period: each["sets"]["value"] for period, each in found["periods"].items()} == {"1": 1.0, "2": 1.0}
    write(tmp_path / "read.csv", ("id", "code", "coder"), codings[:4])
    assert main(quality) == 1
    assert "n’ont pas été codées" in capsys.readouterr().err


@pytest.mark.slow
def test_rules_code_before_the_model_and_an_unapproved_plan_is_not_to_be_published(tmp_path, capsys, monkeypatch):
    """AT-U4.4: a run on a version without both approvals says that it cannot be published."""
    monkeypatch.setattr(
        "analysis.lemmas.learn",
        lambda forms, texts, **_: Lemmas(tuple(forms), ("NOUN",) * len(forms), ("form",) * len(forms), {}, 0),
    )
    texts, coded = answers(130, 9)
    texts[-1] = "un barrage hydraulique"
    corpus = write(tmp_path / "corpus.csv", ("id", "text"), [(f"u{i}", t) for i, t in enumerate(texts)])
    rows = [(f"u{i}", code, "A") for i in range(120) for code in sorted(coded[i]) or [""]]
    human = write(tmp_path / "human.csv", ("id", "code", "coder"), rows)
    plan, out = tmp_path / "plan.yaml", tmp_path / "codes.ndjson"
    plan.write_text(
        "version: '1'\ncodes: [{id: eau, patterns: [barrage], positive_examples: [barrage]}]", encoding="utf-8"
    )
    arguments = ["classify", str(corpus), "--coded", str(human), "--codebook", str(plan), "--out", str(out)]
    assert main(arguments) == 0
    assert "Ne pas publier" in capsys.readouterr().out
    found = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert {"unit": "u129", "code": "eau", "origin": "rule"}.items() <= next(
        row for row in found if row["code"] == "eau"
    ).items()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,code\n", "ne contient aucun codage"),
        ("x,y\n1,2\n", "ligne 2 : il faut les colonnes"),
        (None, "n’existe pas"),
    ],
)
def test_faulty_codings_are_refused(tmp_path, capsys, content, message):
    corpus = write(tmp_path / "corpus.csv", ("id", "text"), [("1", "un texte")])
    coded = tmp_path / "coded.csv"
    if content is not None:
        coded.write_text(content, encoding="utf-8")
    assert main(["classify", str(corpus), "--coded", str(coded), "--out", str(tmp_path / "o")]) == 1
    assert message in capsys.readouterr().err
