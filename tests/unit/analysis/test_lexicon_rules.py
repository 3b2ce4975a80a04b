import numpy as np
import pytest

from analysis.coding.codebook import from_mapping
from analysis.coding.lexicon_rules import Lexicon, Matcher, check_examples, code_texts, register_words
from analysis.coding.patterns import parse
from analysis.errors import AnalysisError
from analysis.lemmas import Lemmas
from analysis.text import Vocabulary

LEMMAS = {
    "impôts": "impôt",
    "taxes": "taxe",
    "taxer": "taxer",
    "baissez": "baisser",
    "n'": "ne",
    "qu'": "que",
    "sante": "santé",
}


def lexicon_of(vocabulary):
    lemma = tuple(LEMMAS.get(form, form) for form in vocabulary.forms)
    size = len(vocabulary)
    return Lexicon(vocabulary, Lemmas(lemma, ("NOUN",) * size, ("table",) * size, {"sante": "santé"}, 0))


def matching(pattern, texts):
    vocabulary = Vocabulary()
    node = parse(pattern, {"moins": "baisser OU réduire"})
    tokens = vocabulary.tokenise(texts)
    vocabulary.tokenise(["impôts taxes baissez sante"])
    matcher = Matcher(tokens, lexicon_of(vocabulary))
    return matcher.first_by_text(matcher.find(node))[0].tolist()


TEXTS = [
    "Baissez les impôts et les taxes.",
    "Un impôt juste. Baisser la dépense.",
    "Il ne faut pas baisser les impôts.",
    "La sante avant tout",
    "Ne taxer que les riches",
    "fiscalité et contrôle fiscal",
    "pistes cyclables et crédit d’impôt",
]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("impôt", [0, 1, 2, 6]),
        ("impôts", [0, 1, 2, 6]),
        ("=impôt", [1, 6]),
        ("Impôts", [0, 1, 2, 6]),
        ("santé", [3]),
        ("sant*", [3]),
        ("fiscal*", [5]),
        ('"crédit d’impôt"', [6]),
        ('"pist* cyclables"', [6]),
        ('"impôts taxes"', []),
        ("baisser PRES/2 impôt", [0, 2]),
        ("impôt PRES/2 baisser", [0, 2]),
        ("impôt PUIS/2 baisser", []),
        ("baisser PUIS/1 impôt", []),
        ("baisser PUIS impôt PUIS/3 taxe", [0]),
        ("@moins PUIS/2 (impôt OU dépense)", [0, 1, 2]),
        ("impôt ET taxe", [0]),
        ("impôt SAUF taxe", [1, 2, 6]),
        ("impôt SAUF taxe SAUF cyclables", [1, 2]),
        ("taxe OU santé", [0, 3]),
        ("taxe OU impôt ET juste", [0, 1]),
        ("NIE(baisser)", [2]),
        ("AFFIRME(baisser)", [0, 1]),
        ("NIE(baisser PUIS impôt)", [2]),
        ("NIE(taxer)", []),
        ("AFFIRME(taxer)", [4]),
        ("absent", []),
        ("d'impôt", [6]),
    ],
)
def test_pattern_finds_the_texts_it_describes(pattern, expected):
    assert matching(pattern, TEXTS) == expected


def test_proximity_stops_at_the_end_of_a_sentence():
    assert matching("juste PRES/5 baisser", TEXTS) == []
    assert matching("juste PRES/5 impôt", TEXTS) == [1]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("", "il est vide"),
        ("a b", "il manque un opérateur .* avant « b »"),
        ("(a", "une parenthèse n’est pas fermée"),
        ("a)", "sans avoir été ouverte"),
        ("a OU", "un mot est attendu à la fin"),
        ("OU a", "un mot est attendu avant « OU »"),
        ('"a', "un guillemet n’est pas fermé"),
        ('""', "les guillemets sont vides"),
        ("ab*", "3 lettres au moins"),
        ("=abc*", "mêle « = » et « \\* »"),
        ("a PRES/99 b", "entre 1 et 20"),
        ("(a ET b) PUIS c", "ne vont pas sous PUIS"),
        ("NIE(a SAUF b)", "ne vont pas sous NIE"),
        ("NIE a", "demande une parenthèse"),
        ("@inconnu", "le groupe « @inconnu » n’existe pas ; groupes définis : @moins"),
        ("a & b", "avant « & »"),
        ("& a", "le signe « & » n’est pas admis"),
        ("(" * 60 + "a" + ")" * 60, "trop de parenthèses"),
    ],
)
def test_faulty_pattern_is_refused_in_french(pattern, message):
    with pytest.raises(AnalysisError, match=message):
        parse(pattern, {"moins": "baisser"})


def test_group_that_holds_itself_is_refused():
    with pytest.raises(AnalysisError, match="se contient lui-même"):
        parse("@a", {"a": "x OU @b", "b": "@a"})


PLAN = from_mapping(
    {
        "version": "1",
        "codes": [
            {
                "id": "impot",
                "patterns": ["baisser PUIS/2 impôt", "impôt"],
                "positive_examples": ["Moins d’impôts", "Trop de taxes"],
                "negative_examples": ["Baisser les impôts", "Du vélo"],
            }
        ],
    }
)


def test_each_assignment_says_which_pattern_decided_and_on_which_words():
    """AT-U4.6: from each code to its contributions and to what decided."""
    vocabulary = Vocabulary()
    register_words(PLAN, vocabulary)
    tokens = vocabulary.tokenise(TEXTS)
    readable = np.ones(len(TEXTS), dtype=np.bool_)
    readable[6] = False
    hits = code_texts(PLAN, tokens, lexicon_of(vocabulary), readable)
    assert [(hit.text, hit.pattern, hit.words) for hit in hits] == [
        (0, "baisser PUIS/2 impôt", "baissez les impôts"),
        (1, "impôt", "impôt"),
        (2, "baisser PUIS/2 impôt", "baisser les impôts"),
    ]


def test_hits_of_one_code_are_those_of_all_its_patterns_and_no_other():
    plan = from_mapping({"version": "1", "codes": [
        {"id": "moins", "patterns": ["baisser PUIS/2 impôt", "zzz"], "positive_examples": ["baisser les impôts"]},
        {"id": "muet", "parent": "parent", "patterns": ["zzz"], "positive_examples": ["zzz"]},
        {"id": "charges", "patterns": ["taxe", "impôt"], "positive_examples": ["impôt"]},
        {"id": "parent", "label": "Sans motif"},
    ]})  # fmt: skip
    vocabulary = Vocabulary()
    register_words(plan, vocabulary)
    hits = code_texts(plan, vocabulary.tokenise(TEXTS), lexicon_of(vocabulary), np.ones(len(TEXTS), dtype=np.bool_))
    for code in ("moins", "muet", "charges", "parent", "inconnu"):
        assert list(hits.of(code)) == [hit for hit in hits if hit.code == code]
    assert [hit.text for hit in hits.of("charges")] == [0, 1, 2, 6]
    assert hits.of("charges")[1].pattern == "impôt"
    assert [hit.code for hit in hits[1:3]] == [hits[1].code, hits[2].code]


def test_examples_that_contradict_the_patterns_are_named():
    vocabulary = Vocabulary()
    register_words(PLAN, vocabulary)
    failed = check_examples(PLAN, lexicon_of(vocabulary))
    assert [(item.example, item.expected) for item in failed] == [
        ("Trop de taxes", True),
        ("Baisser les impôts", False),
    ]


def test_pattern_on_an_empty_corpus_finds_nothing():
    assert matching("impôt", []) == []
    assert matching("NIE(impôt PRES taxe)", ["", "!!"]) == []
