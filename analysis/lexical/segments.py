"""Text segments, and the table of which segment holds which lemma.

A short answer is one segment. A longer text is cut near the wanted size, at the strongest punctuation close to it.

Source: Reinert (1990), « Alceste, une méthodologie d’analyse des données textuelles », BMS 26, 24-54.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from analysis.errors import AnalysisError
from analysis.lexical.disclosure import distinct_texts
from analysis.lexical.frequencies import LemmaTokens
from analysis.text import BREAKS, START

SEGMENT_SIZE = 40
MIN_UNITS = 3
MAX_LEMMAS = 3_000
_WINDOW = 0.4
_NO_BREAK = 0.01
_AT_ONCE = 100_000

Sparse = Any  # scipy publishes no types


@dataclass(frozen=True)
class Segments:
    """Consecutive runs of words: segment `i` holds the words `starts[i]:starts[i + 1]` of text `texts[i]`.

    Words are ranked as in the `LemmaTokens` they come from; `offsets[i]` is the rank of the first word within its
    text. A text without any word has no segment.
    """

    starts: NDArray[np.int64]
    texts: NDArray[np.int32]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True)
class Table:
    """Which lemmas each unit (segment) holds.

    `matrix` is a binary CSR matrix of shape (n_units, n_lemmas), columns in alphabetical order of `lemmas`; `texts[i]`
    is the rank of the text of unit `i`.
    """

    matrix: Sparse
    lemmas: tuple[str, ...]
    pos: tuple[str, ...]
    segments: Segments

    @property
    def texts(self) -> NDArray[np.int32]:
        """The text of each unit, shape (n_units,)."""
        return self.segments.texts


def cut(words: LemmaTokens, *, size: int = SEGMENT_SIZE) -> Segments:
    """Cut each text into segments of about `size` words; 0 keeps every text whole.

    While more than 1.4 x size words remain, the cut is made at the place i, at most 0.4 x size words from the target,
    where strength / (|i - size| + 1) is highest; strengths are 6 for . ! ? … and line ends, 5 for a colon, 4 for
    a semicolon, 1 for a comma, else 0.01. Raises AnalysisError for a negative size.
    """
    check_size(size)
    total = len(words.texts)
    firsts = np.flatnonzero(np.diff(words.texts, prepend=-1)) if total else np.zeros(0, dtype=np.int64)
    ends = np.append(firsts[1:], total)[: len(firsts)]
    cuts = [firsts]
    if size:
        for low in range(0, len(firsts), _AT_ONCE):
            cuts += _cuts(words.breaks, firsts[low : low + _AT_ONCE], ends[low : low + _AT_ONCE], size)
    starts = np.sort(np.concatenate(cuts))
    of_text = np.searchsorted(firsts, starts, side="right") - 1
    return Segments(np.append(starts, total), words.texts[starts], starts - firsts[of_text])


def check_size(size: int) -> None:
    """Raises AnalysisError for a negative size of segment."""
    if size < 0:
        raise AnalysisError(f"Taille de segment {size} : donnez un nombre de mots, ou 0 pour ne pas découper.")


def _cuts(
    breaks: NDArray[np.int8], at: NDArray[np.int64], ends: NDArray[np.int64], size: int
) -> Iterator[NDArray[np.int64]]:
    strength = np.full(START + 1, _NO_BREAK, dtype=np.float32)
    for value in BREAKS.values():
        strength[value] = value
    window = max(1, round(_WINDOW * size))
    places = np.arange(max(1, size - window), size + window + 1)
    nearness = (1 / (np.abs(places - size) + 1)).astype(np.float32)
    while True:
        long = ends - at > size + window
        at, ends = at[long], ends[long]
        if not len(at):
            return
        at = at + places[np.argmax(strength[breaks[at[:, None] + places]] * nearness, axis=1)]
        yield at


def tabulate(
    words: LemmaTokens,
    segments: Segments,
    *,
    min_units: int = MIN_UNITS,
    min_texts: int = 1,
    max_lemmas: int = MAX_LEMMAS,
    content: bool = True,
) -> Table:
    """The table of content lemmas by segment, or if not `content` of all the others (IRaMuTeQ's supplementary forms):
    the `max_lemmas` that most segments hold, in `min_units` at least, of `min_texts` texts at least.

    Of lemmas held by as many segments, the first in alphabetical order are kept: the table does not depend on the
    order of the texts.
    """
    of_word = np.repeat(np.arange(len(segments), dtype=np.int32), np.diff(segments.starts))
    kept = (words.content == content)[words.numbers]
    units, numbers = of_word[kept], words.numbers[kept]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(units, minlength=len(segments)))])
    ones = np.ones(len(numbers))
    matrix = sparse.csr_matrix((ones, numbers, indptr), shape=(len(segments), max(1, len(words.lemmas))))
    matrix.sum_duplicates()
    matrix.data[:] = 1
    holding = np.bincount(matrix.indices, minlength=matrix.shape[1])
    texts = distinct_texts(numbers, words.texts[kept], matrix.shape[1])
    frequent = np.flatnonzero((holding >= max(1, min_units)) & (texts >= min_texts)).tolist()
    ranked = sorted(frequent, key=lambda number: (-holding[number], words.lemmas[number]))[:max_lemmas]
    columns = sorted(ranked, key=words.lemmas.__getitem__)
    matrix = matrix[:, columns].tocsr()
    matrix.sort_indices()
    lemmas = tuple(words.lemmas[number] for number in columns)
    return Table(matrix, lemmas, tuple(words.pos[number] for number in columns), segments)


def merged(table: Table, least: int) -> NDArray[np.int32]:
    """Group the segments of a same text, in order, until each group holds `least` occurrences of lemmas.

    Returns the group of each segment, shape (n_units,); what is left at the end of a text joins the group before.
    """
    sizes, texts = np.diff(table.matrix.indptr).tolist(), table.texts.tolist()
    total = len(sizes)
    starts: list[int] = []
    held = 0
    for unit in range(total + 1):
        if unit in {0, total} or texts[unit] != texts[unit - 1]:
            if len(starts) > 1 and held < least and texts[starts[-1]] == texts[starts[-2]]:
                starts.pop()
            starts.append(unit)
            held = 0
        elif held >= least:
            starts.append(unit)
            held = 0
        held += sizes[unit] if unit < total else 0
    bounds = np.array(starts, dtype=np.int64)
    return np.repeat(np.arange(len(bounds) - 1, dtype=np.int32), np.diff(bounds))
