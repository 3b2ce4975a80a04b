import unicodedata

import numpy as np
import pytest

from analysis.text import Vocabulary
from analysis.words import in_context


def forms(text):
    vocabulary = Vocabulary()
    tokens = vocabulary.tokenise([text])
    return [vocabulary.forms[number] for number in tokens.forms]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("L’impôt", ["l'", "impôt"]),
        *((f"l{sign}impôt", ["l'", "impôt"]) for sign in "'’ʼʻʽʹ‘‛′ꞌ＇`´"),
        ("L'impôt", ["l'", "impôt"]),
        ("l´impôt", ["l'", "impôt"]),
        ("l argent", ["l'", "argent"]),
        ("qu'il n'y ait", ["qu'", "il", "n'", "y", "ait"]),
        ("lorsqu’on", ["lorsqu'", "on"]),
        ("Faut-il ? Peut-on", ["faut", "il", "peut", "on"]),
        ("A-t-on", ["a", "on"]),
        ("Va-t'en", ["va", "t'", "en"]),
        ("peut-être un rendez-vous aujourd’hui", ["peut-être", "un", "rendez-vous", "aujourd'hui"]),
        ("quelqu'un, c'est-à-dire", ["quelqu'un", "c'est-à-dire"]),
        ("ces gens-là, celui-ci", ["ces", "gens", "là", "celui-ci"]),
        ("honte;les élus", ["honte", "les", "élus"]),
        ("fin.Puis", ["fin", "puis"]),
        ("et/ou", ["et", "ou"]),
        ("la T.V.A. à 5,5 %", ["la", "tva", "à", "5,5"]),
        ("CO2 et 1er", ["co2", "et", "1er"]),
        ("le n°5, le N° 5 : n'y va pas", ["le", "n°", "5", "le", "n°", "5", "n'", "y", "va", "pas"]),
        ("BAISSER LES IMPÔTS !", ["baisser", "les", "impôts"]),
        ("voir https://exemple.fr/a?b=c.", ["voir", "https://exemple.fr/a?b=c."]),
        ("😀 oui", ["oui"]),
        (unicodedata.normalize("NFD", "éducation"), ["éducation"]),
        ("...", []),
        ("", []),
    ],
)
def test_french_words_are_cut_as_readers_expect(text, expected):
    assert forms(text) == expected


def test_every_text_keeps_its_rank_and_its_words():
    vocabulary = Vocabulary()
    tokens = vocabulary.tokenise(["Le vélo. La voiture", "", "!!", "vélo"])
    assert tokens.starts.tolist() == [0, 4, 4, 4, 5]
    assert tokens.texts.tolist() == [0, 0, 0, 0, 3]
    assert len(set(tokens.sentences[:2].tolist())) == 1
    assert tokens.sentences[1] != tokens.sentences[2]
    assert tokens.sentences[3] != tokens.sentences[4]
    assert vocabulary.forms == ["le", "vélo", "la", "voiture"]


def test_texts_without_punctuation_do_not_share_a_sentence():
    tokens = Vocabulary().tokenise(["un vélo", "un train"])
    assert tokens.sentences[1] != tokens.sentences[2]


def test_corpora_share_one_vocabulary():
    vocabulary = Vocabulary()
    first = vocabulary.tokenise(["le train"])
    second = vocabulary.tokenise(["train le soir"])
    assert second.forms.tolist() == [first.forms[1], first.forms[0], 2]


def test_acronyms_are_known_by_their_capitals():
    vocabulary = Vocabulary()
    tokens = vocabulary.tokenise(["La TVA et l’état", "tva, TVA", "Non"])
    assert {vocabulary.forms[number] for number in vocabulary.acronyms([tokens])} == {"tva"}


def test_shouting_makes_no_acronym():
    vocabulary = Vocabulary()
    tokens = vocabulary.tokenise(["SUPPRIMER LES TAXES SUR LE GAZ"])
    assert not vocabulary.acronyms([tokens])


def test_tagger_gets_words_with_punctuation_and_spaces():
    words, spaces = in_context("Il dit : «l’impôt»;non")
    assert words == ["Il", "dit", ":", "«", "l'", "impôt", "»", ";", "non"]
    assert spaces == [True, True, True, False, False, False, False, False, False]


def test_text_of_64537_characters_is_cut_whole():
    text = "une phrase ordinaire, " * 2933 + "fin de texte"
    assert len(text) > 64_537
    assert len(forms(text)) == 3 * 2933 + 3


def test_no_text_at_all_is_an_empty_corpus():
    tokens = Vocabulary().tokenise([])
    assert tokens.forms.shape == (0,)
    assert tokens.starts.tolist() == [0]
    assert tokens.forms.dtype == np.int32


def test_each_word_knows_the_punctuation_before_it():
    tokens = Vocabulary().tokenise(["Un, deux ; trois : quatre. \n Cinq six", "Sept"])
    assert tokens.breaks.tolist() == [7, 1, 4, 5, 6, 0, 7]


def test_a_comma_does_not_end_a_sentence():
    tokens = Vocabulary().tokenise(["cher, rapide; propre"])
    assert tokens.sentences[0] == tokens.sentences[1] != tokens.sentences[2]
