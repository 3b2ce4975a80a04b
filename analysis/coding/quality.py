"""How good a coding is, code by code: precision, recall, corrected prevalence with intervals, and what may be shown.

A code is judged on the blind sample drawn for it (`analysis.coding.sampling`). Each stratum h of N_h contributions
gives a share p_h of contributions that people gave the code; then

    precision  = sum over strata given of N_h p_h / number given
    recall     = sum over strata given of N_h p_h / sum over all strata of N_h p_h
    prevalence = sum over all strata of N_h p_h / N

which does not lean on the errors of the machine being alike everywhere, as that of Rogan & Gladen (1978) does.
Intervals draw p_h from the Beta law of Jeffreys in each stratum (Brown, Cai & DasGupta, 2001, Stat. Sci. 16(2)), so
that ten right answers out of ten do not pass for certainty.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from analysis.coding.sampling import STRATA, Sample
from analysis.errors import AnalysisError
from analysis.lexical.specificity import benjamini_hochberg
from analysis.plurals import counted

LEVEL = 0.95
DRAWS = 4_000
_GIVEN = np.array([True, True, False, False])


@dataclass(frozen=True)
class Estimate:
    """A share with its interval at 95 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Bounds:
    """What a code must reach to be published; an agreement of None is not asked for."""

    precision: float = 0.7
    recall: float = 0.5
    alpha: float | None = None


@dataclass(frozen=True)
class CodeQuality:
    """Quality of one code; `given` is the raw count, `prevalence` the corrected share.

    `sampled` counts the distinct texts read. `verdict` is `published` (both bounds met even at the low end of the
    interval), `marked` (met, but not surely) or `withheld` (not met, or never measured); `reason` says why in French,
    empty when published.
    """

    code: str
    sampled: int
    given: int
    total: int
    precision: Estimate | None
    recall: Estimate | None
    prevalence: Estimate | None
    f1: float | None
    verdict: str
    reason: str


def judge(
    sample: Sample,
    coded: Mapping[str, frozenset[str]],
    *,
    bounds: Bounds | None = None,
    alphas: Mapping[str, float | None] | None = None,
) -> tuple[CodeQuality, ...]:
    """Judge each code of the sample by what people coded.

    Args:
        sample: as drawn before anyone coded it.
        coded: the codes people gave (after adjudication) to each contribution of the sample.
        bounds: what is asked of a code.
        alphas: agreement of the people on each code, where it is asked for.

    Raises AnalysisError when a contribution of the sample was not coded: leaving out the hard ones would flatter.
    """
    missing = [unit for unit in sample.units if unit not in coded]
    if missing:
        have = "n’a pas été codée" if len(missing) == 1 else "n’ont pas été codées"
        raise AnalysisError(
            f"{counted(len(missing), 'contribution')} de l’échantillon {have} (la première : « {missing[0]} ») : "
            "codez-les toutes, « aucun code » compris."
        )
    asked = bounds or Bounds()
    found = []
    for code, sizes in sample.sizes.items():
        right, n = np.zeros(len(STRATA)), np.zeros(len(STRATA))
        for rank, name in enumerate(STRATA):
            mine = [item.read for item in sample.drawn if item.code == code and item.stratum == name]
            if mine:  # near-duplicates read once weigh their number in the share, but are one observation
                n[rank] = len(set(mine))
                right[rank] = n[rank] * sum(code in coded[unit] for unit in mine) / len(mine)
        counts = np.array([sizes[name] for name in STRATA], dtype=np.float64)
        found.append(_judge(code, counts, right, n, sample.seed, asked, (alphas or {}).get(code)))
    return tuple(found)


def _judge(
    code: str,
    sizes: NDArray[np.float64],
    right: NDArray[np.float64],
    n: NDArray[np.float64],
    seed: int,
    bounds: Bounds,
    alpha: float | None,
) -> CodeQuality:
    draws = np.random.default_rng(seed).beta(right + 0.5, n - right + 0.5, size=(DRAWS, len(STRATA)))
    plain = np.divide(right, n, out=np.full(len(STRATA), np.nan), where=n > 0)
    shares = np.vstack([np.where(sizes > 0, plain, 0.0), draws])
    held = shares * sizes
    total, given = sizes.sum(), sizes[_GIVEN].sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = _estimate(held[:, _GIVEN].sum(axis=1) / given)
        recall = _estimate(held[:, _GIVEN].sum(axis=1) / held.sum(axis=1))
        prevalence = _estimate(held.sum(axis=1) / total)
    f1 = None
    if precision and recall and precision.value + recall.value > 0:
        f1 = round(2 * precision.value * recall.value / (precision.value + recall.value), 4)
    verdict, reason = _verdict(precision, recall, bounds, alpha)
    return CodeQuality(code, int(n.sum()), int(given), int(total), precision, recall, prevalence, f1, verdict, reason)


def _estimate(values: NDArray[np.float64]) -> Estimate | None:
    """The first value is the estimate, the others its law. None when it is undefined (nothing given, nothing held)."""
    if not np.isfinite(values[0]):
        return None
    value = float(values[0])
    low, high = np.nanquantile(values[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(round(value, 4), round(min(float(low), value), 4), round(max(float(high), value), 4))


def _verdict(
    precision: Estimate | None, recall: Estimate | None, bounds: Bounds, alpha: float | None
) -> tuple[str, str]:
    if precision is None or recall is None:
        return "withheld", "Qualité non mesurable : le code n’a été donné à aucune contribution de l’échantillon."
    short = []
    for estimate, bound, name in (
        (precision, bounds.precision, "précision"),
        (recall, bounds.recall, "rappel"),
    ):
        if estimate.value < bound:
            short.append(f"{name} {_fr(estimate.value)} sous le seuil de {_fr(bound)}")
    if bounds.alpha is not None and (alpha is None or alpha < bounds.alpha):
        told = "non mesuré" if alpha is None else _fr(alpha)
        short.append(f"accord entre codeurs {told}, sous le seuil de {_fr(bounds.alpha)}")
    if short:
        return "withheld", f"Retenu : {' ; '.join(short)}."
    if precision.low < bounds.precision or recall.low < bounds.recall:
        return "marked", "À lire avec prudence : l’intervalle de confiance descend sous le seuil."
    return "published", ""


def _fr(value: float) -> str:
    return f"{value:.2f}".replace(".", ",")


@dataclass(frozen=True)
class Drift:
    """How one code moved between two codings of the same contributions.

    `gained` and `lost` list the contributions that changed; `p_value` is the exact test that both are as likely
    (McNemar, 1947), `corrected` whether it passes Benjamini-Hochberg at 5 % among the codes.
    """

    code: str
    before: int
    after: int
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    p_value: float
    corrected: bool


def drift(
    before: Mapping[str, Iterable[str]], after: Mapping[str, Iterable[str]], codes: Sequence[str]
) -> tuple[Drift, ...]:
    """Compare two versions of a coding over the contributions that both have read, code by code."""
    first = {unit: frozenset(given) for unit, given in before.items() if unit in after}
    second = {unit: frozenset(after[unit]) for unit in first}
    moved = [
        (
            tuple(sorted(unit for unit in first if code in second[unit] - first[unit])),
            tuple(sorted(unit for unit in first if code in first[unit] - second[unit])),
        )
        for code in codes
    ]
    p = [binomtest(len(gained), len(gained) + len(lost)).pvalue if gained or lost else 1.0 for gained, lost in moved]
    passing = benjamini_hochberg(np.log(np.maximum(np.array(p, dtype=np.float64), 1e-300)))
    return tuple(
        Drift(
            code=code,
            before=sum(code in given for given in first.values()),
            after=sum(code in given for given in second.values()),
            gained=gained,
            lost=lost,
            p_value=float(f"{p[rank]:.4g}"),
            corrected=bool(passing[rank]),
        )
        for rank, (code, (gained, lost)) in enumerate(zip(codes, moved, strict=True))
    )
