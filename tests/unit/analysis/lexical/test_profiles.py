import numpy as np
import pytest
from scipy.stats import chi2_contingency

from analysis.corpus import single
from analysis.errors import AnalysisError
from analysis.lexical.profiles import plane, profiles
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
