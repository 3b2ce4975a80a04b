"""One division of Reinert's descending classification: the two-class partition of highest chi-square.

Everything costs in proportion to the non-zero cells: with c_j the column totals, N the grand total, s1 the mass of
the first part, t1j its column totals and Q = sum t1j² / c_j, the chi-square of the 2 x p table is
N² / (s1 s2) x (Q - s1² / N).

Sources: Reinert (1983), « Une méthode de classification descendante hiérarchique : application à l’analyse lexicale
par contexte », CAD 8(2), 187-198; Reinert (1990), BMS 26, 24-54.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from analysis.lexical.correspondence import leading
from analysis.lexical.segments import Sparse

_AXIS_TOLERANCE = 1e-6
_GAIN = 1e-9
_RARE = 3
_YATES_UNDER = 10

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """Distinct rows of a binary table: `matrix` (n, p) CSR without empty row nor column, `weights` (n,) copies of each.

    Copies always move together: between-class inertia is convex in how many of them move, so that splitting them
    never does better.
    """

    matrix: Sparse
    weights: Floats

    @property
    def masses(self) -> Floats:
        """Occurrences in each row, copies counted, shape (n,)."""
        return np.asarray(self.weights * np.diff(self.matrix.indptr), dtype=np.float64)

    @property
    def totals(self) -> Floats:
        """Occurrences in each column, copies counted, shape (p,)."""
        return np.asarray(self.matrix.T @ self.weights, dtype=np.float64)


class Partition(NamedTuple):
    """The rows of the first part, shape (n,), and the chi-square of the 2 x p table."""

    first: Mask
    chi2: float


def chi_square(rows: Rows, first: Mask) -> float:
    """The chi-square of the table of two parts by columns, from its definition."""
    one = rows.matrix.T @ (rows.weights * first)
    observed = np.stack([one, rows.totals - one])
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / observed.sum()
    return float(((observed - expected) ** 2 / expected).sum())


def divide(rows: Rows, *, least: int, seed: int) -> Partition | None:
    """The best division found, both parts of at least `least` rows (copies counted); None when there is none.

    The rows are ordered along the first axis of the correspondence analysis and cut where chi-square is highest;
    then rows change sides as long as one of them raises chi-square (`switch`).
    """
    if min(rows.matrix.shape) <= 1 or rows.weights.sum() < 2 * least:
        return None
    coordinates = _first_axis(rows, seed)
    start = None if coordinates is None else _best_cut(rows, coordinates, least)
    return None if start is None else switch(rows, start, least=least)


def _first_axis(rows: Rows, seed: int) -> Floats | None:
    """Coordinates of the rows on the first axis, None when all have the same profile."""
    masses, totals = rows.masses, rows.totals
    grand = masses.sum()
    lengths = np.diff(rows.matrix.indptr)
    scaled = sparse.diags(np.sqrt(rows.weights / lengths)) @ rows.matrix @ sparse.diags(totals**-0.5)
    row, column = np.sqrt(masses / grand), np.sqrt(totals / grand)
    _, left, _ = leading(scaled.tocsr(), row, column, 1, seed=seed, tolerance=_AXIS_TOLERANCE)
    return left[:, 0] / row if left.shape[1] else None


def _best_cut(rows: Rows, coordinates: Floats, least: int) -> Mask | None:
    """The cut of the ordered rows with the highest chi-square."""
    order = np.argsort(coordinates, kind="stable")
    weights, masses = rows.weights[order], rows.masses[order]
    columns = rows.matrix[order].tocsc()
    held = weights[columns.indices]
    sums = np.cumsum(held)
    lengths = np.diff(columns.indptr)
    before = sums - held - np.repeat(np.append(0.0, sums)[columns.indptr[:-1]], lengths)
    gains = (held * held + 2 * held * before) / np.repeat(rows.totals, lengths)
    quality = np.cumsum(np.bincount(columns.indices, weights=gains, minlength=len(order)))[:-1]
    sizes, mass = np.cumsum(weights), np.cumsum(masses)
    size, grand = sizes[-1], mass[-1]
    sizes, mass = sizes[:-1], mass[:-1]
    allowed = (sizes >= least) & (size - sizes >= least)
    if not allowed.any():
        return None
    chi2 = np.where(allowed, grand**2 / (mass * (grand - mass)) * (quality - mass * mass / grand), -1.0)
    first = np.zeros(len(order), dtype=np.bool_)
    first[order[: int(chi2.argmax()) + 1]] = True
    return first


def improving(rows: Rows, first: Mask, *, least: int) -> NDArray[np.int64]:
    """Rows that, moved alone, would raise chi-square and leave `least` rows on both sides."""
    inverse, masses = 1 / rows.totals, rows.masses
    grand, size = masses.sum(), rows.weights.sum()
    totals = rows.matrix.T @ (rows.weights * first)
    mass, quality = float((masses * first).sum()), float((totals * totals * inverse).sum())
    chi2 = grand**2 / (mass * (grand - mass)) * (quality - mass * mass / grand)
    way = np.where(first, -1.0, 1.0)
    gained = 2 * way * rows.weights * (rows.matrix @ (totals * inverse))
    moved_quality = quality + gained + rows.weights**2 * (rows.matrix @ inverse)
    moved = mass + way * masses
    sizes = float((rows.weights * first).sum()) + way * rows.weights
    allowed = (sizes >= least) & (size - sizes >= least) & (moved > 0) & (moved < grand)
    moved = np.where(allowed, moved, grand / 2)
    new = grand**2 / (moved * (grand - moved)) * (moved_quality - moved * moved / grand)
    return np.flatnonzero(allowed & (new > chi2 * (1 + _GAIN)))


def switch(rows: Rows, first: Mask, *, least: int) -> Partition:
    """Move rows one by one until no single move raises chi-square.

    As IRaMuTeQ does, rows are gone through in order and each is moved at once when it raises chi-square, pass after
    pass. The rows worth trying are found beforehand, all together, at the start of each pass; each is then judged
    against the table as the moves before it have left it. Stops when a pass has nothing to try.
    """
    first = first.copy()
    weights, masses, inverse = rows.weights, rows.masses, 1 / rows.totals
    own = weights**2 * (rows.matrix @ inverse)
    indptr, indices = rows.matrix.indptr, rows.matrix.indices
    grand, size = float(masses.sum()), float(weights.sum())
    while len(candidates := improving(rows, first, least=least)):
        totals = rows.matrix.T @ (weights * first)
        quality, mass = float((totals * totals * inverse).sum()), float((masses * first).sum())
        inside = float((weights * first).sum())
        chi2 = grand**2 / (mass * (grand - mass)) * (quality - mass * mass / grand)
        shares = totals * inverse
        for row in candidates.tolist():
            columns = indices[indptr[row] : indptr[row + 1]]
            way = -1.0 if first[row] else 1.0
            moved, sized = mass + way * masses[row], inside + way * weights[row]
            if not least <= sized <= size - least or not 0 < moved < grand:
                continue
            improved = quality + 2 * way * weights[row] * shares[columns].sum() + own[row]
            new = grand**2 / (moved * (grand - moved)) * (improved - moved * moved / grand)
            if new > chi2 * (1 + _GAIN):
                chi2, quality, mass, inside = new, improved, moved, sized
                shares[columns] += way * weights[row] * inverse[columns]
                first[row] = not first[row]
    return Partition(first, chi_square(rows, first))


def kept_columns(rows: Rows, first: Mask) -> tuple[Mask, Mask]:
    """The columns that each part keeps, shapes (p,): a lemma leaves the part where it is markedly under-represented.

    Markedly: the 2 x 2 chi-square of presence by part (Yates when a cell is under 10) passes 1.9 x (large / small)
    + 1.9, as in IRaMuTeQ; large and small are the sizes of the parts. Lemmas held by less than 3 rows leave too.
    """
    one, both = rows.matrix.T @ (rows.weights * first), rows.totals
    two = both - one
    size = rows.weights.sum()
    size_one = float((rows.weights * first).sum())
    size_two = size - size_one
    cross = np.abs(one * (size_two - two) - two * (size_one - one))
    smallest = np.minimum.reduce([one, two, size_one - one, size_two - two])
    cross = np.where(smallest < _YATES_UNDER, np.maximum(cross - size / 2, 0), cross)
    spread = size_one * size_two * both * (size - both)
    chi2 = np.divide(size * cross**2, spread, out=np.zeros_like(spread), where=spread > 0)
    marked = chi2 > 1.9 * max(size_one, size_two) / min(size_one, size_two) + 1.9
    over_one = one / size_one > two / size_two
    return (one >= _RARE) & ~(marked & ~over_one), (two >= _RARE) & ~(marked & over_one)
