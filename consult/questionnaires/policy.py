"""What an answer may be: pure rules over a question and what was typed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypedDict

from consult.consultations.models import Consultation
from consult.consultations.policy import is_public
from consult.disclosure import K
from consult.labels import number
from consult.questionnaires.models import AnswerVisibility, OptionKind, Question, QuestionKind, QuestionOption

CHOICES: Final = frozenset({QuestionKind.SINGLE, QuestionKind.MULTIPLE})
DEFAULT_LENGTH: Final = {QuestionKind.SHORT_TEXT: 200, QuestionKind.LONG_TEXT: 10_000}
GREATEST_LENGTH: Final = 100_000
OTHER_LENGTH: Final = 500


class Given(TypedDict):
    """What one question received: a text, or option ids in the order of the question, with the text of « autre »."""

    text: str | None
    options: list[str]
    other: str | None


Answers: TypeAlias = Mapping[uuid.UUID, Given]


def editable(consultation: Consultation) -> bool:
    """Questions change only before the consultation opens: afterwards replies must answer the same questions."""
    return not is_public(consultation)


def max_length(question: Question) -> int:
    """Characters that a text question takes."""
    return int(question.settings.get("max_length") or DEFAULT_LENGTH[question.kind])


def clean_text(raw: str) -> str:
    """What was typed, with one kind of line end, without NUL and without the blanks around it; nothing else changes."""
    return raw.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip()


def read(question: Question, values: Sequence[str], other: str = "") -> Given:
    """What a browser sent for a question, as an answer; `check` says whether it can be accepted.

    Option ids come in the order of the question, once each; unknown ones are kept last for `check` to refuse. The text
    of « autre » counts only with its option.
    """
    if question.kind not in CHOICES:
        text = clean_text(values[0]) if values else ""
        return {"text": text or None, "options": [], "other": None}
    known = [str(option.id) for option in question.options]
    chosen = {value for value in values if value}
    options = [value for value in known if value in chosen] + sorted(chosen.difference(known))
    detail = clean_text(other) or None
    return {"text": None, "options": options, "other": detail if _other_chosen(question, options) else None}


def is_empty(given: Given) -> bool:
    """Whether nothing was answered."""
    return not given["options"] and given["text"] is None


def check(question: Question, given: Given) -> str | None:
    """Why an answer cannot be accepted, as a French sentence that says what to do; None when it can."""
    if is_empty(given):
        return _missing(question) if question.required else None
    if question.kind in CHOICES:
        return _check_choice(question, given)
    length, limit = len(given["text"] or ""), max_length(question)
    if length > limit:
        return f"Votre texte compte {number(length)} caractères, la limite est de {number(limit)}. Raccourcissez-le."
    return None


def errors(questions: Iterable[Question], answers: Answers) -> dict[uuid.UUID, str]:
    """The refused questions, each with its sentence, in the order of the questionnaire."""
    found = {question.id: check(question, answers.get(question.id) or read(question, [])) for question in questions}
    return {question_id: reason for question_id, reason in found.items() if reason}


def suppressed(visibility: AnswerVisibility, base: int) -> bool:
    """Whether counts must be withheld: too few people answered a question that is published in totals only."""
    return visibility is AnswerVisibility.AGGREGATES and base < K


def public_answers(questions: Iterable[Question], answers: Answers) -> dict[str, Any]:
    """The answers that are published row by row, canonical: what the registry commits to and anyone can recompute."""
    return {
        str(question.id): {**answers[question.id]}
        for question in questions
        if question.visibility is AnswerVisibility.ROWS
        and question.id in answers
        and not is_empty(answers[question.id])
    }


def to_json(answers: Answers) -> dict[str, Any]:
    """Answers as a draft keeps them."""
    return {str(question_id): dict(given) for question_id, given in answers.items()}


def from_json(stored: Mapping[str, Any], questions: Iterable[Question]) -> dict[uuid.UUID, Given]:
    """A draft's answers to the questions that still exist."""
    return {question.id: stored[str(question.id)] for question in questions if str(question.id) in stored}


def option_of(question: Question, kind: OptionKind) -> QuestionOption | None:
    """The « autre » or the exclusive option of a question; it has one of each at most."""
    return next((option for option in question.options if option.kind is kind), None)


def _other_chosen(question: Question, options: Sequence[str]) -> bool:
    option = option_of(question, OptionKind.OTHER)
    return option is not None and str(option.id) in options


def _missing(question: Question) -> str:
    if question.kind is QuestionKind.SINGLE:
        return "Cette question est obligatoire. Choisissez une réponse."
    if question.kind is QuestionKind.MULTIPLE:
        return "Cette question est obligatoire. Cochez au moins une réponse."
    return "Cette question est obligatoire. Écrivez votre réponse."


def _check_choice(question: Question, given: Given) -> str | None:
    labels = {str(option.id): option.label for option in question.options}
    chosen = given["options"]
    if not labels.keys() >= set(chosen):
        return "Une des réponses choisies n’existe pas. Rechargez la page et choisissez dans la liste."
    exclusive = option_of(question, OptionKind.EXCLUSIVE)
    alone = exclusive is not None and str(exclusive.id) in chosen
    if exclusive is not None and alone and len(chosen) > 1:
        return f"« {exclusive.label} » ne va avec aucune autre réponse. Décochez-la, ou décochez les autres."
    if not alone:
        refused = _check_number(question, len(chosen))
        if refused:
            return refused
    return _check_other(question, given)


def _check_number(question: Question, count: int) -> str | None:
    if question.kind is QuestionKind.SINGLE:
        return "Une seule réponse est possible. N’en gardez qu’une." if count > 1 else None
    least, most = question.settings.get("minimum"), question.settings.get("maximum")
    if least and count < least:
        return f"Vous avez coché {_answers(count)}, il en faut au moins {least}. Cochez-en davantage."
    if most and count > most:
        return f"Vous avez coché {_answers(count)}, la limite est de {most}. Décochez-en {count - most}."
    return None


def _check_other(question: Question, given: Given) -> str | None:
    if not _other_chosen(question, given["options"]):
        return None
    label = option_of(question, OptionKind.OTHER)
    length = len(given["other"] or "")
    if label is not None and not length:
        return f"Vous avez choisi « {label.label} ». Précisez votre réponse dans le champ prévu."
    if length > OTHER_LENGTH:
        return f"Votre précision compte {number(length)} caractères, la limite est de {OTHER_LENGTH}. Raccourcissez-la."
    return None


def _answers(count: int) -> str:
    return "1 réponse" if count == 1 else f"{number(count)} réponses"
