"""Co-occurrence of lemmas within units (contributions, segments or sentences): similarity tree, and company of a word.

Source of the tree: Flament (1962), « L’analyse de similitude », Cahiers du CERO 4; Vergès & Bouriche (2003).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.errors import AnalysisError
from analysis.lexical.segments import Sparse, Table
from analysis.lexical.specificity import benjamini_hochberg, log10_tail

Floats = NDArray[np.float64]
MOST_LEMMAS = 100

# Each takes the units that hold both lemmas, the first, the second, and all the units.
INDICES: dict[str, Callable[[Floats, Floats, Floats, float], Floats]] = {
    "cooccurrence": lambda both, _one, _two, _all: both,
    "percentage": lambda both, _one, _two, every: 100 * both / every,
    "jaccard": lambda both, one, two, _all: both / (one + two - both),
    "dice": lambda both, one, two, _all: 2 * both / (one + two),
    "cosine": lambda both, one, two, _all: both / np.sqrt(one * two),
    "pmi": lambda both, one, two, every: np.log2(both * every / (one * two)),
}


@dataclass(frozen=True)
class Edge:
    """Two lemmas held together by `units` units, and their similarity."""

    first: str
    second: str
    units: int
    similarity: float


@dataclass(frozen=True)
class SimilarityTree:
    """The maximum tree of the similarities: `edges`, strongest first; `lemmas` with the units that hold each.

    It is a forest when some lemmas never meet.
    """

    index: str
    lemmas: tuple[tuple[str, int], ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class Companion:
    """A lemma beside a pivot: units with both, with each, and in all; `score` = ±log10 of the Lafon probability.

    `significant` tells whether the two-sided probability passes Benjamini-Hochberg at 5 % among the lemmas tried.
    """

    lemma: str
    both: int
    pivot: int
    total: int
    units: int
    score: float
    significant: bool


def pairs(table: Table, columns: list[int], index: str, units: NDArray[np.bool_] | None = None) -> list[Edge]:
    """Every pair of these lemmas that meet at least once, most similar first, then in alphabetical order.

    `units`, shape (n_units,), are those to count; all by default.

    Raises AnalysisError for an unknown index.
    """
    if index not in INDICES:
        raise AnalysisError(f"Indice « {index} » inconnu ; au choix : {', '.join(INDICES)}.")
    matrix = _counted(table, units)[:, columns]
    together = np.asarray((matrix.T @ matrix).todense())
    holding = together.diagonal()
    one, two = np.nonzero(np.triu(together, k=1))
    both = together[one, two]
    similarity = np.round(INDICES[index](both, holding[one], holding[two], float(matrix.shape[0])), 6)
    names = [table.lemmas[column] for column in columns]
    rows = zip(one.tolist(), two.tolist(), both.tolist(), similarity.tolist(), strict=True)
    found = [Edge(names[i], names[j], int(units), value) for i, j, units, value in rows]
    return sorted(found, key=lambda edge: (-edge.similarity, edge.first, edge.second))


def _counted(table: Table, units: NDArray[np.bool_] | None) -> Sparse:
    return table.matrix if units is None else table.matrix[np.flatnonzero(units)]


def similarity_tree(
    table: Table, *, index: str = "cooccurrence", most: int = MOST_LEMMAS, units: NDArray[np.bool_] | None = None
) -> SimilarityTree:
    """The maximum tree over the `most` lemmas that most units hold (Kruskal; ties in alphabetical order).

    `units`, shape (n_units,), are those to count; all by default.
    """
    holding = np.bincount(_counted(table, units).indices, minlength=len(table.lemmas))
    ranked = sorted(range(len(table.lemmas)), key=lambda column: (-holding[column], table.lemmas[column]))[:most]
    columns = sorted(ranked)
    root = {table.lemmas[column]: table.lemmas[column] for column in columns}

    def find(lemma: str) -> str:
        while root[lemma] != lemma:
            root[lemma] = root[root[lemma]]
            lemma = root[lemma]
        return lemma

    edges = []
    for edge in pairs(table, columns, index, units):
        one, two = find(edge.first), find(edge.second)
        if one != two:
            root[one] = two
            edges.append(edge)
    lemmas = tuple((table.lemmas[column], int(holding[column])) for column in columns)
    return SimilarityTree(index, lemmas, tuple(edges))


def companions(table: Table, lemma: str, *, units: NDArray[np.bool_] | None = None) -> list[Companion]:
    """The lemmas that meet a pivot more, or less, than chance would have it; most attracted first.

    Source: Lafon (1981), « Analyse lexicométrique et recherche des cooccurrences », Mots 3, 95-148; here a unit
    counts once; `units`, shape (n_units,), are those to count, all by default. Raises AnalysisError when the table
    does not hold the pivot.
    """
    if lemma not in table.lemmas:
        raise AnalysisError(f"Le lemme « {lemma} » est absent du tableau : trop rare, grammatical, ou mal écrit.")
    pivot = table.lemmas.index(lemma)
    matrix = _counted(table, units)
    every = matrix.shape[0]
    totals = np.bincount(matrix.indices, minlength=len(table.lemmas))
    holding = matrix[:, [pivot]].indptr
    inside = matrix[np.flatnonzero(np.diff(holding))]
    both = np.bincount(inside.indices, minlength=len(table.lemmas))
    others = np.array([column for column in range(len(table.lemmas)) if column != pivot], dtype=np.int64)
    size = np.full(len(others), totals[pivot])
    scores = log10_tail(both[others], size, totals[others], every)
    significant = benjamini_hochberg(np.minimum(np.log(2) - np.abs(scores) * np.log(10), 0.0))
    found = [
        Companion(
            lemma=table.lemmas[column],
            both=int(both[column]),
            pivot=int(totals[pivot]),
            total=int(totals[column]),
            units=every,
            score=round(float(scores[rank]), 2),
            significant=bool(significant[rank]),
        )
        for rank, column in enumerate(others.tolist())
    ]
    return sorted(found, key=lambda item: (-item.score, item.lemma))
