"""What changes from one text to another, as a reader would say it: each expected passage was written by hand."""

import time

import pytest

from consult.contributions.differences import Op, changed_words, differences

MARKS = {Op.KEPT: "{}", Op.DELETED: "[-{}-]", Op.INSERTED: "[+{}+]"}


def told(before, after):
    return "".join(MARKS[each.op].format(each.text) for each in differences(before, after))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "", ""),
        ("", "Un texte.", "[+Un texte.+]"),
        ("Un texte.", "", "[-Un texte.-]"),
        ("Le maire décide.", "Le maire décide.", "Le maire décide."),
        ("Le maire décide.", "Le conseil décide.", "Le [-maire -][+conseil +]décide."),
        ("L’école ouvre.", "La crèche ouvre.", "[-L’école -][+La crèche +]ouvre."),
        ("L’école ouvre.", "L’école primaire ouvre.", "L’école [+primaire +]ouvre."),
        ("dans un délai de 2,5 mois", "dans un délai de 3 mois", "dans un délai de [-2,5 -][+3 +]mois"),
    ],
)
def test_words_are_replaced_added_and_taken_away(before, after, expected):
    assert told(before, after) == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Le maire  décide .", "Le maire décide."),
        ("Est-ce utile ?", "Est-ce utile ?"),
        ("l'article", "l’article"),
        ('"la loi"', '"la loi" '),
        ("cafe\u0301", "café"),
        ("Un.\r\n\r\nDeux.", "Un.\n\nDeux."),
        ("Un.\n\n\nDeux.", "Un.\n\nDeux."),
    ],
)
def test_spaces_apostrophes_and_composition_are_no_change(before, after):
    assert [each.op for each in differences(before, after)] == [Op.KEPT]


def test_moved_punctuation_is_told_by_itself():
    assert told("Le maire, saisi, décide.", "Le maire saisi décide.") == "Le maire[-,-] saisi[-,-] décide."


def test_a_new_paragraph_is_a_change():
    assert told("Un. Deux.", "Un.\n\nDeux.") == "Un.[+\n\n+]Deux."


def test_a_whole_item_of_a_list_is_new_rather_than_pieces_of_two():
    assert told("le bus, le tram", "le bus, le vélo, le tram") == "le bus, [+le vélo, +]le tram"


def test_a_whole_sentence_is_new():
    before = "La séance est publique. La séance est filmée."
    after = "La séance est publique. La séance est enregistrée. La séance est filmée."
    assert told(before, after) == ("La séance est publique. [+La séance est enregistrée. +]La séance est filmée.")


def test_a_rewritten_passage_is_not_cut_into_crumbs():
    before = "Le préfet de région autorise le projet."
    after = "Une commission de citoyens refuse le projet."
    assert told(before, after) == ("[-Le préfet de région autorise -][+Une commission de citoyens refuse +]le projet.")


def test_another_text_is_told_whole():
    before, after = "Le dernier train part trop tôt.", "Ouvrir tous les guichets, même le dimanche."
    assert told(before, after) == f"[-{before}-][+{after}+]"


def test_words_are_counted_without_punctuation():
    passages = differences("Le maire décide, seul.", "Le conseil municipal décide.")
    assert changed_words(passages, Op.INSERTED) == 2
    assert changed_words(passages, Op.DELETED) == 2  # maire, seul


def test_texts_made_to_be_slow_are_compared_at_once():
    """Ten thousand signs without anything in common, then with everything: no clock, but a test that would not end."""
    started = time.process_time()
    differences("a," * 5_000, "," + "b," * 4_999)
    differences("a b " * 2_500, "b a " * 2_500)
    assert time.process_time() - started < 20
