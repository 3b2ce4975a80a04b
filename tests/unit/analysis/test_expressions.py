from itertools import pairwise

import numpy as np
import pytest

from analysis.errors import AnalysisError
from analysis.expressions import join, propose, read_expressions
from analysis.languages import language
from analysis.lemmas import Lemmas
from analysis.text import Vocabulary


def read(texts):
    vocabulary = Vocabulary()
    tokens = vocabulary.tokenise(texts)
    lemma = tuple(form.removesuffix("s") if len(form) > 3 else form for form in vocabulary.forms)
    size = len(vocabulary)
    return tokens, vocabulary, Lemmas(lemma, ("NOUN",) * size, ("table",) * size, {}, 0)


def joined(texts, expressions):
    tokens, vocabulary, lemmas = read(texts)
    found, extended = join(tokens, vocabulary, lemmas, expressions)
    words = [extended.lemma[number] for number in found.forms]
    bounds = found.starts.tolist()
    return [words[start:end] for start, end in pairwise(bounds)]


def test_an_expression_counts_as_one_word_whatever_its_forms():
    assert joined(["des transports en commun", "le transport en commun gratuit"], ["transport en commun"]) == [
        ["des", "transport en commun"],
        ["le", "transport en commun", "gratuit"],
    ]


def test_elisions_and_apostrophes_do_not_hide_an_expression():
    assert joined(["le pouvoir d’achat"], ["pouvoir d'achat"]) == [["le", "pouvoir d'achat"]]


@pytest.mark.parametrize("text", ["transport en. commun", "transport, en commun", "transport en"])
def test_punctuation_parts_an_expression(text):
    assert "transport en commun" not in joined([text, "transport en commun"], ["transport en commun"])[0]


def test_an_expression_never_spans_two_texts():
    assert joined(["transport en", "commun"], ["transport en commun"]) == [["transport", "en"], ["commun"]]


def test_the_longest_expression_wins_and_each_word_counts_once():
    texts = ["gaz à effet de serre", "effet de serre"]
    assert joined(texts, ["effet de serre", "gaz à effet de serre"]) == [["gaz à effet de serre"], ["effet de serre"]]


def test_no_expression_changes_nothing():
    tokens, vocabulary, lemmas = read(["vélo en ville", ""])
    found, extended = join(tokens, vocabulary, lemmas, ["bateau à voile"])
    assert found.forms.tolist() == tokens.forms.tolist()
    assert extended.lemma == lemmas.lemma


def test_words_that_keep_together_are_proposed():
    tokens, _, lemmas = read(
        ["la fibre optique arrive", "fibre optique partout", "la fibre optique, partout la ville"] * 5
    )
    found = propose(tokens, lemmas, np.ones(len(lemmas.lemma), dtype=np.bool_), min_count=5)
    assert found[0].words == ("fibre", "optique")
    assert (found[0].together, found[0].first, found[0].second) == (15, 15, 15)
    assert propose(tokens, lemmas, np.zeros(len(lemmas.lemma), dtype=np.bool_)) == []


def test_the_authored_list_holds_expressions_of_two_to_six_words():
    assert "pouvoir d'achat" in language().expressions
    assert len(set(language().expressions)) == len(language().expressions)


def test_a_file_of_expressions_names_the_line_at_fault(tmp_path):
    path = tmp_path / "expressions.txt"
    path.write_text("# transports\ntrain de nuit\n\nfret ferroviaire\n", encoding="utf-8")
    assert read_expressions(path, language()) == ("train de nuit", "fret ferroviaire")
    path.write_text("train de nuit\ntrain\n", encoding="utf-8")
    with pytest.raises(AnalysisError, match="ligne 2 : « train » doit compter de 2 à 6 mots"):
        read_expressions(path, language())
