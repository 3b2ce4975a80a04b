"""French words of questionnaires."""

from __future__ import annotations

from typing import Final

from consult.questionnaires.models import AnswerVisibility

# Told to the organiser who chooses, and to the person who answers.
VISIBILITIES: Final = {
    AnswerVisibility.ROWS: "Réponses publiées ligne à ligne",
    AnswerVisibility.AGGREGATES: "Réponses publiées en totaux seulement",
    AnswerVisibility.ADMINISTRATION: "Réponses réservées à l’administration",
}
MODES: Final = {"attributed": "Attribuées aux comptes", "anonymous": "Anonymes"}
EDITS: Final = {"open": "Modifiables jusqu’à la fin de l’étape", "final": "Définitives : retirables, jamais modifiées"}
SENT: Final = "Votre réponse est enregistrée. Vous pouvez la modifier jusqu’à la fin de l’étape."
SENT_FOR_GOOD: Final = "Votre réponse est enregistrée. Elle ne peut plus être modifiée ; vous pouvez encore la retirer."
CORRECTED: Final = (
    "L’énoncé d’une question a été corrigé depuis que cette page vous a été montrée. Vos réponses sont gardées : "
    "relisez les questions, puis envoyez de nouveau."
)
KEPT: Final = (
    "Vos réponses sont gardées sept jours pour ce navigateur, mais elles ne sont pas encore envoyées. "
    "Connectez-vous ou créez un compte : vous les retrouverez ici, prêtes à partir."
)
KEPT_SEALED: Final = (
    "Vos réponses sont gardées sept jours pour ce navigateur seul, chiffrées : votre compte ne les retrouvera pas "
    "ailleurs. Elles ne sont pas encore envoyées."
)
