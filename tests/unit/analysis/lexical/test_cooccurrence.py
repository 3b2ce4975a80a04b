import numpy as np
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.stats import hypergeom

from analysis.errors import AnalysisError
from analysis.lexical.cooccurrence import INDICES, companions, pairs, similarity_tree
from tests.unit.analysis.lexical.conftest import plain_table, planted

TEXTS = ["vélo piste ville", "vélo piste", "vélo ville", "train gare", "train gare ville", "seule"]


def values(index):
    table = plain_table(TEXTS)
    return {(edge.first, edge.second): edge.similarity for edge in pairs(table, list(range(len(table.lemmas))), index)}


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        ("cooccurrence", 2),
        ("percentage", 33.333333),
        ("jaccard", 0.666667),
        ("dice", 0.8),
        ("cosine", 0.816497),
        ("pmi", 1.0),
    ],
)
def test_similarity_of_two_words_held_together(index, expected):
    assert values(index)["piste", "vélo"] == pytest.approx(expected)
    assert ("gare", "vélo") not in values(index)


def test_the_tree_is_the_maximum_one():
    table = plain_table(planted(300)[0])
    tree = similarity_tree(table, index="jaccard")
    edges = pairs(table, list(range(len(table.lemmas))), "jaccard")
    number = {lemma: rank for rank, lemma in enumerate(table.lemmas)}
    lengths = np.zeros((len(number), len(number)))
    for edge in edges:
        lengths[number[edge.first], number[edge.second]] = 2 - edge.similarity
    expected = minimum_spanning_tree(lengths)
    assert len(tree.edges) == len(table.lemmas) - 1 == expected.nnz
    assert sum(2 - edge.similarity for edge in tree.edges) == pytest.approx(expected.sum())


def test_words_that_never_meet_stay_apart():
    tree = similarity_tree(plain_table(TEXTS))
    assert ("seule", 1) in tree.lemmas
    assert all("seule" not in (edge.first, edge.second) for edge in tree.edges)
    assert len(tree.edges) == len(tree.lemmas) - 2


def test_only_the_most_frequent_lemmas_enter_the_tree():
    assert [lemma for lemma, _ in similarity_tree(plain_table(TEXTS), most=2).lemmas] == ["ville", "vélo"]


def test_companions_have_the_probability_of_lafon():
    found = {item.lemma: item for item in companions(plain_table(TEXTS), "vélo")}
    piste = found["piste"]
    assert (piste.both, piste.pivot, piste.total, piste.units) == (2, 3, 2, 6)
    assert piste.score == pytest.approx(-np.log10(hypergeom.sf(1, 6, 2, 3)), abs=0.005)
    assert found["train"].score < 0
    assert "vélo" not in found


def test_an_unknown_word_or_index_is_said_in_french():
    with pytest.raises(AnalysisError, match="« bateau » est absent"):
        companions(plain_table(TEXTS), "bateau")
    with pytest.raises(AnalysisError, match=f"au choix : {', '.join(INDICES)}"):
        similarity_tree(plain_table(TEXTS), index="euclide")
