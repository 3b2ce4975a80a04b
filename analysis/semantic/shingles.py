"""Sets of shingles of texts, as arrays: what two texts must share to be near-duplicates.

A shingle is three consecutive words, or five consecutive characters in short texts; accents, case and punctuation do
not count. Shingles are packed whole in 64 bits, so that two of them are equal only if their words, or characters, are;
beyond two million words, or for characters above U+0FFF, they are hashed on 63 bits.
"""

import unicodedata
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from analysis.text import Tokens, Vocabulary
from analysis.words import is_emoji

WORDS = 3
CHARACTERS = 5
_WORD_BITS = 21
_CHARACTER_BITS = 12
_TEXTS, _PAIRS = 50_000, 50_000  # at once, to bound memory

Ranks = NDArray[np.int64]
Hashes = NDArray[np.uint64]


class Bare(NamedTuple):
    """The words of texts without accents: `words` numbers into `forms`, text `i` holding `starts[i]:starts[i + 1]`.

    `spelt` are the same words as they were written (lower case), numbers into `spellings`.
    """

    words: NDArray[np.int32]
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
    of_form = np.zeros(max(1, len(vocabulary)), dtype=np.int32)
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
    keys = np.empty((len(lengths), 2), dtype=np.uint64)
    for low in range(0, len(lengths), _TEXTS):
        sizes = lengths[low : low + _TEXTS]
        ends = np.cumsum(sizes)
        within = np.arange(int(sizes.sum())) - np.repeat(ends - sizes, sizes)
        words = texts.words[np.repeat(texts.starts[low : low + len(sizes)], sizes) + within].astype(np.uint64)
        for column, salt in enumerate((np.uint64(1), np.uint64(0xD6E8FEB86659FD93))):
            placed = mixed(words * salt + mixed(within.astype(np.uint64)))
            totals = np.append(np.uint64(0), np.cumsum(placed))
            sums = totals[ends] - totals[ends - sizes]
            keys[low : low + len(sizes), column] = mixed(sums + sizes.astype(np.uint64))
    return keys


def word_shingles(texts: Bare, ranks: Ranks) -> Shingles:
    """Runs of three words of each of these texts, repeats included; a text of fewer words has none."""
    counts = np.maximum(texts.lengths[ranks] - (WORDS - 1), 0)
    starts = np.append(0, np.cumsum(counts))
    places = np.repeat(texts.starts[ranks] - starts[:-1], counts) + np.arange(starts[-1])
    return Shingles(_packed(texts.words, places, WORDS, _WORD_BITS, len(texts.forms)), starts)


def character_shingles(texts: Bare, ranks: Ranks) -> Shingles:
    """Runs of five characters of each of these texts, words parted by one space, emojis blank, repeats included."""
    forms = ["" if is_emoji(form) else form for form in texts.forms]
    joined = [
        " ".join(forms[number] for number in texts.words[texts.starts[rank] : texts.starts[rank + 1]].tolist())
        for rank in ranks.tolist()
    ]
    lengths = np.fromiter(map(len, joined), dtype=np.int64, count=len(joined))
    codes = np.frombuffer("".join(joined).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    highest = max(map(ord, "".join(forms)), default=0)
    counts = np.maximum(lengths - (CHARACTERS - 1), 0)
    starts = np.append(0, np.cumsum(counts))
    firsts = np.append(0, np.cumsum(lengths))[:-1]
    places = np.repeat(firsts - starts[:-1], counts) + np.arange(starts[-1])
    return Shingles(_packed(codes, places, CHARACTERS, _CHARACTER_BITS, highest + 1), starts)


def _packed(numbers: NDArray[Any], places: NDArray[np.int64], run: int, bits: int, distinct: int) -> Hashes:
    """The `run` numbers from each place, packed in one value of 63 bits at most."""
    whole = distinct <= 1 << bits
    values = np.zeros(len(places), dtype=np.uint64)
    for offset in range(run):
        values = values << np.uint64(bits) if whole else mixed(values)
        values = values ^ numbers[places + offset].astype(np.uint64)
    return values if whole else mixed(values) >> np.uint64(1)


def jaccard(shingles: Shingles, one: Ranks, two: Ranks) -> NDArray[np.float64]:
    """Exact Jaccard index of the sets of shingles of pairs of texts, shape of `one`; 0 when both are empty."""
    values = shingles.values.view(np.int64)
    shape = (len(shingles.starts) - 1, np.iinfo(np.int64).max)
    sets = sparse.csr_matrix((np.ones(len(values), dtype=np.int8), values.copy(), shingles.starts), shape)
    sets.sum_duplicates()
    sets.data[:] = 1
    sizes = np.diff(sets.indptr)
    shared = np.zeros(len(one), dtype=np.int64)
    for low in range(0, len(one), _PAIRS):
        block = slice(low, low + _PAIRS)
        # Rows are sorted: their product is a merge, in compiled code.
        shared[block] = np.diff(sets[one[block]].multiply(sets[two[block]]).indptr)
    union = sizes[one] + sizes[two] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros(len(shared)), where=union > 0), dtype=np.float64)
