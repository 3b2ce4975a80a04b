"""Which passages of texts a tagger reads, so that little reading teaches the lemmas of most words.

Reading a word costs far more than counting it, and half of the words of sentences drawn at random are grammatical ones
that are known already. So the sentences read are those whose words are frequent in the texts, hesitate between several
lemmas, and have been read least: what a reading is worth falls as the square of the readings of the word before it.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.text import Tokens
from analysis.words import in_context

POOL_WORDS = 1_000_000
READ_WORDS = 70_000
LONGEST = 40
_SURE = 0.1
_SPREAD = 0.7
_SCALE = 10_000  # worths are whole numbers: their sums do not depend on the order of the words
_STEP = 0.7


class Material(NamedTuple):
    """Texts, their words, and the mask of those that may be read, shape (n_texts,)."""

    texts: Sequence[str]
    tokens: Tokens
    readable: NDArray[np.bool_]


class Passage(NamedTuple):
    """Sentences in a row: words and punctuation, and whether a space follows each."""

    words: list[str]
    spaces: list[bool]


@dataclass(frozen=True)
class Pool:
    """Distinct texts among which passages are chosen, one after the other.

    Sentence `i`, of forty words at most, holds the words `starts[i]:starts[i + 1]` of text `owners[i]`, whose first
    word is `firsts[owners[i]]`. `digest` stands for the texts and their order.
    """

    texts: tuple[str, ...]
    forms: NDArray[np.int32]
    firsts: NDArray[np.int64]
    starts: NDArray[np.int64]
    owners: NDArray[np.int64]
    digest: str


def pool(materials: Sequence[Material], seed: int) -> Pool:
    """All the distinct texts that hold words, or a million words of them drawn with a seed, whatever their order."""
    texts: list[str] = []
    forms, sentences = [np.zeros(0, dtype=np.int32)], [np.zeros(0, dtype=np.int32)]
    firsts, digest = [0], hashlib.sha256()
    for key, material, row in _drawn(materials, seed):
        if firsts[-1] >= POOL_WORDS:
            break
        digest.update(key)
        words = slice(material.tokens.starts[row], material.tokens.starts[row + 1])
        texts.append(material.texts[row])
        forms.append(material.tokens.forms[words])
        sentences.append(material.tokens.sentences[words])
        firsts.append(firsts[-1] + len(forms[-1]))
    bounds = np.array(firsts, dtype=np.int64)
    starts = _sentence_starts(np.concatenate(sentences), bounds)
    owners = np.searchsorted(bounds, starts[:-1], side="right") - 1
    return Pool(tuple(texts), np.concatenate(forms), bounds, starts, owners, digest.hexdigest())


def _drawn(materials: Sequence[Material], seed: int) -> Iterator[tuple[bytes, Material, int]]:
    """Where each distinct text that holds words stands first, in the order of a hash of the text and of the seed."""
    rows = [np.flatnonzero(own.readable & (np.diff(own.tokens.starts) > 0)) for own in materials]
    texts = (own.texts[row] for own, held in zip(materials, rows, strict=True) for row in held.tolist())
    salt, size = str(seed).encode(), 8
    hashes = (hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size, key=salt) for text in texts)
    keys = b"".join(found.digest() for found in hashes)
    owners = np.repeat(np.arange(len(rows)), [len(held) for held in rows])
    ranks = np.concatenate([np.zeros(0, dtype=np.int64), *rows])
    before = b""
    for place in np.argsort(np.frombuffer(keys, dtype=">u8"), kind="stable").tolist():
        key = keys[size * place : size * (place + 1)]
        if key != before:
            before = key
            yield key, materials[owners[place]], int(ranks[place])


def _sentence_starts(sentences: NDArray[np.int32], firsts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each sentence starts, long ones cut, then the number of words."""
    total = len(sentences)
    new = np.ones(total, dtype=np.bool_)
    new[1:] = sentences[1:] != sentences[:-1]
    new[firsts[:-1]] = True
    starts = np.flatnonzero(new)
    within = np.arange(total) - np.repeat(starts, np.diff(np.append(starts, total)))
    return np.append(np.flatnonzero(within % LONGEST == 0), total)


def choose(found: Pool, hesitates: Callable[[int], bool], *, words: int = READ_WORDS) -> list[Passage]:
    """The passages to read, about `words` words of them; everything when the pool holds no more.

    `hesitates` tells of a form of the pool whether what it is must be learnt from its context.
    """
    if len(found.forms) <= words:
        return list(_passages(found, np.ones(len(found.owners), dtype=np.bool_)))
    counts = np.bincount(found.forms)
    doubt = np.full(len(counts), _SURE)
    doubt[[form for form in np.flatnonzero(counts).tolist() if hesitates(form)]] = 1.0
    return list(_passages(found, _worthiest(found, (_SCALE * doubt * counts**_SPREAD).astype(np.int64), words)))


def _worthiest(found: Pool, base: NDArray[np.int64], words: int) -> NDArray[np.bool_]:
    """Mask of the sentences worth most a word, about `words` words of them.

    `base` is what the first reading of each form is worth. The bar that a sentence must pass falls step by step; the
    sentences that pass it are taken in the order of the pool, each judged on what was taken before it.
    """
    size, lengths = len(found.owners), np.diff(found.starts)
    pairs = np.sort(np.repeat(np.arange(size), lengths) << 32 | found.forms)
    pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])]
    flat, bounds = pairs & 0xFFFFFFFF, np.searchsorted(pairs, np.arange(size + 1) << 32)
    held, ends, costs = flat.tolist(), bounds.tolist(), (lengths + 1).tolist()
    taken, read = np.zeros(size, dtype=np.bool_), 0
    value, times = base.tolist(), [1] * len(base)
    bar = np.inf
    while read < words:
        worth = np.add.reduceat(np.array(value)[flat], bounds[:-1]) / (lengths + 1)
        worth[taken] = 0
        bar = min(bar, float(worth.max())) * _STEP
        if not bar:
            break
        for sentence in np.flatnonzero(worth >= bar).tolist():
            forms = held[ends[sentence] : ends[sentence + 1]]
            if read < words and sum([value[form] for form in forms]) >= bar * costs[sentence]:
                taken[sentence] = True
                read += costs[sentence] - 1
                for form in forms:
                    times[form] += 1
                    value[form] = int(base[form]) // times[form] ** 2
    return taken


def _passages(found: Pool, taken: NDArray[np.bool_]) -> Iterator[Passage]:
    """The sentences taken, those that follow each other in a text together, as they are written."""
    runs: dict[int, list[list[int]]] = {}
    for sentence in np.flatnonzero(taken).tolist():
        owner = int(found.owners[sentence])
        first, last = (found.starts[sentence : sentence + 2] - found.firsts[owner]).tolist()
        own = runs.setdefault(owner, [])
        if own and own[-1][1] == first:
            own[-1][1] = last
        else:
            own.append([first, last])
    for owner, own in runs.items():
        words, spaces, places = in_context(found.texts[owner])
        places.append(len(words))
        for first, last in own:
            span = slice(places[first] if first else 0, places[last])
            yield Passage(words[span], spaces[span])
