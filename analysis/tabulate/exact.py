"""Tests of small tables, by the margins themselves rather than by the chi-square law.

The laws of scipy are imported when a table needs them: they start more slowly than most tables are counted.
"""

import numpy as np
from numpy.typing import NDArray

DRAWS = 9_999


def exact_p(counts: NDArray[np.int64], *, seed: int = 1, draws: int = DRAWS) -> float:
    """The p-value of independence given both margins, of a table without empty lines of 2 × 2 at least.

    Two by two, Fisher's exact test; larger, the share of `draws` tables of the same margins, one added to both, whose
    chi-square is at least as large: the same seed gives the same answer.

    Sources: Fisher (1935), The Design of Experiments, § 11; Patefield (1981), Appl. Stat. 30, 91-97, for the drawing;
    North, Curtis & Sham (2002), Am. J. Hum. Genet. 71, 439-441, for the one added. Raises ValueError for other tables.
    """
    from scipy.stats import MonteCarloMethod, chi2_contingency, fisher_exact

    full = counts.sum(axis=0).all() and counts.sum(axis=1).all()
    if min(counts.shape) < 2 or not full:  # noqa: PLR2004 -- two by two is the smallest table
        raise ValueError("a table of at least two lines and two columns, none of them empty")
    if counts.shape == (2, 2):
        return float(fisher_exact(counts).pvalue)
    method = MonteCarloMethod(n_resamples=draws, rng=np.random.default_rng(seed))
    return float(chi2_contingency(counts, correction=False, method=method).pvalue)
