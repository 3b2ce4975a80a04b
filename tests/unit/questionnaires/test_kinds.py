"""Each kind refuses what it cannot take, in a sentence that says what to do, and counts in the words of its method."""

import uuid

import pytest

from consult.questionnaires import kinds
from consult.questionnaires.kinds.base import Sent
from consult.questionnaires.kinds.draft import QuestionDraft
from consult.questionnaires.kinds.territory import of_postcode
from consult.questionnaires.models import AnswerVisibility, OptionKind, Question, QuestionOption

ROWS = [("Train", OptionKind.ROW), ("Vélo", OptionKind.ROW)]


def question(kind, labels=(), *, required=False, **settings):
    pairs = [label if isinstance(label, tuple) else (label, OptionKind.NORMAL) for label in labels]
    options = [
        QuestionOption(id=uuid.UUID(int=rank), label=label, kind=role) for rank, (label, role) in enumerate(pairs)
    ]
    shown = {"visibility": AnswerVisibility.ROWS, "settings": settings, "options": options}
    return Question(id=uuid.uuid4(), kind=kind, required=required, **shown)


def keys(asked):
    return {option.label: str(option.id) for option in asked.options}


def refusal(asked, values=(), **parts):
    known = keys(asked)
    sent = {known.get(part, part): [known.get(each, each) for each in typed] for part, typed in parts.items()}
    kind = kinds.of(asked)
    return kind.check(asked, kind.read(asked, Sent([known.get(each, each) for each in values], sent)))


@pytest.mark.parametrize(
    ("asked", "values", "parts", "words"),
    [
        (question("ranking", ["A", "B", "C"]), [], {"A": ["1"], "B": ["1"]}, "Le rang 1 est donné à plusieurs"),
        (question("ranking", ["A", "B", "C"]), [], {"A": ["1"], "B": ["3"]}, "Le rang 2 manque"),
        (question("ranking", ["A", "B"], required=True), [], {"A": ["1"]}, "Classez-en davantage"),
        (question("ranking", ["A", "B", "C"], maximum=1), [], {"A": ["1"], "B": ["2"]}, "la limite est de 1"),
        (question("ranking", ["A", "B"]), [], {"A": ["01"]}, "Un des rangs donnés n’existe pas"),
        (question("ranking", ["A", "B"]), [], {"inconnue": ["1"]}, "Un des rangs donnés n’existe pas"),
        (question("matrix", [*ROWS, "Oui", "Non"]), [], {"Train": ["Oui", "Non"]}, "une seule réponse est possible"),
        (question("matrix", [*ROWS, "Oui", "Non"], required=True), [], {"Train": ["Oui"]}, "Il manque une réponse à"),
        (question("matrix", [*ROWS, "Oui", "Non"]), [], {"Train": ["Vélo"]}, "n’existe pas"),
        (question("matrix", [*ROWS, "Oui", "Non"]), [], {"Oui": ["Oui"]}, "n’existe pas"),
        (question("scale"), ["11"], {}, "de 0 à 10"),
        (question("scale", minimum=1, maximum=5), ["0"], {}, "de 1 à 5"),
        (question("number"), ["douze"], {}, "Écrivez un nombre en chiffres"),
        (question("number"), ["1e400"], {}, "Écrivez un nombre en chiffres"),
        (question("number"), ["٣"], {}, "Écrivez un nombre en chiffres"),
        (question("number", minimum=18), ["17,9"], {}, "plus petit que 18"),
        (question("number", maximum=99), ["100"], {}, "plus grand que 99"),
        (question("date"), ["31/02/2026"], {}, "Cette date n’existe pas"),
        (question("date"), ["hier"], {}, "Cette date n’existe pas"),
        (question("departement"), ["96"], {}, "Ce département n’existe pas"),
        (question("departement"), [], {"postcode": ["00100"]}, "Ce code postal n’est pas connu"),
        (question("dropdown", ["Oui", "Non"]), ["Oui", "Non"], {}, "Une seule réponse"),
        (question("quiz", ["Oui", "Non"]), ["Peut-être"], {}, "n’existe pas"),
    ],
    ids=lambda value: value.kind if isinstance(value, Question) else None,
)
def test_what_cannot_be_taken_is_refused_with_what_to_do(asked, values, parts, words):
    assert words in refusal(asked, values, **parts)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("1 234,50", "1234.5"), ("\u22123", "-3"), ("0,0", "0"), ("007", "7"), ("+12", "12"), ("1\u202f000", "1000")],
)
def test_a_number_is_kept_in_one_form(typed, kept):
    text = kinds.every()["number"].read(question("number"), Sent([typed]))["text"]
    assert text == kept


@pytest.mark.parametrize(
    ("postcode", "code"),
    [("75011", "75"), ("20000", "2A"), ("20200", "2B"), ("97411", "974"), ("98800", "988"), ("97133", "977"),
     ("01 000", "01"), ("99999", None), ("7501", None), ("96000", None)],
)  # fmt: skip
def test_a_postcode_gives_its_departement(postcode, code):
    assert of_postcode(postcode) == code


def test_there_are_a_hundred_and_one_departements_and_the_overseas_territories():
    listed = kinds.every()["departement"].groups(question("departement"))[0].cells
    assert sum(code not in {"99", "975", "977", "978", "986", "987", "988"} for code in listed) == 101


def test_the_majority_mention_is_the_one_that_half_of_the_judges_do_not_go_below():
    asked = question("judgement", [*ROWS, "Bien", "Moyen", "Mal"])
    known = keys(asked)
    # Five judges: the third one says Moyen. Four: two and two, the lower of the middle ones.
    counts = {("Train", "Bien"): 2, ("Train", "Moyen"): 1, ("Train", "Mal"): 2, ("Vélo", "Bien"): 2, ("Vélo", "Mal"): 2}
    summary = kinds.of(asked).summary(
        asked, {f"{known[row]}:{known[mention]}": n for (row, mention), n in counts.items()}
    )
    assert [line.replace("\u00a0", " ") for line in summary] == [
        "Train : mention majoritaire « Moyen »",
        "Vélo : mention majoritaire « Mal »",
    ]


def test_the_mean_rank_is_among_those_who_ranked():
    asked = question("ranking", ["A", "B"])
    known = keys(asked)
    counts = {f"{known['A']}:1": 1, f"{known['A']}:2": 3, f"{known['B']}:1": 3}
    assert kinds.of(asked).summary(asked, counts) == ["B\u00a0: rang moyen 1", "A\u00a0: rang moyen 1,75"]


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        ({"kind": "matrix", "options": ("Oui", "Non")}, "rows"),
        ({"kind": "matrix", "rows": ("Train",), "options": ("Oui",)}, "options"),
        ({"kind": "matrix", "rows": ("Train", "Train"), "options": ("Oui", "Non")}, "rows"),
        ({"kind": "ranking", "options": tuple(map(str, range(31)))}, "options"),
        ({"kind": "scale", "minimum": 5, "maximum": 5}, "maximum"),
        ({"kind": "scale", "maximum": 21}, "maximum"),
        ({"kind": "scale", "low": "x" * 61}, "low"),
        ({"kind": "number", "minimum": 5, "maximum": 4}, "maximum"),
        ({"kind": "number", "unit": "x" * 61}, "unit"),
        ({"kind": "quiz", "options": ("Oui", "Non"), "right": "Peut-être"}, "right"),
    ],
)
def test_a_draft_that_cannot_be_asked_names_the_field(draft, field):
    said = QuestionDraft(wording="Quoi ?", **draft)
    assert field in kinds.every()[said.kind].faults(said)


@pytest.mark.parametrize("kind", ["satisfaction", "judgement"])
def test_usual_levels_are_proposed_when_none_is_written(kind):
    said = QuestionDraft(kind=kind, wording="Quoi ?", rows=("Train",))
    assert kinds.every()[kind].faults(said) == {}
    assert len(kinds.every()[kind].labelled(said)) >= 4
