"""French words of questionnaires."""

from __future__ import annotations

from typing import Final

from consult.questionnaires.models import AnswerVisibility, QuestionKind

KINDS: Final = {
    QuestionKind.SINGLE: "Choix unique",
    QuestionKind.MULTIPLE: "Choix multiple",
    QuestionKind.SHORT_TEXT: "Texte court",
    QuestionKind.LONG_TEXT: "Texte long",
}
# Told to the organiser who chooses, and to the person who answers.
VISIBILITIES: Final = {
    AnswerVisibility.ROWS: "Réponses publiées ligne à ligne",
    AnswerVisibility.AGGREGATES: "Réponses publiées en totaux seulement",
    AnswerVisibility.ADMINISTRATION: "Réponses réservées à l’administration",
}
NO_ANSWER: Final = "Je ne réponds pas à cette question"
