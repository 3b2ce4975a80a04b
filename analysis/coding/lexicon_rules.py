"""Evaluates patterns (grammar and meaning in `analysis.coding.patterns`) over a whole corpus at once.

Words are found through an index from form to places, so a pattern costs in proportion to the
occurrences of its words, not to the number of texts.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.coding.codebook import Codebook
from analysis.coding.hits import Hits
from analysis.coding.patterns import Both, Either, Near, Negated, Node, Sequence, Word, words
from analysis.lemmas import Lemmas
from analysis.text import Tokens, Vocabulary

NEGATION_SCOPE = 4
RESTRICTIVE_SCOPE = 6

_Places = NDArray[np.int64]


@dataclass(frozen=True)
class Spans:
    """Places in a corpus: word ranks `start` to `end` (excluded), sorted by start, without repetition."""

    start: _Places
    end: _Places


class Lexicon:
    """Which forms a word of a pattern stands for, in a vocabulary whose lemmas are known."""

    def __init__(self, vocabulary: Vocabulary, lemmas: Lemmas) -> None:
        self.vocabulary = vocabulary
        self.lemmas = lemmas
        self._by_lemma: dict[str, list[int]] = {}
        for number, lemma in enumerate(lemmas.lemma):
            self._by_lemma.setdefault(lemma, []).append(number)

    def forms(self, word: Word) -> list[int]:
        """Numbers of the forms, possibly none."""
        if word.kind == "exact":
            number = self.vocabulary.number(word.text)
            return [] if number is None else [number]
        if word.kind == "prefix":
            corrected = self.lemmas.corrections
            return [
                number
                for number, form in enumerate(self.vocabulary.forms)
                if form.startswith(word.text) or corrected.get(form, "").startswith(word.text)
            ]
        number = self.vocabulary.number(word.text)
        lemma = word.text if number is None else self.lemmas.lemma[number]
        return sorted({*self._by_lemma.get(lemma, ()), *self._by_lemma.get(word.text, ())})

    def of_lemmas(self, lemmas: Iterable[str]) -> list[int]:
        """Numbers of all the forms of these lemmas."""
        return [number for lemma in lemmas for number in self._by_lemma.get(lemma, ())]


class Matcher:
    """Evaluates patterns on one corpus."""

    def __init__(self, tokens: Tokens, lexicon: Lexicon) -> None:
        self._tokens = tokens
        self._lexicon = lexicon
        self._texts = tokens.texts
        self._order = np.argsort(tokens.forms, kind="stable").astype(np.int64)
        bounds = np.bincount(tokens.forms, minlength=len(lexicon.vocabulary))
        self._offsets = np.concatenate([[0], np.cumsum(bounds)])
        self._known: dict[Word, _Places] = {}
        self._spelt: dict[bytes, int] = {}
        self._of_form = np.full(len(lexicon.vocabulary), -1, dtype=np.int32)
        self._negators = self._find_negators()

    def find(self, node: Node) -> Spans:
        """All the places where a pattern holds."""
        match node:
            case Word():
                places = self._places(node)
                return Spans(places, places + 1)
            case Sequence(words=parts):
                return self._sequence(parts)
            case Either(parts=nodes):
                return _merged([self.find(part) for part in nodes])
            case Both(left=left, right=right, without=without):
                return self._both(self.find(left), self.find(right), without=without)
            case Near(left=left, right=right, distance=distance, ordered=ordered):
                first, second = self.find(left), self.find(right)
                found = [self._followed(first, second, distance)]
                if not ordered:
                    found.append(self._followed(second, first, distance))
                return _merged(found)
            case Negated(part=part, denied=denied):
                spans = self.find(part)
                keep = self._is_denied(spans) == denied
                return Spans(spans.start[keep], spans.end[keep])

    def first_by_text(self, spans: Spans) -> tuple[NDArray[np.int32], Spans]:
        """The texts that hold a place, in order, with the first place of each."""
        texts = self._texts[spans.start]
        first = np.flatnonzero(np.diff(texts, prepend=np.int32(-1)))
        return texts[first], Spans(spans.start[first], spans.end[first])

    @property
    def spelt(self) -> tuple[str, ...]:
        """The words numbered so far, as they will be shown to justify a code."""
        forms = self._lexicon.vocabulary.forms
        runs = (np.frombuffer(run, dtype=np.int32).tolist() for run in self._spelt)
        return tuple(" ".join(forms[form] for form in run).replace("' ", "’") for run in runs)

    def words(self, spans: Spans) -> NDArray[np.int32]:
        """Numbers into `spelt` of the forms at some places, the same for the same forms, shape (n_places,)."""
        forms = self._tokens.forms
        found = self._of_form[forms[spans.start]]
        single = spans.end - spans.start == 1
        for form in np.unique(forms[spans.start[single & (found < 0)]]).tolist():
            self._of_form[form] = self._spelt.setdefault(np.int32(form).tobytes(), len(self._spelt))
        found[single] = self._of_form[forms[spans.start[single]]]
        for place in np.flatnonzero(~single).tolist():
            run = forms[spans.start[place] : spans.end[place]].tobytes()
            found[place] = self._spelt.setdefault(run, len(self._spelt))
        return found

    def _places(self, word: Word) -> _Places:
        if word not in self._known:
            self._known[word] = self._places_of(self._lexicon.forms(word))
        return self._known[word]

    def _places_of(self, forms: list[int]) -> _Places:
        parts = [self._order[self._offsets[form] : self._offsets[form + 1]] for form in forms]
        return np.sort(np.concatenate(parts)) if parts else np.zeros(0, np.int64)

    def _sequence(self, parts: tuple[Word, ...]) -> Spans:
        starts = self._places(parts[0])
        for rank, word in enumerate(parts[1:], start=1):
            starts = starts[_contains(self._places(word), starts + rank)]
        sentences = self._tokens.sentences
        starts = starts[sentences[starts] == sentences[starts + len(parts) - 1]]
        return Spans(starts, starts + len(parts))

    def _both(self, left: Spans, right: Spans, *, without: bool) -> Spans:
        left_texts, right_texts = self._texts[left.start], self._texts[right.start]
        keep_left = np.isin(left_texts, right_texts, invert=without)
        kept = Spans(left.start[keep_left], left.end[keep_left])
        if without:
            return kept
        keep_right = np.isin(right_texts, left_texts)
        return _merged([kept, Spans(right.start[keep_right], right.end[keep_right])])

    def _followed(self, left: Spans, right: Spans, distance: int) -> Spans:
        """Pairs in the same sentence where `right` starts less than `distance` words after `left` ends."""
        low = np.searchsorted(right.start, left.end, side="left")
        high = np.searchsorted(right.start, left.end + distance, side="left")
        counts = high - low
        total = int(counts.sum())
        rank = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        chosen = np.repeat(low, counts) + rank
        starts, ends = np.repeat(left.start, counts), right.end[chosen]
        sentences = self._tokens.sentences
        same = sentences[starts] == sentences[right.start[chosen]]
        return Spans(starts[same], ends[same])

    def _find_negators(self) -> _Places:
        negators = self._places_of(self._lexicon.of_lemmas(self._lexicon.vocabulary.language.negators))
        ne = self._places_of(self._lexicon.of_lemmas({"ne"}))
        que = self._places_of(self._lexicon.of_lemmas({"que"}))
        if not len(ne) or not len(que):
            return negators
        following = np.append(que, np.iinfo(np.int64).max // 2)[np.searchsorted(que, ne)]
        others = np.append(np.setdiff1d(negators, ne), np.iinfo(np.int64).max)
        next_negator = others[np.searchsorted(others, ne)]
        restrictive = (following - ne <= RESTRICTIVE_SCOPE) & (following < next_negator)
        sentences = self._tokens.sentences
        restrictive[restrictive] = sentences[ne[restrictive]] == sentences[following[restrictive]]
        return np.setdiff1d(negators, ne[restrictive])

    def _is_denied(self, spans: Spans) -> NDArray[np.bool_]:
        if not len(self._negators):
            return np.zeros(len(spans.start), dtype=np.bool_)
        last = np.searchsorted(self._negators, spans.start, side="left") - 1
        place = self._negators[np.maximum(last, 0)]
        near = (last >= 0) & (spans.start - place <= NEGATION_SCOPE)
        sentences = self._tokens.sentences
        return np.asarray(near & (sentences[place] == sentences[spans.start]), dtype=np.bool_)


def _contains(sorted_places: _Places, wanted: _Places) -> NDArray[np.bool_]:
    if not len(sorted_places):
        return np.zeros(len(wanted), dtype=np.bool_)
    at = np.minimum(np.searchsorted(sorted_places, wanted), len(sorted_places) - 1)
    return np.asarray(sorted_places[at] == wanted, dtype=np.bool_)


def _merged(parts: list[Spans]) -> Spans:
    start = np.concatenate([part.start for part in parts])
    end = np.concatenate([part.end for part in parts])
    order = np.lexsort((end, start))
    start, end = start[order], end[order]
    new = np.ones(len(start), dtype=np.bool_)
    new[1:] = (start[1:] != start[:-1]) | (end[1:] != end[:-1])
    return Spans(start[new], end[new])


@dataclass(frozen=True)
class FailedExample:
    """An example of the codebook that its code does not treat as the codebook says."""

    code: str
    example: str
    expected: bool


def check_examples(codebook: Codebook, lexicon: Lexicon) -> list[FailedExample]:
    """Try each code on its own examples: positive ones must be found, negative ones must not.

    The examples must have been tokenised into the vocabulary before its lemmas were learnt.
    """
    cases = [(code, text, True) for code in codebook.codes for text in code.positive_examples]
    cases += [(code, text, False) for code in codebook.codes for text in code.negative_examples]
    matcher = Matcher(lexicon.vocabulary.tokenise(text for _, text, _ in cases), lexicon)
    found = {
        (code.id, number)
        for code in codebook.codes
        for node in code.nodes
        for number in matcher.first_by_text(matcher.find(node))[0].tolist()
    }
    return [
        FailedExample(code.id, text, expected)
        for number, (code, text, expected) in enumerate(cases)
        if code.nodes and ((code.id, number) in found) != expected
    ]


def register_words(codebook: Codebook, vocabulary: Vocabulary) -> None:
    """Enter the words of the patterns and examples, so that their lemmas are learnt with the others."""
    for code in codebook.codes:
        vocabulary.tokenise([*code.positive_examples, *code.negative_examples])
        vocabulary.tokenise(word.text for node in code.nodes for word in words(node) if word.kind != "prefix")


def code_texts(
    codebook: Codebook,
    tokens: Tokens,
    lexicon: Lexicon,
    readable: NDArray[np.bool_],
    progress: Callable[[int, int], None] | None = None,
) -> Hits:
    """Give codes to the readable texts of a corpus; `progress` is called with (codes tried, codes to try).

    A text has a code once, by the first pattern of the code that finds a place in it.
    """
    matcher = Matcher(tokens, lexicon)
    rules: list[tuple[str, str]] = []
    none = np.zeros(0, dtype=np.int32)
    columns: list[list[NDArray[np.int32]]] = [[none], [none], [none]]
    for done, code in enumerate(codebook.codes, start=1):
        free = readable.copy()
        decided: list[list[NDArray[np.int32]]] = [[none], [none], [none]]
        for text, node in zip(code.patterns, code.nodes, strict=True):
            texts, spans = matcher.first_by_text(matcher.find(node))
            new = free[texts]
            texts, spans = texts[new], Spans(spans.start[new], spans.end[new])
            free[texts] = False
            rule = np.full(len(texts), len(rules), dtype=np.int32)
            for column, part in zip(decided, (texts, rule, matcher.words(spans)), strict=True):
                column.append(part)
            rules.append((code.id, text))
        order = np.argsort(np.concatenate(decided[0]), kind="stable")
        for whole, column in zip(columns, decided, strict=True):
            whole.append(np.concatenate(column)[order])
        if progress:
            progress(done, len(codebook.codes))
    found = [np.concatenate(column) for column in columns]
    return Hits(tuple(code.id for code in codebook.codes), tuple(rules), matcher.spelt, *found)
