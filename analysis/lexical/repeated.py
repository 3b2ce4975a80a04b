"""Repeated segments: runs of words, as they are written, that come back, and which units hold them.

Source: Lafon & Salem (1983), « L’inventaire des segments répétés d’un texte », Mots 6, 161-177.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from analysis.lexical.disclosure import distinct_texts
from analysis.lexical.frequencies import LemmaTokens
from analysis.lexical.segments import Segments, Table

LONGEST = 10  # words
LEAST = 3  # occurrences
MOST = 3_000

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Repeated:
    """Repeated segments, the most frequent first.

    `table` tells which units hold each (`table.lemmas` are the segments as they are shown); `counts` are their
    occurrences and `texts` the texts that hold them, both of shape (n_segments,).
    """

    table: Table
    counts: NDArray[np.int64]
    texts: NDArray[np.int64]


class _Level(NamedTuple):
    """The repeated segments of one length: their places, the number of each place's segment, occurrences by number."""

    places: Places
    numbers: NDArray[np.int64]
    counts: NDArray[np.int64]


def repeated_segments(
    words: LemmaTokens,
    segments: Segments,
    forms: Sequence[str],
    *,
    least: int = LEAST,
    min_texts: int = 1,
    longest: int = LONGEST,
    most: int = MOST,
) -> Repeated:
    """The segments of 2 to `longest` words that come back `least` times, in `min_texts` texts at least.

    A segment crosses no punctuation and no end of unit, and holds one content word at least. One that never stands
    but within a longer one is left out. Of as frequent ones, the first in alphabetical order are kept, `most` in all.

    Args:
        words: the words of the texts.
        segments: the units.
        forms: the spelling of each form.
        least: occurrences, all texts together.
        min_texts: distinct texts that must hold a segment for it to be shown.
        longest: words.
        most: how many segments.
    """
    unit_of = np.repeat(np.arange(len(segments), dtype=np.int64), np.diff(segments.starts))
    found: list[tuple[int, str, Places]] = []
    for length, spread, places in _unconstrained(words, segments, max(2, least), longest):
        held = slice(int(places[0]), int(places[0]) + length)
        if spread >= min_texts and words.content[words.numbers[held]].any():
            spelt = " ".join(forms[form] for form in words.forms[held].tolist()).replace("' ", "’")
            found.append((spread, spelt, places))
    found.sort(key=lambda item: (-len(item[2]), item[1]))
    kept = found[:most]
    columns = np.repeat(np.arange(len(kept)), [len(places) for *_, places in kept])
    units = unit_of[np.concatenate([places for *_, places in kept])] if kept else np.zeros(0, dtype=np.int64)
    matrix = sparse.csr_matrix((np.ones(len(units)), (units, columns)), shape=(len(segments), len(kept)))
    matrix.data[:] = 1
    names = tuple(spelt for _, spelt, _ in kept)
    return Repeated(
        Table(matrix, names, ("",) * len(names), segments),
        np.array([len(places) for *_, places in kept], dtype=np.int64),
        np.array([spread for spread, *_ in kept], dtype=np.int64),
    )


def _unconstrained(
    words: LemmaTokens, segments: Segments, least: int, longest: int
) -> Iterator[tuple[int, int, Places]]:
    """Length, texts and places of each repeated segment that is not always within the same longer one."""
    bound = words.breaks > 0
    bound[segments.starts[:-1]] = True
    counts = np.bincount(words.forms) if len(words.forms) else np.zeros(0, dtype=np.int64)
    places = np.flatnonzero(counts[words.forms] >= least)
    level = _Level(places, words.forms[places].astype(np.int64), counts)
    for length in range(1, longest + 1):
        longer = _lengthened(level, words.forms, bound, length, least)
        free = np.ones(len(level.counts), dtype=np.bool_)
        if length < longest:
            free[_constrained(level, longer)] = False
        if length > 1:
            spread = distinct_texts(level.numbers.astype(np.int32), words.texts[level.places], len(level.counts))
            order = np.argsort(level.numbers, kind="stable")
            ends = np.cumsum(level.counts)
            for number in np.flatnonzero(free).tolist():
                its = level.places[order[ends[number] - level.counts[number] : ends[number]]]
                yield length, int(spread[number]), its
        if not len(longer.places):
            return
        level = longer


def _lengthened(level: _Level, forms: NDArray[np.int32], bound: NDArray[np.bool_], length: int, least: int) -> _Level:
    """The repeated segments of one word more: those of `level` with the word that follows."""
    inside = level.places + length < len(forms)
    places, numbers = level.places[inside], level.numbers[inside]
    goes_on = ~bound[places + length]
    places, numbers = places[goes_on], numbers[goes_on]
    keys = numbers << 32 | forms[places + length]
    order = np.argsort(keys, kind="stable")
    new = np.ones(len(keys), dtype=np.bool_)
    new[1:] = keys[order[1:]] != keys[order[:-1]]
    ranks = np.cumsum(new) - 1
    counts = np.bincount(ranks) if len(ranks) else np.zeros(0, dtype=np.int64)
    often = counts >= least
    kept = often[ranks]
    renumbered = np.cumsum(often) - 1
    chosen = order[kept]
    back = np.argsort(places[chosen], kind="stable")
    return _Level(places[chosen][back], renumbered[ranks[kept]][back], counts[often])


def _constrained(level: _Level, longer: _Level) -> NDArray[np.int64]:
    """Numbers of the segments of `level` that have as many occurrences as one of `longer` that holds them."""
    within = [level.numbers[np.searchsorted(level.places, longer.places + shift)] for shift in (0, 1)]
    as_many = longer.counts[longer.numbers]
    return np.concatenate([numbers[level.counts[numbers] == as_many] for numbers in within])
