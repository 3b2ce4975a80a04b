"""Multi-word expressions: counted as one word (« pouvoir d’achat »), and proposed when words keep together.

Patterns and codes keep reading single words: only the counts of words join them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from analysis.errors import AnalysisError
from analysis.languages import Language
from analysis.lemmas import Lemmas
from analysis.text import Tokens, Vocabulary
from analysis.words import raw_words

LONGEST = 6
PROPOSED = 100
MIN_COUNT = 10


@dataclass(frozen=True)
class Proposal:
    """Two neighbours that keep together: their lemmas, occurrences together and apart, log-likelihood of the pair."""

    words: tuple[str, str]
    together: int
    first: int
    second: int
    g2: float


def read_expressions(path: Path, read: Language) -> tuple[str, ...]:
    """Read one expression a line; blank lines and those that begin with # do not count.

    Raises AnalysisError naming the line that is not an expression of two to six words.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AnalysisError(f"Expressions « {path.name} » : fichier texte UTF-8 illisible.") from error
    found = []
    for number, line in enumerate(lines, start=1):
        expression = line.strip()
        if not expression or expression.startswith("#"):
            continue
        if not 2 <= len(_words(expression, read)) <= LONGEST:  # noqa: PLR2004 -- one word is no expression
            raise AnalysisError(
                f"Expressions « {path.name} », ligne {number} : « {expression} » doit compter de 2 à {LONGEST} mots."
            )
        found.append(expression)
    return tuple(found)


def _words(expression: str, read: Language) -> tuple[str, ...]:
    return tuple(part.lower() for word in raw_words(expression) for part in read.split(word))


def join(tokens: Tokens, vocabulary: Vocabulary, lemmas: Lemmas, expressions: Iterable[str]) -> tuple[Tokens, Lemmas]:
    """Replace each expression by one word, whose lemma is the expression.

    An expression is found by the lemmas of its words, in a row within one sentence and without punctuation between; of
    two that overlap the longest wins, then the first in the text. Expressions join the vocabulary.
    """
    of_lemma = {lemma: rank for rank, lemma in enumerate(dict.fromkeys(lemmas.lemma))}
    lemma_of = np.array([of_lemma[lemma] for lemma in lemmas.lemma], dtype=np.int64)
    numbers = lemma_of[tokens.forms] if len(lemma_of) else np.zeros(0, dtype=np.int64)
    wanted: dict[tuple[int, ...], str] = {}
    for expression in expressions:
        forms = [vocabulary.number(word) for word in _words(expression, vocabulary.language)]
        known = [form for form in forms if form is not None and form < len(lemma_of)]
        if len(known) == len(forms):
            wanted.setdefault(tuple(lemma_of[known].tolist()), expression.lower())
    places = _places(numbers, tokens.breaks, list(wanted))
    drop = np.zeros(len(numbers), dtype=np.bool_)
    forms_out = tokens.forms.copy()
    added: dict[int, str] = {}
    for words, starts in sorted(places.items(), key=lambda item: (-len(item[0]), wanted[item[0]])):
        number = vocabulary.add(wanted[words])
        for start in starts.tolist():
            span = slice(start, start + len(words))
            if not (drop[span].any() or (forms_out[span] != tokens.forms[span]).any()):
                forms_out[start] = number
                drop[start + 1 : start + len(words)] = True
                added[number] = wanted[words]
    return _without(tokens, forms_out, drop), _extended(lemmas, added, len(vocabulary))


def _places(
    numbers: NDArray[np.int64], breaks: NDArray[np.int8], wanted: Sequence[tuple[int, ...]]
) -> dict[tuple[int, ...], NDArray[np.int64]]:
    """Where each run of lemmas stands, without any punctuation inside."""
    firsts = np.zeros(int(numbers.max(initial=0)) + 2, dtype=np.bool_)
    for words in wanted:
        if words[0] < len(firsts):
            firsts[words[0]] = True
    starts = np.flatnonzero(firsts[numbers])
    by_first = numbers[starts]
    order = np.argsort(by_first, kind="stable")
    starts, by_first = starts[order], by_first[order]
    found = {}
    for words in wanted:
        low, high = np.searchsorted(by_first, [words[0], words[0] + 1])
        places = starts[low:high]
        places = places[places + len(words) <= len(numbers)]
        for offset, word in enumerate(words[1:], start=1):
            places = places[(numbers[places + offset] == word) & (breaks[places + offset] == 0)]
        if len(places):
            found[words] = places
    return found


def _without(tokens: Tokens, forms: NDArray[np.int32], drop: NDArray[np.bool_]) -> Tokens:
    before = np.append(0, np.cumsum(drop))
    keep = ~drop
    return Tokens(forms[keep], tokens.starts - before[tokens.starts], tokens.sentences[keep], tokens.breaks[keep])


def _extended(lemmas: Lemmas, added: dict[int, str], size: int) -> Lemmas:
    """The same lemmas, with one for each number of the vocabulary that came since."""
    news = [added.get(number, "") for number in range(len(lemmas.lemma), size)]
    return replace(
        lemmas,
        lemma=(*lemmas.lemma, *news),
        pos=(*lemmas.pos, *("NOUN" if new else "X" for new in news)),
        source=(*lemmas.source, *("expression" if new else "form" for new in news)),
    )


def propose(
    tokens: Tokens, lemmas: Lemmas, content: NDArray[np.bool_], *, most: int = PROPOSED, min_count: int = MIN_COUNT
) -> list[Proposal]:
    """Pairs of neighbouring content words that keep together, by falling log-likelihood (Dunning 1993).

    Args:
        tokens: the words.
        lemmas: the lemma of each form.
        content: which forms carry meaning, shape (n_forms,).
        most: how many pairs at most.
        min_count: occurrences together under which a pair is not proposed.
    """
    of_lemma = {lemma: rank for rank, lemma in enumerate(dict.fromkeys(lemmas.lemma))}
    names = list(of_lemma)
    lemma_of = np.array([of_lemma[lemma] for lemma in lemmas.lemma], dtype=np.int64)
    if len(tokens.forms) < 2:  # noqa: PLR2004 -- a pair needs two words
        return []
    numbers, marked = lemma_of[tokens.forms], content[tokens.forms]
    beside = marked[:-1] & marked[1:] & (tokens.breaks[1:] == 0)
    pairs, together = np.unique(numbers[:-1][beside] << 32 | numbers[1:][beside], return_counts=True)
    pairs, together = pairs[together >= min_count], together[together >= min_count]
    first, second = pairs >> 32, pairs & 0xFFFFFFFF
    counts, total = np.bincount(numbers, minlength=len(names)), float(len(numbers))
    one, two = counts[first].astype(np.float64), counts[second].astype(np.float64)
    cells = np.stack([together, one - together, two - together, total - one - two + together])
    rows = np.stack([one, one, total - one, total - one])
    expected = rows * np.stack([two, total - two, two, total - two]) / total
    g2 = 2 * (xlogy(cells, cells) - xlogy(cells, np.maximum(expected, 1e-300))).sum(axis=0)
    attracted = np.flatnonzero(together > expected[0])
    found = [
        Proposal(
            words=(names[int(first[rank])], names[int(second[rank])]),
            together=int(together[rank]),
            first=int(one[rank]),
            second=int(two[rank]),
            g2=round(float(g2[rank]), 2),
        )
        for rank in attracted.tolist()
    ]
    return sorted(found, key=lambda item: (-item.g2, item.words))[:most]
