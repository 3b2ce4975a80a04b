"""The linear experts that the classifier averages, and the features they read.

Three lexical experts, each one logistic regression a code: on words (1-2) and characters (2-5), once with classes
balanced and once without; and on words weighted by their log-odds (Wang & Manning, 2012, « Baselines and Bigrams »,
ACL). A fourth reads sentence vectors when they are given. All are linear, so each decision can name its words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from analysis.errors import AnalysisError
from analysis.processes import in_order

_FEW = 50
_STRENGTH = 10.0
_NB_STRENGTH = 4.0
_ROUNDS = 1_000

_Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Views:
    """What the experts read of `n` texts: `words` (n, w), `all` (n, w + c) with the same words first, `vectors`."""

    words: Any
    all: Any
    vectors: _Floats | None

    def take(self, rows: NDArray[Any]) -> "Views":
        """The same for some texts."""
        return Views(self.words[rows], self.all[rows], None if self.vectors is None else self.vectors[rows])


class Reader:
    """Turns texts into views, with the vocabulary of the texts it was made from."""

    def __init__(self, texts: Sequence[str]) -> None:
        rare = 2 if len(texts) >= _FEW else 1
        shared = {"sublinear_tf": True, "strip_accents": "unicode", "min_df": rare}
        self._words = TfidfVectorizer(ngram_range=(1, 2), **shared)
        self._characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **shared)
        try:
            self._words.fit(texts)
            self._characters.fit(texts)
        except ValueError as error:
            raise AnalysisError("Les contributions codées n’ont pas assez de mots pour apprendre.") from error
        self.names: tuple[str, ...] = tuple(self._words.get_feature_names_out())

    def read(self, texts: Sequence[str], vectors: _Floats | None = None) -> Views:
        """The views of some texts, and their vectors if they have been encoded."""
        words = self._words.transform(texts).tocsr()
        return Views(words, sparse.hstack([words, self._characters.transform(texts)]).tocsr(), vectors)


@dataclass(frozen=True)
class Expert:
    """One linear model a code on one view: `weights` (codes, features) and `offset` (codes,)."""

    view: str
    weights: _Floats
    offset: _Floats

    def probability(self, views: Views) -> _Floats:
        """Probability of each code, shape (n, codes)."""
        return np.asarray(expit(getattr(views, self.view) @ self.weights.T + self.offset), dtype=np.float64)


def train(views: Views, labels: Bools, *, jobs: int = 1) -> tuple[Expert, ...]:
    """Train the experts. Results do not depend on `jobs`.

    Args:
        views: of the n texts coded by people.
        labels: their codes, shape (n, codes).
        jobs: processes, one code at a time in each.
    """
    with_vectors = () if views.vectors is None else ("vectors",)
    kinds = (("all", "balanced"), ("all", "plain"), ("words", "log-odds"), *((v, "balanced") for v in with_vectors))
    experts = []
    for view, kind in kinds:
        matrix = getattr(views, view)
        fitted = list(in_order(_fit, ((matrix, labels[:, code], kind) for code in range(labels.shape[1])), jobs))
        weights = np.stack([weight for weight, _ in fitted]) if fitted else np.zeros((0, matrix.shape[1]))
        experts.append(Expert(view, weights, np.array([offset for _, offset in fitted])))
    return tuple(experts)


def _fit(matrix: Any, given: Bools, kind: str) -> tuple[_Floats, float]:
    """Weights and offset of one code."""
    if given.all() or not given.any():  # a fold without an example of the code, or with nothing else
        return np.zeros(matrix.shape[1]), 20.0 if given.all() and len(given) else -20.0
    ratio = _log_odds(matrix, given) if kind == "log-odds" else None
    read = matrix if ratio is None else matrix.multiply(ratio).tocsr()
    model = LogisticRegression(
        C=_NB_STRENGTH if kind == "log-odds" else _STRENGTH,
        class_weight=None if kind == "plain" else "balanced",
        solver="liblinear",
        max_iter=_ROUNDS,
    ).fit(read, given)
    weights = np.asarray(model.coef_[0], dtype=np.float64)
    return weights if ratio is None else weights * ratio, float(model.intercept_[0])


def _log_odds(matrix: Any, given: Bools) -> _Floats:
    present = matrix.astype(bool).astype(np.float64)
    inside = np.asarray(present[given].sum(axis=0)).ravel() + 1
    outside = np.asarray(present[~given].sum(axis=0)).ravel() + 1
    return np.asarray(np.log(inside / inside.sum()) - np.log(outside / outside.sum()), dtype=np.float64)


def probability(experts: Sequence[Expert], views: Views) -> _Floats:
    """The mean of what the experts say, shape (n, codes)."""
    return np.asarray(np.mean([expert.probability(views) for expert in experts], axis=0), dtype=np.float64)


def word_weights(experts: Sequence[Expert], code: int, words: int) -> _Floats:
    """How much each of the first `words` features counts for a code, in log-odds, shape (words,)."""
    lexical = [expert.weights[code, :words] for expert in experts if expert.view != "vectors"]
    return np.asarray(np.mean(lexical, axis=0), dtype=np.float64)
