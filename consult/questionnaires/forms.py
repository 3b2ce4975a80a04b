"""The form of one page of questions. WTForms draws it; `policy` alone judges what comes back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import Field, Form, RadioField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from consult.labels import number
from consult.questionnaires import labels, policy
from consult.questionnaires.models import OptionKind, Question, QuestionKind
from consult.questionnaires.policy import Answers, Given


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the page shows it: its field, and the field of « autre » when it has one."""

    question: Question
    field: Field
    other: Field | None


def field_name(question_id: object) -> str:
    """The name of a question's field."""
    return f"q-{question_id}"


def other_name(question_id: object) -> str:
    """The name of the field of « autre »."""
    return f"o-{question_id}"


def read_page(questions: Sequence[Question], sent: MultiDict[str, str]) -> dict[uuid.UUID, Given]:
    """What a browser sent for these questions."""
    return {
        question.id: policy.read(question, sent.getlist(field_name(question.id)), sent.get(other_name(question.id), ""))
        for question in questions
    }


def page_form(
    questions: Sequence[Question],
    answers: Answers,
    *,
    numbers: Mapping[uuid.UUID, int],
    errors: Mapping[uuid.UUID, str],
) -> tuple[Form, list[Asked]]:
    """The form of a page filled with these answers, and its questions in order; errors are put on their fields."""
    declared: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for question in questions:
        given = answers.get(question.id)
        declared[field_name(question.id)] = _field(question, numbers[question.id])
        values[field_name(question.id)] = _value(question, given)
        other = policy.option_of(question, OptionKind.OTHER)
        if other is not None:
            declared[other_name(question.id)] = StringField(
                f"Votre précision pour « {other.label} »", [Length(max=policy.OTHER_LENGTH)]
            )
            values[other_name(question.id)] = (given["other"] if given else None) or ""
    form = type("PageForm", (Form,), declared)(data=values)
    asked = [
        Asked(question, form[field_name(question.id)], form._fields.get(other_name(question.id)))
        for question in questions
    ]
    for each in asked:
        if each.question.id in errors:
            each.field.errors = [errors[each.question.id]]
    return form, asked


def _field(question: Question, rank: int) -> Field:
    # The validators are only read by the widgets: required mark, counter.
    required = [InputRequired()] if question.required else []
    common = {"label": f"{rank}. {question.wording}", "description": _help(question)}
    if question.kind in policy.CHOICES:
        choices = [SelectChoice(str(option.id), option.label) for option in question.options]
        if question.kind is QuestionKind.MULTIPLE:
            return SelectMultipleField(
                choices=choices,
                validators=required,
                widget=ListWidget(prefix_label=False),
                option_widget=CheckboxInput(),
                **common,
            )
        if not question.required:
            choices.append(SelectChoice("", labels.NO_ANSWER))
        return RadioField(choices=choices, validators=required, **common)
    limits = [*required, Length(max=policy.max_length(question))]
    kind = StringField if question.kind is QuestionKind.SHORT_TEXT else TextAreaField
    return kind(validators=limits, **common)


def _help(question: Question) -> str:
    """The organiser's help, how many answers are expected, and who will see them."""
    least, most = question.settings.get("minimum"), question.settings.get("maximum")
    parts = [question.help.strip()]
    if question.kind is QuestionKind.MULTIPLE:
        if least and most:
            parts.append(f"Cochez de {least} à {number(most)} réponses.")
        elif most:
            parts.append(f"Cochez {number(most)} réponses au plus." if most > 1 else "Cochez une réponse au plus.")
        elif least and least > 1:
            parts.append(f"Cochez au moins {least} réponses.")
        else:
            parts.append("Plusieurs réponses possibles.")
    parts.append(f"{labels.VISIBILITIES[question.visibility]}.")
    return " ".join(part for part in parts if part)


def _value(question: Question, given: Given | None) -> Any:
    if question.kind is QuestionKind.MULTIPLE:
        return given["options"] if given else []
    if question.kind is QuestionKind.SINGLE:
        return given["options"][0] if given and given["options"] else ""
    return (given["text"] if given else None) or ""
