"""Words and lemmas of corpora, prepared in partitions by as many processes as wanted.

The partitions do not depend on the number of processes, and are put together in order: neither do the results.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis import nonresponse
from analysis.corpus import Corpus
from analysis.expressions import join
from analysis.languages import language
from analysis.lemmas import Lemmas, learn
from analysis.lexical.frequencies import LemmaTokens, lemmatise
from analysis.passages import Material
from analysis.processes import in_order
from analysis.text import Tokens, Vocabulary

PARTITION = 25_000

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Prepared:
    """A corpus ready to be counted: `words` are those of the readable texts, expressions joined."""

    corpus: Corpus
    sorting: nonresponse.Sorting
    tokens: Tokens
    words: LemmaTokens

    @property
    def billable(self) -> NDArray[np.bool_]:
        """Mask of the texts that are an answer, shape (n,)."""
        return ~self.sorting.nonresponse

    @property
    def readable(self) -> NDArray[np.bool_]:
        """Mask of the answers that can be read on their own, shape (n,)."""
        return self.sorting.readable


def in_context(progress: Progress) -> Callable[[int, int], None]:
    """Tells how much of the sample from which lemmas are learnt is read."""
    return lambda done, total: progress(done, total, "lecture en contexte")


class _Part(NamedTuple):
    """What a process makes of one partition, with numbers of its own for forms."""

    rules: tuple[str | None, ...]
    forms: list[str]
    capitals: dict[int, int]
    tokens: Tokens


def prepare(
    corpora: Sequence[Corpus],
    vocabulary: Vocabulary,
    *,
    seed: int,
    overrides: dict[str, str] | None = None,
    expressions: Sequence[str] = (),
    cache: Path | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> tuple[list[Prepared], Lemmas]:
    """Sort, cut and lemmatise corpora, which share `vocabulary`.

    `jobs` is a number of processes, as joblib understands it, within whatever joblib backend is active (loky, or an
    existing Dask cluster). Raises AnalysisError when a process is killed, for want of memory for instance.
    """
    read = [_read(corpus, vocabulary, jobs, progress) for corpus in corpora]
    counts = vocabulary.counts([tokens for _, tokens in read]).tolist()
    lemmas = learn(
        vocabulary.forms,
        [
            Material(corpus.texts, tokens, sorting.readable)
            for corpus, (sorting, tokens) in zip(corpora, read, strict=True)
        ],
        seed=seed,
        counts=counts,
        overrides=overrides,
        cache_dir=cache,
        read=vocabulary.language,
        progress=progress and in_context(progress),
    )
    found = []
    for corpus, (sorting, tokens) in zip(corpora, read, strict=True):
        joined, extended = join(tokens, vocabulary, lemmas, expressions) if expressions else (tokens, lemmas)
        words = lemmatise(joined, vocabulary, extended, sorting.readable)
        found.append(Prepared(corpus, sorting, tokens, words))
    return found, lemmas


def _read(
    corpus: Corpus, vocabulary: Vocabulary, jobs: int, progress: Progress | None
) -> tuple[nonresponse.Sorting, Tokens]:
    total = len(corpus.texts)
    pieces = ((corpus.texts[low : low + PARTITION], vocabulary.language.code) for low in range(0, total, PARTITION))
    rules: list[str | None] = []
    tokens: list[Tokens] = []
    for part in in_order(_read_part, pieces, jobs):
        numbers = np.array([vocabulary.add(form) for form in part.forms], dtype=np.int32)
        vocabulary.add_capitals({int(numbers[form]): count for form, count in part.capitals.items()})
        rules += part.rules
        own = part.tokens
        forms = numbers[own.forms] if len(numbers) else own.forms
        tokens.append(Tokens(forms, own.starts, own.sentences, own.breaks))
        if progress:
            progress(len(rules), total, f"mots de « {corpus.key} »")
    return nonresponse.Sorting(nonresponse.load(vocabulary.language.rules), tuple(rules)), _together(tokens)


def _read_part(texts: Sequence[str], code: str) -> _Part:
    vocabulary = Vocabulary(language(code))
    tokens = vocabulary.tokenise(texts)
    rules = nonresponse.load(vocabulary.language.rules)
    return _Part(nonresponse.sort(texts, rules).rule, vocabulary.forms, vocabulary.capitals, tokens)


def _together(parts: list[Tokens]) -> Tokens:
    """Partitions one after the other, sentences numbered on."""
    if not parts:
        return Vocabulary().tokenise([])
    words = np.cumsum([0, *(len(part.forms) for part in parts)])
    lasts = np.cumsum([0, *(int(part.sentences[-1]) if len(part.sentences) else 0 for part in parts)])
    starts = [part.starts[:-1] + before for part, before in zip(parts, words[:-1], strict=True)]
    sentences = [part.sentences + np.int32(before) for part, before in zip(parts, lasts[:-1], strict=True)]
    return Tokens(
        np.concatenate([part.forms for part in parts]),
        np.append(np.concatenate(starts), words[-1]),
        np.concatenate(sentences),
        np.concatenate([part.breaks for part in parts]),
    )
