"""French words of questionnaires."""

from __future__ import annotations

from typing import Final

from consult.questionnaires.models import AnswerVisibility
from consult.questionnaires.policy import Access

# Told to the organiser who chooses, and to the person who answers.
VISIBILITIES: Final = {
    AnswerVisibility.ROWS: "Réponses publiées ligne à ligne",
    AnswerVisibility.AGGREGATES: "Réponses publiées en totaux seulement",
    AnswerVisibility.ADMINISTRATION: "Réponses réservées à l’administration",
}
MODES: Final = {"attributed": "Publiées aussitôt, reliées au compte s’il y en a un", "anonymous": "Anonymes"}
EDITS: Final = {"open": "Modifiables jusqu’à la fin de l’étape", "final": "Définitives : retirables, jamais modifiées"}
ACCESSES: Final = {
    Access.ACCOUNTS: "Aux comptes, une réponse chacun",
    Access.INVITATIONS: "Sur invitation à usage unique, sans compte",
    Access.EVERYONE: "À tous, sans compte ni dédoublonnage",
}
# Told beside every figure of a questionnaire: who could answer, and what the number of replies does not prove.
BASES: Final = {
    Access.ACCOUNTS: "Une réponse par compte. Une même personne peut avoir plusieurs comptes.",
    Access.INVITATIONS: (
        "Une réponse par invitation à usage unique. Le registre public dit combien d’invitations ont été émises ; une "
        "même personne a pu en recevoir plusieurs."
    ),
    Access.EVERYONE: (
        "Ouvert à tous, non dédoublonné : une même personne a pu répondre plusieurs fois. La vérification anti-robot "
        "et une limite par connexion freinent les envois automatiques, sans les exclure."
    ),
}
SENT: Final = "Votre réponse est enregistrée. Vous pouvez la modifier jusqu’à la fin de l’étape."
SENT_FOR_GOOD: Final = "Votre réponse est enregistrée. Elle ne peut plus être modifiée ; vous pouvez encore la retirer."
CORRECTED: Final = (
    "L’énoncé d’une question a été corrigé depuis que cette page vous a été montrée. Vos réponses sont gardées : "
    "relisez les questions, puis envoyez de nouveau."
)
KEPT_BY_ACCOUNT: Final = "Votre brouillon est enregistré. Il n’est pas encore envoyé."
KEPT_HERE: Final = "Vos réponses sont gardées sept jours pour ce navigateur. Elles ne sont pas encore envoyées."
KEPT_BY_LINK: Final = (
    "Vos réponses sont gardées sept jours : le lien ou le code de votre invitation les rouvre, ici ou sur un autre "
    "appareil. Elles ne sont pas encore envoyées."
)
NOT_INVITED: Final = (
    "Ce questionnaire est sur invitation. Ouvrez de nouveau le lien de la vôtre : elle n’est pas connue de ce "
    "navigateur, ou elle a été retirée. Rien n’est envoyé."
)
KEPT: Final = (
    "Vos réponses sont gardées sept jours pour ce navigateur, mais elles ne sont pas encore envoyées. "
    "Connectez-vous ou créez un compte : vous les retrouverez ici, prêtes à partir."
)
KEPT_SEALED: Final = (
    "Vos réponses sont gardées sept jours pour ce navigateur seul, chiffrées : votre compte ne les retrouvera pas "
    "ailleurs. Elles ne sont pas encore envoyées."
)
