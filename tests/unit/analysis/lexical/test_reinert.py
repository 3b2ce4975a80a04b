from itertools import combinations

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import adjusted_rand_score

from analysis.errors import AnalysisError
from analysis.lexical.bipartition import Rows, divide, improving, kept_columns
from analysis.lexical.double import classify_twice
from analysis.lexical.reinert import classify, descend, distinct
from tests.unit.analysis.lexical.conftest import plain_table, planted


def dense_chi2(table, first):
    """Chi-square of the two-row table of sums, from expected counts."""
    sums = np.stack([table[first].sum(axis=0), table[~first].sum(axis=0)])
    sums = sums[:, sums.sum(axis=0) > 0]
    expected = np.outer(sums.sum(axis=1), sums.sum(axis=0)) / sums.sum()
    return ((sums - expected) ** 2 / expected).sum()


def mask(size, ranks):
    found = np.zeros(size, dtype=bool)
    found[list(ranks)] = True
    return found


def random_matrix(rows, columns, seed, density=0.3):
    dense = np.random.default_rng(seed).random((rows, columns)) < density
    return sparse.csr_matrix(dense.astype(float))


@pytest.fixture(scope="module")
def planted_classes(planted_corpus):
    texts, themes = planted_corpus
    return plain_table(texts), themes, classify(plain_table(texts), classes=3)


def test_planted_themes_are_found(planted_classes):
    _, themes, found = planted_classes
    assert adjusted_rand_score(themes, found.classes) > 0.97
    assert found.unclassified == 0


@pytest.mark.parametrize("seed", range(6))
def test_reported_chi_square_is_the_recomputed_one_and_no_single_move_improves_it(seed):
    matrix = random_matrix(60, 14, seed)
    found = descend(matrix, classes=4, least=5, seed=1)
    dense = matrix.toarray()
    for node in found.nodes:
        if node.children is None:
            continue
        one, two = (found.nodes[child].units for child in node.children)
        rows = np.concatenate([one, two])
        table = dense[rows][:, node.columns]
        first = mask(len(rows), range(len(one)))
        assert node.chi2 == pytest.approx(dense_chi2(table, first), rel=1e-9)
        for row in range(len(rows)):
            moved = first ^ mask(len(rows), [row])
            if min(moved.sum(), (~moved).sum()) >= found.least:
                assert dense_chi2(table, moved) <= node.chi2 * (1 + 1e-8)


def test_the_best_of_all_partitions_of_a_small_clear_table_is_found():
    table = np.array(
        [[1, 1, 0, 0, 1], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 0, 1, 0]]
    )
    best = max(dense_chi2(table, mask(6, chosen)) for size in range(1, 6) for chosen in combinations(range(6), size))
    rows, _ = distinct(sparse.csr_matrix(table.astype(float)))
    assert divide(rows, least=1, seed=1).chi2 == pytest.approx(best)


def test_copies_of_a_row_weigh_like_as_many_rows():
    dense = (np.random.default_rng(1).random((40, 12)) < 0.3).astype(float)
    dense[:, 0] = 1
    once = Rows(sparse.csr_matrix(np.repeat(dense, 3, axis=0)), np.ones(120))
    copies = Rows(sparse.csr_matrix(dense), np.full(40, 3.0))
    first = np.arange(40) < 15
    assert not len(improving(copies, divide(copies, least=3, seed=1).first, least=3))
    kept = kept_columns(copies, first)
    assert [side.tolist() for side in kept] == [side.tolist() for side in kept_columns(once, np.repeat(first, 3))]


def test_row_order_gives_the_same_classes(planted_classes, planted_corpus):
    *_, found = planted_classes
    order = np.random.default_rng(8).permutation(len(found.classes))
    shuffled = [planted_corpus[0][rank] for rank in order]
    again = classify(plain_table(shuffled), classes=3)
    assert again.classes.tolist() == found.classes[order].tolist()
    assert [node.chi2 for node in again.nodes] == [node.chi2 for node in found.nodes]


def test_seeds_give_nearly_the_same_classes(planted_classes):
    table, _, found = planted_classes
    assert adjusted_rand_score(classify(table, classes=3, seed=99).classes, found.classes) >= 0.8


def test_no_class_is_smaller_than_the_minimum_and_every_unit_is_accounted_for():
    table = plain_table(planted(300)[0])
    found = classify(table, classes=8, least=30)
    assert found.sizes.min() >= 30
    assert found.sizes.sum() + found.unclassified == len(table.texts)
    assert found.nodes[0].units.tolist() == list(range(300))


def test_units_without_any_lemma_are_counted_as_unclassified():
    texts = [*planted(100)[0], "rarissime", ""]
    table = plain_table(texts, min_units=2)
    found = classify(table, classes=3)
    assert len(found.classes) == 101
    assert found.classes[100] == -1
    assert found.unclassified == 1


def test_classes_are_numbered_along_the_dendrogram(planted_classes):
    *_, found = planted_classes
    order, stack = [], [0]
    while stack:
        node = found.nodes[stack.pop()]
        if node.children:
            stack += node.children[::-1]
        else:
            order.append(node.label)
    assert order == list(range(found.count))


@pytest.mark.parametrize("texts", [["vélo"], ["vélo"] * 50, ["vélo", "train"]])
def test_what_cannot_be_divided_is_one_class(texts):
    found = classify(plain_table(texts), classes=10)
    assert found.count == 1
    assert set(found.classes.tolist()) == {0}


@pytest.mark.parametrize("texts", [[], [""], ["🙂", "!!"]])
def test_nothing_to_classify_is_said_in_french(texts):
    with pytest.raises(AnalysisError, match="aucune forme pleine"):
        classify(plain_table(texts))


@pytest.mark.parametrize(("options", "words"), [({"classes": 1}, "de 2 à 100"), ({"least": 0}, "au moins 1")])
def test_options_out_of_bounds_are_refused(options, words):
    with pytest.raises(AnalysisError, match=words):
        classify(plain_table(["vélo train"] * 3), **options)


def test_double_classification_keeps_what_both_agree_on(planted_corpus):
    texts, themes = planted_corpus
    long = [" ".join(texts[rank] for rank in np.flatnonzero(themes == theme)) for theme in range(3)]
    table = plain_table(long, size=12)
    found = classify_twice(table, classes=4, forms=(6, 9), min_members=5)
    agreed = found.agreements[3]
    inside = agreed.classes >= 0
    assert adjusted_rand_score(table.texts[inside], agreed.classes[inside]) > 0.9
    assert agreed.unclassified == int((~inside).sum())
    assert [crossing.units for crossing in agreed.crossings] == np.bincount(agreed.classes[inside]).tolist()
    assert agreed.chi2 == pytest.approx(sum(crossing.chi2 for crossing in agreed.crossings))


def test_double_classification_of_one_block_agrees_on_nothing():
    found = classify_twice(plain_table(["vélo train"] * 20), classes=3)
    assert found.agreements == {}
    with pytest.raises(AnalysisError, match="ne s’accordent sur aucune classe"):
        _ = found.largest
