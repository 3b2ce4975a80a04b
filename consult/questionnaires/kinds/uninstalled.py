"""What stands for a kind of question that another package brought and that is no longer installed."""

from __future__ import annotations

from typing import ClassVar

from wtforms.fields.core import UnboundField

from consult.questionnaires.kinds.base import Given, Kind, Sent, nothing
from consult.questionnaires.models import Question


class Uninstalled(Kind):
    """Shows that the question is there, so that all other pages live; the questionnaire takes no reply meanwhile."""

    name: ClassVar[str] = "uninstalled"
    label: ClassVar[str] = "Type de question qui n’est plus installé"
    about: ClassVar[str] = "Ne se choisit pas."

    def read(self, question: Question, sent: Sent) -> Given:
        """Nothing: nobody here knows how it was written."""
        del question, sent
        return nothing()

    def check(self, question: Question, given: Given) -> str | None:
        """See Kind."""
        del question, given
        return "Le type de cette question n’est plus installé sur ce site."

    def fields(self, question: Question, label: str, description: str) -> dict[str, UnboundField]:
        """None: its wording alone is shown."""
        del question, label, description
        return {}

    def shown(self, question: Question, given: Given) -> list[str]:
        """That there is an answer, whose words only its kind knows."""
        del question, given
        return ["Réponse gardée, illisible ici\u00a0: le type de la question n’est plus installé."]
