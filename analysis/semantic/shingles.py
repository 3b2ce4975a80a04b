"""Sets of shingles of texts, as arrays: what two texts must share to be near-duplicates.

A shingle is three consecutive words, or five consecutive characters in short texts; accents, case and punctuation do
not count. Shingles are packed whole in 64 bits, so that two of them are equal only if their words, or characters, are;
beyond two million words, or for characters above U+0FFF, they are hashed on 64 bits.
"""

import unicodedata
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.text import Tokens, Vocabulary

WORDS = 3
CHARACTERS = 5
_WORD_BITS = 21
_CHARACTER_BITS = 12

Ranks = NDArray[np.int64]
Hashes = NDArray[np.uint64]


class Bare(NamedTuple):
    """The words of texts without accents: `words` numbers into `forms`, text `i` holding `starts[i]:starts[i + 1]`.

    `spelt` are the same words as they were written (lower case), numbers into `spellings`.
    """

    words: NDArray[np.int64]
    starts: NDArray[np.int64]
    forms: tuple[str, ...]
    spelt: NDArray[np.int32]
    spellings: tuple[str, ...]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Words of each text, shape (n,)."""
        return np.diff(self.starts)


class Shingles(NamedTuple):
    """Shingles of some texts, one text after the other: text `i` of them has `values[starts[i]:starts[i + 1]]`."""

    values: Hashes
    starts: NDArray[np.int64]


def bare(tokens: Tokens, vocabulary: Vocabulary) -> Bare:
    """Give the same number to forms that differ by accents alone."""
    numbers: dict[str, int] = {}
    of_form = np.zeros(max(1, len(vocabulary)), dtype=np.int64)
    for rank, form in enumerate(vocabulary.forms):
        plain = form
        if not form.isascii():
            plain = "".join(c for c in unicodedata.normalize("NFKD", form) if not unicodedata.combining(c))
        of_form[rank] = numbers.setdefault(plain, len(numbers))
    return Bare(of_form[tokens.forms], tokens.starts, tuple(numbers), tokens.forms, tuple(vocabulary.forms))


def mixed(values: Hashes) -> Hashes:
    """Spread 64-bit values evenly (splitmix64, one to one)."""
    found = values + np.uint64(0x9E3779B97F4A7C15)
    found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return found ^ (found >> np.uint64(31))


def sequence_keys(texts: Bare, *, first: int | None = None) -> Hashes:
    """Two 64-bit keys of the words of each text, or of its `first` ones, shape (n, 2): equal words, equal keys."""
    lengths = texts.lengths if first is None else np.minimum(texts.lengths, first)
    keys = []
    for salt in (np.uint64(1), np.uint64(0xD6E8FEB86659FD93)):
        places = np.arange(len(texts.words)) - np.repeat(texts.starts[:-1], texts.lengths)
        kept = np.ones(len(places), dtype=np.bool_) if first is None else places < first
        placed = mixed(texts.words[kept].astype(np.uint64) * salt + mixed(places[kept].astype(np.uint64)))
        totals = np.append(np.uint64(0), np.cumsum(placed))
        ends = np.cumsum(lengths)
        sums = totals[ends] - totals[ends - lengths]
        keys.append(mixed(sums + lengths.astype(np.uint64)))
    return np.stack(keys, axis=1)


def word_shingles(texts: Bare, ranks: Ranks) -> Shingles:
    """Runs of three words of each of these texts, repeats included; a text of fewer words has none."""
    counts = np.maximum(texts.lengths[ranks] - (WORDS - 1), 0)
    starts = np.append(0, np.cumsum(counts))
    places = np.repeat(texts.starts[ranks] - starts[:-1], counts) + np.arange(starts[-1])
    return Shingles(_packed(texts.words, places, WORDS, _WORD_BITS, len(texts.forms)), starts)


def character_shingles(texts: Bare, ranks: Ranks) -> Shingles:
    """Runs of five characters of each of these texts, words parted by one space, repeats included."""
    joined = [
        " ".join(texts.forms[number] for number in texts.words[texts.starts[rank] : texts.starts[rank + 1]].tolist())
        for rank in ranks.tolist()
    ]
    lengths = np.fromiter(map(len, joined), dtype=np.int64, count=len(joined))
    codes = np.frombuffer("".join(joined).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    highest = max(map(ord, "".join(texts.forms)), default=0)
    counts = np.maximum(lengths - (CHARACTERS - 1), 0)
    starts = np.append(0, np.cumsum(counts))
    firsts = np.append(0, np.cumsum(lengths))[:-1]
    places = np.repeat(firsts - starts[:-1], counts) + np.arange(starts[-1])
    return Shingles(_packed(codes, places, CHARACTERS, _CHARACTER_BITS, highest + 1), starts)


def _packed(numbers: NDArray[Any], places: NDArray[np.int64], run: int, bits: int, distinct: int) -> Hashes:
    """The `run` numbers from each place, packed in one value."""
    values = np.zeros(len(places), dtype=np.uint64)
    for offset in range(run):
        values = values << np.uint64(bits) if distinct <= 1 << bits else mixed(values)
        values = values ^ numbers[places + offset].astype(np.uint64)
    return values


def jaccard(shingles: Shingles, one: Ranks, two: Ranks) -> NDArray[np.float64]:
    """Exact Jaccard index of the sets of shingles of pairs of texts, shape of `one`; 0 when both are empty."""
    counts = np.diff(shingles.starts)
    owners = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    order = np.lexsort((shingles.values, owners))
    values, owners = shingles.values[order], owners[order]
    new = np.ones(len(values), dtype=np.bool_)
    new[1:] = (values[1:] != values[:-1]) | (owners[1:] != owners[:-1])
    values, owners = values[new], owners[new]
    sizes = np.bincount(owners, minlength=len(counts))
    starts = np.append(0, np.cumsum(sizes))
    shared = _shared(values, starts, sizes, one, two)
    union = sizes[one] + sizes[two] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros(len(shared)), where=union > 0), dtype=np.float64)


def _shared(
    values: Hashes, starts: NDArray[np.int64], sizes: NDArray[np.int64], one: Ranks, two: Ranks
) -> NDArray[np.int64]:
    """How many values the sets of each pair share, by merging both sets of all the pairs of a block at once."""
    found = np.zeros(len(one), dtype=np.int64)
    block = 100_000
    for low in range(0, len(one), block):
        pair = np.arange(len(one[low : low + block]))
        parts, owners = [], []
        for side in (one[low : low + block], two[low : low + block]):
            counts = sizes[side]
            offsets = np.cumsum(counts) - counts
            places = np.repeat(starts[side] - offsets, counts) + np.arange(int(counts.sum()))
            parts.append(values[places])
            owners.append(np.repeat(pair, counts))
        both, owner = np.concatenate(parts), np.concatenate(owners)
        order = np.lexsort((both, owner))
        both, owner = both[order], owner[order]
        same = (both[1:] == both[:-1]) & (owner[1:] == owner[:-1])
        found[low : low + block] = np.bincount(owner[1:][same], minlength=len(pair))
    return found
