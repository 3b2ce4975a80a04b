"""What characterises each class of a classification: profiles, antiprofiles, typical units, factorial plane."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import chdtrc

from analysis.corpus import Variable
from analysis.errors import AnalysisError
from analysis.lexical.correspondence import Correspondence, correspondence, projected
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


class Typical(NamedTuple):
    """A unit of a class by its marked lemmas, those of the profile: the sum of their chi-squares (IRaMuTeQ's
    « score absolu ») and the mean (« score relatif »).
    """

    unit: int
    absolute: float
    relative: float


@dataclass(frozen=True)
class Profile:
    """A class: its size, its features by falling chi-square (profile first, antiprofile last), its typical units.

    `typical` are the most typical units by absolute score, `typical_on_average` by relative score, the first first.
    """

    label: int
    size: int
    features: tuple[Feature, ...]
    variables: tuple[Feature, ...]
    typical: tuple[Typical, ...]
    typical_on_average: tuple[Typical, ...]

    @property
    def profile(self) -> tuple[Feature, ...]:
        """The lemmas that the class holds more than the rest, by falling chi-square."""
        return tuple(feature for feature in self.features if feature.chi2 > 0)

    @property
    def antiprofile(self) -> tuple[Feature, ...]:
        """The lemmas that the class holds less than the rest, the most avoided first."""
        return tuple(feature for feature in self.features[::-1] if feature.chi2 < 0)


def profiles(
    table: Table,
    classes: NDArray[np.int32],
    *,
    variables: Sequence[Variable] = (),
    typical: int = TYPICAL,
    shown: NDArray[np.bool_] | None = None,
    ids: Sequence[str] = (),
) -> list[Profile]:
    """The profile of each class, over the classified units.

    Args:
        table: units by lemmas.
        classes: shape (n_units,), -1 for unclassified units, which are left out.
        variables: closed variables over the texts; each category is described like a lemma, and decides nothing.
        typical: how many typical units to give, in each of the two orders.
        shown: the units that may be given as typical, shape (n_units,); all of them by default.
        ids: names of the texts, which order units of equal score; by default their ranks do.
    """
    count = int(classes.max(initial=-1)) + 1
    inside = np.flatnonzero(classes >= 0)
    matrix, labels = table.matrix[inside], classes[inside]
    sizes = np.bincount(labels, minlength=count)
    held = by_class(matrix, labels, count)
    chi2 = signed_chi2(held, sizes)
    marks = [(variable, variable.members[table.texts[inside]].astype(np.int64)) for variable in variables]
    names = [ids[text] for text in table.texts.tolist()] if ids else ()
    found = []
    for label in range(count):
        features = _features(table.lemmas, table.pos, held, chi2, label)
        described: list[Feature] = []
        for variable, members in marks:
            counts = by_class(members, labels, count)
            kinds = [variable.key] * len(counts)
            described += _features(category_names(variable), kinds, counts, signed_chi2(counts, sizes), label)
        described.sort(key=lambda feature: (-feature.chi2, feature.name))
        units = inside[(labels == label) if shown is None else (labels == label) & shown[inside]]
        best = _typical(table.matrix, units, np.maximum(chi2[:, label], 0.0), typical, names)
        found.append(Profile(label, int(sizes[label]), features, tuple(described), *best))
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


def _typical(
    matrix: Sparse, units: NDArray[np.int64], chi2: NDArray[np.float64], count: int, names: Sequence[str]
) -> tuple[tuple[Typical, ...], tuple[Typical, ...]]:
    """The best units by absolute and by relative score; `chi2` is 0 for the lemmas that are not marked."""
    if not count:
        return (), ()
    own = matrix[units]
    absolute = np.round(own @ chi2, 3)
    marked = own @ (chi2 > 0).astype(np.float64)
    relative = np.round(np.divide(absolute, marked, out=np.zeros_like(absolute), where=marked > 0), 3)
    first, second = (
        tuple(
            Typical(int(units[rank]), float(absolute[rank]), float(relative[rank]))
            for rank in _highest(scores, count, [names[unit] for unit in units.tolist()] if names else ())
        )
        for scores in (absolute, relative)
    )
    return first, second


def _highest(scores: NDArray[np.float64], count: int, names: Sequence[str]) -> list[int]:
    """Ranks of the highest scores; equal ones by name, then by rank."""
    if count < len(scores):
        least = np.partition(scores, len(scores) - count)[len(scores) - count]
        chosen = np.flatnonzero(scores >= least).tolist()
    else:
        chosen = list(range(len(scores)))
    return sorted(chosen, key=lambda rank: (-scores[rank], names[rank] if names else "", rank))[:count]


def plane(table: Table, classes: NDArray[np.int32]) -> Correspondence:
    """Factorial plane: correspondence analysis of lemmas (rows) by classes (columns), in units that hold each lemma.

    Raises AnalysisError when there is a single class.
    """
    count = int(classes.max(initial=-1)) + 1
    if count <= 1:
        raise AnalysisError("Plan factoriel impossible : il n’y a qu’une classe.")
    inside = classes >= 0
    return correspondence(by_class(table.matrix[inside], classes[inside], count), axes=_PLANE)


def illustrated(
    found: Correspondence, table: Table, classes: NDArray[np.int32], variables: Sequence[Variable]
) -> list[tuple[Variable, NDArray[np.float64]]]:
    """Where the categories of each variable fall on the plane, which they take no part in making: coordinates of shape
    (n_categories, n_axes), NaN for a category that no classified unit holds.
    """
    inside = np.flatnonzero(classes >= 0)
    count = int(classes.max(initial=-1)) + 1
    return [
        (variable, projected(found, by_class(members, classes[inside], count)))
        for variable in variables
        for members in (variable.members[table.texts[inside]].astype(np.int64),)
    ]


def supplementary(found: Correspondence, table: Table, classes: NDArray[np.int32]) -> NDArray[np.float64]:
    """Where the lemmas of another table fall on the plane, which they take no part in making: coordinates of shape
    (n_lemmas, n_axes), NaN for a lemma that no classified unit holds.
    """
    inside = np.flatnonzero(classes >= 0)
    return projected(found, by_class(table.matrix[inside], classes[inside], int(classes.max(initial=-1)) + 1))


def category_names(variable: Variable) -> list[str]:
    """What the categories of a variable are called beside lemmas."""
    return [f"{variable.label} : {category}" for category in variable.categories]
