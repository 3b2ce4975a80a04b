"""Confidence intervals of a share."""

from math import sqrt

Z_95 = 1.959963984540054


def wilson(count: int, total: int) -> tuple[float, float]:
    """The bounds, from 0 to 1, between which a share of `count` in `total` > 0 drawn at random lies, at 95 %.

    Source: Wilson (1927), JASA 22, 209-212.
    """
    square = Z_95**2
    middle = (count + square / 2) / (total + square)
    spread = Z_95 * sqrt(count * (total - count) / total + square / 4) / (total + square)
    return max(0.0, middle - spread), min(1.0, middle + spread)
