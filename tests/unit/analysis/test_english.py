"""English by configuration: words, lemmas, non-responses and function words, and what does not mix with French."""

import numpy as np
import pytest

from analysis import nonresponse
from analysis.coding.codebook import from_mapping
from analysis.coding.lexicon_rules import Lexicon, code_texts, register_words
from analysis.errors import AnalysisError
from analysis.languages import CODES, ENGLISH, language
from analysis.lemmas import learn
from analysis.lexical.frequencies import lemmatise
from analysis.text import Vocabulary

TEXTS = [
    "The buses don't run on Sundays; children can't get to the city's library.",
    "We'd like better cycle lanes, and cheaper tickets for people who don’t drive.",
    "The U.K. cannot wait: build the tramways!",
    "IT'S TIME THE BUSES WERE FREE",
]
PLAN = {
    "version": "1",
    "language": "en",
    "codes": [
        {"id": "bus", "patterns": ["bus"], "positive_examples": ["buses"]},
        {"id": "no", "patterns": ["NIE(run)", "don't PUIS drive"], "positive_examples": ["it does not run"]},
    ],
}


def read(texts):
    vocabulary = Vocabulary(language(ENGLISH))
    tokens = vocabulary.tokenise(texts)
    return vocabulary, tokens


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("don't", ["do", "n't"]),
        ("the city’s buses", ["the", "city", "'s", "buses"]),
        ("We'd've", ["we", "'d", "'ve"]),
        ("cannot", ["can", "not"]),
        ("the citizens' panel", ["the", "citizens", "panel"]),
        ("the U.K. add-on", ["the", "uk", "add-on"]),
    ],
)
def test_contractions_are_cut_and_compounds_kept(text, forms):
    vocabulary, tokens = read([text])
    assert [vocabulary.forms[form] for form in tokens.forms] == forms


def test_lemmas_are_english_and_function_words_carry_no_theme():
    vocabulary, tokens = read(TEXTS)
    lemmas = learn(vocabulary.forms, [], seed=1, read=vocabulary.language)
    of_form = dict(zip(vocabulary.forms, lemmas.lemma, strict=True))
    expected = {"buses": "bus", "children": "child", "better": "good", "lanes": "lane", "n't": "not", "were": "be"}
    assert {form: of_form[form] for form in expected} == expected
    words = lemmatise(tokens, vocabulary, lemmas, np.ones(len(TEXTS), dtype=np.bool_))
    content = {words.lemmas[number] for number in np.unique(words.numbers) if words.content[number]}
    assert {"bus", "child", "lane", "library", "tramway"} <= content
    assert not content & {"the", "not", "be", "we", "to", "'s", "can", "do"}


def test_typing_errors_are_read_as_the_frequent_word():
    forms = ["transport", "tranport", "buses"]
    lemmas = learn(forms, [], seed=1, counts=[100, 1, 3], read=language(ENGLISH))
    assert lemmas.corrections == {"tranport": "transport"}
    assert lemmas.lemma == ("transport", "transport", "bus")
    assert learn(forms, [], seed=1, overrides={"buses": "coach"}, read=language(ENGLISH)).lemma[2] == "coach"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("N/A", "not_concerned"),
        ("Don't know!", "does_not_know"),
        ("No comment.", "no_comment"),
        ("🙂", "emoji"),
        ("see above", "refers_elsewhere"),
        ("No", None),
        ("RAS", None),
        ("None of it should change", None),
    ],
)
def test_the_non_response_rule_is_that_of_the_language(text, rule):
    rules = nonresponse.load(language(ENGLISH).rules)
    assert rules.version == "en-1"
    assert nonresponse.sort([text], rules).rule == (rule,)


def test_patterns_negations_and_codes_are_read_in_english():
    plan = from_mapping(PLAN)
    vocabulary = Vocabulary(language(ENGLISH))
    register_words(plan, vocabulary)
    tokens = vocabulary.tokenise(TEXTS)
    lexicon = Lexicon(vocabulary, learn(vocabulary.forms, [], seed=1, read=vocabulary.language))
    hits = code_texts(plan, tokens, lexicon, np.ones(len(TEXTS), dtype=np.bool_))
    assert [(hit.code, hit.text) for hit in hits] == [("bus", 0), ("bus", 3), ("no", 0), ("no", 1)]


def test_a_plan_of_another_language_is_refused():
    plan = from_mapping(PLAN)
    plan.check_language("en")
    with pytest.raises(AnalysisError, match="accordez"):
        plan.check_language("fr")
    with pytest.raises(AnalysisError, match="n’est pas lue"):
        from_mapping({**PLAN, "language": "xx"})


def test_the_digest_of_a_french_plan_does_not_change_with_the_languages():
    french = {key: value for key, value in PLAN.items() if key != "language"}
    assert from_mapping(french).language == "fr"
    assert from_mapping(french).digest != from_mapping(PLAN).digest


@pytest.mark.parametrize("code", CODES)
def test_each_language_is_complete(code):
    found = language(code)
    assert found.function_words
    assert nonresponse.load(found.rules).nonresponse
    assert len(set(found.expressions)) == len(found.expressions)
