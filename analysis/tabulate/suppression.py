"""Small cells withheld from a table whose margins are published, and what would let them be worked out.

Sources: Cox (1980), JASA 75, 377-385, for complementary suppression; Fischetti & Salazar (2001), Management Science 47,
1008-1027, for the attacker who solves the margins, which `intervals` plays.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

K = 10


@dataclass(frozen=True)
class Suppressed:
    """A table (r, c) to publish: `hidden` cells are withheld; `primary` were small, the others protect them."""

    counts: NDArray[np.int64]
    hidden: NDArray[np.bool_]
    primary: NDArray[np.bool_]


def suppress(counts: NDArray[np.int64], k: int = K) -> Suppressed:
    """Withhold each count from 1 to k - 1, and as many others as it takes that the margins give none of them away.

    Protected means: whoever solves the published margins and cells leaves at least k values to each small cell, or as
    many as the table allows when all of it is withheld. A zero is no person: it is shown, unless it must protect.
    """
    primary = (counts > 0) & (counts < k)
    hidden = primary.copy()
    while not hidden.all():
        exposed = [cell for cell in np.argwhere(primary) if _width(counts, hidden, tuple(cell)) < k - 1]
        if not exposed:
            break
        hidden[_next(counts, hidden, tuple(exposed[0]))] = True
    return Suppressed(counts, hidden, primary)


def interval(counts: NDArray[np.int64], hidden: NDArray[np.bool_], cell: tuple[int, int]) -> tuple[float, float]:
    """The least and the greatest count that the published margins and cells allow a hidden cell."""
    places = np.argwhere(hidden)
    rank = next(i for i, place in enumerate(places) if tuple(place) == cell)
    rows, columns = counts.shape
    equal = np.zeros((rows + columns, len(places)))
    equal[places[:, 0], np.arange(len(places))] = 1
    equal[rows + places[:, 1], np.arange(len(places))] = 1
    left = np.where(hidden, counts, 0)
    sums = np.concatenate([left.sum(axis=1), left.sum(axis=0)])
    aim = np.zeros(len(places))
    aim[rank] = 1
    low, high = (linprog(side * aim, A_eq=equal, b_eq=sums, bounds=(0, None), method="highs").fun for side in (1, -1))
    return float(low), float(-high)


def _width(counts: NDArray[np.int64], hidden: NDArray[np.bool_], cell: tuple[int, ...]) -> float:
    low, high = interval(counts, hidden, (cell[0], cell[1]))
    return round(high - low, 6)


def _next(counts: NDArray[np.int64], hidden: NDArray[np.bool_], cell: tuple[int, ...]) -> tuple[int, int]:
    """The shown cell to withhold: the smallest of that cell's line or column, fewest withheld first."""
    row, column = cell
    lines = [(hidden[row].sum(), [(row, j) for j in range(counts.shape[1])])]
    lines.append((hidden[:, column].sum(), [(i, column) for i in range(counts.shape[0])]))
    for _, places in sorted(lines, key=lambda line: line[0]):
        shown = [place for place in places if not hidden[place]]
        if shown:
            return min(shown, key=lambda place: (counts[place] == 0, counts[place], place))
    shown = [(int(i), int(j)) for i, j in np.argwhere(~hidden)]
    return min(shown, key=lambda place: (counts[place] == 0, counts[place], place))
