"""The blind sample by which automatic coding is judged, and splits that let nothing leak.

Drawn with a seed, per code, in four strata: given with confidence, given near the threshold, refused near it, refused.
Near-duplicates are read once: a text drawn from a cluster already drawn is judged by the first of its cluster, which
leaves the estimates unbiased; and a cluster never stands on both sides of a split.

Source: Cochran (1977), « Sampling Techniques », ch. 5 (stratified sampling); the weight of a text is the number of
texts of its stratum over the number drawn from it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.errors import AnalysisError

STRATA = ("given", "given_near", "refused_near", "refused")
NEAR = 0.15
PER_STRATUM = 50


class Drawn(NamedTuple):
    """A contribution drawn to judge one code, the stratum it stands for, and the near-duplicate that is read for it."""

    unit: str
    code: str
    stratum: str
    read: str


@dataclass(frozen=True)
class Sample:
    """What was drawn; `sizes[code][stratum]` is the number of contributions that the stratum holds.

    `units` is the list to be coded, each contribution once, in an order that tells nothing of its stratum.
    """

    drawn: tuple[Drawn, ...]
    sizes: dict[str, dict[str, int]]
    units: tuple[str, ...]
    seed: int


def strata(given: NDArray[np.bool_], margin: NDArray[np.float64] | None, near: float = NEAR) -> NDArray[np.int64]:
    """The rank in STRATA of each contribution for one code, shape (n,).

    Args:
        given: whether the code was given, shape (n,).
        margin: score minus threshold; None when the coding has no score (lexicon): then nothing is near.
        near: largest distance from the threshold that is near.
    """
    close = np.zeros(len(given), dtype=np.bool_) if margin is None else np.abs(margin) <= near
    return np.where(given, np.where(close, 1, 0), np.where(close, 2, 3)).astype(np.int64)


def draw(
    units: Sequence[str],
    given: Mapping[str, NDArray[np.bool_]],
    *,
    margins: Mapping[str, NDArray[np.float64]] | None = None,
    clusters: NDArray[np.int64] | None = None,
    per_stratum: int = PER_STRATUM,
    near: float = NEAR,
    seed: int = 1,
) -> Sample:
    """Draw the sample of each code.

    Args:
        units: ids of the n contributions coded.
        given: for each code, whether each contribution has it, shape (n,).
        margins: score minus threshold for each code, where the coding has scores.
        clusters: number of the near-duplicate cluster of each contribution, shape (n,).
        per_stratum: contributions to draw in each stratum of each code; all of it when it holds fewer.
        near: see `strata`.
        seed: the same seed, contributions and codes give the same sample.
    """
    if per_stratum < 1:
        raise AnalysisError("Tirez au moins une contribution par strate.")
    drawn: list[Drawn] = []
    sizes: dict[str, dict[str, int]] = {}
    alike = np.arange(len(units)) if clusters is None else clusters
    readers: dict[int, str] = {}
    for code in sorted(given):
        of = strata(given[code], (margins or {}).get(code), near)
        key = int.from_bytes(hashlib.sha256(code.encode()).digest()[:4], "big")
        order = np.random.default_rng([seed, key]).permutation(len(units))
        sizes[code] = {name: int((of == rank).sum()) for rank, name in enumerate(STRATA)}
        for rank, name in enumerate(STRATA):
            chosen = order[of[order] == rank][:per_stratum].tolist()
            drawn += [Drawn(units[i], code, name, readers.setdefault(int(alike[i]), units[i])) for i in chosen]
    distinct = sorted(set(readers.values()))
    mixed = np.random.default_rng([seed, 0]).permutation(len(distinct))
    return Sample(tuple(drawn), sizes, tuple(distinct[i] for i in mixed), seed)


def split(clusters: NDArray[np.int64], share: float, *, seed: int = 1) -> NDArray[np.bool_]:
    """Set apart about this share of the contributions for testing, whole clusters at a time, shape (n,).

    A cluster so large that it would overshoot stays on the learning side.
    """
    wanted = share * len(clusters)
    _, first, sizes = np.unique(clusters, return_index=True, return_counts=True)
    tested, taken = [], 0
    for rank in np.random.default_rng(seed).permutation(len(sizes)):
        if taken + sizes[rank] <= wanted:
            tested.append(clusters[first[rank]])
            taken += int(sizes[rank])
    return np.isin(clusters, tested)


def folds(clusters: NDArray[np.int64], number: int, *, seed: int = 1) -> NDArray[np.int64]:
    """The fold of each contribution, whole clusters at a time, folds as equal as clusters allow, shape (n,)."""
    groups, inverse, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    mixed = np.random.default_rng(seed).permutation(len(groups))
    load, place = np.zeros(number, dtype=np.int64), np.zeros(len(groups), dtype=np.int64)
    for rank in sorted(mixed.tolist(), key=lambda rank: -sizes[rank]):
        place[rank] = int(load.argmin())
        load[place[rank]] += sizes[rank]
    return np.asarray(place[inverse], dtype=np.int64)
