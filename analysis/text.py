"""Tokens: from texts to arrays of word numbers.

Texts are cut by one regular expression into raw words; each distinct raw word is then split once
(elision, inversion, dotted acronym), so that the cost per token stays in compiled code.

What a word is stands in `analysis/words.py`.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.languages import Language, language
from analysis.words import FINDALL, prepare

BREAKS = {",": 1, ";": 4, ":": 5, ".": 6, "!": 6, "?": 6, "…": 6, "\n": 6}
SENTENCE = 4
START = 7
_LONGEST_ACRONYM = 6


@dataclass(frozen=True)
class Tokens:
    """The words of `n` texts, one after the other.

    `forms[k]` is the number of the k-th word in the vocabulary; text `i` holds the words
    `starts[i]:starts[i + 1]`; `sentences[k]` never takes the same value in two sentences; `breaks[k]` is the
    strength of the punctuation just before the k-th word (`BREAKS`; `START` at the start of a text, 0 for none).
    """

    forms: NDArray[np.int32]
    starts: NDArray[np.int64]
    sentences: NDArray[np.int32]
    breaks: NDArray[np.int8]

    @property
    def texts(self) -> NDArray[np.int32]:
        """For each word, the rank of its text, shape (n_words,)."""
        return np.repeat(np.arange(len(self.starts) - 1, dtype=np.int32), np.diff(self.starts))


class Vocabulary:
    """Distinct forms (lower case), numbered in order of appearance, shared by the corpora of a run, in one language."""

    def __init__(self, read: Language | None = None) -> None:
        self.language = read or language()
        self.forms: list[str] = []
        self._index: dict[str, int] = {}
        self._raw: defaultdict[str, int] = defaultdict()
        self._raw.default_factory = self._raw.__len__
        self._parts: list[tuple[int, ...]] = []
        self._strengths: list[int] = []
        self._upper: defaultdict[int, int] = defaultdict(int)

    def __len__(self) -> int:
        return len(self.forms)

    def number(self, form: str) -> int | None:
        """The number of a form, None if no text holds it."""
        return self._index.get(form)

    def tokenise(self, texts: Iterable[str]) -> Tokens:
        """Cut texts into words. Every text keeps its rank, even when it holds no word."""
        numbers = array("i")
        ends = array("q", [0])
        lookup = self._raw.__getitem__
        for text in texts:
            numbers.extend(map(lookup, FINDALL(prepare(text))))
            ends.append(len(numbers))
        self._split_new()
        raw = np.frombuffer(numbers, dtype=np.int32) if numbers else np.zeros(0, np.int32)
        return self._expand(raw, np.frombuffer(ends, dtype=np.int64))

    def counts(self, tokens: Iterable[Tokens]) -> NDArray[np.int64]:
        """Occurrences of each form in these texts, shape (n_forms,)."""
        total = np.zeros(len(self.forms), dtype=np.int64)
        for part in tokens:
            total += np.bincount(part.forms, minlength=len(self.forms))
        return total

    @property
    def capitals(self) -> dict[int, int]:
        """How often each form was written in capitals, forms that never were left out."""
        return dict(self._upper)

    def add_capitals(self, counts: Mapping[int, int]) -> None:
        """Count more occurrences in capitals, read elsewhere."""
        for form, count in counts.items():
            self._upper[form] += count

    def acronyms(self, tokens: Sequence[Tokens]) -> frozenset[int]:
        """Short forms (two to six characters) written in capitals at least half of the time."""
        total = self.counts(tokens)
        return frozenset(
            form
            for form, count in self._upper.items()
            if 2 * count >= total[form] and len(self.forms[form]) <= _LONGEST_ACRONYM
        )

    def _split_new(self) -> None:
        for word in list(self._raw)[len(self._parts) :]:
            boundary = word[0] in BREAKS
            self._parts.append(() if boundary else tuple(self.add(part.lower()) for part in self.language.split(word)))
            self._strengths.append(max(map(BREAKS.__getitem__, word)) if boundary else 0)

    def add(self, form: str) -> int:
        """The number of a form, entered if it was not there."""
        number = self._index.setdefault(form, len(self.forms))
        if number == len(self.forms):
            self.forms.append(form)
        return number

    def _expand(self, raw: NDArray[np.int32], ends: NDArray[np.int64]) -> Tokens:
        lengths = np.fromiter(map(len, self._parts), dtype=np.int64, count=len(self._parts))
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        flat = np.fromiter((f for parts in self._parts for f in parts), dtype=np.int32, count=int(offsets[-1]))
        per_raw = lengths[raw]
        first = np.concatenate([[0], np.cumsum(per_raw)])
        within = np.arange(first[-1]) - np.repeat(first[:-1], per_raw)
        forms = flat[np.repeat(offsets[raw], per_raw) + within]
        breaks = self._breaks_before(raw, per_raw, first[:-1], len(forms))
        starts = first[ends]
        breaks[starts[:-1][starts[:-1] < len(forms)]] = START
        sentences = np.cumsum(breaks >= SENTENCE, dtype=np.int32)
        self._count_capitals(raw)
        return Tokens(forms, starts, sentences, breaks)

    def _breaks_before(
        self, raw: NDArray[np.int32], per_raw: NDArray[np.int64], first: NDArray[np.int64], words: int
    ) -> NDArray[np.int8]:
        """The strongest punctuation between each word and the one before it, shape (words,)."""
        breaks = np.zeros(words, dtype=np.int8)
        places = np.flatnonzero(per_raw)
        if len(places):
            after = np.maximum.reduceat(np.array(self._strengths, dtype=np.int8)[raw], places)
            breaks[first[places[1:]]] = after[:-1]
        return breaks

    def _count_capitals(self, raw: NDArray[np.int32]) -> None:
        counts = np.bincount(raw, minlength=len(self._parts))
        for number, word in enumerate(self._raw):
            if counts[number] and len(word) > 1 and word.isupper() and self._parts[number]:
                last = self._parts[number][-1]
                if len(self.forms[last]) > 1:
                    self._upper[last] += int(counts[number])
