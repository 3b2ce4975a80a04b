"""Reinert's descending hierarchical classification (Alceste, IRaMuTeQ).

The largest class is divided in two (`bipartition`) until the number of classes asked is reached.

The result does not depend on the order of the texts: equal rows are merged, and rows and columns are put in an order
of their own, that of their content.

Sources: Reinert (1983), CAD 8(2), 187-198; Reinert (1990), BMS 26, 24-54; Ratinaud & Marchand (2012), JADT.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.errors import AnalysisError
from analysis.lexical.bipartition import Rows, divide, kept_columns
from analysis.lexical.segments import Sparse, Table

CLASSES = 10
MOST_CLASSES = 100
_SMALLEST = 5
_SHARE = 0.1
UNCLASSIFIED = -1


@dataclass(frozen=True)
class Node:
    """One group of units, from the whole (number 0) down to the classes.

    `units` are their ranks in the table; `columns` those of the lemmas on which the group was divided, `chi2` the
    chi-square of the division and `children` its two parts, None and None for a class, whose number is `label`.
    """

    number: int
    parent: int | None
    units: NDArray[np.int64]
    columns: NDArray[np.int64]
    chi2: float | None
    children: tuple[int, int] | None
    label: int | None


@dataclass(frozen=True)
class Classification:
    """The classes of `n` units. `classes[i]` is in 0 … k - 1, or -1: units without any lemma of the table, and those
    left without any once a division has put lemmas aside.

    Classes are numbered along the dendrogram, from the first child down. `least` is the size under which no class goes.
    """

    classes: NDArray[np.int32]
    nodes: tuple[Node, ...]
    least: int

    @property
    def count(self) -> int:
        """How many classes there are: fewer than asked when a group can no longer be divided."""
        return sum(node.label is not None for node in self.nodes)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Units of each class, shape (count,)."""
        return np.bincount(self.classes[self.classes >= 0], minlength=self.count)

    @property
    def unclassified(self) -> int:
        """Units in no class."""
        return int((self.classes == UNCLASSIFIED).sum())


def smallest_class(units: int, classes: int) -> int:
    """The size under which no class goes by default: a tenth of what equal classes would hold, 5 at least."""
    return max(_SMALLEST, int(_SHARE * units / classes))


def classify(
    table: Table,
    *,
    classes: int = CLASSES,
    least: int | None = None,
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Classification:
    """Classify the units of a table.

    Args:
        table: units by lemmas, binary.
        classes: how many classes at most, 2 to 100.
        least: smallest class; `smallest_class` by default.
        seed: of the start vector of the axis computation; the axis itself does not depend on it.
        progress: called with (classes found, classes asked).

    Raises AnalysisError when no unit holds any lemma of the table, or when an option is out of bounds.
    """
    return descend(table.matrix, classes=classes, least=least, seed=seed, progress=progress)


def descend(
    matrix: Sparse,
    *,
    classes: int,
    least: int | None,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Classification:
    """`classify`, on a binary CSR matrix of shape (n_units, n_lemmas)."""
    check_options(classes, least)
    if not matrix.nnz:
        raise AnalysisError(
            "Classification impossible : aucune forme pleine n’est assez fréquente ; il faut davantage de textes."
        )
    rows, inverse = distinct(matrix)
    bound = smallest_class(int(rows.weights.sum()), classes) if least is None else least
    groups = _descend(rows, classes, bound, seed, progress)
    return _numbered(groups, inverse, bound)


def check_options(classes: int, least: int | None) -> None:
    """Raises AnalysisError when a number of classes or a smallest class is out of bounds."""
    if not 2 <= classes <= MOST_CLASSES:  # noqa: PLR2004 -- less is no classification
        raise AnalysisError(f"Nombre de classes {classes} : donnez un nombre de 2 à {MOST_CLASSES}.")
    if least is not None and least < 1:
        raise AnalysisError(f"Effectif minimal {least} : donnez au moins 1.")


def distinct(matrix: Sparse) -> tuple[Rows, NDArray[np.int64]]:
    """The distinct non-empty rows, in the order of a hash of their content, and the rank among them of each row (-1
    for an empty one).
    """
    keys = _row_keys(matrix)
    filled = np.flatnonzero(np.diff(matrix.indptr))
    order = filled[np.lexsort(keys[:, filled])]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (keys[:, order[1:]] != keys[:, order[:-1]]).any(axis=0)
    ranks = np.cumsum(new) - 1
    inverse = np.full(matrix.shape[0], -1, dtype=np.int64)
    inverse[order] = ranks
    return Rows(matrix[order[new]], np.bincount(ranks).astype(np.float64)), inverse


def _row_keys(matrix: Sparse) -> NDArray[np.uint64]:
    """Two 64-bit hashes of each row: sums of a mixed number per column (splitmix64), shape (2, n)."""
    keys = []
    for salt in (1, 2):
        mixed = np.arange(matrix.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(salt)
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        sums = np.append(np.uint64(0), np.cumsum((mixed ^ (mixed >> np.uint64(31)))[matrix.indices]))
        keys.append(sums[matrix.indptr[1:]] - sums[matrix.indptr[:-1]])
    return np.stack(keys)


@dataclass
class _Group:
    """A node under way: ranks of its distinct rows and of its columns."""

    parent: int | None
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    size: float
    chi2: float | None = None
    children: tuple[int, int] | None = None
    final: bool = False


def _descend(
    rows: Rows, classes: int, least: int, seed: int, progress: Callable[[int, int], None] | None
) -> list[_Group]:
    """Divide the largest group, the first made of equal ones, until there are `classes` or none can be divided."""
    every_row, every_column = (np.arange(length) for length in rows.matrix.shape)
    groups = [_Group(None, every_row, every_column, float(rows.weights.sum()))]
    leaves = 1
    while leaves < classes:
        open_groups = [n for n, group in enumerate(groups) if group.children is None and not group.final]
        if not open_groups:
            break
        number = max(open_groups, key=lambda n: (groups[n].size, -n))
        parts = _divide(rows, groups[number], number, least, seed)
        if parts:
            groups[number].children = len(groups), len(groups) + 1
            groups += parts
            leaves += 1
            if progress:
                progress(leaves, classes)
        else:
            groups[number].final = True
    return groups


def _divide(rows: Rows, group: _Group, number: int, least: int, seed: int) -> list[_Group]:
    matrix = rows.matrix[group.rows][:, group.columns]
    used = np.bincount(matrix.indices, minlength=matrix.shape[1]) > 0
    filled = np.diff(matrix.indptr) > 0
    matrix = matrix[filled][:, used].tocsr()
    matrix.sort_indices()
    group.columns = group.columns[used]
    ranks = group.rows[filled]
    own = Rows(matrix, rows.weights[ranks])
    found = divide(own, least=least, seed=seed)
    if found is None:
        return []
    group.chi2 = found.chi2
    kept = kept_columns(own, found.first)
    return [
        _Group(number, ranks[side], group.columns[columns], float(own.weights[side].sum()))
        for side, columns in zip((found.first, ~found.first), kept, strict=True)
    ]


def _numbered(groups: list[_Group], inverse: NDArray[np.int64], least: int) -> Classification:
    labels: dict[int, int] = {}
    stack = [0]
    while stack:
        number = stack.pop()
        children = groups[number].children
        if children is None:
            labels[number] = len(labels)
        else:
            stack += children[::-1]
    of_row = np.full(int(inverse.max()) + 2, UNCLASSIFIED, dtype=np.int32)  # the last is for empty rows: rank -1
    for leaf, its_label in labels.items():
        of_row[groups[leaf].rows] = its_label
    nodes = []
    for number, group in enumerate(groups):
        member = np.zeros(len(of_row), dtype=np.bool_)
        member[group.rows] = True
        units = np.flatnonzero(member[inverse])
        label = labels.get(number)
        nodes.append(Node(number, group.parent, units, group.columns, group.chi2, group.children, label))
    return Classification(of_row[inverse], tuple(nodes), least)
