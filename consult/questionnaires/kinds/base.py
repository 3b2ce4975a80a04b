"""What every kind of question does: read, judge, show and count an answer, and check what an organiser asks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypedDict

from wtforms import Form, FormField
from wtforms.fields.core import UnboundField
from wtforms.validators import InputRequired
from wtforms.widgets import TableWidget

from consult.labels import number
from consult.questionnaires.kinds.draft import QuestionDraft
from consult.questionnaires.models import OptionKind, Question, QuestionOption

OPTION_LENGTH: Final = 500
MOST_OPTIONS: Final = 1000
MAIN: Final = ""  # the part of a question that has no suffix
OTHER: Final = "other"


class Given(TypedDict):
    """What one question received: a text, or keys of what was chosen, with the text of « autre ».

    A key is the id of an option; `<row>:<column>` in a table, `<option>:<rank>` in a ranking, the figure on a scale,
    the code of a département.
    """

    text: str | None
    options: list[str]
    other: str | None


@dataclass(frozen=True, slots=True)
class Sent:
    """What a browser sent for one question: the values of its field, and those of its other parts, by suffix."""

    values: Sequence[str] = ()
    parts: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def one(self, part: str = MAIN) -> str:
        """The first value of a part, cleaned."""
        values = self.parts.get(part, ()) if part else self.values
        return clean_text(values[0]) if values else ""


@dataclass(frozen=True, slots=True)
class Group:
    """Cells in which people are counted together, with the words of each.

    `without`: the key of those who are in none of them, where each person is in one at most; else None.
    """

    cells: Mapping[str, str]
    label: str = ""
    without: str | None = None


def clean_text(raw: str) -> str:
    """What was typed, with one kind of line end, without NUL and without the blanks around it; nothing else changes."""
    return raw.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip()


def nothing() -> Given:
    """No answer."""
    return {"text": None, "options": [], "other": None}


def is_empty(given: Given) -> bool:
    """Whether nothing was answered."""
    return not given["options"] and given["text"] is None and given["other"] is None


def option_of(question: Question, kind: OptionKind) -> QuestionOption | None:
    """The « autre » or the exclusive option of a question; it has one of each at most."""
    return next((option for option in question.options if option.kind is kind), None)


def labels_of(question: Question, *kinds: OptionKind) -> dict[str, str]:
    """Labels by id, in order, of the options of these kinds."""
    return {str(option.id): option.label for option in question.options if option.kind in kinds}


class _Parts(TableWidget):  # type: ignore[misc]  # WTForms has no types
    """Marks as required a field made of several, which takes no validator."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.field_flags = {"required": question.required}


def composite(question: Question, label: str, description: str, parts: Mapping[str, UnboundField]) -> UnboundField:
    """One field made of several, each named after its suffix."""
    fields = type("Parts", (Form,), dict(parts))
    return FormField(fields, label=label, description=description, widget=_Parts(question))


class Kind(ABC):
    """A kind of question. One instance serves all of them: nothing is kept in it.

    Another installed package may bring one, by the entry point group `consult.question_kinds`.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    about: ClassVar[str]  # what it is for, told to the organiser who chooses
    words: ClassVar[Mapping[str, tuple[str, str]]] = MappingProxyType(
        {}
    )  # label and help of fields that it calls otherwise
    asks: ClassVar[bool] = True  # False: it is read, never answered
    written: ClassVar[bool] = False  # the answer is free text, in which somebody may name themselves
    takes_labels: ClassVar[bool] = False  # a file may give its answers by the labels of options
    several: ClassVar[bool] = False  # of those labels, more than one
    ordered: ClassVar[bool] = False  # its answers are figures or days, one after another
    whole: ClassVar[bool] = False  # its totals are published whole or not at all
    pictured: ClassVar[bool] = False  # each of its plain options shows a picture
    option_kinds: ClassVar[tuple[OptionKind, ...]] = ()  # those that an organiser gives, in this order
    settings: ClassVar[tuple[str, ...]] = ()  # the fields of `QuestionDraft` kept as they are

    def missing(self, question: Question) -> str:
        """What to tell whoever left a required question empty."""
        del question
        return "Cette question est obligatoire. Écrivez votre réponse."

    @abstractmethod
    def read(self, question: Question, sent: Sent) -> Given:
        """What a browser sent, as an answer; what cannot be accepted is kept for `check` to refuse."""

    @abstractmethod
    def check(self, question: Question, given: Given) -> str | None:
        """Why an answer that is not empty cannot be accepted, as a French sentence that says what to do."""

    def fault_at(self, question: Question, given: Given) -> str:
        """The part of the question that a refusal concerns."""
        del question, given
        return MAIN

    def hint(self, question: Question) -> str:
        """What is expected, in one sentence; empty when it goes without saying."""
        del question
        return ""

    @abstractmethod
    def fields(self, question: Question, label: str, description: str) -> dict[str, UnboundField]:
        """The fields of its form, by part; the main one first."""

    def values(self, question: Question, given: Given) -> dict[str, Any]:
        """What fills those fields."""
        del question
        return {MAIN: given["text"] or ""}

    def shown(self, question: Question, given: Given) -> list[str]:
        """What was answered, in words, one item each."""
        del question
        return [given["text"] or ""]

    def groups(self, question: Question) -> list[Group]:
        """What its answers are counted in; nothing for texts, numbers and dates."""
        del question
        return []

    def summary(self, question: Question, counts: Mapping[str, int]) -> list[str]:
        """What full counts amount to, in words."""
        del question, counts
        return []

    def labelled(self, draft: QuestionDraft) -> list[tuple[str, OptionKind]]:
        """Every option that the draft gives to this kind, in order."""
        typed = {
            OptionKind.ROW: draft.rows,
            OptionKind.NORMAL: draft.options,
            OptionKind.OTHER: (draft.other,),
            OptionKind.EXCLUSIVE: (draft.exclusive,),
        }
        return [(text, kind) for kind in self.option_kinds for label in typed[kind] if (text := label.strip())]

    def kept(self, draft: QuestionDraft) -> dict[str, Any]:
        """The settings of the question."""
        typed = {name: getattr(draft, name) for name in self.settings}
        typed = {name: value.strip() if isinstance(value, str) else value for name, value in typed.items()}
        return {name: value for name, value in typed.items() if value not in {None, ""}}

    def lesson(self, question: Question) -> str:
        """What to tell whoever has answered; empty: nothing."""
        del question
        return ""

    def faults(self, draft: QuestionDraft) -> dict[str, str]:
        """Why the draft cannot be a question of this kind: a sentence by field."""
        del draft
        return {}


def required(question: Question) -> list[InputRequired]:
    """Read by the widgets alone, to mark what is required."""
    return [InputRequired()] if question.required else []


def label_faults(name: str, labels: Sequence[str], *, least: int, most: int, thing: str) -> dict[str, str]:
    """What is wrong with a list of labels, told on the field of that name; `thing`: how one of them is called."""
    twice = sorted({label for label in labels if labels.count(label) > 1}) if len(labels) <= most else []
    long = next((label for label in labels if len(label) > OPTION_LENGTH), None)
    words = {1: "une", 2: "deux"}.get(least, str(least))
    if len(labels) < least:
        return {name: f"Proposez au moins {words} {thing}{'s' if least > 1 else ''}, une par ligne."}
    if len(labels) > most:
        return {name: f"Une question propose {number(most)} {thing}s au plus."}
    if twice:
        return {name: f"La {thing} « {twice[0]} » figure deux fois. Gardez-en une."}
    if long:
        return {name: f"La {thing} « {long[:40]}… » dépasse {OPTION_LENGTH} caractères. Raccourcissez-la."}
    return {}
