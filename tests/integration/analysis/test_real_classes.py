"""Reinert's classification of a long public-domain text, as an IRaMuTeQ user would run it."""

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from analysis.corpus import Corpus
from analysis.lexical.double import classify_twice
from analysis.lexical.profiles import profiles
from analysis.lexical.reinert import classify, descend
from analysis.lexical.segments import cut, tabulate
from analysis.prepare import prepare
from analysis.text import Vocabulary

pytestmark = [pytest.mark.real_data, pytest.mark.slow]
DATA = Path(os.environ.get("CONSULT_REAL_DATA") or Path(__file__).parents[4] / "shared" / "data")


@pytest.fixture(scope="module")
def table(lemma_cache):
    text = (DATA / "lexico_manifeste_pc" / "manifeste_pc.txt").read_text(encoding="utf-8")
    corpus = Corpus("manifeste", "Manifeste", "external", ("1",), (text,))
    (found,), _ = prepare([corpus], Vocabulary(), seed=1, cache=lemma_cache)
    return tabulate(found.words, cut(found.words))


def test_segments_are_about_forty_words(table):
    lengths = np.diff(table.segments.starts)
    assert lengths[:-1].min() >= 24
    assert lengths.max() <= 56
    assert 36 <= lengths.mean() <= 44


def test_classes_are_those_of_no_single_better_move_whatever_the_order(table):
    found = classify(table, classes=5)
    assert found.count == 5
    assert found.sizes.min() >= found.least
    order = np.random.default_rng(2).permutation(len(found.classes))
    assert descend(table.matrix[order], classes=5, least=None, seed=4).classes.tolist() == found.classes[order].tolist()
    for node in [node for node in found.nodes if node.children]:
        one, two = (found.nodes[child].units for child in node.children)
        rows = table.matrix[np.concatenate([one, two])][:, node.columns].toarray()
        sums = np.stack([rows[: len(one)].sum(axis=0), rows[len(one) :].sum(axis=0)])
        expected = np.outer(sums.sum(axis=1), sums.sum(axis=0)) / sums.sum()
        assert node.chi2 == pytest.approx(((sums - expected) ** 2 / expected).sum(), rel=1e-9)


def test_double_classification_agrees_with_the_simple_one(table):
    twice = classify_twice(table, classes=5)
    agreed = twice.largest.classes
    inside = agreed >= 0
    assert 0.5 < inside.mean() <= 1
    simple = twice.simple[0].classes[twice.groups[0]]
    assert adjusted_rand_score(agreed[inside], simple[inside]) > 0.3


def test_each_class_has_a_vocabulary_of_its_own(table):
    found = profiles(table, classify(table, classes=4).classes)
    first = [{feature.name for feature in profile.features[:10]} for profile in found]
    assert len(set.union(*first)) == 40
    assert all(profile.features[0].chi2 > 10 for profile in found)
    assert all(profile.features[-1].chi2 < 0 for profile in found)
