"""Supervised coding learnt from people: suggestions ranked for a person, with thresholds, doubt and reasons.

At the quality such models reach (a volunteer agrees with the others about as often), a machine label is a suggestion:
`NOTICE` goes with every output, and what the machine says is never mixed with what people said.

Thresholds come from predictions made out of fold on the coded texts, whole near-duplicate clusters at a time: one
global cut on the log-odds, moved for each code towards the cut that would give it as often as people did. Whole
per-code thresholds lose with so few examples; the share of the move is fixed. The cut is the best by micro F1, or,
with sentence vectors, which find rare codes better, by micro and macro F1 alike (`Aim`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from analysis.coding.experts import Bools, Expert, Reader, Views, probability, train, word_weights
from analysis.coding.sampling import folds
from analysis.errors import AnalysisError
from analysis.semantic.vectors import sentence_vectors

NOTICE = (
    "Codage automatique appris de codages humains : des suggestions classées, à relire par une personne ; leur qualité "
    "mesurée les accompagne."
)
MIN_POSITIVE = 20
FOLDS = 3
SURE = 0.85
_FEWEST = 20
_EDGE = 1e-4
_TOLD_WORDS = 4

_Floats = NDArray[np.float64]


class Aim(NamedTuple):
    """How thresholds are chosen: the share of the move of each code, and whether macro F1 counts as much as micro."""

    move: float
    macro: bool


WORDS_ALONE = Aim(move=0.4, macro=False)
WITH_VECTORS = Aim(move=0.6, macro=True)


@dataclass(frozen=True)
class Predicted:
    """What the machine says of `n` texts and `c` codes.

    `score` (n, c) are probabilities, `threshold` (c,) theirs; `margin` (n, c) is the distance to the threshold in
    log-odds. `doubtful` (n, c) marks the pairs too near the threshold to be decided without a person.
    """

    codes: tuple[str, ...]
    score: _Floats
    threshold: _Floats
    margin: _Floats
    doubtful: Bools

    @property
    def given(self) -> Bools:
        """The pairs at or over their threshold, shape (n, c)."""
        return np.asarray(self.margin >= 0, dtype=np.bool_)

    @property
    def abstained(self) -> Bools:
        """Texts that get no sure code although one is in doubt: a person must read them, shape (n,)."""
        sure = (self.given & ~self.doubtful).any(axis=1)
        return np.asarray(~sure & self.doubtful.any(axis=1), dtype=np.bool_)


@dataclass(frozen=True)
class Model:
    """A trained classifier. `unlearnt` lists the codes with too few examples and how many they have.

    `out_of_fold` is what it says of the coded texts when it has not seen them nor their near-duplicates.
    """

    codes: tuple[str, ...]
    unlearnt: dict[str, int]
    reader: Reader
    experts: tuple[Expert, ...]
    cut: _Floats
    doubt: float
    encoded: bool
    out_of_fold: Predicted

    def predict(self, texts: Sequence[str], vectors: _Floats | None = None) -> Predicted:
        """Scores of texts; their sentence vectors are computed when the model uses them and they are not given."""
        return self.decide(self.views(texts, vectors))

    def decide(self, views: Views) -> Predicted:
        """Scores of texts already read."""
        return decide(self.codes, probability(self.experts, views), self.cut, self.doubt)

    def views(self, texts: Sequence[str], vectors: _Floats | None = None) -> Views:
        """What the experts read of these texts."""
        encoded = sentence_vectors(texts) if self.encoded and vectors is None else vectors
        return self.reader.read(texts, encoded if self.encoded else None)

    def reasons(self, views: Views, row: int, code: int) -> tuple[str, ...]:
        """The words of one text that speak most for a code, strongest first; none when none does alone."""
        words = views.words[[row]]
        weights = word_weights(self.experts, code, len(self.reader.names))[words.indices] * words.data
        best = np.argsort(-weights, kind="stable")[:_TOLD_WORDS]
        return tuple(self.reader.names[words.indices[i]] for i in best if weights[i] > 0)


def decide(codes: tuple[str, ...], score: _Floats, cut: _Floats, doubt: float) -> Predicted:
    """Compare scores with cuts (c,) given in log-odds; pairs nearer than `doubt` are doubtful."""
    margin = log_odds(score) - cut
    return Predicted(codes, score, np.asarray(expit(cut)), margin, np.asarray(np.abs(margin) < doubt, dtype=np.bool_))


def log_odds(score: _Floats) -> _Floats:
    """Log-odds of probabilities, bounded so that certainty stays finite."""
    return np.asarray(logit(np.clip(score, _EDGE, 1 - _EDGE)), dtype=np.float64)


def learn(
    texts: Sequence[str],
    coded: Sequence[frozenset[str]],
    codes: Sequence[str],
    clusters: NDArray[np.int64],
    *,
    vectors: _Floats | None = None,
    min_positive: int = MIN_POSITIVE,
    seed: int = 1,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Model:
    """Learn from what people coded.

    Args:
        texts: the n texts read by people.
        coded: their codes, n sets (empty: read, and no code fits).
        codes: the codes to learn.
        clusters: near-duplicate cluster of each text, shape (n,): copies never stand on both sides of a fold.
        vectors: sentence vectors (n, WIDTH), to learn from them too.
        min_positive: examples needed, copies counted once; codes with fewer are left to rules and people.
        seed: of the folds.
        jobs: processes.
        progress: called with (readings done, readings to do), one a fold and the last on everything.

    Raises AnalysisError when no code has enough examples.
    """
    examples = {
        code: len({int(clusters[i]) for i, given in enumerate(coded) if code in given}) for code in dict.fromkeys(codes)
    }
    learnt = tuple(code for code, count in examples.items() if count >= min_positive)
    if not learnt:
        best = max(examples.values(), default=0)
        raise AnalysisError(
            f"Aucun code n’a assez d’exemples codés par des personnes ({best} au mieux, il en faut {min_positive}) : "
            "codez d’autres contributions."
        )
    labels = np.array([[code in given for code in learnt] for given in coded], dtype=np.bool_)
    outside = np.zeros(labels.shape)
    places = folds(clusters, FOLDS, seed=seed)
    for place in range(FOLDS):
        held = np.flatnonzero(places == place)
        kept = np.flatnonzero(places != place)
        if len(held) and len(kept):
            outside[held] = _fit_and_score(texts, labels, vectors, kept, held, jobs)
        if progress:
            progress(place + 1, FOLDS + 1)
    cut = thresholds(outside, labels, WORDS_ALONE if vectors is None else WITH_VECTORS)
    doubt = doubt_band(log_odds(outside) - cut, labels)
    reader = Reader(texts, vectors)
    experts = train(reader.read(texts, vectors), labels, jobs=jobs)
    if progress:
        progress(FOLDS + 1, FOLDS + 1)
    return Model(
        codes=learnt,
        unlearnt={code: count for code, count in examples.items() if count < min_positive},
        reader=reader,
        experts=experts,
        cut=cut,
        doubt=doubt,
        encoded=vectors is not None,
        out_of_fold=decide(learnt, outside, cut, doubt),
    )


def _fit_and_score(
    texts: Sequence[str],
    labels: Bools,
    vectors: _Floats | None,
    kept: NDArray[np.int64],
    held: NDArray[np.int64],
    jobs: int,
) -> _Floats:
    mine = [texts[i] for i in kept]
    beside = None if vectors is None else vectors[kept]
    reader = Reader(mine, beside)
    experts = train(reader.read(mine, beside), labels[kept], jobs=jobs)
    others = reader.read([texts[i] for i in held], None if vectors is None else vectors[held])
    return probability(experts, others)


def thresholds(score: _Floats, labels: Bools, aim: Aim = WORDS_ALONE) -> _Floats:
    """The cut of each code in log-odds, shape (c,), from out-of-fold scores (n, c) and what people said (n, c)."""
    odds = log_odds(score)
    often = labels.sum(axis=0)
    own = np.array([np.sort(odds[:, code])[-max(int(often[code]), 1)] for code in range(labels.shape[1])])
    moved = (odds - aim.move * own).ravel()
    order = np.argsort(-moved, kind="stable")
    right = labels.ravel()[order]
    reached = _f1(np.ones(len(order), dtype=np.bool_), right, int(often.sum()))
    if aim.macro:
        code = order % labels.shape[1]
        each = [_f1(code == one, right, int(often[one])) for one in range(labels.shape[1])]
        reached = reached + np.mean(each, axis=0)
    return np.asarray(aim.move * own + moved[order][int(reached.argmax())], dtype=np.float64)


def _f1(mine: Bools, right: Bools, positive: int) -> _Floats:
    """F1 of some of the pairs, best scored first, when the first one, two… of all pairs are given."""
    return np.asarray(2 * np.cumsum(mine & right) / np.maximum(np.cumsum(mine) + positive, 1), dtype=np.float64)


def doubt_band(margin: _Floats, labels: Bools) -> float:
    """The smallest distance from the threshold beyond which at least 85 % of the codes given are right."""
    order = np.argsort(-margin.ravel(), kind="stable")
    over = margin.ravel()[order]
    right = np.cumsum(labels.ravel()[order]) / np.arange(1, len(over) + 1)
    fit = np.flatnonzero((over >= 0) & (right >= SURE) & (np.arange(len(over)) >= _FEWEST - 1))
    return max(float(over[fit[-1]]), 0.0) if len(fit) else float(np.inf)


def reading_order(predicted: Predicted, clusters: NDArray[np.int64], limit: int) -> list[tuple[int, str]]:
    """Which texts people should code next, with the code each would teach most: (rank of the text, code).

    Codes take turns, each asking for the text nearest its threshold that is not yet asked for; near-duplicates are
    asked for once. Source: Lewis & Gale (1994), « A Sequential Algorithm for Training Text Classifiers », SIGIR.
    """
    queues = [iter(np.argsort(np.abs(predicted.margin[:, j]), kind="stable")) for j in range(len(predicted.codes))]
    asked: list[tuple[int, str]] = []
    seen: set[int] = set()
    turn: list[tuple[str, Any]] = list(zip(predicted.codes, queues, strict=True))
    while turn and len(asked) < limit:
        still = []
        for code, queue in turn:
            rank = next((int(i) for i in queue if int(clusters[i]) not in seen), None)
            if rank is not None and len(asked) < limit:
                seen.add(int(clusters[rank]))
                asked.append((rank, code))
                still.append((code, queue))
        turn = still
    return asked
