"""What a questionnaire says between its questions: the title of a new page, a text to read."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from wtforms.fields.core import UnboundField

from consult.questionnaires.kinds.base import Given, Kind, Sent, nothing
from consult.questionnaires.models import Question


class _Break(Kind):
    """What is read and never answered."""

    asks = False

    def read(self, question: Question, sent: Sent) -> Given:
        """Nothing, whatever was sent."""
        del question, sent
        return nothing()

    def check(self, question: Question, given: Given) -> str | None:
        """See Kind."""
        del question, given
        return "Ceci n’est pas une question. Rechargez la page."

    def fields(self, question: Question, label: str, description: str) -> dict[str, UnboundField]:
        """None."""
        del question, label, description
        return {}

    def values(self, question: Question, given: Given) -> dict[str, Any]:
        """None."""
        del question, given
        return {}


class Section(_Break):
    """The title of a new page."""

    name = "section"
    label = "Section"
    about = "Commence une nouvelle page, avec un titre."
    words = MappingProxyType({"wording": ("Titre de la section", ""), "help": ("Texte sous le titre", "")})


class Explanation(_Break):
    """A text to read among the questions."""

    name = "explanation"
    label = "Texte explicatif"
    about = "Un texte à lire, sans réponse."
    words = MappingProxyType({"wording": ("Texte", ""), "help": ("Précision en plus petit", "")})
