"""Corpora whose lemmas are their forms: no model is needed to test what counts words."""

import numpy as np
import pytest

from analysis.lemmas import Lemmas
from analysis.lexical.frequencies import LemmaTokens, lemmatise
from analysis.lexical.segments import Table, cut, tabulate
from analysis.text import Vocabulary
from analysis.words import is_emoji

THEMES = ("vélo piste cyclable trajet", "taxe impôt fiscal budget", "haie oiseau abeille forêt")
COMMON = "ville maire vie jour soleil temps"


def plain_words(texts: list[str]) -> LemmaTokens:
    vocabulary = Vocabulary()
    tokens = vocabulary.tokenise(texts)
    size = len(vocabulary)
    pos = tuple("SYM" if is_emoji(form) else "NOUN" for form in vocabulary.forms)
    lemmas = Lemmas(tuple(vocabulary.forms), pos, ("table",) * size, {}, 0)
    return lemmatise(tokens, vocabulary, lemmas, np.ones(len(texts), dtype=np.bool_))


def plain_table(texts: list[str], *, size: int = 0, min_units: int = 1) -> Table:
    words = plain_words(texts)
    return tabulate(words, cut(words, size=size), min_units=min_units)


def planted(count: int, seed: int = 3) -> tuple[list[str], np.ndarray]:
    """Texts of three themes, each with words of its own and words of all, and the theme of each."""
    rng = np.random.default_rng(seed)
    themes = rng.choice(3, size=count, p=[0.5, 0.3, 0.2])
    texts = []
    for theme in themes:
        own = rng.choice(THEMES[theme].split(), size=3)
        texts.append(" ".join([*own, *rng.choice(COMMON.split(), size=3)]))
    return texts, themes


@pytest.fixture(scope="session")
def planted_corpus() -> tuple[list[str], np.ndarray]:
    return planted(600)
