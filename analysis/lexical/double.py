"""Reinert's double classification: two simple ones, on segments merged to different minimal sizes, are crossed.

A crossing of a group of the first with a group of the second (classes and all the groups above them) is kept when
each is the other's best association. For each number of classes, the disjoint crossings most associated in all are
the classes; the rest is unclassified: it is what changes class when segments are cut otherwise.

Sources: Reinert (1990), BMS 26, 24-54; Ratinaud & Déjean (2009), « IRaMuTeQ ».
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from analysis.errors import AnalysisError
from analysis.lexical.reinert import CLASSES, UNCLASSIFIED, Classification, descend
from analysis.lexical.segments import Table, merged

FORMS = (12, 14)
MIN_MEMBERS = 10
ASSOCIATED = 3.84


class Crossing(NamedTuple):
    """Group `first` of one classification with group `second` of the other: units in both, signed chi-square."""

    first: int
    second: int
    units: int
    chi2: float


@dataclass(frozen=True)
class Agreement:
    """A double classification: `classes` (n_units,) in 0 … k - 1, or -1 where both classifications do not agree.

    Class k is `crossings[k]`; `chi2` is the sum of their associations.
    """

    classes: NDArray[np.int32]
    crossings: tuple[Crossing, ...]
    chi2: float

    @property
    def unclassified(self) -> int:
        """Units in no class."""
        return int((self.classes == UNCLASSIFIED).sum())


@dataclass(frozen=True)
class Double:
    """The two classifications of the merged segments, brought back to the units of the table, and what they agree on.

    `agreements[k]` is the best agreement in k classes; some k may have none.
    """

    simple: tuple[Classification, Classification]
    groups: tuple[NDArray[np.int32], NDArray[np.int32]]
    agreements: dict[int, Agreement]

    @property
    def largest(self) -> Agreement:
        """The agreement in most classes. Raises AnalysisError when the classifications agree on nothing."""
        if not self.agreements:
            raise AnalysisError(
                "Double classification impossible : les deux classifications ne s’accordent sur aucune classe ; "
                "prenez la classification simple."
            )
        return self.agreements[max(self.agreements)]


def classify_twice(
    table: Table,
    *,
    classes: int = CLASSES,
    forms: tuple[int, int] = FORMS,
    least: int | None = None,
    min_members: int = MIN_MEMBERS,
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Double:
    """Double classification of the units of a table.

    Args:
        table: units by lemmas, binary.
        classes: how many classes at most in each simple classification.
        forms: lemmas that a merged segment holds at least, in the first and in the second classification.
        least: smallest class of the simple ones, in merged segments; `smallest_class` by default.
        min_members: units that a crossing must hold to be a class.
        seed: of the axis computations.
        progress: called with (classes found, classes asked), in the first then in the second.

    Raises AnalysisError as `classify` does.
    """
    groups = (merged(table, forms[0]), merged(table, forms[1]))
    simple = []
    for group in groups:
        pooled = sparse.csr_matrix((np.ones(len(group)), (group, np.arange(len(group))))) @ table.matrix
        pooled.data[:] = 1
        pooled.sort_indices()
        simple.append(descend(pooled, classes=classes, least=least, seed=seed, progress=progress))
    first, second = simple
    agreements = _agreements(first, second, first.classes[groups[0]], second.classes[groups[1]], min_members)
    return Double((first, second), groups, agreements)


def _agreements(
    first: Classification,
    second: Classification,
    one: NDArray[np.int32],
    two: NDArray[np.int32],
    min_members: int,
) -> dict[int, Agreement]:
    leaves = np.zeros((first.count, second.count), dtype=np.int64)
    both = (one >= 0) & (two >= 0)
    np.add.at(leaves, (one[both], two[both]), 1)
    below = _leaves(first), _leaves(second)
    crossings = list(_best_crossings(leaves, *below, min_members))
    cells = [np.outer(below[0][crossing.first], below[1][crossing.second]) for crossing in crossings]
    disjoint = [[not (leaves * (a & b)).any() for b in cells] for a in cells]
    best: dict[int, tuple[float, tuple[int, ...]]] = {}
    for chosen in _sets(disjoint):
        chi2 = sum(crossings[number].chi2 for number in chosen)
        if len(chosen) > 1 and chi2 > best.get(len(chosen), (0.0, ()))[0]:
            best[len(chosen)] = chi2, chosen
    found = {}
    for count, (chi2, chosen) in sorted(best.items()):
        of_cell = np.full(leaves.shape, UNCLASSIFIED, dtype=np.int32)
        for label, number in enumerate(chosen):
            of_cell[cells[number]] = label
        classes = np.full(len(one), UNCLASSIFIED, dtype=np.int32)
        classes[both] = of_cell[one[both], two[both]]
        found[count] = Agreement(classes, tuple(crossings[number] for number in chosen), chi2)
    return found


def _leaves(found: Classification) -> NDArray[np.bool_]:
    """Which classes lie under each node, shape (n_nodes, n_classes)."""
    under = np.zeros((len(found.nodes), found.count), dtype=np.bool_)
    for node in reversed(found.nodes):
        if node.label is not None:
            under[node.number, node.label] = True
        if node.parent is not None:
            under[node.parent] |= under[node.number]
    return under


def _best_crossings(
    leaves: NDArray[np.int64], first: NDArray[np.bool_], second: NDArray[np.bool_], min_members: int
) -> Iterator[Crossing]:
    """Crossings of groups (the whole left out) that are each other's best association."""
    shared = first.astype(np.int64) @ leaves @ second.T.astype(np.int64)
    rows, columns, size = first @ leaves.sum(axis=1), second @ leaves.sum(axis=0), leaves.sum()
    expected = np.outer(rows, columns) / size if size else np.zeros(shared.shape)
    spread = np.outer(rows * (size - rows), columns * (size - columns)).astype(np.float64)
    gap = shared * size - np.outer(rows, columns)
    chi2 = np.divide(size * gap.astype(np.float64) ** 2, spread, out=np.zeros_like(spread), where=spread > 0)
    chi2 = np.where(shared > expected, chi2, -chi2)
    chi2[0, :] = chi2[:, 0] = -np.inf
    for i, j in np.argwhere((chi2 > ASSOCIATED) & (shared >= min_members)).tolist():
        if chi2[i, j] == chi2[i].max() == chi2[:, j].max():
            yield Crossing(i, j, int(shared[i, j]), float(chi2[i, j]))


def _sets(disjoint: list[list[bool]], chosen: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """All the sets of pairwise disjoint crossings: few, since the best crossings follow two trees."""
    yield chosen
    for number in range(chosen[-1] + 1 if chosen else 0, len(disjoint)):
        if all(disjoint[number][other] for other in chosen):
            yield from _sets(disjoint, (*chosen, number))
