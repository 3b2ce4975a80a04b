"""Agreement between coders: Krippendorff's alpha, code by code and over whole sets of codes, with intervals.

Sources: Krippendorff (2011), « Computing Krippendorff's Alpha-Reliability »; Passonneau (2006), « Measuring Agreement
on Set-valued Items (MASI) », LREC; Zapf, Castell, Morawietz & Karch (2016), BMC Med. Res. Methodol. 16:93, for the
bootstrap over units.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
RESAMPLES = 1_000
_BLOCK = 100

_Floats = NDArray[np.float64]


class Judgement(NamedTuple):
    """The codes that one coder gave to one contribution; no code is a judgement too."""

    unit: str
    coder: str
    codes: frozenset[str]


@dataclass(frozen=True)
class Alpha:
    """Alpha over `units` judged at least twice, `judgements` in all, with a percentile interval.

    `value` is None when nothing can be said: no unit judged twice, or no variation at all. `observed` is the mean
    observed disagreement, `expected` the one chance would give.
    """

    value: float | None
    low: float | None
    high: float | None
    units: int
    judgements: int
    observed: float
    expected: float


@dataclass(frozen=True)
class Agreement:
    """Alpha of each code (present or absent), and of whole sets by the MASI distance."""

    codes: dict[str, Alpha]
    sets: Alpha
    seed: int


def masi(left: frozenset[str], right: frozenset[str]) -> float:
    """Distance of two sets: 1 - Jaccard × (1 equal, 2/3 nested, 1/3 overlapping, 0 disjoint); two empty sets are 0."""
    if left == right:
        return 0.0
    common = len(left & right)
    if not common:
        return 1.0
    nested = left < right or right < left
    return 1 - common / len(left | right) * (2 / 3 if nested else 1 / 3)


def alpha(
    counts: NDArray[np.int64],
    distance: _Floats,
    *,
    often: NDArray[np.int64] | None = None,
    seed: int = 1,
    resamples: int = RESAMPLES,
) -> Alpha:
    """Krippendorff's alpha for any distance between values.

    Args:
        counts: how many coders gave each value to each unit, shape (units, values); absent judgements are not counted.
        distance: symmetric, zero on the diagonal, shape (values, values).
        often: how many units were judged so, shape (units,); one by default.
        seed: of the bootstrap, which draws units with replacement.
        resamples: draws; 0 gives no interval.
    """
    mine = counts.sum(axis=1) > 1
    kept = np.asarray(counts[mine], dtype=np.float64)
    each = np.ones(len(kept), dtype=np.int64) if often is None else often[mine]
    units = int(each.sum())
    if not units:
        return Alpha(None, None, None, 0, 0, 0.0, 0.0)
    judged = kept.sum(axis=1)
    disagreed = np.einsum("uv,vw,uw->u", kept, distance, kept, optimize=True) / (judged - 1)
    value, observed, expected = _alphas(each[None].astype(np.float64), kept, judged, disagreed, distance)
    low = high = None
    if resamples and np.isfinite(value[0]):
        draws, found = np.random.default_rng(seed), []
        for done in range(0, resamples, _BLOCK):
            size = min(_BLOCK, resamples - done)
            times = draws.multinomial(units, each / units, size=size).astype(np.float64)
            found.append(_alphas(times, kept, judged, disagreed, distance)[0])
        known = np.concatenate(found)
        known = known[np.isfinite(known)]
        if len(known):
            low, high = (round(float(v), 4) for v in np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    return Alpha(
        value=round(float(value[0]), 6) if np.isfinite(value[0]) else None,
        low=low,
        high=high,
        units=units,
        judgements=int(each @ judged),
        observed=round(float(observed[0]), 6),
        expected=round(float(expected[0]), 6),
    )


def _alphas(
    times: _Floats, kept: _Floats, judged: _Floats, disagreed: _Floats, distance: _Floats
) -> tuple[_Floats, _Floats, _Floats]:
    """Alpha, observed and expected disagreement for each row of `times` (how often each unit is drawn)."""
    n, totals = times @ judged, times @ kept
    observed = times @ disagreed / n
    expected = np.einsum("rv,vw,rw->r", totals, distance, totals, optimize=True) / (n * (n - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, 1 - observed / expected, np.nan), observed, expected


def tabulate(values: Iterable[tuple[str, str, Hashable]]) -> tuple[NDArray[np.int64], list[Hashable]]:
    """Counts of each value per unit from (unit, coder, value); a coder's last value on a unit counts.

    Returns:
        counts, shape (units, values), units and values in order of their text.
    """
    last = {(unit, coder): value for unit, coder, value in values}
    units = {unit: rank for rank, unit in enumerate(sorted({unit for unit, _ in last}))}
    known = sorted(set(last.values()), key=repr)
    places = {value: rank for rank, value in enumerate(known)}
    counts = np.zeros((len(units), len(known)), dtype=np.int64)
    for (unit, _), value in last.items():
        counts[units[unit], places[value]] += 1
    return counts, known


def agreement(
    judgements: Sequence[Judgement],
    codes: Sequence[str],
    *,
    seed: int = 1,
    resamples: int = RESAMPLES,
    progress: Callable[[int, int], None] | None = None,
) -> Agreement:
    """Alpha of each code and of the sets of codes; `progress` is called with (alphas known, alphas to know)."""
    apart = 1 - np.eye(2)
    each: dict[str, Alpha] = {}
    for done, code in enumerate(codes, start=1):
        given = [(j.unit, j.coder, code in j.codes) for j in judgements]
        counts, known = tabulate(given)
        both = np.zeros((len(counts), 2), dtype=np.int64)
        both[:, [int(bool(value)) for value in known]] = counts
        each[code] = alpha(both, apart, seed=seed, resamples=resamples)
        if progress:
            progress(done, len(codes) + 1)
    whole = of_sets(judgements, seed=seed, resamples=resamples)
    if progress:
        progress(len(codes) + 1, len(codes) + 1)
    return Agreement(each, whole, seed)


def of_sets(judgements: Iterable[Judgement], *, seed: int = 1, resamples: int = RESAMPLES) -> Alpha:
    """Alpha of whole sets of codes, by the MASI distance."""
    counts, known = tabulate((j.unit, j.coder, frozenset(j.codes)) for j in judgements)
    sets = [value for value in known if isinstance(value, frozenset)]
    distance = np.array([[masi(a, b) for b in sets] for a in sets]).reshape(len(sets), len(sets))
    return alpha(counts, distance, seed=seed, resamples=resamples)


def by_period(
    judgements: Mapping[str, Sequence[Judgement]],
    codes: Sequence[str],
    *,
    seed: int = 1,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, Agreement]:
    """Agreement in each period (or before and after adjudication), to see coders drift.

    `progress` is called with (period, alphas known, alphas to know).
    """
    return {
        period: agreement(given, codes, seed=seed, progress=progress and partial(progress, period))
        for period, given in judgements.items()
    }
