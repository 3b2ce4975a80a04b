"""Personal data in free text: found where it is, not seen where it is not (authored set)."""

import pytest

from consult.traces import Trace, kinds, spans, warning

HOLDS = [
    ("Écrivez-moi à jeanne.martin@exemple.fr, merci.", Trace.EMAIL),
    ("mon mail : j_martin+ville@mairie.exemple.org", Trace.EMAIL),
    ("Contact : jeanne.martin [at] exemple.fr", Trace.EMAIL),
    ("Appelez le 06 12 34 56 78 après 18 h.", Trace.PHONE),
    ("tel 0612345678", Trace.PHONE),
    ("+33 6 12 34 56 78", Trace.PHONE),
    ("+33 (0)1 42 34 56 78", Trace.PHONE),
    ("01.42.34.56.78", Trace.PHONE),
    ("0033612345678", Trace.PHONE),
    ("Mon numéro est 2 85 05 78 006 084 41.", Trace.SOCIAL_SECURITY),
    ("NIR 285057800608441", Trace.SOCIAL_SECURITY),
    ("IBAN FR76 3000 6000 0112 3456 7890 189", Trace.IBAN),
    ("versez sur FR7630006000011234567890189", Trace.IBAN),
    ("DE89 3704 0044 0532 0130 00", Trace.IBAN),
    ("carte 4970 1012 3456 7890 non, 4539 1488 0343 6467", Trace.CARD),
    ("J’habite 12 rue des Lilas, à côté de l’école.", Trace.ADDRESS),
    ("au 3 bis, avenue de la République", Trace.ADDRESS),
    ("12, chemin du Moulin 01000 Bourg", Trace.ADDRESS),
    ("Le chauffard en AB-123-CD roule trop vite", Trace.PLATE),
    ("plaque GH 456 JK", Trace.PLATE),
    ("voir https://www.facebook.com/jeanne.martin.75", Trace.PROFILE),
    ("https://fr.linkedin.com/in/jeanne-martin-a1b2", Trace.PROFILE),
]
HOLDS_NOT = [
    "Il faudrait 12 000 000 000 euros sur 10 ans, soit 1,2 % du budget.",
    "La loi n° 2005-102 du 11 février 2005 et l’article L. 300-1 du code.",
    "Le 3919 et le 0 800 123 456 sont gratuits ; appelez le 15 ou le 112.",
    "En 2019, 2020 et 2021, 45 % puis 46 % et 47 %.",
    "La référence 4970 1012 3456 7891 n’est pas une carte.",
    "Le dossier 2 85 05 78 006 084 42 a une clé fausse.",
    "Le compte FR76 3000 6000 0112 3456 7890 188 n’existe pas.",
    "La ligne 12 rue par rue, et deux rues plus loin.",
    "Créer une place de plus pour 30 enfants ; la route nationale 20.",
    "Le TGV 6123 et l’A86, sortie 12.",
    "Mentionnez @prefecture et le mot-dièse #climat.",
    "Le groupe https://www.facebook.com/groups/quartier est ouvert à tous.",
    "Les normes ISO 9001 et NF-123-45 s’appliquent ; version 1.2.3.4.",
    "Le 01/02/2024 à 10 h 30, salle B-204.",
    "SIRET 732 829 320 00074, mais rien d’autre.",
    "Une bande de 100 m, 30 arbres, 4 avenues plantées.",
    "Population : 67 813 396 habitants.",
    "0000000000 ou 0111111111 ne sont à personne.",
]


@pytest.mark.parametrize(("text", "trace"), HOLDS)
def test_it_is_found(text, trace):
    assert kinds(text) == [trace]
    ((start, end, _),) = spans(text)
    assert kinds(text[:start] + text[end:]) == [], "the span is the whole of it"


@pytest.mark.parametrize("text", HOLDS_NOT)
def test_it_is_not_seen_where_it_is_not(text):
    assert kinds(text) == []


def test_precision_and_recall_on_the_authored_set():
    found = sum(kinds(text) == [trace] for text, trace in HOLDS)
    wrong = sum(bool(kinds(text)) for text in HOLDS_NOT)
    assert (found / len(HOLDS), found / (found + wrong)) == (1, 1)


def test_the_author_is_told_in_words():
    words = warning(kinds("jeanne@exemple.fr ou 06 12 34 56 78, 4 rue des Lilas"))
    assert "une adresse électronique, un numéro de téléphone et une adresse postale" in words


def test_a_long_text_takes_no_time_and_no_harm():
    """No pattern that explodes: a megabyte of what looks like the beginning of each."""
    for filler in ("06 ", "a@", "FR76 ", "1 rue ", "x.", "4970 ", "AB-", "www.facebook.com/"):
        assert isinstance(kinds(filler * 20_000), list)
