"""Themes without a codebook: non-negative factors of the words, every contribution kept.

The factorisation starts from the singular vectors of the table (NNDSVDa), whose sign and start are fixed: there is no
seed, so no seed can change the themes. What can change them is who answered: stability is the adjusted Rand index with
the themes found on 90 % of the contributions, drawn anew; when the number of themes is not given, the largest that
stays stable is taken.

Sources: Lee & Seung (1999), Nature 401, 788-791; Boutsidis & Gallopoulos (2008), « SVD based initialization: A head
start for nonnegative matrix factorization », Pattern Recognition 41, 1350-1362.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import svds
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score

from analysis.errors import AnalysisError
from analysis.lexical.frequencies import LemmaTokens
from analysis.plurals import counted

NUMBERS = (20, 15, 12, 10, 8, 6, 4, 3, 2)
STABLE = 0.75
SUBSAMPLE = 0.9
MOST_WORDS = 3_000
_LEAST_TEXTS = 2
_ROUNDS = 60
_LONG_ENOUGH = 5
_SHOWN = 10

_Floats = NDArray[np.float64]
Ranks = NDArray[np.int64]


@dataclass(frozen=True)
class Theme:
    """One theme: `size` contributions, its words with their weight, and contributions to read (ranks).

    `without` is the size when campaigns count one contribution each.
    `typical` are the closest to the theme, `borderline` those of its contributions that hold to it least.
    """

    number: int
    size: int
    without: int
    share: float
    words: tuple[tuple[str, float], ...]
    typical: tuple[int, ...]
    borderline: tuple[int, ...]


@dataclass(frozen=True)
class Themes:
    """Themes of `n` contributions, by falling size.

    `label[i]` is the theme of the i-th, -1 when it holds none of the words read (`wordless` lists them: named and
    counted, never dropped). `closeness` (n,) is the cosine with its theme; `atypical` the contributions of five words
    or more that resemble no theme. `stability` is the median adjusted Rand index over subsamples, by number of themes
    tried.
    """

    label: Ranks
    closeness: _Floats
    themes: tuple[Theme, ...]
    wordless: tuple[int, ...]
    atypical: tuple[int, ...]
    stability: dict[int, float]
    seed: int
    notices: tuple[str, ...]


def find_themes(
    words: LemmaTokens,
    n: int,
    *,
    number: int | None = None,
    subsamples: int = 3,
    seed: int = 1,
    once: NDArray[np.bool_] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Themes:
    """Themes of `n` contributions.

    Args:
        words: their lemmas; only content words count.
        n: contributions, those without words included.
        number: of themes; None takes the largest, 20 at most, whose median stability is at least 0.75.
        subsamples: draws of 90 % for each number tried; 0 measures nothing and needs a number.
        seed: of those draws, and of nothing else.
        once: the contributions that count once campaigns are reduced to one each, shape (n,); all by default.
        progress: called with (numbers tried, numbers to try).

    Raises AnalysisError when there are not two contributions with words to tell apart.
    """
    table, names = _table(words, n)
    read = np.flatnonzero(np.diff(table.indptr) > 0)
    most = min(len(read), len(names)) - 1
    if most < 2 or (number is not None and not 2 <= number <= most):  # noqa: PLR2004 -- two themes at least
        raise AnalysisError(
            f"Pas assez de contributions ou de mots pour {counted(number or 2, 'thème')} : "
            f"{counted(len(read), 'contribution')} avec au moins un mot partagé, sur {counted(len(names), 'mot')}."
        )
    tried = [number] if number else [k for k in NUMBERS if k <= most]
    stability: dict[int, float] = {}
    for done, k in enumerate(tried):
        found = _fit(table[read], k)
        if subsamples:
            stability[k] = _stability(table[read], found[0], k, subsamples, seed)
        if progress:
            progress(done + 1, len(tried))
        if number or not subsamples or stability[k] >= STABLE:
            break
    else:
        best = max(stability, key=lambda k: (stability[k], k))
        found = _fit(table[read], best)
    kept = np.ones(n, dtype=np.bool_) if once is None else once
    return _described(table, read, found, names, stability, seed, kept)


def _table(words: LemmaTokens, n: int) -> tuple[Any, list[str]]:
    """Occurrences of the most shared content lemmas, shape (n, p)."""
    kept = words.content[words.numbers]
    ones = np.ones(int(kept.sum()))
    counts = sparse.csr_array((ones, (words.texts[kept], words.numbers[kept])), shape=(n, len(words.lemmas)))
    counts.sum_duplicates()
    spread = np.bincount(counts.indices, minlength=counts.shape[1])
    ranked = np.argsort(-spread, kind="stable")[:MOST_WORDS]
    chosen = np.sort(ranked[spread[ranked] >= _LEAST_TEXTS])
    return counts[:, chosen].tocsr(), [words.lemmas[i] for i in chosen]


def _weighted(counts: Any) -> Any:
    """Log counts × inverse document frequency, rows of unit length."""
    spread = np.bincount(counts.indices, minlength=counts.shape[1])
    rarity = np.log((1 + counts.shape[0]) / (1 + spread)) + 1
    table = counts.copy().astype(np.float64)
    table.data = (1 + np.log(table.data)) * rarity[table.indices]
    lengths = np.sqrt(np.asarray((table**2).sum(axis=1)).ravel())
    table.data /= np.repeat(np.maximum(lengths, 1e-12), np.diff(table.indptr))
    return table


def _fit(counts: Any, k: int) -> tuple[Ranks, _Floats, Any]:
    """Theme of each row, profiles (k, p) of unit length, and the weighted table."""
    table = _weighted(counts)
    start, profiles = _start(table, k)
    model = NMF(k, init="custom", solver="cd", max_iter=_ROUNDS, tol=1e-4)
    # Where everything is explained, scikit-learn takes the root of a remainder that rounding made negative.
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", ConvergenceWarning)  # labels no longer move long before the last decimals
        model.fit_transform(table, W=start, H=profiles)
    found = np.asarray(model.components_, dtype=np.float64)
    found = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
    return np.asarray((table @ found.T).argmax(axis=1), dtype=np.int64), found, table


def _start(table: Any, k: int) -> tuple[_Floats, _Floats]:
    """Non-negative halves of the k leading singular vectors, zeros replaced by the mean of the table."""
    begin = np.ones(min(table.shape)) / np.sqrt(min(table.shape))
    left, values, right = svds(table, k=k, v0=begin)
    weights, profiles = np.zeros((table.shape[0], k)), np.zeros((k, table.shape[1]))
    for place, rank in enumerate(np.argsort(-values, kind="stable")):
        u, v = left[:, rank], right[rank]
        halves = [(np.maximum(sign * u, 0), np.maximum(sign * v, 0)) for sign in (1, -1)]
        norms = [float(np.linalg.norm(a) * np.linalg.norm(b)) for a, b in halves]
        a, b = halves[int(norms[1] > norms[0])]
        length = np.sqrt(values[rank] * max(norms))
        weights[:, place] = length * a / max(float(np.linalg.norm(a)), 1e-12)
        profiles[place] = length * b / max(float(np.linalg.norm(b)), 1e-12)
    mean = float(table.sum()) / (table.shape[0] * table.shape[1])
    return np.where(weights > 0, weights, mean), np.where(profiles > 0, profiles, mean)


def _stability(counts: Any, label: Ranks, k: int, subsamples: int, seed: int) -> float:
    draws, found = np.random.default_rng([seed, k]), []
    for _ in range(subsamples):
        size = max(k + 1, int(SUBSAMPLE * counts.shape[0]))
        rows = np.sort(draws.choice(counts.shape[0], size, replace=False))
        found.append(adjusted_rand_score(label[rows], _fit(counts[rows], k)[0]))
    return round(float(np.median(found)), 3)


def _described(
    table: Any,
    read: Ranks,
    found: tuple[Ranks, _Floats, Any],
    names: list[str],
    stability: dict[int, float],
    seed: int,
    once: NDArray[np.bool_],
) -> Themes:
    labels, profiles, weighted = found
    cosine = np.asarray(weighted @ profiles.T)
    own = cosine[np.arange(len(read)), labels]
    sizes = np.bincount(labels, minlength=len(profiles))
    order = [rank for rank in np.argsort(-sizes, kind="stable") if sizes[rank]]
    label, closeness = np.full(table.shape[0], -1, dtype=np.int64), np.zeros(table.shape[0])
    closeness[read] = np.round(own, 6)
    themes = []
    for number, rank in enumerate(order):
        mine = np.flatnonzero(labels == rank)
        label[read[mine]] = number
        near = mine[np.argsort(-closeness[read[mine]], kind="stable")]
        best = np.argsort(-profiles[rank], kind="stable")[:_SHOWN]
        themes.append(
            Theme(
                number=number,
                size=len(mine),
                without=int(once[read[mine]].sum()),
                share=round(len(mine) / table.shape[0], 6),
                words=tuple((names[i], round(float(profiles[rank, i]), 4)) for i in best if profiles[rank, i] > 0),
                typical=tuple(int(read[i]) for i in near[:_SHOWN]),
                borderline=tuple(int(read[i]) for i in near[::-1][:_SHOWN]),
            )
        )
    long = np.flatnonzero(np.diff(table.indptr)[read] >= _LONG_ENOUGH)
    far = long[np.argsort(closeness[read[long]], kind="stable")][:_SHOWN]
    wordless = tuple(int(i) for i in np.flatnonzero(label < 0))
    return Themes(
        label=label,
        closeness=closeness,
        themes=tuple(themes),
        wordless=wordless,
        atypical=tuple(int(read[i]) for i in far),
        stability=stability,
        seed=seed,
        notices=tuple(_notices(len(themes), len(wordless), stability)),
    )


def _notices(number: int, wordless: int, stability: dict[int, float]) -> list[str]:
    notices = []
    if wordless:
        notices.append(
            "Une contribution ne contient aucun des mots retenus : elle n’a pas de thème."
            if wordless == 1
            else f"{wordless} contributions ne contiennent aucun des mots retenus : elles n’ont pas de thème."
        )
    if stability and max(stability.values()) < STABLE:
        notices.append(
            f"Les {number} thèmes changent quand un dixième des contributions manque : n’en tirez pas de chiffres."
        )
    return notices
