import pytest

from analysis.coding.lexicon_rules import Lexicon, Matcher
from analysis.coding.patterns import parse
from analysis.errors import AnalysisError
from analysis.lemmas import Lemmas
from analysis.lexical.concordance import concordance
from analysis.text import Vocabulary

TEXTS = ["Plus de trains la nuit, moins de trains le jour", "trains", "Des trains gratuits. Un train chaque heure"]


def lines(pattern, **options):
    vocabulary = Vocabulary()
    tokens = vocabulary.tokenise(TEXTS)
    lemma = tuple(form.removesuffix("s") if form == "trains" else form for form in vocabulary.forms)
    size = len(vocabulary)
    lemmas = Lemmas(lemma, ("NOUN",) * size, ("table",) * size, {}, 0)
    matcher = Matcher(tokens, Lexicon(vocabulary, lemmas))
    found = concordance(parse(pattern), tokens, vocabulary, matcher, **options)
    return [(line.text, " ".join(line.left), " ".join(line.centre), " ".join(line.right)) for line in found]


def test_each_place_is_shown_with_its_neighbours_of_the_same_text():
    assert lines("train", width=2) == [
        (0, "plus de", "trains", "la nuit"),
        (0, "moins de", "trains", "le jour"),
        (1, "", "trains", ""),
        (2, "des", "trains", "gratuits un"),
        (2, "gratuits un", "train", "chaque heure"),
    ]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("left", ["", "moins de", "plus de", "des", "gratuits un"]),
        ("right", ["", "gratuits un", "des", "plus de", "moins de"]),
        ("centre", ["gratuits un", "", "des", "plus de", "moins de"]),
    ],
)
def test_lines_are_sorted_from_the_centre_outwards(order, expected):
    found = [left for _, left, _, _ in lines("train", width=2, order=order)]
    assert found == expected


def test_several_words_stand_in_the_centre():
    assert lines("moins PUIS/2 train", width=1) == [(0, "nuit", "moins de trains", "le")]


def test_unknown_order_is_refused():
    with pytest.raises(AnalysisError, match="au choix"):
        lines("train", order="hasard")
