"""Frequencies of words: occurrences and contributions, by lemma and by form."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.lemmas import Lemmas
from analysis.lexical.disclosure import common, distinct_texts
from analysis.text import Tokens, Vocabulary


@dataclass(frozen=True)
class Frequency:
    """One lemma in one corpus: occurrences, contributions that hold it, and its forms with their counts.

    Its rarest forms may be left out (see `analysis.lexical.disclosure`): the counts of the others need not add up.
    """

    lemma: str
    pos: str
    count: int
    texts: int
    content: bool
    forms: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class LemmaTokens:
    """The words of a corpus as lemma numbers; `lemmas[k]` names lemma k, `content[k]` says if it carries meaning.

    Words outside the texts kept (no answer) are already left out: `numbers`, `texts`, `forms` and `breaks` (strength
    of the punctuation before the word, see `Tokens`) are parallel.
    """

    numbers: NDArray[np.int32]
    texts: NDArray[np.int32]
    forms: NDArray[np.int32]
    lemmas: tuple[str, ...]
    pos: tuple[str, ...]
    content: NDArray[np.bool_]
    breaks: NDArray[np.int8]


def lemmatise(tokens: Tokens, vocabulary: Vocabulary, lemmas: Lemmas, kept: NDArray[np.bool_]) -> LemmaTokens:
    """Replace forms by lemmas, over the kept texts only.

    Forms share a lemma number when lemma and content flag agree; the part of speech shown is that of the
    first form in order of appearance.
    """
    index: dict[str, int] = {}
    pos: list[str] = []
    content: list[bool] = []
    of_form = np.zeros(max(1, len(vocabulary)), dtype=np.int32)
    for number in range(len(lemmas.lemma)):
        lemma = lemmas.lemma[number]
        rank = index.setdefault(lemma, len(index))
        if rank == len(pos):
            pos.append(lemmas.pos[number])
            content.append(lemmas.is_content(number, vocabulary.language))
        of_form[number] = rank
    texts = tokens.texts
    keep = kept[texts]
    forms = tokens.forms[keep]
    marks = np.array(content, dtype=np.bool_)
    return LemmaTokens(of_form[forms], texts[keep], forms, tuple(index), tuple(pos), marks, tokens.breaks[keep])


def frequencies(words: LemmaTokens, vocabulary: Vocabulary) -> list[Frequency]:
    """The lemmas and forms that may be published, most frequent first, then in alphabetical order."""
    size = len(words.lemmas)
    counts = np.bincount(words.numbers, minlength=size)
    texts = distinct_texts(words.numbers, words.texts, size)
    form_counts = np.bincount(words.forms, minlength=len(vocabulary))
    form_counts[~common(words.forms, words.texts, len(vocabulary))] = 0
    lemma_of = np.full(len(vocabulary), -1, dtype=np.int64)
    lemma_of[words.forms] = words.numbers
    forms: dict[int, list[tuple[str, int]]] = {}
    for form in np.flatnonzero(form_counts).tolist():
        forms.setdefault(int(lemma_of[form]), []).append((vocabulary.forms[form], int(form_counts[form])))
    found = [
        Frequency(
            lemma=words.lemmas[number],
            pos=words.pos[number],
            count=int(counts[number]),
            texts=int(texts[number]),
            content=bool(words.content[number]),
            forms=tuple(sorted(forms.get(number, ()), key=lambda item: (-item[1], item[0]))),
        )
        for number in np.flatnonzero(common(words.numbers, words.texts, size)).tolist()
    ]
    return sorted(found, key=lambda item: (-item.count, item.lemma))
