"""Correspondence analysis of words by the categories of a variable: which categories speak alike, and of what."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.lexical.correspondence import Correspondence, correspondence
from analysis.lexical.specificity import Specificity

AXES = 3
_FEWEST = 3


@dataclass(frozen=True)
class Contrast:
    """The axes of a table of `lemmas` (rows) by `categories` (columns), in occurrences."""

    lemmas: tuple[str, ...]
    categories: tuple[str, ...]
    axes: Correspondence


def contrast(rows: Sequence[Specificity]) -> Contrast | None:
    """The contrast of a variable, from the occurrences that its specificities hold.

    None under three categories or three lemmas: two categories make one axis, which specificities already tell.
    """
    categories = list(dict.fromkeys(item.category for item in rows if item.f))
    lemmas = sorted({item.lemma for item in rows if item.f})
    if min(len(categories), len(lemmas)) < _FEWEST:
        return None
    row, column = ({name: rank for rank, name in enumerate(names)} for names in (lemmas, categories))
    table = np.zeros((len(lemmas), len(categories)))
    for item in rows:
        if item.f:
            table[row[item.lemma], column[item.category]] = item.f
    return Contrast(tuple(lemmas), tuple(categories), correspondence(table, axes=AXES))
