import pytest

from analysis.typos import corrections

KNOWN = {
    "environnement": 900,
    "développer": 500,
    "pollution": 800,
    "solution": 700,
    "rare": 3,
    "taxer": 600,
    "taxes": 600,
}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("environement", "environnement"),
        ("environnnement", "environnement"),
        ("envirronnement", "environnement"),
        ("environnemnet", "environnement"),
        ("environnemant", "environnement"),
        ("developer", "développer"),
        ("dévelpoper", "développer"),
        ("nvironnement", None),
        ("polution", "pollution"),
        ("environment", None),
        ("co2024", None),
        ("rares", None),
    ],
)
def test_one_slip_from_a_frequent_form_is_mended(typed, meant):
    assert corrections({typed: 1}, KNOWN).get(typed) == meant


def test_a_form_that_is_not_rare_enough_is_left_alone():
    assert corrections({"polution": 16}, KNOWN) == {"polution": "pollution"}
    assert corrections({"polution": 17}, KNOWN) == {}


def test_a_form_between_two_frequent_ones_is_left_alone():
    assert corrections({"taxesr": 1}, KNOWN) == {}


def test_accents_do_not_count():
    assert corrections({"energétiqeu": 1}, {"énergétique": 100}) == {"energétiqeu": "énergétique"}
