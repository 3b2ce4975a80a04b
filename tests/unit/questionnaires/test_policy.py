"""Refusals name what to do; the public part of a reply is what its questions announced."""

import uuid

import pytest

from consult.questionnaires import policy
from consult.questionnaires.models import AnswerVisibility, OptionKind, Question, QuestionOption


def question(kind, labels=(), *, required=False, visibility=AnswerVisibility.ROWS, **settings):
    options = [
        QuestionOption(id=uuid.uuid4(), position=rank, label=label, kind=option_kind)
        for rank, (label, option_kind) in enumerate(labels, 1)
    ]
    return Question(
        id=uuid.uuid4(), kind=kind, required=required, visibility=visibility, settings=settings, options=options
    )


OPTIONS = [
    ("Train", OptionKind.NORMAL),
    ("Vélo", OptionKind.NORMAL),
    ("Car", OptionKind.NORMAL),
    ("Autre", OptionKind.OTHER),
    ("Aucun", OptionKind.EXCLUSIVE),
]


@pytest.mark.parametrize(
    ("kind", "words"),
    [("single", "Choisissez une réponse"), ("multiple", "Cochez au moins une"), ("short_text", "Écrivez")],
)
def test_a_missing_answer_says_how_to_give_one(kind, words):
    asked = question(kind, OPTIONS if kind != "short_text" else (), required=True)
    assert words in policy.check(asked, policy.read(asked, [""]))


@pytest.mark.parametrize(
    ("chosen", "settings", "words"),
    [
        ((0, 1, 2), {"maximum": 2}, "Décochez-en 1"),
        ((0,), {"minimum": 2}, "il en faut au moins 2"),
        ((0, 4), {}, "«\u00a0Aucun\u00a0» ne va avec aucune autre réponse"),
        ((3,), {}, "Précisez votre réponse"),
    ],
)
def test_a_refused_choice_says_what_to_change(chosen, settings, words):
    asked = question("multiple", OPTIONS, **settings)
    answer = policy.read(asked, [str(asked.options[rank].id) for rank in chosen])
    assert words in policy.check(asked, answer)


def test_a_text_too_long_tells_both_lengths():
    asked = question("short_text")
    assert "1\u202f234 caractères, la limite est de 200" in policy.check(asked, policy.read(asked, ["é" * 1234]))


def test_a_long_text_of_64537_characters_is_taken_where_it_is_allowed():
    asked = question("long_text", max_length=100_000)
    assert policy.check(asked, policy.read(asked, ["é" * 64_537])) is None


def test_the_text_of_other_counts_only_with_its_option():
    asked = question("multiple", OPTIONS)
    train = str(asked.options[0].id)
    assert policy.read(asked, [train], "à pied") == {"text": None, "options": [train], "other": None}


def test_only_answers_announced_row_by_row_are_public():
    rows, totals, private = (question("short_text", visibility=each) for each in AnswerVisibility)
    answers = {asked.id: policy.read(asked, ["texte"]) for asked in (rows, totals, private)}
    assert list(policy.public_answers([rows, totals, private], answers)) == [str(rows.id)]


@pytest.mark.parametrize(
    ("visibility", "base", "withheld"),
    [("aggregates", 9, True), ("aggregates", 10, False), ("rows", 1, False), ("administration", 1, False)],
)
def test_small_totals_are_withheld_where_only_totals_are_published(visibility, base, withheld):
    assert policy.suppressed(AnswerVisibility(visibility), base) is withheld
