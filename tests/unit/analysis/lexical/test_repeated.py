"""Repeated segments: the same as a plain count of every run of words."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from analysis.lexical.repeated import repeated_segments
from analysis.lexical.segments import cut
from tests.unit.analysis.lexical.conftest import plain_words, planted


def runs(texts, longest=10):
    """Occurrences, and texts, of every run of two words or more that crosses no punctuation."""
    counts, held = Counter(), defaultdict(set)
    for number, text in enumerate(texts):
        for clause in text.split("."):
            words = clause.split()
            for start in range(len(words)):
                for end in range(start + 2, min(len(words), start + longest) + 1):
                    counts[" ".join(words[start:end])] += 1
                    held[" ".join(words[start:end])].add(number)
    return counts, held


def free(counts, least, longest=10):
    """Those that come back, without those that always stand within one of one word more."""
    kept = {run for run, count in counts.items() if count >= least}
    inside = set()
    for run in kept:
        for shorter in (run.split()[:-1], run.split()[1:]):
            if len(run.split()) <= longest and counts[" ".join(shorter)] == counts[run]:
                inside.add(" ".join(shorter))
    return kept - inside


def found(texts, **options):
    words = plain_words(texts)
    forms = words.lemmas  # each form is its own lemma here
    return repeated_segments(words, cut(words, size=0), forms, **options)


def test_they_are_those_that_a_plain_count_gives():
    texts = [
        *planted(80)[0],
        "vélo piste cyclable trajet. ville maire",
        "piste cyclable trajet ville",
        "haie haie haie haie",
    ]
    counts, held = runs(texts)
    result = found(texts, least=3)
    expected = free(counts, 3)
    assert len(expected) > 20
    assert set(result.table.lemmas) == expected
    assert result.counts.tolist() == [counts[run] for run in result.table.lemmas]
    assert result.texts.tolist() == [len(held[run]) for run in result.table.lemmas]
    assert list(result.table.lemmas) == sorted(expected, key=lambda run: (-counts[run], run))
    units = result.table.matrix.tocsc()
    for column, run in enumerate(result.table.lemmas):
        assert set(units.indices[units.indptr[column] : units.indptr[column + 1]].tolist()) == held[run]


@pytest.mark.parametrize("longest", [2, 3])
def test_the_longest_are_kept_though_longer_ones_hold_them(longest):
    texts = ["a1 b1 c1 d1"] * 3
    expected = {2: {"a1 b1", "b1 c1", "c1 d1"}, 3: {"a1 b1 c1", "b1 c1 d1"}}[longest]
    assert set(found(texts, longest=longest).table.lemmas) == expected
    assert found(texts).table.lemmas == ("a1 b1 c1 d1",)


def test_runs_of_too_few_texts_and_of_function_words_are_not_shown():
    assert found(["vélo piste. vélo piste. vélo piste"], min_texts=2).table.lemmas == ()
    assert found(["de la ville", "de la ville", "de la vie"], least=2).table.lemmas == ("de la ville",)


def test_no_text_no_segment():
    assert found([]).table.lemmas == ()
    assert found(["vélo"]).counts.shape == (0,)
    assert np.array_equal(found(["vélo"]).texts, [])
