"""Which words may be published: those of several texts.

A word that one or two texts hold would outlive, in a published file, the text that its author erased or that
moderation hid. The rule is here alone; every lexical form that a report shows goes through one of these functions.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analysis.coding.hits import Hits

PUBLISHED_FROM = 3  # distinct texts of a corpus


def distinct_texts(numbers: NDArray[np.int32], texts: NDArray[np.int32], size: int) -> NDArray[np.int64]:
    """In how many distinct texts each of `size` numbers occurs; `numbers` and `texts` are parallel."""
    # np.unique hashes, ten times slower than a sort on as many small integers.
    pairs = np.sort(numbers.astype(np.int64) << 32 | texts)
    new = np.ones(len(pairs), dtype=np.bool_)
    new[1:] = pairs[1:] != pairs[:-1]
    return np.bincount(pairs[new] >> 32, minlength=size)


def common(numbers: NDArray[np.int32], texts: NDArray[np.int32], size: int) -> NDArray[np.bool_]:
    """Mask of the numbers (of lemmas, of forms) that may be published."""
    return np.asarray(distinct_texts(numbers, texts, size) >= PUBLISHED_FROM, dtype=np.bool_)


def without_rare_words(hits: Hits) -> Hits:
    """The hits of a corpus, without the words found where too few texts hold the same ones."""
    shown = common(hits.words, hits.texts, len(hits.spelt))
    return replace(hits, spelt=tuple(words if kept else "" for words, kept in zip(hits.spelt, shown, strict=True)))
