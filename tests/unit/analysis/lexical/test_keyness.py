import numpy as np
import pytest
from scipy.stats import chi2, chi2_contingency, false_discovery_control

from analysis.errors import AnalysisError
from analysis.lexical.keyness import keyness, log_likelihood
from tests.unit.analysis.lexical.conftest import plain_words, planted


def test_log_likelihood_is_that_of_the_full_two_by_two_table():
    target, reference = np.array([30, 5, 0, 12]), np.array([40, 60, 9, 28])
    found = log_likelihood(target, reference, 1_000, 2_500)
    for rank, (f, g) in enumerate(zip(target, reference, strict=True)):
        table = [[f, g], [1_000 - f, 2_500 - g]]
        expected = chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
        assert abs(found[rank]) == pytest.approx(expected)
        assert np.sign(found[rank]) == (1 if f / 1_000 >= g / 2_500 else -1)


def test_a_word_ten_times_as_frequent_has_the_log_ratio_of_ten():
    words = plain_words([*["vélo vélo autre autre"] * 10, *["vélo autre autre autre"] * 10])
    first = keyness(words, np.arange(20) < 10)[0]
    assert (first.lemma, first.target, first.reference) == ("vélo", 20, 10)
    assert first.log_ratio == 1.0
    assert 10**first.log10_p == pytest.approx(chi2.sf(first.g2, 1), rel=0.01)


def test_significance_is_corrected_for_the_number_of_words_tried():
    texts, themes = planted(400)
    found = keyness(plain_words(texts), themes == 0)
    adjusted = false_discovery_control([10**item.log10_p for item in found])
    assert [item.significant for item in found] == [bool(p <= 0.05) for p in adjusted]
    assert {item.lemma for item in found if item.significant and item.g2 > 0} == {"vélo", "piste", "cyclable", "trajet"}
    assert any(not item.significant for item in found)


def test_an_enormous_difference_does_not_underflow():
    words = plain_words([" ".join(["vélo"] * 20_000), " ".join(["train"] * 20_000)])
    found = keyness(words, np.array([True, False]))
    assert found[0].log10_p < -5_000
    assert found[0].significant


@pytest.mark.parametrize(
    ("mask", "part"), [([False, False], "La partie étudiée"), ([True, True], "Le reste du corpus")]
)
def test_nothing_to_compare_is_said_in_french(mask, part):
    with pytest.raises(AnalysisError, match=f"{part} ne contient aucun mot"):
        keyness(plain_words(["vélo", "train"]), np.array(mask))
