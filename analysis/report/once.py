"""Figures as they would be if each campaign were one text: they stand beside those of all the texts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.corpus import Variable
from analysis.lexical.disclosure import distinct_texts
from analysis.lexical.frequencies import LemmaTokens
from analysis.lexical.specificity import BANALITY, Specificity, specificities
from analysis.semantic.campaigns import Register

Key = tuple[str, str, str]


def occurrences(words: LemmaTokens, register: Register) -> dict[str, tuple[int, int]]:
    """Occurrences of each lemma, and texts that hold it."""
    kept = register.first_only[words.texts]
    size = len(words.lemmas)
    counts = np.bincount(words.numbers[kept], minlength=size).tolist()
    texts = distinct_texts(words.numbers[kept], words.texts[kept], size).tolist()
    return dict(zip(words.lemmas, zip(counts, texts, strict=True), strict=True))


def specific(
    words: LemmaTokens, found: Sequence[tuple[Variable, list[Specificity]]], register: Register
) -> dict[Key, Specificity]:
    """The specificities that pass banality over all the texts, by variable, category and lemma.

    One is absent when too little of its lemma is left to be tried.
    """
    once: NDArray[np.bool_] = register.first_only
    again: dict[Key, Specificity] = {}
    for variable, rows in found:
        marked = {(item.category, item.lemma) for item in rows if abs(item.score) >= BANALITY}
        without = specificities(words, variable, texts=once, only=marked) if register.campaigns else rows
        again |= {(variable.key, item.category, item.lemma): item for item in without}
    return again


def plain(rows: Mapping[Key, Any], variable: str, category: str, lemma: str) -> dict[str, Any] | None:
    """The figures of one lemma in one category as plain data, its names left out; None when there are none."""
    item = rows.get((variable, category, lemma))
    return item and {key: value for key, value in asdict(item).items() if key not in {"lemma", "category"}}
