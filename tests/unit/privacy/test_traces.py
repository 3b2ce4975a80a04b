"""Personal data in free text: found where it is, not seen where it is not (authored set)."""

import pytest

from consult.traces import Trace, kinds, masked, spans, warning

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
    ("jeanne.martin arobase exemple point fr", Trace.EMAIL),
    ("jeanne (arobase) mairie.exemple (point) fr", Trace.EMAIL),
    ("jeanne.martin@exemple[dot]fr", Trace.EMAIL),
    ("jeanne <at> exemple.fr", Trace.EMAIL),
    ("06/12/34/56/78", Trace.PHONE),
    ("06_12_34_56_78 ou rien", Trace.PHONE),
    ("06 - 12 34 56 78", Trace.PHONE),
    ("0262 41 23 45 à La Réunion", Trace.PHONE),
    ("+262 692 12 34 56", Trace.PHONE),
    ("+590 690 12 34 56 en Guadeloupe", Trace.PHONE),
    ("00 594 694 12 34 56", Trace.PHONE),
    ("+687 26 12 34 à Nouméa", Trace.PHONE),
    ("+689 87 12 34 56 à Papeete", Trace.PHONE),
    ("+508 41 23 45", Trace.PHONE),
    ("+32 470 12 34 56", Trace.PHONE),
    ("NIR 1 85 05 2A 006 084 35", Trace.SOCIAL_SECURITY),
    ("1 90 01 2B 033 123 68", Trace.SOCIAL_SECURITY),
    ("carte 4970 1012 3456 7890 non, 4539 1488 0343 6467", Trace.CARD),
    ("J’habite 12 rue des Lilas, à côté de l’école.", Trace.ADDRESS),
    ("au 3 bis, avenue de la République", Trace.ADDRESS),
    ("12, chemin du Moulin 01000 Bourg", Trace.ADDRESS),
    ("Le chauffard en AB-123-CD roule trop vite", Trace.PLATE),
    ("plaque GH 456 JK", Trace.PLATE),
    ("voir https://www.facebook.com/jeanne.martin.75", Trace.PROFILE),
    ("https://fr.linkedin.com/in/jeanne-martin-a1b2", Trace.PROFILE),
    ("Mon voisin, M. Dupont, gare son camion devant chez moi.", Trace.NAME),
    ("Demandez à Mme Marie Durand du guichet 3.", Trace.NAME),
    ("Mr Jean-Pierre de La Tour a tout vu", Trace.NAME),
    ("madame DURAND-MARTIN m’a mal reçue", Trace.NAME),
    ("le Dr. Élodie Lévêque est parti", Trace.NAME),
    ("MM. Petit et consorts", Trace.NAME),
    ("Monsieur d’Ormesson habite là", Trace.NAME),
    ("Mon voisin, M. de La Tour, gare son camion ici.", Trace.NAME),
    ("M. Du Pont et Mme la maire", Trace.NAME),
    ("voyez madame de La Fayette", Trace.NAME),
    ("Mme J. Dupont au guichet 3", Trace.NAME),
    ("M. J.-P. Martin n’écoute rien", Trace.NAME),
    ("J. Dupont a tout vu", Trace.NAME),
    ("c’est écrit par P.-J. de La Tour, du syndic", Trace.NAME),
    ("(signalé par A. Bernard)", Trace.NAME),
    ("le gardien, Ph. Lefèvre, dort", Trace.NAME),
    ("Voir MM. Petit et Legrand demain", Trace.NAME),
    ("MM. Dupont, Martin et de La Tour ont voté contre", Trace.NAME),
    ("Mesdames Petit et Legrand", Trace.NAME),
    ("Mme et M. Dupont habitent là", Trace.NAME),
    ("M. et Mme de La Tour d’Auvergne", Trace.NAME),
    ("Monsieur et Madame DURAND", Trace.NAME),
    ("M.\u00a0de\u00a0La\u00a0Tour\u00a0du\u00a0Pin est là", Trace.NAME),
    ("Mme\u00a0Jeanne\u202fMartin au guichet", Trace.NAME),
    ("voir MM.\u00a0Petit,\u00a0Legrand et\u00a0Durand demain", Trace.NAME),
    ("Mme Le Goff et son fils", Trace.NAME),
    ("M. Le\u00a0Bihan gare son camion", Trace.NAME),
    ("madame La Fontaine m’a répondu", Trace.NAME),
    ("M. L’Hermite et son chien", Trace.NAME),
    ("Mme O’Brien n’écoute rien", Trace.NAME),
    ("M. van der Berg et M\u202f: même avis", Trace.NAME),
    ("Mme von Stein, M. son mari", Trace.NAME),
    ("M. da Silva est parti", Trace.NAME),
    ("Monsieur el Khoury habite là", Trace.NAME),
    ("vu avec M.Dupont hier", Trace.NAME),
    ("MM. Petit & Legrand", Trace.NAME),
    ("Messieurs Petit, Durand, et Legrand", Trace.NAME),
    ("l’avocate, Me Durand, a écrit", Trace.NAME),
    ("le Pr Élodie Lévêque est partie", Trace.NAME),
    ("Bonjour, je m’appelle Jeanne Martin et j’habite ici.", Trace.NAME),
    ("Je soussignée Jeanne Martin déclare", Trace.NAME),
    ("Jeanne Martin gare son camion devant chez moi.", Trace.NAME),
    ("Hier Jeanne Martin m’a menacé", Trace.NAME),
    ("le médecin Jean-Pierre de La Tour est parti", Trace.NAME),
    ("MARTIN Jeanne, guichet 3", Trace.NAME),
    ("Martin, Jeanne : absente", Trace.NAME),
    ("c’est JEANNE MARTIN qui décide", Trace.NAME),
    ("Claire Dupont du service voirie", Trace.NAME),
    ("Fatima El Idrissi est en CDI", Trace.NAME),
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
    "Monsieur le Président, Madame la Ministre, Messieurs les députés : écoutez.",
    "Madame, Monsieur, je vous écris. Monsieur Le Maire doit agir, Madame Première aussi.",
    "Mme la directrice, M. le préfet, M. X et Mme Y.",
    "L’avenue Jean Jaurès et le lycée Marie Curie ; Victor Hugo l’a dit.",
    "Les mmes règles, 3 m. De plus, on m’appelle souvent.",
    "Mon nom est connu. Je m’appelle comme tout le monde.",
    "Mme et M. le maire, MM. les conseillers, Messieurs les députés ; MM. X et Y.",
    "A. Mobilités douces\nB. Logement social\nC. École",
    "Le plan B. Pourtant rien ne bouge ; la ligne A. Trains bondés ; vitamine D. Soleil.",
    "Un pull de taille L. Transport gratuit. Le S.N.C.F. Voyageurs, la S. N. C. F.",
    "P.S. Pensez aux enfants. N. B. Ceci compte. Le magasin E. Leclerc.",
    "L’avenue J. Jaurès et le lycée P. Curie ; art. L. 300-1 et R. 111-2.",
    "La Tour Eiffel, de La Rochelle à Le Havre.",
    "Madame La Procureure, Monsieur Le Juge, Monsieur L’Ambassadeur, Madame L’Inspectrice.",
    "Monsieur Le Secrétaire général, Madame La Rectrice, Monsieur Le Défenseur des droits.",
    "France Travail, Europe Écologie et Marine Nationale ; Aurore Boréale, Rose Trémière.",
    "Au collège Jean Moulin, rue Pierre Curie, hôpital Robert Debré, loi Claude Évin.",
    "Charles de Gaulle, Victor Hugo et Martin Luther King l’ont dit ; le prix Albert Londres.",
    "Pierre et le loup ; Marie est d’accord. Jeanne d’Arc. Nice, Florence et Paris.",
    "JUSTICE FISCALE POUR TOUS. FRANCE PÉRIPHÉRIQUE.",
    "Il arrive chez moi. Le point at. Il y a un arobase sur le clavier point final.",
    "Budget : +33 000 000 euros, +44 000 000 et +32 % ; 2019/2020/2021/2022 ; 01/02/2024 10:30.",
    "La S.A.M.Monaco, le S.M.Marché ; cela me Semble clair.",
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


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Voir Mme Marie de La Tour d’Auvergne, au guichet.", "Voir [nom masqué], au guichet."),
        ("Voir Mme\u00a0Marie\u00a0de\u202fLa\u00a0Tour, ici.", "Voir [nom masqué], ici."),
        ("Voir MM.\u00a0Petit,\u00a0Legrand et\u00a0Durand.", "Voir [nom masqué]."),
        ("Voir MM. Petit & Legrand.", "Voir [nom masqué]."),
        ("Voir Messieurs Petit, Durand, et Legrand.", "Voir [nom masqué]."),
        ("Voir M. Jean Le Goff-O’Brien du Pin.", "Voir [nom masqué]."),
        ("Voir Mme Anna van der Berg.", "Voir [nom masqué]."),
        ("Voir M. Jean\nDemain.", "Voir [nom masqué]\nDemain."),
    ],
)
def test_a_name_is_taken_whole(text, left):
    assert masked(text) == (left, [Trace.NAME])


def test_precision_and_recall_on_the_authored_set():
    found = sum(kinds(text) == [trace] for text, trace in HOLDS)
    wrong = sum(bool(kinds(text)) for text in HOLDS_NOT)
    assert (found / len(HOLDS), found / (found + wrong)) == (1, 1)


def test_the_author_is_told_in_words():
    words = warning(
        {"Titre": "Un banc 4 rue des Lilas", "": "jeanne@exemple.fr ou 06 12 34 56 78, ou jeanne@exemple.fr"}
    )
    assert words
    assert "une adresse électronique, «\u00a0jeanne@exemple.fr\u00a0»\u00a0; un numéro de téléphone, " in words
    assert "une adresse postale, «\u00a04 rue des Lilas\u00a0» (Titre). " in words
    assert warning({"Titre": "Un banc", "": "près de l’école"}) is None
    many = warning({"": "a@x.fr b@x.fr c@x.fr d@x.fr e@x.fr"})
    assert many
    assert "«\u00a0c@x.fr\u00a0» et 2 autres. " in many


@pytest.mark.slow
def test_a_long_text_takes_no_time_and_no_harm():
    """No pattern that explodes: a megabyte of what looks like the beginning of each."""
    numbers = ("06 ", "a@", "FR76 ", "1 rue ", "x.", "4970 ", "AB-", "www.facebook.com/")
    names = (
        "M. ",
        "Mme Aa-",
        "Mme Aa ",
        "je m’appelle Aa’a",
        "MM. Aa, ",
        "MM. Aa, Ba",
        "A. ",
        "J. de La ",
        "J.-P. Aa ",
        "M. Le ",
        "M. van der ",
        "MM. Aa & ",
        "M. O’",
        "M.",
    )
    for filler in (*numbers, *names):
        assert isinstance(kinds(filler * 20_000), list)
    for begun in ("MM. Aa, Bb ", "Mme et M. Bb ", "A. Bb "):
        for many in ("De La ", "Du ", ", Bb Du Du", "O’", "L’", "van der ", "Le "):
            assert isinstance(kinds(begun + many * 20_000), list)
