"""What a condition says, in words and in effect; what cannot be one is refused."""

import uuid

import pytest

from consult.questionnaires import conditions, policy, wording
from consult.questionnaires.models import AnswerVisibility, OptionKind, Question, QuestionOption


def question(kind, labels=(), *, position, page=1, required=False, condition=None):
    options = [QuestionOption(id=uuid.uuid4(), label=label, kind=OptionKind.NORMAL) for label in labels]
    settings = {"condition": condition} if condition else {}
    return Question(
        id=uuid.uuid4(), kind=kind, position=position, page=page, required=required, options=options, settings=settings,
        wording=f"Question {position}", visibility=AnswerVisibility.ROWS,
    )  # fmt: skip


def leaf(asked, operator, value=""):
    return {"question": str(asked.id), "is": operator, "value": value}


@pytest.fixture
def tree():
    """A question, one that hangs on it, and one that hangs on that one."""
    first = question("single", ["Oui", "Non"], position=1, required=True)
    yes = str(first.options[0].id)
    second = question("number", position=2, required=True, condition={"all": [leaf(first, "chosen", yes)]})
    third = question("date", position=3, required=True, condition={"any": [leaf(second, "more", "12.5")]})
    return first, second, third


def said(asked, value):
    known = {option.label: str(option.id) for option in asked.options}
    return policy.read(asked, [known.get(value, value)])


def test_what_was_answered_to_a_question_that_vanished_counts_for_nothing(tree):
    first, second, third = tree
    yes = {first.id: said(first, "Oui"), second.id: said(second, "13")}
    assert conditions.asked(tree, yes) == [first, second, third]
    assert conditions.asked(tree, yes | {second.id: said(second, "12,5")}) == [first, second]
    assert conditions.asked(tree, yes | {first.id: said(first, "Non")}) == [first]


def test_a_required_question_is_required_of_those_whom_it_concerns(tree):
    first, second, third = tree
    assert policy.errors(tree, {first.id: said(first, "Non")}) == {}
    assert set(policy.errors(tree, {first.id: said(first, "Oui")})) == {second.id}
    assert set(policy.errors(tree, {first.id: said(first, "Oui"), second.id: said(second, "13")})) == {third.id}


def test_a_condition_is_told_in_french(tree):
    first, second, third = tree
    numbers = policy.numbered(tree)
    plain = [wording.sentence(conditions.of(each), tree, numbers).replace("\u00a0", " ") for each in (second, third)]
    assert plain == [
        "Si vous avez choisi « Oui » à la question 1.",
        "Si votre réponse à la question 2 est supérieure à 12,5.",
    ]
    both = {"all": [leaf(first, "answered"), {"any": [leaf(third, "less", "2026-07-14"), leaf(second, "unanswered")]}]}
    assert wording.sentence(both, tree, numbers) == (
        "Si vous avez répondu à la question 1 et que (votre réponse à la question 3 est avant le 14/07/2026 ou que "
        "vous n’avez pas répondu à la question 2)."
    )


def test_what_cannot_be_a_condition_is_refused(tree):
    first, second, third = tree
    deep = leaf(first, "answered")
    for _ in range(5):
        deep = {"all": [deep]}
    for wrong in (
        {"all": [leaf(third, "answered")]},
        {"all": [leaf(first, "chosen", "inconnue")]},
        {"all": [leaf(first, "more", "3")]},
        {"all": [leaf(second, "more", "trois")]},
        {"all": [leaf(second, "count_at_least", "1")]},
        {"all": [leaf(first, "count_at_least", "-1")]},
        {"all": [leaf(first, "is_nice")]},
        {"all": []},
        {"all": [leaf(first, "answered")] * 21},
        {"all": "tout"},
        {"question": 3, "is": "answered"},
        deep,
        [],
        None,
    ):
        assert conditions.fault(wrong, [first, second]), wrong
    assert conditions.fault({"any": [leaf(second, "at_least", "-3.25")]}, [first, second]) is None


def test_a_copied_condition_looks_at_the_copies(tree):
    first, second, _ = tree
    ids = {str(first.id): "copie", str(first.options[0].id): "oui"}
    assert conditions.translated(conditions.of(second), ids) == {
        "all": [{"question": "copie", "is": "chosen", "value": "oui"}]
    }
