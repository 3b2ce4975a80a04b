"""What the search takes for the same word."""

import pytest

from consult.search.policy import query_words, words


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("école", "ÉCOLES"),
        ("l’école", "Ecole"),
        ("l'école", "écoles"),
        ("ecole", "l’École"),
        ("travail", "travaux"),
        ("détail", "détails"),
        ("bateau", "bateaux"),
        ("cheval", "chevaux"),
        ("vélo", "Vélos"),
        ("cœur", "coeurs"),
        ("e\u0301cole", "\u00e9cole"),  # the accent apart, or in the letter
        ("qu’aujourd’hui", "AUJOURD'HUI"),
        ("jusqu’aux gares", "gare"),
        ("2 030", "2 030"),
    ],
)
def test_these_are_the_same_words(typed, written):
    assert set(query_words(typed)) <= set(words(written))


@pytest.mark.parametrize(("typed", "written"), [("bus", "bu"), ("gare", "garage"), ("pas", "pa")])
def test_these_are_not(typed, written):
    assert not set(query_words(typed)) <= set(words(written))


def test_grammatical_words_are_not_looked_for_unless_alone():
    assert query_words("les écoles de la ville") == ["ecole", "ville"]
    assert query_words("de la") == ["de", "la"]


def test_words_are_bounded_and_harmless_to_both_query_languages():
    hostile = "\"x' OR 1=1 -- NEAR(a b) col:* ! & | <-> \x00 🚲 " + "z" * 500
    assert all(word.isascii() and word.isalnum() and len(word) <= 40 for word in query_words(hostile))
    assert query_words("🚲 !!! — «»") == []
    assert len(query_words(" ".join(f"mot{n}" for n in range(50)))) == 12
