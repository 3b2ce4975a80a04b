import numpy as np
import pytest

from analysis import nonresponse
from analysis.errors import AnalysisError


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "blank"),
        (" \t\n ", "blank"),
        ("\u200b", "blank"),
        ("...", "punctuation"),
        ("-", "punctuation"),
        ("👍👍", "emoji"),
        ("🤷‍♂️", "emoji"),
        ("👍🏽 ❤️", "emoji"),
        ("🇫🇷", "emoji"),
        ("12", "digits"),
        ("1.2 .", "digits"),
        ("xxxx", "repeated"),
        ("n" * 90, "repeated"),
        ("RAS", "nothing_to_report"),
        ("R.A.S.", "nothing_to_report"),
        ("Néant !", "nothing_to_report"),
        ("rien à dire 😀", "nothing_to_report"),
        ("NSP", "does_not_know"),
        ("Je ne sais pas...", "does_not_know"),
        ("JE N’AI PAS D’AVIS", "no_opinion"),
        ("Je n'ai pas d'avis.", "no_opinion"),
        ("Sans objet", "not_concerned"),
        ("Voir ci-dessus.", "refers_elsewhere"),
    ],
)
def test_text_without_an_answer_is_named_by_its_rule(text, rule):
    assert nonresponse.sort([text]).rule == (rule,)


@pytest.mark.parametrize(
    "text",
    ["Aucun", "non", "Oui", "50 %", "10 €", "Rien ne change si l’on taxe le kérosène.", "TVA", "Je ne sais pas lire"],
)
def test_short_or_odd_answers_stay_answers(text):
    assert nonresponse.sort([text]).rule == (None,)


def test_counts_list_every_rule_and_bill_all_but_nonresponses():
    """AT-U4.5: the billable count is what remains after the rule."""
    sorting = nonresponse.sort(["", "NSP", "Voir ci-dessus", "Des trains", "Des trains"])
    assert sorting.billable == 3
    counts = sorting.counts()
    assert counts["blank"] == counts["does_not_know"] == counts["refers_elsewhere"] == 1
    assert list(counts) == [rule.id for rule in (*sorting.rules.nonresponse, *sorting.rules.undecidable)]
    assert sum(counts.values()) == 3
    assert sorting.nonresponse.tolist() == [True, True, False, False, False]
    assert np.flatnonzero(sorting.undecidable).tolist() == [2]
    assert sorting.rules.version == "fr-1"


def test_rule_file_that_cannot_be_read_is_refused_in_french(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text("version: x\nnonresponse:\n  - {id: a, label: A, kind: telepathy}\n", encoding="utf-8")
    with pytest.raises(AnalysisError, match="« telepathy » n’existe pas"):
        nonresponse.load(path)
    path.write_text("[", encoding="utf-8")
    with pytest.raises(AnalysisError, match="illisible"):
        nonresponse.load(path.rename(tmp_path / "other.yaml"))
