"""The compiled evaluation of patterns against a naive reading of the grammar, word by word."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.coding.lexicon_rules import NEGATION_SCOPE, Lexicon, Matcher
from analysis.coding.patterns import Both, Either, Near, Negated, Sequence, Word
from analysis.lemmas import Lemmas
from analysis.text import Vocabulary

WORDS = ["vélo", "train", "taxe", "pas"]
texts = st.lists(
    st.lists(st.sampled_from([*WORDS, "."]), max_size=12).map(" ".join),
    min_size=1,
    max_size=6,
)
words = st.builds(Word, st.just("exact"), st.sampled_from(WORDS[:3]))
sequences = st.builds(lambda parts: Sequence(tuple(parts)), st.lists(words, min_size=2, max_size=3))


def _extended(children):
    return st.one_of(
        st.builds(lambda parts: Either(tuple(parts)), st.lists(children, min_size=2, max_size=3)),
        st.builds(Near, children, children, st.integers(1, 4), st.booleans()),
        st.builds(Negated, children, st.booleans()),
    )


places = st.recursive(words | sequences, _extended, max_leaves=5)
patterns = st.recursive(
    places,
    lambda children: (
        st.builds(Both, children, children, st.booleans())
        | st.builds(lambda parts: Either(tuple(parts)), st.lists(children, min_size=2, max_size=2))
    ),
    max_leaves=4,
)


def naive(node, sentences):  # noqa: PLR0911 -- one return per form of the grammar
    """All (sentence, start, end) where a node holds in one text, given as lists of words."""
    match node:
        case Word(text=text):
            return {(s, i, i + 1) for s, line in enumerate(sentences) for i, word in enumerate(line) if word == text}
        case Sequence(words=parts):
            wanted = [part.text for part in parts]
            n = len(wanted)
            return {
                (s, i, i + n)
                for s, line in enumerate(sentences)
                for i in range(len(line) - n + 1)
                if line[i : i + n] == wanted
            }
        case Either(parts=parts):
            return set().union(*(naive(part, sentences) for part in parts))
        case Both(left=left, right=right, without=without):
            a, b = naive(left, sentences), naive(right, sentences)
            if without:
                return set() if b else a
            return a | b if a and b else set()
        case Near(left=left, right=right, distance=distance, ordered=ordered):
            found = set()
            for first, second in [(left, right)] if ordered else [(left, right), (right, left)]:
                for s, start, end in naive(first, sentences):
                    for other, begin, stop in naive(second, sentences):
                        if s == other and 1 <= begin - end + 1 <= distance:
                            found.add((s, start, stop))
            return found
        case Negated(part=part, denied=denied):
            return {
                (s, start, end)
                for s, start, end in naive(part, sentences)
                if ("pas" in sentences[s][max(0, start - NEGATION_SCOPE) : start]) == denied
            }


@pytest.mark.slow
@settings(max_examples=400)
@given(texts=texts, node=patterns)
def test_compiled_evaluation_finds_exactly_the_places_of_the_grammar(texts, node):
    vocabulary = Vocabulary()
    tokens = vocabulary.tokenise(texts)
    size = len(vocabulary)
    lemmas = Lemmas(tuple(vocabulary.forms), ("NOUN",) * size, ("table",) * size, {}, 0)
    matcher = Matcher(tokens, Lexicon(vocabulary, lemmas))
    spans = matcher.find(node)
    expected = set()
    for rank, text in enumerate(texts):
        sentences = [part.split() for part in text.split(".")]
        offsets = np.cumsum([0, *map(len, sentences)])
        base = int(tokens.starts[rank])
        expected |= {(base + int(offsets[s]) + a, base + int(offsets[s]) + b) for s, a, b in naive(node, sentences)}
    found = list(zip(spans.start.tolist(), spans.end.tolist(), strict=True))
    assert found == sorted(expected)
