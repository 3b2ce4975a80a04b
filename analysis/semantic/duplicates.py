"""Duplicates: exact ones, near ones (MinHash, then exact Jaccard), and the groups that they make.

Two texts are exact duplicates when their words are the same, accents, case and punctuation aside; near-duplicates when
the Jaccard index of their sets of shingles is at least 0.8. MinHash proposes pairs, 32 bands of 4 rows: a pair at 0.8
is missed with probability 5e-8; each is then verified exactly, so that no pair found is wrong.

Sources: Broder (1997), « On the resemblance and containment of documents »; Leskovec, Rajaraman & Ullman, Mining of
Massive Datasets, ch. 3.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import rensa
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from analysis.semantic.shingles import (
    Bare,
    Hashes,
    Ranks,
    Shingles,
    character_shingles,
    jaccard,
    mixed,
    sequence_keys,
    word_shingles,
)

THRESHOLD = 0.8
BANDS, ROWS = 32, 4
SHORT = 20
SHORT_OVERLAP = 16
SHORTEST = 4
_AT_ONCE = 20_000
_WHOLE_BUCKET = 60
_SEED = 1

Shingled = Callable[[Bare, Ranks], Shingles]


@dataclass(frozen=True)
class Duplicates:
    """The duplicates among `n` texts.

    `exact[i]` is the rank of the first text with the words of text i (-1 for a text without any word); `pairs`, shape
    (m, 2), the verified near pairs of such first texts, with their `similarity`, shape (m,); `groups[i]` the rank of
    the first text of the group of text i, linked by exact and near duplicates step by step.
    """

    exact: Ranks
    pairs: NDArray[np.int64]
    similarity: NDArray[np.float64]
    groups: Ranks


def exact_duplicates(texts: Bare) -> Ranks:
    """For each text, the rank of the first with the same words, -1 when it has none, shape (n,)."""
    keys = sequence_keys(texts)
    order = np.lexsort((np.arange(len(keys)), keys[:, 1], keys[:, 0]))
    new = np.ones(len(keys), dtype=np.bool_)
    new[1:] = (keys[order[1:]] != keys[order[:-1]]).any(axis=1)
    firsts = np.empty(len(keys), dtype=np.int64)
    firsts[order] = order[np.flatnonzero(new)[np.cumsum(new) - 1]] if len(keys) else order
    return np.where(texts.lengths > 0, firsts, -1)


def find_duplicates(
    texts: Bare, *, threshold: float = THRESHOLD, progress: Callable[[int, int], None] | None = None
) -> Duplicates:
    """Exact and near duplicates of texts, and the groups they make; `progress` is that of `near_pairs`.

    Texts of 20 words at most are compared by characters, those of 16 at least by words; those in between by both, and
    the higher similarity counts. Texts under 4 words have exact duplicates only.
    """
    exact = exact_duplicates(texts)
    firsts = np.flatnonzero(exact == np.arange(len(exact)))
    pairs, similarity = near_pairs(texts, firsts, threshold=threshold, progress=progress)
    return Duplicates(exact, pairs, similarity, linked(exact, pairs))


def linked(exact: Ranks, pairs: NDArray[np.int64]) -> Ranks:
    """Groups of texts joined by exact duplicates and by these pairs: for each text, the first text of its group."""
    size = len(exact)
    ranks = np.arange(size)
    one = np.concatenate([ranks, pairs[:, 0]])
    two = np.concatenate([np.where(exact >= 0, exact, ranks), pairs[:, 1]])
    graph = sparse.coo_matrix((np.ones(len(one), dtype=np.int8), (one, two)), (size, size))
    _, labels = connected_components(graph, directed=False)
    first = np.full(int(labels.max(initial=-1)) + 1, size, dtype=np.int64)
    np.minimum.at(first, labels, ranks)
    return np.asarray(first[labels], dtype=np.int64)


def near_pairs(
    texts: Bare,
    ranks: Ranks,
    *,
    threshold: float = THRESHOLD,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Pairs of these texts at or above a Jaccard threshold, shape (m, 2), in order, and their similarity.

    `progress` is called with (texts read, texts to read); those compared by characters and by words are read twice.
    """
    lengths = texts.lengths[ranks]
    short = ranks[(lengths >= SHORTEST) & (lengths <= SHORT)]
    long = ranks[lengths >= SHORT_OVERLAP]
    found, values = [], []
    for kind, shingled in ((short, character_shingles), (long, word_shingles)):
        before = 0 if kind is short else len(short)
        told = _Told(progress, before, len(short) + len(long))
        one, two = _candidates(texts, kind, shingled, told)
        similarity = _verified(texts, kind, one, two, shingled)
        kept = similarity >= threshold
        found.append(np.stack([kind[one[kept]], kind[two[kept]]], axis=1))
        values.append(similarity[kept])
    pairs, similarity = np.concatenate(found), np.concatenate(values)
    order = np.lexsort((-similarity, pairs[:, 1], pairs[:, 0]))
    pairs, similarity = pairs[order], similarity[order]
    new = np.ones(len(pairs), dtype=np.bool_)
    new[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    return pairs[new], similarity[new]


class _Told(NamedTuple):
    """Whom to tell how many texts are read, `before` these and in all."""

    progress: Callable[[int, int], None] | None
    before: int
    total: int

    def read(self, texts: int) -> None:
        if self.progress:
            self.progress(self.before + texts, self.total)


def _candidates(texts: Bare, ranks: Ranks, shingled: Shingled, told: _Told) -> tuple[Ranks, Ranks]:
    """Pairs of places in `ranks` that share a band of their MinHash signatures, without repetition."""
    places = _paired(texts, ranks, shingled, told)
    keys = np.empty((len(places), BANDS), dtype=np.uint64)
    for low in range(0, len(places), _AT_ONCE):
        keys[low : low + _AT_ONCE] = _band_keys(shingled(texts, ranks[places[low : low + _AT_ONCE]]))
    packed = [np.zeros(0, dtype=np.int64)]
    for band in range(BANDS):
        packed += [places[one] << 32 | places[two] for one, two in _same_key(keys[:, band])]
    both = np.sort(np.concatenate(packed))
    both = both[np.append(True, both[1:] != both[:-1])] if len(both) else both
    return both >> 32, both & 0xFFFFFFFF


def _paired(texts: Bare, ranks: Ranks, shingled: Shingled, told: _Told) -> Ranks:
    """Places in `ranks` of the texts that share a band with another: signatures of the others never leave rensa, which
    takes ten times longer than to sign.
    """
    values, starts = [np.zeros(0, dtype=np.uint64)], [np.zeros(1, dtype=np.int64)]
    for low in range(0, len(ranks), _AT_ONCE):
        part = shingled(texts, ranks[low : low + _AT_ONCE])
        values.append(mixed(part.values))
        starts.append(part.starts[1:] + starts[-1][-1])
        told.read(min(low + _AT_ONCE, len(ranks)))
    matrix = _signatures(np.concatenate(values), np.concatenate(starts))
    index = rensa.RMinHashLSH(threshold=THRESHOLD, num_perm=BANDS * ROWS, num_bands=BANDS)
    return np.flatnonzero(index.query_duplicate_flags_matrix_one_shot(matrix))


def _signatures(hashed: Hashes, starts: NDArray[np.int64]) -> Any:
    return rensa.RMinHash.digest_matrix_from_flat_token_hashes(hashed, starts.astype(np.uint64), BANDS * ROWS, _SEED)


def _band_keys(shingles: Shingles) -> Hashes:
    """One 64-bit key per band of the MinHash signature of each text, shape (n, BANDS)."""
    rows = _signatures(mixed(shingles.values), shingles.starts).to_rows()
    signatures = np.array(rows, dtype=np.uint64).reshape(-1, BANDS, ROWS)
    keys = np.zeros(signatures.shape[:2], dtype=np.uint64)
    for row in range(ROWS):
        keys = mixed(keys ^ signatures[:, :, row])
    return keys


def _same_key(keys: Hashes) -> Iterator[tuple[Ranks, Ranks]]:
    """Pairs of places with the same key, the lower first.

    All the pairs of a bucket of 60 at most; in a larger one, that of a massive campaign, each place with the first and
    with the next: enough to link them all, without a number of pairs that grows as the square.
    """
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    bucket = np.cumsum(new) - 1
    firsts = np.flatnonzero(new)
    sizes = np.diff(np.append(firsts, len(order)))[bucket] if len(order) else bucket
    at = np.arange(len(order))
    for distance in range(1, _WHOLE_BUCKET):
        at = at[at < len(order) - distance]
        at = at[bucket[at] == bucket[at + distance]]
        if not len(at):
            break
        yield order[at], order[at + distance]
        if distance == 1:
            at = at[sizes[at] <= _WHOLE_BUCKET]
    large = np.flatnonzero((sizes > _WHOLE_BUCKET) & ~new)
    yield order[firsts[bucket[large]]], order[large]


def _verified(texts: Bare, ranks: Ranks, one: Ranks, two: Ranks, shingled: Shingled) -> NDArray[np.float64]:
    involved, places = np.unique(np.concatenate([one, two]), return_inverse=True)
    return jaccard(shingled(texts, ranks[involved]), places[: len(one)], places[len(one) :])
