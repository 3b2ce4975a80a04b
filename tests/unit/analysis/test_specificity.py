from fractions import Fraction
from math import comb, log10

import numpy as np
import pytest
from scipy.stats import false_discovery_control, hypergeom

from analysis.corpus import single
from analysis.lemmas import Lemmas
from analysis.lexical.frequencies import frequencies, lemmatise
from analysis.lexical.specificity import benjamini_hochberg, log10_tail, specificities
from analysis.text import Vocabulary


def exact(f, t, big_f, big_t):
    """Lafon's index by integers and fractions alone."""
    over = f * big_t >= big_f * t
    ks = range(f, min(big_f, t) + 1) if over else range(max(0, t - (big_t - big_f)), f + 1)
    tail = Fraction(sum(comb(big_f, k) * comb(big_t - big_f, t - k) for k in ks), comb(big_t, t))
    if tail == 1:
        return 0.0
    value = log10(tail.numerator) - log10(tail.denominator)
    return -value if over else value


CASES = [
    (11, 1000, 60, 20_000),
    (0, 1000, 60, 20_000),
    (1, 1000, 60, 20_000),
    (3, 1000, 60, 20_000),
    (60, 1000, 60, 20_000),
    (4, 4, 5, 9),
    (0, 4, 5, 9),
    (296, 4000, 500, 9_000),
    (150, 4000, 500, 9_000),
]


@pytest.mark.parametrize("case", CASES)
def test_score_equals_exact_fractions(case):
    f, t, big_f, big_t = case
    found = log10_tail(np.array([f]), np.array([t]), np.array([big_f]), big_t)[0]
    assert found == pytest.approx(exact(*case), abs=1e-8)


def test_all_cases_at_once_equal_one_by_one():
    f, t, big_f, _ = (np.array(column) for column in zip(*CASES[:5], strict=True))
    assert log10_tail(f, t, big_f, 20_000).tolist() == pytest.approx([exact(*case) for case in CASES[:5]], abs=1e-8)


def test_score_does_not_underflow_where_the_plain_probability_does():
    f, t, big_f, big_t = 3_000, 300_000, 9_000, 30_000_000
    assert hypergeom.sf(f - 1, big_t, big_f, t) == 0.0
    found = log10_tail(np.array([f]), np.array([t]), np.array([big_f]), big_t)[0]
    terms = hypergeom.logpmf(np.arange(f, f + 2000), big_t, big_f, t)
    reference = -(terms.max() + np.log(np.exp(terms - terms.max()).sum())) / np.log(10)
    assert found == pytest.approx(reference, rel=1e-7)
    assert found > 300


def test_false_discovery_control_matches_scipy():
    p = np.random.default_rng(3).uniform(size=200) ** 3
    assert benjamini_hochberg(np.log(p)).tolist() == (false_discovery_control(p) <= 0.05).tolist()
    assert benjamini_hochberg(np.zeros(0)).tolist() == []


@pytest.fixture
def corpus():
    texts = ["vélo vélo route"] * 8 + ["train gare"] * 8 + ["route"] * 4
    vocabulary = Vocabulary()
    tokens = vocabulary.tokenise(texts)
    lemmas = Lemmas(tuple(vocabulary.forms), ("NOUN",) * len(vocabulary), ("table",) * len(vocabulary), {}, 0)
    return vocabulary, lemmatise(tokens, vocabulary, lemmas, np.ones(len(texts), dtype=np.bool_))


def test_words_of_a_part_stand_out_and_carry_their_four_numbers(corpus):
    _, words = corpus
    variable = single("place", "Lieu", ["ville"] * 8 + ["gare"] * 8 + [None] * 4)
    found = {(item.category, item.lemma): item for item in specificities(words, variable)}
    bike = found["ville", "vélo"]
    assert (bike.f, bike.t, bike.total_f, bike.total_t) == (16, 24, 16, 40)
    assert bike.score == pytest.approx(exact(16, 24, 16, 40), abs=0.005)
    assert bike.ratio == 1.67
    assert bike.significant
    assert found["gare", "vélo"].score < -2
    assert ("ville", "route") in found


def test_a_single_category_has_no_specificity(corpus):
    _, words = corpus
    assert specificities(words, single("x", "X", ["seul"] * 20)) == []


def test_frequencies_count_occurrences_and_texts(corpus):
    vocabulary, words = corpus
    found = {item.lemma: item for item in frequencies(words, vocabulary)}
    assert (found["vélo"].count, found["vélo"].texts) == (16, 8)
    assert (found["route"].count, found["route"].texts) == (12, 12)
    assert found["route"].forms == (("route", 12),)
    assert [item.lemma for item in frequencies(words, vocabulary)][:2] == ["vélo", "route"]
