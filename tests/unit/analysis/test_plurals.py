import pytest

from analysis.plurals import counted


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 code publiable"), (1, "1 code publiable"), (2, "2 codes publiables"), (1_000, "1000 codes publiables")],
)
def test_the_plural_begins_at_two(count, words):
    assert counted(count, "code publiable") == words


def test_words_that_already_end_so_do_not_change_and_other_plurals_are_given():
    assert counted(3, "mot précis") == "3 mots précis"
    assert counted(3, "tableau écrit", "tableaux écrits") == "3 tableaux écrits"
