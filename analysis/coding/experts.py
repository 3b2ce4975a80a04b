"""The linear experts that the classifier averages, and the features they read.

Three lexical experts, each one logistic regression a code: on words (1-2) and characters (2-5), once with classes
balanced and once without; and on words weighted by their log-odds (Wang & Manning, 2012, « Baselines and Bigrams »,
ACL). Five more when sentence vectors are given: on those of each encoder, on both, balanced and not, and on words and
vectors together; vectors are first centred on those learnt from. All are linear, so each decision can name its words.

Which experts read vectors, their strengths and the aim of the thresholds with them were chosen on codings that the
bench never reads (other questions, and answers of q162 with fewer readers), by the sum of micro and macro F1.
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
from analysis.semantic.vectors import DIMENSIONS, halves, unit

_FEW = 50
_JOINT = 0.7
_ROUNDS = 1_000
# The view that each expert reads, how it weighs the classes, and its strength (C of the logistic regression).
_LEXICAL = (("all", "balanced", 10.0), ("all", "plain", 10.0), ("words", "log-odds", 4.0))
_ON_VECTORS = (
    *((encoder, "balanced", 1.0) for encoder in DIMENSIONS),
    ("vectors", "balanced", 1.0),
    ("vectors", "plain", 3.0),
    ("joint", "balanced", 10.0),
)
_OF_WORDS = frozenset({"all", "words", "joint"})

_Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Views:
    """What the experts read of `n` texts, by name: `words` (n, w), `all` (n, w + c) with the same words first.

    With sentence vectors, also those of each encoder, all of them (`vectors`), and `joint`: `all` then `vectors`.
    """

    matrices: dict[str, Any]

    @property
    def words(self) -> Any:
        """The words and pairs of words, shape (n, w)."""
        return self.matrices["words"]

    def take(self, rows: NDArray[Any]) -> "Views":
        """The same for some texts."""
        return Views({name: matrix[rows] for name, matrix in self.matrices.items()})


class Reader:
    """Turns texts into views, with the vocabulary of the texts it was made from and the centre of their vectors."""

    def __init__(self, texts: Sequence[str], vectors: _Floats | None = None) -> None:
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
        self._centre = None if vectors is None else vectors.mean(axis=0)

    def read(self, texts: Sequence[str], vectors: _Floats | None = None) -> Views:
        """The views of some texts; their vectors are read if the reader was made from texts that had theirs."""
        words = self._words.transform(texts).tocsr()
        matrices = {"words": words, "all": sparse.hstack([words, self._characters.transform(texts)]).tocsr()}
        if self._centre is not None and vectors is not None:
            parts: dict[str, list[_Floats]] = {}
            for encoder, half in halves(vectors - self._centre):
                parts.setdefault(encoder, []).append(unit(half))
            matrices |= {encoder: np.hstack(own) for encoder, own in parts.items()}
            matrices["vectors"] = np.hstack([matrices[encoder] for encoder in parts])
            beside = sparse.csr_matrix(_JOINT * matrices["vectors"])
            matrices["joint"] = sparse.hstack([matrices["all"], beside]).tocsr()
        return Views(matrices)


@dataclass(frozen=True)
class Expert:
    """One linear model a code on one view: `weights` (codes, features) and `offset` (codes,)."""

    view: str
    weights: _Floats
    offset: _Floats

    def probability(self, views: Views) -> _Floats:
        """Probability of each code, shape (n, codes)."""
        return np.asarray(expit(views.matrices[self.view] @ self.weights.T + self.offset), dtype=np.float64)


def train(views: Views, labels: Bools, *, jobs: int = 1) -> tuple[Expert, ...]:
    """Train the experts. Results do not depend on `jobs`.

    Args:
        views: of the n texts coded by people.
        labels: their codes, shape (n, codes).
        jobs: processes, one code at a time in each.
    """
    experts = []
    for view, kind, strength in (*_LEXICAL, *(_ON_VECTORS if "vectors" in views.matrices else ())):
        matrix = views.matrices[view]
        asked = ((matrix, labels[:, code], kind, strength) for code in range(labels.shape[1]))
        fitted = list(in_order(_fit, asked, jobs))
        weights = np.stack([weight for weight, _ in fitted]) if fitted else np.zeros((0, matrix.shape[1]))
        experts.append(Expert(view, weights, np.array([offset for _, offset in fitted])))
    return tuple(experts)


def _fit(matrix: Any, given: Bools, kind: str, strength: float) -> tuple[_Floats, float]:
    """Weights and offset of one code."""
    if given.all() or not given.any():  # a fold without an example of the code, or with nothing else
        return np.zeros(matrix.shape[1]), 20.0 if given.all() and len(given) else -20.0
    ratio = _log_odds(matrix, given) if kind == "log-odds" else None
    read = matrix if ratio is None else matrix.multiply(ratio).tocsr()
    model = LogisticRegression(
        C=strength,
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
    lexical = [expert.weights[code, :words] for expert in experts if expert.view in _OF_WORDS]
    return np.asarray(np.mean(lexical, axis=0), dtype=np.float64)
