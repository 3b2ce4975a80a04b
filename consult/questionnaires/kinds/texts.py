"""Short and long texts."""

from __future__ import annotations

from typing import ClassVar, Final

from wtforms import StringField, TextAreaField
from wtforms.fields.core import UnboundField
from wtforms.validators import Length

from consult.labels import number
from consult.questionnaires.kinds.base import MAIN, Given, Kind, Sent, nothing, required
from consult.questionnaires.kinds.draft import QuestionDraft
from consult.questionnaires.models import Question

GREATEST_LENGTH: Final = 100_000


class ShortText(Kind):
    """A text of one line."""

    name = "short_text"
    label = "Texte court"
    about = "Quelques mots, sur une ligne."
    written = True
    settings = ("max_length",)
    usual_length: ClassVar[int] = 200
    field: ClassVar[type[StringField]] = StringField

    def max_length(self, question: Question) -> int:
        """Characters that the question takes."""
        return int(question.settings.get("max_length") or self.usual_length)

    def read(self, question: Question, sent: Sent) -> Given:
        """See Kind."""
        del question
        return nothing() | {"text": sent.one() or None}

    def check(self, question: Question, given: Given) -> str | None:
        """See Kind."""
        length, limit = len(given["text"] or ""), self.max_length(question)
        if given["options"] or given["other"]:
            return "Cette question attend un texte. Rechargez la page et écrivez votre réponse."
        if length > limit:
            return (
                f"Votre texte compte {number(length)} caractères, la limite est de {number(limit)}. Raccourcissez-le."
            )
        return None

    def fields(self, question: Question, label: str, description: str) -> dict[str, UnboundField]:
        """See Kind."""
        limits = [*required(question), Length(max=self.max_length(question))]
        return {MAIN: self.field(label=label, description=description, validators=limits)}

    def faults(self, draft: QuestionDraft) -> dict[str, str]:
        """See Kind."""
        if draft.max_length is None or 1 <= draft.max_length <= GREATEST_LENGTH:
            return {}
        return {"max_length": f"Donnez une limite entre 1 et {number(GREATEST_LENGTH)} caractères."}


class LongText(ShortText):
    """A text of several lines."""

    name = "long_text"
    label = "Texte long"
    about = "Plusieurs paragraphes."
    usual_length = 10_000
    field = TextAreaField
