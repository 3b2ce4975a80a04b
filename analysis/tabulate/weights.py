"""Weights: raking to known margins within bounds, and what weighting costs.

A consultation of volunteers is not made representative by weights: they are off unless asked for, and what they give
stands beside what was answered.

Sources: Deming & Stephan (1940), Ann. Math. Stat. 11, 427-444, for the iteration; Deville & Särndal (1992), JASA 87,
376-382, for calibration within bounds; Kish (1965), Survey Sampling, § 11.7, for the effective size.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.errors import AnalysisError

BOUNDS = (0.3, 3.0)
TOLERANCE = 1e-6
ROUNDS = 1_000
_FAR, _HALVINGS = 2.0**40, 90

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Margin:
    """What is known of one variable: `codes[i]` is the category of the i-th person, -1 when unknown.

    `targets[c]` is the share of the population in the c-th category, or its number of people: only proportions count.
    """

    label: str
    codes: NDArray[np.int64]
    categories: tuple[str, ...]
    targets: _Floats


@dataclass(frozen=True)
class Weighting:
    """Weights of mean 1, and how they came: `gap` is the largest distance left between a share and its target.

    `converged` is False when the bounds, or margins that contradict each other, keep some gap above the tolerance.
    """

    weights: _Floats
    rounds: int
    converged: bool
    gap: float
    bounds: tuple[float, float]

    @property
    def effective_size(self) -> float:
        """People that a sample without weights would need to be as precise: (Σw)² / Σw²."""
        return effective_size(self.weights)

    @property
    def design_effect(self) -> float:
        """How many times the variance grows: n Σw² / (Σw)²."""
        return len(self.weights) / self.effective_size


def effective_size(weights: _Floats) -> float:
    """(Σw)² / Σw², 0 for no weight."""
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def rake(
    margins: Sequence[Margin],
    *,
    start: _Floats | None = None,
    bounds: tuple[float, float] = BOUNDS,
    tolerance: float = TOLERANCE,
    rounds: int = ROUNDS,
) -> Weighting:
    """Change weights by as little as possible until each margin has its target shares, within `bounds` of the start.

    People whose category is unknown for a margin keep their weight in its round, and count in no share of it.

    Args:
        margins: at least one, over the same people.
        start: weights to begin with, shape (n,), all above 0; 1 each by default.
        bounds: how far a weight may go from its start, as two factors around 1, once both have mean 1.
        tolerance: largest gap of shares at which it stops.
        rounds: how many passes over all margins at most.

    Raises:
        AnalysisError: no margin, different lengths, a target for nobody, bounds that do not hold 1.
    """
    first = _checked(margins, start, bounds)
    weights, gap, done = first.copy(), np.inf, 0
    lowest, highest = bounds
    while done < rounds and gap > tolerance:
        for margin in margins:
            known = margin.codes >= 0
            codes, wanted = margin.codes[known], margin.targets / margin.targets.sum()
            held = np.bincount(codes, weights=weights[known], minlength=len(wanted))
            factor = np.divide(wanted * held.sum(), held, out=np.ones_like(wanted), where=held > 0)
            weights[known] *= factor[codes]
        weights = _bounded(weights, lowest * first, highest * first)
        done += 1
        gap = max(_gap(weights, margin) for margin in margins)
    return Weighting(weights, done, gap <= tolerance, float(gap), bounds)


def _bounded(weights: _Floats, lowest: _Floats, highest: _Floats) -> _Floats:
    """The same weights at one scale, held within their bounds, whose mean is 1."""
    low, high = 0.0, 1.0
    while np.clip(high * weights, lowest, highest).mean() < 1 and high < _FAR:
        high *= 2
    for _ in range(_HALVINGS):
        scale = (low + high) / 2
        low, high = (scale, high) if np.clip(scale * weights, lowest, highest).mean() < 1 else (low, scale)
    return np.asarray(np.clip(high * weights, lowest, highest), dtype=np.float64)


def _gap(weights: _Floats, margin: Margin) -> float:
    known = margin.codes >= 0
    held = np.bincount(margin.codes[known], weights=weights[known], minlength=len(margin.targets))
    return float(np.abs(held / held.sum() - margin.targets / margin.targets.sum()).max())


def _checked(margins: Sequence[Margin], start: _Floats | None, bounds: tuple[float, float]) -> _Floats:
    if not margins:
        raise AnalysisError("Donnez au moins une marge de redressement.")
    n = len(margins[0].codes)
    first = np.ones(n) if start is None else np.asarray(start, dtype=np.float64)
    if any(len(margin.codes) != n for margin in margins) or len(first) != n:
        raise AnalysisError("Les marges de redressement ne portent pas sur les mêmes personnes.")
    if not np.isfinite(first).all() or (first <= 0).any():
        raise AnalysisError("Chaque poids de départ doit être un nombre plus grand que zéro.")
    if not 0 < bounds[0] <= 1 <= bounds[1]:
        raise AnalysisError("Les bornes des poids doivent encadrer 1, par exemple 0,3 et 3.")
    for margin in margins:
        counts = np.bincount(margin.codes[margin.codes >= 0], minlength=len(margin.targets))
        if (margin.targets < 0).any() or not np.isfinite(margin.targets).all() or not margin.targets.sum():
            raise AnalysisError(
                f"« {margin.label} » : les cibles sont des nombres positifs, dont un au moins n’est pas nul."
            )
        empty = np.flatnonzero((counts == 0) & (margin.targets > 0))
        if len(empty):
            raise AnalysisError(
                f"« {margin.label} » : personne n’est dans « {margin.categories[empty[0]]} », qui a une cible. "
                "Regroupez cette catégorie avec une autre."
            )
    return np.asarray(first / first.mean(), dtype=np.float64)
