import unicodedata

import numpy as np
import pytest

from analysis.text import Vocabulary
from analysis.words import in_context, is_emoji


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
        ("A-t-il, a t-il, a t il", ["a", "il", "a", "il", "a", "t'", "il"]),
        ("il faut l argent, c est l 'eau", ["il", "faut", "l'", "argent", "c'", "est", "l'", "eau"]),
        ("5 l au plus, vitamine C, plan B", ["5", "l", "au", "plus", "vitamine", "c", "plan", "b"]),
        ("1 000, 1\u00a0000, 1\u202f000, 1\u2009000", ["1000"] * 4),
        ("1 234 567,50 €", ["1234567,50"]),
        ("100 000km en 2018 300 000 fois", ["100000", "km", "en", "2018", "300000", "fois"]),
        ("06 12 34 56 78", ["06", "12", "34", "56", "78"]),
        ("12 3456, 0 500", ["12", "3456", "0", "500"]),
        ("M. Durand, M Durand, M.Durand", ["m.", "durand"] * 3),
        ("M. et MME. DURAND ONT DIT", ["m.", "et", "mme", "durand", "ont", "dit"]),
        ("5 m. de haut, 20 m plus bas", ["5", "m", "de", "haut", "20", "m", "plus", "bas"]),
        ("MM. Durand, Dr. Petit, Mlle Roux", ["mm.", "durand", "dr", "petit", "mlle", "roux"]),
        ("art. 3 et art. L. 12, p. 5", ["art.", "3", "et", "art.", "l", "12", "p.", "5"]),
        ("j’aime l’art. Oui", ["j'", "aime", "l'", "art", "oui"]),
        ("p. ex. ici, p.ex. là", ["p.ex.", "ici", "p.ex.", "là"]),
        ("c.-à-d. non, c.à.d. oui", ["c.-à-d.", "non", "càd", "oui"]),
        ("le 3 sept. 2019, à sept. Puis", ["le", "3", "sept.", "2019", "à", "sept", "puis"]),
        (unicodedata.normalize("NFD", "éducation"), ["éducation"]),
        ("...", []),
        ("", []),
    ],
)
def test_french_words_are_cut_as_readers_expect(text, expected):
    assert forms(text) == expected


# Sequences of Unicode's « emoji-test.txt », one a kind: plain, with a skin, joined, a flag, a region, a key, drawn so.
@pytest.mark.parametrize(
    ("emoji", "form"),
    [
        ("\U0001f600", "\U0001f600"),
        ("\U0001f44d\U0001f3fd", "\U0001f44d\U0001f3fd"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
        (
            "\U0001f9d1\U0001f3fb\u200d\u2764\ufe0f\u200d\U0001f9d1\U0001f3ff",
            "\U0001f9d1\U0001f3fb\u200d\u2764\u200d\U0001f9d1\U0001f3ff",
        ),
        ("\U0001f937\u200d\u2640\ufe0f", "\U0001f937\u200d\u2640"),
        ("\U0001f1eb\U0001f1f7", "\U0001f1eb\U0001f1f7"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",) * 2,
        ("\u2764\ufe0f", "\u2764"),
        ("\u2764", "\u2764"),
        ("\u25b6\ufe0f", "\u25b6"),
        ("1\ufe0f\u20e3", "1\u20e3"),
    ],
)
def test_an_emoji_is_one_form_with_all_that_dresses_it(emoji, form):
    assert forms(f"Oui !{emoji}{emoji} non {emoji}") == ["oui", form, form, "non", form]
    assert is_emoji(form)


@pytest.mark.parametrize("text", ["©", "▶", "→", "•", "✓", "#", "*", "°", "\ufe0f"])
def test_a_sign_that_is_no_emoji_is_no_word(text):
    assert forms(f"oui {text} non") == ["oui", "non"]


def sentences(text):
    vocabulary = Vocabulary()
    tokens = vocabulary.tokenise([text])
    parts = {}
    for number, sentence in zip(tokens.forms.tolist(), tokens.sentences.tolist(), strict=True):
        parts.setdefault(sentence, []).append(vocabulary.forms[number])
    return list(parts.values())


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("M. Durand et Mme. Petit sont venus.", 1),
        ("Cf. Le rapport, art. 3, p. ex. ici, env. 5 km, av. le soir", 2),  # « av. » may be « avenue », or the end
        ("Vélos, trains, etc. sont chers", 1),
        ("Vélos, trains, etc. Ils sont chers", 2),
        ("Vélos, trains (etc.), c.-à-d. tout", 1),
        ("Long de 5 m. Puis rien", 2),
        ("Le 3 sept. 2019 à 10 000. Et après", 2),
    ],
)
def test_the_point_of_an_abbreviation_ends_no_sentence(text, count):
    assert len(sentences(text)) == count


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
    words, spaces, places = in_context("Il dit : «l’impôt»;non")
    assert words == ["Il", "dit", ":", "«", "l'", "impôt", "»", ";", "non"]
    assert spaces == [True, True, True, False, False, False, False, False, False]
    assert places == [0, 1, 4, 5, 8]


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
