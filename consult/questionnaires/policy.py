"""What an answer may be: pure rules over questions and what was typed; each kind of question brings its own."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from consult import traces
from consult.consultations.models import Consultation, Step
from consult.consultations.policy import is_public
from consult.disclosure import K
from consult.questionnaires import conditions, kinds
from consult.questionnaires.kinds.base import OTHER, Given, Sent, is_empty, nothing
from consult.questionnaires.models import AnswerVisibility, OptionKind, Question, QuestionOption

ANONYMOUS: Final = "anonymous"  # among the settings of the step
FINAL: Final = "final"
ACCESS: Final = "access"
UNINSTALLED: Final = (
    "Ce questionnaire ne peut pas recevoir de réponse en ce moment : il contient un type de question qui n’est plus "
    "installé sur ce site ({}). Ce qui a déjà été répondu est gardé. Prévenez-nous depuis la page Contact."
)
Answers: TypeAlias = Mapping[uuid.UUID, Given]


class Access(enum.StrEnum):
    """Who may reply to a step: each account, once; each invitation, once; everyone, as often as they do."""

    ACCOUNTS = "accounts"
    INVITATIONS = "invitations"
    EVERYONE = "everyone"


def editable(consultation: Consultation) -> bool:
    """Questions change only before the consultation opens: afterwards replies must answer the same questions."""
    return not is_public(consultation)


def is_anonymous(step: Step) -> bool:
    """Whether nobody may know who gave which reply to the step; frozen at opening, as all its settings are."""
    return bool(step.settings.get(ANONYMOUS))


def access(step: Step) -> Access:
    """Who may reply to the step; frozen at opening."""
    return Access(step.settings.get(ACCESS, Access.ACCOUNTS))


def by_code(step: Step) -> bool:
    """Whether no reply to the step is tied to an account: whoever sent it holds its code."""
    return is_anonymous(step) or access(step) is not Access.ACCOUNTS


def is_final(step: Step) -> bool:
    """Whether a reply sent to the step can be withdrawn, but neither changed nor sent again; frozen at opening."""
    return bool(step.settings.get(FINAL))


def obstacle(questions: Iterable[Question]) -> str:
    """Why no reply to these questions can be taken, whatever it says; empty when nothing stands in the way."""
    gone = kinds.gone(questions)
    return UNINSTALLED.format(", ".join(f"« {name} »" for name in gone)) if gone else ""


def unpictured(question: Question) -> list[QuestionOption]:
    """The options that still lack the picture that the kind of their question wants."""
    plain = question.options if kinds.of(question).pictured else ()
    return [option for option in plain if option.kind is OptionKind.NORMAL and option.picture is None]


def texts(questions: Iterable[Question]) -> int:
    """What tells whether one of these questions was corrected since a page was shown."""
    return sum(question.version for question in questions)


def read(question: Question, values: Sequence[str], other: str = "") -> Given:
    """What was sent for a question, as an answer, with the text of « autre »; `check` says whether it is accepted."""
    return kinds.of(question).read(question, Sent(values, {OTHER: [other]}))


def check(question: Question, given: Given) -> str | None:
    """Why an answer cannot be accepted, as a French sentence that says what to do; None when it can."""
    kind = kinds.of(question)
    if not is_empty(given):
        return kind.check(question, given)
    return kind.missing(question) if question.required and kind.asks else None


def numbered(questions: Iterable[Question]) -> dict[uuid.UUID, int]:
    """The rank of each question among those that ask something."""
    asking = (question for question in conditions.in_order(questions) if kinds.of(question).asks)
    return {question.id: rank for rank, question in enumerate(asking, 1)}


def traced(questions: Sequence[Question], answers: Answers) -> dict[uuid.UUID, str]:
    """What to tell of the answers that everybody will read and that seem to hold personal data."""
    found: dict[uuid.UUID, str] = {}
    for question in questions:
        given = answers.get(question.id)
        if given is not None and question.visibility is AnswerVisibility.ROWS:
            written = given["text"] if kinds.of(question).written else None
            told = traces.warning({"": f"{written or ''}\n{given['other'] or ''}"})
            if told:
                found[question.id] = told
    return found


def errors(questions: Iterable[Question], answers: Answers) -> dict[uuid.UUID, str]:
    """The refused questions among those that concern the person, each with its sentence, in order."""
    asked = conditions.asked(questions, answers)
    found = {question.id: check(question, answers.get(question.id) or nothing()) for question in asked}
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


def everything(questions: Iterable[Question], kept: Answers) -> dict[uuid.UUID, Given]:
    """What is said to each question, be it nothing."""
    return {question.id: kept.get(question.id) or nothing() for question in questions}


def to_json(answers: Answers) -> dict[str, Any]:
    """Answers as a draft keeps them."""
    return {str(question_id): dict(given) for question_id, given in answers.items()}


def from_json(stored: Mapping[str, Any], questions: Iterable[Question]) -> dict[uuid.UUID, Given]:
    """A draft's answers to the questions that still exist."""
    return {question.id: stored[str(question.id)] for question in questions if str(question.id) in stored}
