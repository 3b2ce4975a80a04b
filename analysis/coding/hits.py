"""What lexicon rules found: which text has which code, by which pattern, on which words."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Hit:
    """One code given to one text, with the pattern that decided and the words it found."""

    text: int
    code: str
    pattern: str
    words: str


@dataclass(frozen=True, eq=False)
class Hits(Sequence[Hit]):
    """Hits as arrays: a million texts and two hundred codes make tens of millions of them.

    Hit i gives text `texts[i]` the code and by the pattern `rules[rule[i]]`, on the words `spelt[words[i]]`. Hits come
    in the order of the codebook, whose codes are `codes`, then of the texts; a text has a code once.
    """

    codes: tuple[str, ...]
    rules: tuple[tuple[str, str], ...]
    spelt: Sequence[str]
    texts: NDArray[np.int32]
    rule: NDArray[np.int32]
    words: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, at: int) -> Hit: ...
    @overload
    def __getitem__(self, at: slice) -> "Hits": ...
    def __getitem__(self, at: int | slice) -> "Hit | Hits":
        if isinstance(at, slice):
            return Hits(self.codes, self.rules, self.spelt, self.texts[at], self.rule[at], self.words[at])
        code, pattern = self.rules[self.rule[at]]
        return Hit(int(self.texts[at]), code, pattern, self.spelt[self.words[at]])

    def __iter__(self) -> Iterator[Hit]:
        for text, rule, words in zip(self.texts.tolist(), self.rule.tolist(), self.words.tolist(), strict=True):
            code, pattern = self.rules[rule]
            yield Hit(text, code, pattern, self.spelt[words])

    def of(self, code: str) -> "Hits":
        """The hits of one code of the codebook."""
        first, last = self._bounds.get(code, (0, 0))
        return self[first:last]

    def without(self, codes: Container[str]) -> "Hits":
        """The hits of the other codes."""
        kept = np.array([code not in codes for code, _ in self.rules], dtype=np.bool_)[self.rule]
        return Hits(self.codes, self.rules, self.spelt, self.texts[kept], self.rule[kept], self.words[kept])

    @cached_property
    def _bounds(self) -> dict[str, tuple[int, int]]:
        rank = {code: number for number, code in enumerate(self.codes)}
        owners = np.array([rank[code] for code, _ in self.rules], dtype=np.int64)
        counts = np.bincount(owners[self.rule], minlength=len(rank)) if len(owners) else np.zeros(len(rank), np.int64)
        ends = np.cumsum(counts)
        return dict(zip(self.codes, zip((ends - counts).tolist(), ends.tolist(), strict=True), strict=True))


def no_hits() -> Hits:
    """The hits of a corpus that no codebook codes."""
    none = np.zeros(0, dtype=np.int32)
    return Hits((), (), (), none, none, none)
