"""Specificities: which words a part of the corpus uses more, or less, than the rest."""

from collections.abc import Container
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from analysis.corpus import Variable
from analysis.lexical.disclosure import common
from analysis.lexical.frequencies import LemmaTokens

MIN_COUNT = 5
BANALITY = 2.0
FALSE_DISCOVERY = 0.05
_NEGLIGIBLE = 1e-17


@dataclass(frozen=True)
class Specificity:
    """One lemma in one part: `score` = ±log10 of the tail probability (positive: over-used).

    `f` occurrences in the part, `t` words in the part, `total_f` (F) occurrences and `total_t` (T) words in
    the corpus. `ratio` is f/t over F/T. `significant` tells whether the two-sided probability passes
    Benjamini-Hochberg at 5 % among all the pairs tried.
    """

    lemma: str
    category: str
    f: int
    t: int
    total_f: int
    total_t: int
    score: float
    ratio: float
    significant: bool


def log10_tail(f: NDArray[np.int64], t: NDArray[np.int64], big_f: NDArray[np.int64], big_t: int) -> NDArray[np.float64]:
    """Signed specificity: +|log10 P(X >= f)| at or above expectation, else -|log10 P(X <= f)|.

    X is hypergeometric: `t` words drawn among `big_t`, of which `big_f` are the word. The log-probability
    at f comes from log-gamma, and the tail is the sum of term ratios from there outwards, where they only
    decrease; so nothing underflows and the sum stops once terms no longer count.

    Source: Lafon (1980), « Sur la variabilité de la fréquence des formes dans un corpus », Mots 1, 127-165.
    """
    part, drawn, marked = (np.asarray(values, dtype=np.float64) for values in np.broadcast_arrays(f, t, big_f))
    over = part * big_t >= marked * drawn
    log_p = _log_choose(marked, part) + _log_choose(big_t - marked, drawn - part)
    log_p -= _log_choose(np.full_like(drawn, big_t), drawn)
    total = np.ones_like(part)
    term = np.ones_like(part)
    k = part.copy()
    active = np.arange(len(part))
    while len(active):
        up, x, n, m = over[active], k[active], drawn[active], marked[active]
        rising = (m - x) * (n - x) / ((x + 1) * (big_t - m - n + x + 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            falling = x * (big_t - m - n + x) / ((m - x + 1) * (n - x + 1))
        ratio = np.where(up, np.maximum(rising, 0.0), np.maximum(falling, 0.0))
        term[active] *= ratio
        total[active] += term[active]
        k[active] += np.where(up, 1.0, -1.0)
        active = active[term[active] > _NEGLIGIBLE * total[active]]
    tail = np.minimum(log_p + np.log(total), 0.0) / np.log(10)
    return np.asarray(np.where(over, -tail, tail) + 0.0, dtype=np.float64)


def _log_choose(n: NDArray[np.float64], k: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1), dtype=np.float64)


def benjamini_hochberg(log_p: NDArray[np.float64], level: float = FALSE_DISCOVERY) -> NDArray[np.bool_]:
    """Which of the tests, given by natural log of their p-values, pass at this false discovery rate.

    Source: Benjamini & Hochberg (1995), JRSS B 57(1), 289-300.
    """
    if not len(log_p):
        return np.zeros(0, dtype=np.bool_)
    order = np.argsort(log_p, kind="stable")
    passing = log_p[order] <= np.log(level * np.arange(1, len(log_p) + 1) / len(log_p))
    found = np.zeros(len(log_p), dtype=np.bool_)
    if passing.any():
        found[order[: int(np.flatnonzero(passing)[-1]) + 1]] = True
    return found


def specificities(
    words: LemmaTokens,
    variable: Variable,
    *,
    min_count: int = MIN_COUNT,
    texts: NDArray[np.bool_] | None = None,
    only: Container[tuple[str, str]] | None = None,
) -> list[Specificity]:
    """Specificity of each content lemma (at least `min_count` occurrences) in each category of a variable.

    Lemmas of too few texts to be published are left out.

    The corpus is made of the words of the texts that hold at least one category, among `texts` when that mask, shape
    (n_texts,), is given. `only` names the pairs (category, lemma) to tell of: all are tried. Sorted by category, in
    the order of the variable, then by falling score.
    """
    counted = variable.answered if texts is None else variable.answered & texts
    inside = counted[words.texts]
    numbers, of = words.numbers[inside], words.texts[inside]
    total_t = len(numbers)
    size = len(words.lemmas)
    totals = np.bincount(numbers, minlength=size)
    kept = np.flatnonzero((totals >= min_count) & words.content & common(numbers, of, size))
    counts = {}
    for column in range(len(variable.categories)):
        part = numbers[variable.members[of, column]]
        if 0 < len(part) < total_t:
            counts[column] = np.bincount(part, minlength=size)
    columns = list(counts)
    if not columns or not len(kept):
        return []
    t = np.array([int(count.sum()) for count in counts.values()])
    f, big_f = np.stack([count[kept] for count in counts.values()]), totals[kept]
    shape = f.shape
    flat_t, flat_big_f = np.repeat(t, shape[1]), np.tile(big_f, shape[0])
    scores = log10_tail(f.ravel(), flat_t, flat_big_f, total_t)
    significant = benjamini_hochberg(np.minimum(np.log(2) - np.abs(scores) * np.log(10), 0.0))
    ratios = (f.ravel() / flat_t) / (flat_big_f / total_t)
    found = [
        Specificity(
            lemma=lemma,
            category=category,
            f=int(f.ravel()[i]),
            t=int(flat_t[i]),
            total_f=int(flat_big_f[i]),
            total_t=total_t,
            score=round(float(scores[i]), 2),
            ratio=round(float(ratios[i]), 2),
            significant=bool(significant[i]),
        )
        for i, (category, lemma) in enumerate(
            product([variable.categories[column] for column in columns], [words.lemmas[n] for n in kept.tolist()])
        )
        if only is None or (category, lemma) in only
    ]
    return sorted(found, key=lambda item: (variable.categories.index(item.category), -item.score, item.lemma))
