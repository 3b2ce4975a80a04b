import numpy as np
import pytest
from scipy.stats import chi2_contingency

from analysis.corpus import single
from analysis.errors import AnalysisError
from analysis.lexical.profiles import illustrated, plane, profiles
from tests.unit.analysis.lexical.conftest import plain_table

TEXTS = ["vélo piste ville", "vélo ville", "vélo", "taxe ville", "taxe impôt ville", "taxe", "gare"]
CLASSES = np.array([0, 0, 0, 1, 1, 1, -1], dtype=np.int32)


@pytest.fixture(scope="module")
def table():
    return plain_table(TEXTS)


def test_each_feature_has_the_signed_chi_square_of_its_presence(table):
    features = {feature.name: feature for feature in profiles(table, CLASSES)[0].features}
    expected = chi2_contingency([[1, 2], [0, 3]], correction=False)
    piste = features["piste"]
    assert (piste.units, piste.total, piste.share) == (1, 1, 100.0)
    assert piste.chi2 == pytest.approx(expected.statistic, abs=1e-3)
    assert piste.p == pytest.approx(expected.pvalue, abs=1e-4)
    assert features["taxe"].chi2 == -6.0
    assert "gare" not in features


def test_profiles_come_first_and_antiprofiles_last(table):
    first = profiles(table, CLASSES)[0].features
    assert (first[0].name, first[-1].name) == ("vélo", "taxe")
    assert [feature.chi2 for feature in first] == sorted((feature.chi2 for feature in first), reverse=True)


def test_the_most_typical_unit_holds_the_most_of_the_profile(table):
    found = profiles(table, CLASSES, typical=2)
    assert found[0].typical[0][0] == 0
    assert found[1].typical[0][0] == 4
    scores = {feature.name: feature.chi2 for feature in found[0].features}
    assert found[0].typical[0][1] == pytest.approx(scores["vélo"] + scores["piste"])


def test_categories_of_variables_are_described_and_decide_nothing(table):
    region = single("region", "Région", ["Nord", "Nord", "Nord", "Sud", "Sud", None, "Sud"])
    found = profiles(table, CLASSES, variables=[region])[0]
    assert [(item.name, item.units, item.total) for item in found.variables] == [
        ("Région : Nord", 3, 3),
        ("Région : Sud", 0, 2),
    ]
    assert found.variables[0].chi2 == 6.0


def test_the_factorial_plane_opposes_the_classes(table):
    found = plane(table, CLASSES)
    places = dict(zip(table.lemmas, found.rows[:, 0].tolist(), strict=True))
    assert places["vélo"] * places["taxe"] < 0
    assert np.sign(found.columns[0, 0]) == np.sign(places["vélo"])
    assert np.isnan(places["gare"])


def test_a_single_class_has_no_plane(table):
    with pytest.raises(AnalysisError, match="qu’une classe"):
        plane(table, np.zeros(7, dtype=np.int32))


def test_scores_are_the_sum_and_the_mean_of_the_chi_squares_of_the_marked_lemmas(table):
    first = profiles(table, CLASSES)[0]
    marked = {item.name: item.chi2 for item in first.profile}
    held = {unit: [marked[word] for word in TEXTS[unit].split() if word in marked] for unit in range(3)}
    for found in (first.typical, first.typical_on_average):
        for unit, absolute, relative in found:
            assert absolute == pytest.approx(sum(held[unit]), abs=0.002)
            assert relative == pytest.approx(np.mean(held[unit]), abs=0.002)
    assert [item.unit for item in first.typical] == [0, 1, 2]
    assert [item.unit for item in first.typical_on_average] == sorted(held, key=lambda u: -round(np.mean(held[u]), 3))


def test_equal_scores_are_put_in_the_order_of_the_names_and_only_what_may_be_shown_is():
    same = plain_table(["vélo", "vélo", "vélo", "taxe", "taxe"])
    classes = np.array([0, 0, 0, 1, 1], dtype=np.int32)
    found = profiles(same, classes, typical=2, ids=["c", "b", "a", "d", "e"])[0]
    assert [item.unit for item in found.typical] == [2, 1]
    shown = np.array([True, True, False, True, True])
    assert [item.unit for item in profiles(same, classes, shown=shown)[0].typical] == [0, 1]


def test_categories_fall_on_the_plane_where_a_lemma_of_the_same_units_does(table):
    found = plane(table, CLASSES)
    same = single("v", "V", ["avec" if "ville" in text else "sans" for text in TEXTS])
    never = single("n", "N", [None] * 6 + ["gare"])
    (_, places), (_, nowhere) = illustrated(found, table, CLASSES, [same, never])
    assert places[0] == pytest.approx(found.rows[table.lemmas.index("ville")])
    assert np.isnan(nowhere).all()
