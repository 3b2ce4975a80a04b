"""Keyness: the lemmas that set a part of a corpus apart from the rest, with test, effect size and correction."""

from collections.abc import Container
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, xlogy

from analysis.errors import AnalysisError
from analysis.lexical.frequencies import LemmaTokens
from analysis.lexical.specificity import MIN_COUNT, benjamini_hochberg

_SMOOTHING = 0.5


@dataclass(frozen=True)
class Keyness:
    """One lemma in a target part against the reference, the rest of the corpus.

    `target` and `reference` are occurrences, `target_size` and `reference_size` words. `g2` is the log-likelihood
    ratio (one degree of freedom), negative when the target uses the lemma less. `log_ratio` is the binary logarithm
    of the ratio of relative frequencies, 1 for twice as frequent, half an occurrence standing for none. `log10_p` is
    the logarithm of the probability, which cannot underflow; `significant` whether it passes Benjamini-Hochberg at 5 %.
    """

    lemma: str
    target: int
    reference: int
    target_size: int
    reference_size: int
    g2: float
    log_ratio: float
    log10_p: float
    significant: bool


def log_likelihood(
    target: NDArray[np.int64], reference: NDArray[np.int64], target_size: int, reference_size: int
) -> NDArray[np.float64]:
    """Signed log-likelihood ratio of the 2 x 2 table of a word and all the others in two corpora, shape (n,).

    Sources: Dunning (1993), Computational Linguistics 19(1), 61-74; Rayson & Garside (2000), « Comparing corpora
    using frequency profiling », whose two-cell form leaves the other words out: the four cells are counted here.
    """
    observed = np.stack([target, reference, target_size - target, reference_size - reference]).astype(np.float64)
    both = observed[0] + observed[1]
    size = float(target_size + reference_size)
    shares = np.array([target_size, reference_size]) / size
    expected = np.concatenate([np.outer(shares, both), np.outer(shares, size - both)])
    g2 = 2 * (xlogy(observed, observed) - xlogy(observed, np.where(expected > 0, expected, 1.0))).sum(axis=0)
    return np.asarray(np.where(observed[0] >= expected[0], 1.0, -1.0) * np.maximum(g2, 0.0), dtype=np.float64)


def keyness(
    words: LemmaTokens,
    target: NDArray[np.bool_],
    *,
    min_count: int = MIN_COUNT,
    texts: NDArray[np.bool_] | None = None,
    only: Container[str] | None = None,
) -> list[Keyness]:
    """Keyness of each content lemma with at least `min_count` occurrences, most over-used first.

    Args:
        words: the corpus.
        target: shape (n_texts,), the texts that make the target; the others are the reference.
        min_count: occurrences in the whole under which a lemma is not tried.
        texts: shape (n_texts,), those to count; all by default.
        only: the lemmas to tell of, all by default; all are tried.

    Raises AnalysisError when target or reference holds no word.
    """
    counted = np.ones(len(target), dtype=np.bool_) if texts is None else texts
    size = len(words.lemmas)
    one = np.bincount(words.numbers[(target & counted)[words.texts]], minlength=size)
    two = np.bincount(words.numbers[(~target & counted)[words.texts]], minlength=size)
    target_size, reference_size = int(one.sum()), int(two.sum())
    if not target_size or not reference_size:
        part = "La partie étudiée" if not target_size else "Le reste du corpus"
        raise AnalysisError(f"{part} ne contient aucun mot : il n’y a rien à comparer.")
    tried = np.flatnonzero((one + two >= min_count) & words.content)
    g2 = log_likelihood(one[tried], two[tried], target_size, reference_size)
    log_p = np.minimum(np.log(2) + log_ndtr(-np.sqrt(np.abs(g2))), 0.0)
    significant = benjamini_hochberg(log_p)
    relative = np.maximum(one[tried], _SMOOTHING) / target_size
    ratio = np.log2(relative / (np.maximum(two[tried], _SMOOTHING) / reference_size))
    found = [
        Keyness(
            lemma=words.lemmas[number],
            target=int(one[number]),
            reference=int(two[number]),
            target_size=target_size,
            reference_size=reference_size,
            g2=round(float(g2[rank]), 3),
            log_ratio=round(float(ratio[rank]), 3),
            log10_p=round(float(log_p[rank] / np.log(10)), 3),
            significant=bool(significant[rank]),
        )
        for rank, number in enumerate(tried.tolist())
        if only is None or words.lemmas[number] in only
    ]
    return sorted(found, key=lambda item: (-item.g2, item.lemma))
