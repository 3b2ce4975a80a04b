"""Estimates from a sample with weights, strata and a known population: shares, their error, and tests of a cross table.

Variances are those of Taylor's linearisation, as in R's `survey`: Lumley (2010), Complex Surveys, ch. 2; Binder (1983),
Int. Stat. Rev. 51, 279-292. The test of a cross table is Rao & Scott's second-order correction, in its F form: Rao &
Scott (1984), Ann. Stat. 12, 46-60; Thomas & Rao (1987), JASA 82, 630-636.
"""

from dataclasses import dataclass
from math import exp, log

import numpy as np
from numpy.typing import NDArray
from scipy.stats import f as fisher
from scipy.stats import t as student

from analysis.errors import AnalysisError

_Floats = NDArray[np.float64]
LEVEL = 0.95


@dataclass(frozen=True)
class Design:
    """How people were drawn: `weights` (n,), the stratum of each (n,), and how many each stratum holds in all.

    `population` (strata,) is None for a sample that is small in its population, or drawn with replacement.
    """

    weights: _Floats
    strata: NDArray[np.int64]
    population: _Floats | None = None

    def __post_init__(self) -> None:
        """Raise AnalysisError for weights that are none, or a stratum of one person, whose variance nobody knows."""
        if len(self.weights) != len(self.strata) or not (self.weights > 0).all():
            raise AnalysisError("Il faut un poids plus grand que zéro et une strate à chaque personne.")
        counts = np.bincount(self.strata)
        if (counts[counts > 0] < 2).any():  # noqa: PLR2004 -- a variance takes two
            raise AnalysisError("Une strate n’a qu’une personne\u00a0: regroupez-la avec une autre.")
        if self.population is not None and (self.population < counts).any():
            raise AnalysisError("Une strate compte plus de personnes dans l’échantillon que dans la population.")

    @classmethod
    def simple(cls, weights: _Floats, population: float | None = None) -> "Design":
        """Everyone drawn alike."""
        whole = None if population is None else np.array([population])
        return cls(np.asarray(weights, dtype=np.float64), np.zeros(len(weights), dtype=np.int64), whole)

    @property
    def degrees(self) -> int:
        """Of freedom: people less strata."""
        return len(self.weights) - len(np.unique(self.strata))

    def covariance(self, scores: _Floats) -> _Floats:
        """Covariance (q, q) of the totals of weighted scores (n, q)."""
        found = np.zeros((scores.shape[1], scores.shape[1]))
        for stratum in np.unique(self.strata):
            mine = scores[self.strata == stratum]
            n = len(mine)
            apart = mine - mine.mean(axis=0)
            left = 1.0 if self.population is None else 1 - n / float(self.population[stratum])
            found += left * n / (n - 1) * apart.T @ apart
        return found


@dataclass(frozen=True)
class Estimate:
    """An estimate, its standard error, and the bounds of its interval at 95 %; `effect` is the design effect."""

    value: float
    error: float
    low: float
    high: float
    effect: float | None = None


def total(design: Design, values: _Floats) -> Estimate:
    """Estimated total over the population of `values` (n,)."""
    scores = design.weights * values
    error = float(np.sqrt(design.covariance(scores[:, None])[0, 0]))
    return _around(float(scores.sum()), error, design.degrees)


def mean(design: Design, values: _Floats) -> Estimate:
    """Estimated mean over the population of `values` (n,)."""
    size = design.weights.sum()
    value = float((design.weights * values).sum() / size)
    error = float(np.sqrt(design.covariance((design.weights * (values - value) / size)[:, None])[0, 0]))
    return _around(value, error, design.degrees)


def share(design: Design, members: NDArray[np.bool_], among: NDArray[np.bool_] | None = None) -> Estimate:
    """Estimated share of the members (n,) in the population, or in the part of it that `among` tells (n,).

    The interval is made on the logit, so that it stays between 0 and 1. Raises AnalysisError for an empty part.
    """
    part = np.ones(len(members), dtype=np.bool_) if among is None else among
    weights = np.where(part, design.weights, 0.0)
    size = float(weights.sum())
    if not size:
        raise AnalysisError("Personne n’est dans la partie demandée de la population.")
    value = float((weights * members).sum() / size)
    variance = float(design.covariance((weights * (members - value) / size)[:, None])[0, 0])
    simple = value * (1 - value) / max(int(part.sum()) - 1, 1)
    effect = variance / simple if simple else None
    if not 0 < value < 1:
        return Estimate(value, 0.0, value, value, effect)
    spread = float(student.ppf((1 + LEVEL) / 2, design.degrees)) * np.sqrt(variance) / (value * (1 - value))
    middle = log(value / (1 - value))
    low, high = (1 / (1 + exp(-(middle + side * float(spread)))) for side in (-1, 1))
    return Estimate(value, float(np.sqrt(variance)), low, high, effect)


def _around(value: float, error: float, degrees: int) -> Estimate:
    spread = float(student.ppf((1 + LEVEL) / 2, degrees)) * error
    return Estimate(value, error, value - spread, value + spread)


@dataclass(frozen=True)
class RaoScott:
    """The corrected test of independence: F with `degrees` and `residual` degrees of freedom.

    `pearson` is the chi-square of the weighted shares times the number of people, `effects` what it is to be divided by
    in each of its directions (generalised design effects; all 1 for a simple sample).
    """

    pearson: float
    effects: tuple[float, ...]
    statistic: float
    degrees: float
    residual: float
    p_value: float


def independence(design: Design, row: NDArray[np.int64], column: NDArray[np.int64]) -> RaoScott | None:
    """Test that two variables (n,), coded from 0, tell nothing of each other; None when one of them does not vary."""
    row, column = np.unique(row, return_inverse=True)[1], np.unique(column, return_inverse=True)[1]
    r, c = int(row.max()) + 1, int(column.max()) + 1
    if min(r, c) < 2:  # noqa: PLR2004 -- two by two is the smallest table
        return None
    n, size = len(row), design.weights.sum()
    shares = np.bincount(row * c + column, weights=design.weights, minlength=r * c).reshape(r, c) / size
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    expected = np.outer(rows, columns)
    pearson = float(n * ((shares - expected) ** 2 / expected).sum())
    # What says interaction among the logs of the shares: (r-1)(c-1) contrasts, orthogonal to both margins.
    cells = np.zeros((n, r * c))
    cells[np.arange(n), row * c + column] = 1.0
    covariance = design.covariance(design.weights[:, None] * (cells - shares.ravel()) / size)
    contrasts, flat = np.kron(_contrasts(r), _contrasts(c)), shares.ravel()[:, None]
    over = np.divide(contrasts, flat, out=np.zeros_like(contrasts), where=flat > 0)
    effects = np.linalg.eigvals(np.linalg.pinv(over.T @ contrasts / n) @ (over.T @ covariance @ over)).real
    whole = float(effects.sum())
    degrees = whole**2 / float((effects**2).sum())
    statistic, residual = pearson / whole, degrees * design.degrees
    return RaoScott(
        pearson, tuple(sorted(map(float, effects))), statistic, degrees, residual,
        float(fisher.sf(statistic, degrees, residual)),
    )  # fmt: skip


def _contrasts(k: int) -> _Floats:
    """(k, k-1): each category against the last, of sum 0."""
    return np.vstack([np.eye(k - 1), -np.ones((1, k - 1))])
