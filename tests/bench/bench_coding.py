"""Quality of supervised coding on real human codings, beside a strong baseline on the same folds in the same run.

The baseline is what one would write first: TF-IDF on words (1-2) and characters, balanced logistic regression, one
global threshold tuned on inner folds. Folds keep contributions and their near-duplicates together.
"""

import csv
import gzip
import os
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import label_ranking_average_precision_score

from analysis.coding.classifier import learn
from analysis.coding.sampling import folds
from analysis.semantic.duplicates import find_duplicates
from analysis.semantic.shingles import bare
from analysis.semantic.vectors import available, sentence_vectors
from analysis.text import Vocabulary

ROOT = Path(__file__).parents[2]
MANY_READERS = "q162"
QUESTIONS = {"small": ("FI9", "TE12"), "full": (MANY_READERS, "TE11", "TE12", "FI9")}
LEXICAL = {MANY_READERS: 0.62, "TE11": 0.80, "TE12": 0.59, "FI9": 0.48}  # reached elsewhere without encoder
# Means over the four questions, reached elsewhere by the baseline and both encoders.
WITH_ENCODERS = {"micro F1": 0.6575, "macro F1": 0.5875, "P@1": 0.775}
FOLDS, INNER = 5, 3
MIN_POSITIVE, READERS = 20, 3


def taggings(*, many: bool) -> list[dict[str, str]]:
    """A tag, an answer, and how many readers put it: of the question that several read, or of the others."""
    folder = Path(os.environ.get("CONSULT_REAL_DATA") or ROOT.parent / "shared" / "data") / "grande_annotation"
    name = "lga_q162_info_impots_tags.csv.gz" if many else "elf_tags_TE11_TE12_FI9.csv.gz"
    with gzip.open(folder / name, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def data(question: str) -> tuple[list[str], np.ndarray]:
    """Texts and codes (n, c) of a question: tags with at least 20 texts; on q162, tags that three readers put.

    On q162 equal answers had been coded together by the volunteers' site: each distinct text counts once.
    """
    many = question == MANY_READERS
    rows = [row for row in taggings(many=many) if many or row["question_elf"] == question]
    texts: dict[str, str] = {}
    tags: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if not many or int(row["n_annotators"]) >= READERS:
            key = row["text"] if many else row["contribution"]
            texts[key] = row["text"]
            tags[key].add(row["tag"])
    often = Counter(tag for given in tags.values() for tag in given)
    kept = sorted(tag for tag, count in often.items() if count >= MIN_POSITIVE)
    return [texts[key] for key in tags], np.array([[tag in given for tag in kept] for given in tags.values()])


def volunteer(*, more: int, strictly: bool) -> dict[str, float]:
    """How well one volunteer of q162 finds what the others say: expected F1 on the answers and tags of `data`.

    A volunteer drawn at random put a tag as often as readers did; the others say it when half of them, or more than
    half (`strictly`), put it. The file tells how many put each tag and not how many read: at least as many as put the
    most given tag, and here `more` than them.
    """
    texts, labels = data(MANY_READERS)
    given: dict[str, dict[str, int]] = {text: {} for text in texts}
    for row in taggings(many=True):
        if row["text"] in given:
            tags = given[row["text"]]
            tags[row["tag"]] = max(int(row["n_annotators"]), tags.get(row["tag"], 0))
    often = Counter(tag for tags in given.values() for tag, count in tags.items() if count >= READERS)
    kept = sorted(tag for tag, count in often.items() if count >= MIN_POSITIVE)
    put = np.array([[tags.get(tag, 0) for tag in kept] for tags in given.values()])
    assert ((put >= READERS) == labels).all()
    others = np.array([max(tags.values()) for tags in given.values()])[:, None] + more - 1
    share = put / (others + 1)
    least = 2 * (put - 1) > others if strictly else 2 * (put - 1) >= others
    alone = 2 * put > others if strictly else 2 * put >= others
    right, missed, wrong = share * least, (1 - share) * alone, share * ~least
    per_tag = 2 * right.sum(axis=0) / (2 * right + missed + wrong).sum(axis=0)
    return {"micro F1": float(2 * right.sum() / (2 * right + missed + wrong).sum()), "macro F1": float(per_tag.mean())}


def volunteer_row() -> dict:
    """The row of one volunteer, to be read beside that of the machine on the same answers."""
    read = {
        (more, strictly): told(volunteer(more=more, strictly=strictly)) for more in (1, 0) for strictly in (False, True)
    }
    return {
        "name": "coding q162: one volunteer against the others, micro F1",
        "value": round(volunteer(more=1, strictly=False)["micro F1"], 3), "unit": "F1", "budget": None,
        "note": f"one reader more than put the most given tag; said by half of the others: {read[1, False]}, by more "
        f"than half: {read[1, True]}; were there no more readers: {read[0, False]}, {read[0, True]}",
    }  # fmt: skip


def clusters_of(texts: list[str]) -> np.ndarray:
    vocabulary = Vocabulary()
    groups = find_duplicates(bare(vocabulary.tokenise(texts), vocabulary)).groups
    return np.where(groups < 0, np.arange(len(texts)), groups)


def baseline(texts: list[str], labels: np.ndarray, others: list[str]) -> np.ndarray:
    """Scores of other texts, shape (n, c)."""
    views = [
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, strip_accents="unicode", min_df=2),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, strip_accents="unicode", min_df=2),
    ]
    read = sparse.hstack([view.fit_transform(texts) for view in views]).tocsr()
    asked = sparse.hstack([view.transform(others) for view in views]).tocsr()
    found = np.zeros((len(others), labels.shape[1]))
    for code in range(labels.shape[1]):
        if 0 < labels[:, code].sum() < len(labels):
            model = LogisticRegression(C=10, class_weight="balanced", solver="liblinear").fit(read, labels[:, code])
            found[:, code] = model.predict_proba(asked)[:, 1]
    return found


def best_threshold(score: np.ndarray, labels: np.ndarray) -> float:
    order = np.argsort(-score.ravel(), kind="stable")
    right = np.cumsum(labels.ravel()[order])
    return score.ravel()[order][(right / (np.arange(1, len(order) + 1) + labels.sum())).argmax()]


def by_baseline(texts, labels, clusters, kept, held):
    mine, inner = [texts[i] for i in kept], np.zeros((len(kept), labels.shape[1]))
    places = folds(clusters[kept], INNER)
    for place in range(INNER):
        inside, outside = np.flatnonzero(places != place), np.flatnonzero(places == place)
        inner[outside] = baseline([mine[i] for i in inside], labels[kept][inside], [mine[i] for i in outside])
    score = baseline(mine, labels[kept], [texts[i] for i in held])
    return score, score >= best_threshold(inner, labels[kept])


def by_ours(texts, labels, clusters, vectors, kept, held):
    names = [str(code) for code in range(labels.shape[1])]
    coded = [frozenset(np.array(names)[row]) for row in labels[kept]]
    mine = None if vectors is None else vectors[kept]
    model = learn([texts[i] for i in kept], coded, names, clusters[kept], vectors=mine, min_positive=1)
    found = model.predict([texts[i] for i in held], None if vectors is None else vectors[held])
    score, given = np.zeros((len(held), len(names))), np.zeros((len(held), len(names)), dtype=bool)
    columns = [names.index(code) for code in model.codes]
    score[:, columns], given[:, columns] = found.score, found.given
    return score, given


def f1(given: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    right, total = (given & labels).sum(axis=0), given.sum(axis=0) + labels.sum(axis=0)
    return 2 * right.sum() / total.sum(), float(np.mean(2 * right / np.maximum(total, 1)))


def cross_validated(texts, labels, clusters, way):
    """Out-of-fold scores and decisions, and processor seconds."""
    score, given = np.zeros(labels.shape), np.zeros(labels.shape, dtype=bool)
    places, started = folds(clusters, FOLDS), time.process_time()
    for place in range(FOLDS):
        kept, held = np.flatnonzero(places != place), np.flatnonzero(places == place)
        score[held], given[held] = way(kept, held)
    return score, given, time.process_time() - started


def measures(score, given, labels) -> dict[str, float]:
    micro, macro = f1(given, labels)
    some = labels.any(axis=1)
    first = labels[np.arange(len(labels)), score.argmax(axis=1)][some].mean()
    ranking = label_ranking_average_precision_score(labels[some], score[some])
    return {"micro F1": micro, "macro F1": macro, "P@1": float(first), "LRAP": float(ranking)}


def told(found: dict[str, float]) -> str:
    return " ".join(f"{name} {value:.3f}" for name, value in found.items())


def gain(pairs: list[tuple], which: int, draws: int = 1000) -> tuple[float, float]:
    """Mean gain in micro (0) or macro (1) F1 over questions and its lower bound at 95 %, contributions drawn again."""
    random, found = np.random.default_rng(1), []
    for draw in range(draws + 1):
        each = []
        for ours, theirs, labels in pairs:
            rows = random.integers(0, len(labels), len(labels)) if draw else np.arange(len(labels))
            each.append(f1(ours[rows], labels[rows])[which] - f1(theirs[rows], labels[rows])[which])
        found.append(np.mean(each))
    return float(found[0]), float(np.quantile(found[1:], 0.025))


def run(scale: str) -> list[dict]:
    """Measure and return rows for the bench table."""
    rows, lexical, encoded, reached = [], [], [], []
    for question in QUESTIONS[scale]:
        texts, labels = data(question)
        clusters = clusters_of(texts)
        theirs, given, seconds = cross_validated(
            texts,
            labels,
            clusters,
            lambda k, h: by_baseline(texts, labels, clusters, k, h),  # noqa: B023 -- used at once
        )
        base = told(measures(theirs, given, labels))
        score, mine, spent = cross_validated(
            texts,
            labels,
            clusters,
            lambda k, h: by_ours(texts, labels, clusters, None, k, h),  # noqa: B023 -- used at once
        )
        lexical.append((mine, given, labels))
        rows.append({
            "name": f"coding {question}: micro F1 without encoder",
            "value": round(f1(mine, labels)[0], 3), "unit": "F1", "budget": f">= {LEXICAL[question]}",
            "note": f"{labels.shape[0]} texts, {labels.shape[1]} tags: {told(measures(score, mine, labels))}; "
            f"baseline {base}; processor {spent:.0f} s against {seconds:.0f} s",
        })  # fmt: skip
        if scale == "full" and available():
            vectors = sentence_vectors(texts)
            score, mine, _ = cross_validated(
                texts, labels, clusters,
                lambda k, h: by_ours(texts, labels, clusters, vectors, k, h),  # noqa: B023 -- used at once
            )  # fmt: skip
            encoded.append((mine, given, labels))
            reached.append(measures(score, mine, labels))
            rows.append({
                "name": f"coding {question}: micro F1 with the optional encoders",
                "value": round(reached[-1]["micro F1"], 3), "unit": "F1", "budget": None, "note": told(reached[-1]),
            })  # fmt: skip
        if question == MANY_READERS:
            rows.append(volunteer_row())
    for measure, reference in WITH_ENCODERS.items() if reached else ():
        rows.append({"name": f"coding: mean {measure} with the optional encoders",
                     "value": round(float(np.mean([one[measure] for one in reached])), 4), "unit": "F1",
                     "budget": f">= {reference}", "note": "reference: baseline and both encoders"})  # fmt: skip
    for name, pairs in (("without encoder", lexical), ("with the optional encoders", encoded)):
        for which, measure in enumerate(("micro", "macro")) if pairs else ():
            mean, low = gain(pairs, which)
            # Thresholds of the words alone aim at micro F1; only what aims at both is held to both.
            held = scale == "full" and (measure == "micro" or pairs is encoded)
            rows.append({"name": f"coding: gain in {measure} F1 over the baseline {name}, lower bound",
                         "value": round(low, 4), "unit": "F1", "budget": ">= 0" if held else None,
                         "note": f"mean gain {mean:.4f}, bootstrap of contributions"})  # fmt: skip
    return rows


if __name__ == "__main__":
    for row in run("full"):
        print(f"{row['name']}: {row['value']} ({row['budget']}) – {row['note']}", flush=True)
