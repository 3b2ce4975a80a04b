"""Families of texts: each member is like the model of its family, never only like a neighbour.

Links alone would chain: a text that shares a paragraph with the next, which shares another with the one after, make one
family of texts that have nothing in common. So families are gathered round models, the most copied wording first, then
the one most like the others. A family holds the texts that open as its model does, and those reached from it by links,
each of which holds half of the model itself, in runs of four words or more: of the model and not of the shorter text,
or a text that quotes two letters would be the model of both.
"""

from collections.abc import Iterator
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from analysis.semantic.shingles import Bare, Ranks, sequence_keys

OPENING = 12
RUN = 4
PART = 0.5
_LONGEST_ALIGNED = 2_000


def words_of(texts: Bare, rank: int) -> list[int]:
    """The words of one text, the first 2,000."""
    found: list[int] = texts.words[texts.starts[rank] : texts.starts[rank + 1]][:_LONGEST_ALIGNED].tolist()
    return found


def runs(one: list[int], two: list[int]) -> list[tuple[int, int]]:
    """Start and length, in the first, of the runs of words that both hold in the same order."""
    blocks = SequenceMatcher(None, one, two, autojunk=False).get_matching_blocks()
    return [(block.a, block.size) for block in blocks if block.size >= RUN]


def shared(one: list[int], two: list[int]) -> int:
    """Words of the runs that both hold in the same order."""
    return sum(size for _, size in runs(one, two))


def openings(texts: Bare, firsts: Ranks) -> Ranks:
    """The same number for the texts, among these, that begin with the same twelve words and go on; else -1, (n,)."""
    long = firsts[texts.lengths[firsts] > OPENING]
    found = np.full(len(texts.lengths), -1, dtype=np.int64)
    if len(long):
        found[long] = np.unique(sequence_keys(texts, first=OPENING)[long], axis=0, return_inverse=True)[1].ravel()
    return found


def gather(
    texts: Bare, exact: Ranks, links: NDArray[np.int64], opening: Ranks, closeness: NDArray[np.float64]
) -> Ranks:
    """The model of the family of each text, shape (n,): itself when no other is like it.

    Args:
        texts: the n texts.
        exact: the first text with the same words, shape (n,), -1 for none.
        links: pairs of such first texts that may be of one family, shape (m, 2).
        opening: see `openings`.
        closeness: how much each text is like others, shape (n,).
    """
    size = len(exact)
    model = np.arange(size)
    copies = np.bincount(exact[exact >= 0], minlength=size)
    graph = sparse.coo_matrix((np.ones(len(links), dtype=np.int8), (links[:, 0], links[:, 1])), (size, size))
    near = (graph + graph.T).tocsr()
    same = np.argsort(opening, kind="stable")
    bounds = np.searchsorted(opening[same], np.arange(int(opening.max(initial=-1)) + 2))
    opened = np.bincount(opening[opening >= 0], minlength=1)
    some = np.flatnonzero((np.diff(near.indptr) > 0) | ((opening >= 0) & (opened[opening] > 1)))
    free = np.zeros(size, dtype=np.bool_)
    free[some] = True
    for rank in some[np.lexsort((some, -closeness[some], -copies[some]))].tolist():
        if free[rank]:
            begin = int(opening[rank])
            alongside = same[bounds[begin] : bounds[begin + 1]] if begin >= 0 else same[:0]
            family = [rank, *(other for other in alongside.tolist() if free[other] and other != rank)]
            free[family] = False
            family += _reached(texts, near, free, family)
            model[family] = rank
    return np.where(exact >= 0, model[exact], model)


def _reached(texts: Bare, near: sparse.csr_matrix, free: NDArray[np.bool_], family: list[int]) -> Iterator[int]:
    """The free texts that hold half of the model, the first of the family, and that links reach through such texts."""
    model, refused = words_of(texts, family[0]), set[int]()
    waiting = list(family)
    while waiting:
        at = waiting.pop()
        for other in near.indices[near.indptr[at] : near.indptr[at + 1]].tolist():
            if free[other] and other not in refused:
                if shared(model, words_of(texts, other)) >= PART * len(model):
                    free[other] = False
                    waiting.append(other)
                    yield other
                else:
                    refused.add(other)
