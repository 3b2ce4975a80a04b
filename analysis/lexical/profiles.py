"""What characterises each class of a classification: profiles, antiprofiles, typical units, factorial plane."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import chdtrc

from analysis.corpus import Variable
from analysis.errors import AnalysisError
from analysis.lexical.correspondence import Correspondence, correspondence
from analysis.lexical.segments import Sparse, Table

TYPICAL = 10
_PLANE = 5


@dataclass(frozen=True)
class Feature:
    """A lemma, or a category of a variable, in a class: `units` of the class that hold it out of `total` that do.

    `share` is 100 x units / total. `chi2` has one degree of freedom, presence by class, without correction; it is
    negative when the class holds the feature less than the rest (antiprofile). `p` is its probability.
    """

    name: str
    kind: str
    units: int
    total: int
    share: float
    chi2: float
    p: float


@dataclass(frozen=True)
class Profile:
    """A class: its size, its features by falling chi-square (profile first, antiprofile last), its typical units.

    `typical` are ranks of units, most typical first, with the sum of the chi-squares of the profile they hold.
    """

    label: int
    size: int
    features: tuple[Feature, ...]
    variables: tuple[Feature, ...]
    typical: tuple[tuple[int, float], ...]


def profiles(
    table: Table,
    classes: NDArray[np.int32],
    *,
    variables: Sequence[Variable] = (),
    typical: int = TYPICAL,
) -> list[Profile]:
    """The profile of each class, over the classified units.

    Args:
        table: units by lemmas.
        classes: shape (n_units,), -1 for unclassified units, which are left out.
        variables: closed variables over the texts; each category is described like a lemma, and decides nothing.
        typical: how many typical units to give.
    """
    count = int(classes.max(initial=-1)) + 1
    inside = np.flatnonzero(classes >= 0)
    matrix, labels = table.matrix[inside], classes[inside]
    sizes = np.bincount(labels, minlength=count)
    held = by_class(matrix, labels, count)
    chi2 = signed_chi2(held, sizes)
    marks = [(variable, variable.members[table.texts[inside]].astype(np.int64)) for variable in variables]
    found = []
    for label in range(count):
        features = _features(table.lemmas, table.pos, held, chi2, label)
        described: list[Feature] = []
        for variable, members in marks:
            counts = by_class(members, labels, count)
            names = [f"{variable.label} : {category}" for category in variable.categories]
            described += _features(names, [variable.key] * len(names), counts, signed_chi2(counts, sizes), label)
        described.sort(key=lambda feature: (-feature.chi2, feature.name))
        units = inside[labels == label]
        chosen = _typical(table.matrix[units], chi2[:, label], typical)
        ranked = tuple((int(units[rank]), score) for rank, score in chosen)
        found.append(Profile(label, int(sizes[label]), features, tuple(described), ranked))
    return found


def by_class(matrix: Sparse | NDArray[np.int64], labels: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """Units of each class that hold each column, shape (n_columns, count)."""
    groups = sparse.csr_matrix(
        (np.ones(len(labels), dtype=np.int64), (labels, np.arange(len(labels)))), (count, len(labels))
    )
    sums = groups @ matrix
    dense = sums.toarray() if sparse.issparse(sums) else sums
    return np.asarray(np.rint(dense).T, dtype=np.int64)


def signed_chi2(held: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Chi-square of presence by class against all the others, signed; shape of `held`, (n_columns, n_classes)."""
    n = float(sizes.sum())
    total = held.sum(axis=1, keepdims=True).astype(np.float64)
    size = sizes.astype(np.float64)[None, :]
    gap = held * n - total * size
    spread = total * (n - total) * size * (n - size)
    chi2 = np.divide(n * gap**2, spread, out=np.zeros_like(spread), where=spread > 0)
    return np.asarray(np.sign(gap) * chi2, dtype=np.float64)


def _features(
    names: Sequence[str], kinds: Sequence[str], held: NDArray[np.int64], chi2: NDArray[np.float64], label: int
) -> tuple[Feature, ...]:
    totals = held.sum(axis=1)
    rows = [
        Feature(
            name=names[row],
            kind=kinds[row],
            units=int(held[row, label]),
            total=int(totals[row]),
            share=round(100 * int(held[row, label]) / int(totals[row]), 2),
            chi2=round(float(chi2[row, label]), 3),
            p=float(chdtrc(1, abs(float(chi2[row, label])))),
        )
        for row in np.flatnonzero(totals).tolist()
    ]
    return tuple(sorted(rows, key=lambda feature: (-feature.chi2, feature.name)))


def _typical(matrix: Sparse, chi2: NDArray[np.float64], count: int) -> list[tuple[int, float]]:
    scores = np.round(matrix @ np.maximum(chi2, 0.0), 3)
    order = np.argsort(-scores, kind="stable")[:count]
    return [(int(rank), float(scores[rank])) for rank in order]


def plane(table: Table, classes: NDArray[np.int32]) -> Correspondence:
    """Factorial plane: correspondence analysis of lemmas (rows) by classes (columns), in units that hold each lemma.

    Raises AnalysisError when there is a single class.
    """
    count = int(classes.max(initial=-1)) + 1
    if count <= 1:
        raise AnalysisError("Plan factoriel impossible : il n’y a qu’une classe.")
    inside = classes >= 0
    return correspondence(by_class(table.matrix[inside], classes[inside], count), axes=_PLANE)
