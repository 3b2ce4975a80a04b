"""The form of one page of questions. WTForms draws it; `policy` alone judges what comes back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Field, Form

from consult.questionnaires import conditions, kinds, labels, wording
from consult.questionnaires.kinds.base import MAIN, Given, Sent, nothing
from consult.questionnaires.models import Question
from consult.questionnaires.policy import Answers


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the page shows it: its fields by part, the main one first; none when it only is read."""

    question: Question
    fields: Mapping[str, Field]


def field_name(question_id: object, part: str = MAIN) -> str:
    """The name of a question's field, or of the field of one of its parts."""
    return f"q-{question_id}-{part}" if part else f"q-{question_id}"


def read_page(questions: Sequence[Question], sent: MultiDict[str, str]) -> dict[uuid.UUID, Given]:
    """What a browser sent for these questions."""
    asked = [each for each in questions if kinds.of(each).asks and kinds.of(each) is not kinds.UNINSTALLED]
    names = {field_name(question.id): question for question in asked}
    parts: dict[str, dict[str, Sequence[str]]] = {name: {} for name in names}
    length = len(field_name(uuid.UUID(int=0)))
    for name in sent:
        if name[:length] in parts and name[length : length + 1] == "-":
            parts[name[:length]][name[length + 1 :]] = sent.getlist(name)
    return {
        question.id: kinds.of(question).read(question, Sent(sent.getlist(name), parts[name]))
        for name, question in names.items()
    }


def page_form(
    questions: Sequence[Question],
    answers: Answers,
    *,
    numbers: Mapping[uuid.UUID, int],
    errors: Mapping[uuid.UUID, str],
    sure: bool = False,
) -> tuple[Form, list[Asked]]:
    """The form of a page filled with these answers, and its questions in order; errors are put on their fields."""
    declared: dict[str, Any] = {"sure": BooleanField("J’ai relu mes réponses\u00a0: publier quand même")}
    values: dict[str, Any] = {"sure": sure}
    parts: dict[uuid.UUID, list[str]] = {question.id: [] for question in questions}
    for question in questions:
        kind, given = kinds.of(question), answers.get(question.id) or nothing()
        if kind.asks:
            label = f"{numbers[question.id]}. {question.wording}"
            filled = kind.values(question, given)
            for part, field in kind.fields(question, label, _help(question)).items():
                parts[question.id].append(part)
                declared[field_name(question.id, part)] = field
                values[field_name(question.id, part)] = filled.get(part)
    form = type("PageForm", (Form,), declared)(data=values)
    asked = []
    for question in questions:
        here = Asked(question, {part: form[field_name(question.id, part)] for part in parts[question.id]})
        asked.append(here)
        if question.id in errors:
            _blamed(here, answers.get(question.id) or nothing()).errors = [errors[question.id]]
    return form, asked


def notes(
    asked: Sequence[Asked], questions: Sequence[Question], numbers: Mapping[uuid.UUID, int]
) -> dict[uuid.UUID, str]:
    """Of the questions that hang on what is answered on the same page, when they are asked, in words."""
    page = [each.question for each in asked]
    hanging = {each: conditions.of(each) for each in page if conditions.hangs_on(each, page)}
    return {each.id: wording.sentence(how, questions, numbers) for each, how in hanging.items() if how is not None}


def followed(questions: Sequence[Question], asked: Sequence[Asked], answers: Answers) -> str:
    """What the script needs to show those questions or not: every condition, and what was answered on other pages."""
    here = {each.question.id for each in asked}
    declared = [{"id": str(each.id), "condition": conditions.of(each)} for each in conditions.in_order(questions)]
    elsewhere = {str(key): given for key, given in answers.items() if key not in here}
    return json.dumps({"questions": declared, "answers": elsewhere}, ensure_ascii=False)


def _blamed(asked: Asked, given: Given) -> Field:
    """The field that a refusal concerns; of one made of several, one of these."""
    part = kinds.of(asked.question).fault_at(asked.question, given)
    field = asked.fields.get(part)
    if field is not None and getattr(field, "form", None) is None:
        return field
    inner = asked.fields[MAIN].form
    return inner[part] if part in inner else next(iter(inner))


def _help(question: Question) -> str:
    """The organiser's help, what is expected, and who will see the answers."""
    parts = [question.help.strip(), kinds.of(question).hint(question), f"{labels.VISIBILITIES[question.visibility]}."]
    return " ".join(part for part in parts if part)
