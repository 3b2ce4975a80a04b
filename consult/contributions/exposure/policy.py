"""How evenly the texts of a list were displayed; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Evenness:
    """Of texts displayed so many times a day each: the least, the mean, the most, and the Gini index.

    `gini` is 0 when all are displayed alike, and nears 1 when one text has all displays; None without displays.
    """

    texts: int
    least: float
    mean: float
    most: float
    gini: float | None


def daily(displays: int, hours: int) -> float:
    """How many displays a day, of a text published for so many hours (at least one)."""
    return 24 * displays / max(1, hours)


def evenness(rates: Sequence[float]) -> Evenness:
    """How even these daily rates are. The Gini index is the mean absolute difference of two rates, over twice their
    mean.
    """
    ordered = sorted(rates)
    count, total = len(ordered), math.fsum(ordered)
    if not total:
        return Evenness(count, 0.0, 0.0, 0.0, None)
    weighted = math.fsum(rank * rate for rank, rate in enumerate(ordered, start=1))
    gini = max(0.0, 2 * weighted / (count * total) - (count + 1) / count)
    return Evenness(count, ordered[0], total / count, ordered[-1], gini)
