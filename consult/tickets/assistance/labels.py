"""French words of help."""

from __future__ import annotations

from typing import Final

from consult.tickets.assistance.models import Topic

TOPICS: Final = {
    Topic.ACCOUNT: "Mon compte ou ma connexion",
    Topic.TAKING_PART: "Lire, proposer, argumenter, répondre à un questionnaire",
    Topic.VOTE: "Mon vote ou son reçu",
    Topic.DATA: "Les données ouvertes ou l’API",
    Topic.ACCESSIBILITY: "Une difficulté d’accès (handicap, lecteur d’écran, clavier, contraste)",
    Topic.OTHER: "Autre chose",
}
# Titles of tickets hold no words of the public: they stay in the reports of the contract once the words are gone.
TITLES: Final = {
    Topic.ACCOUNT: "Aide demandée par le site\u00a0: compte",
    Topic.TAKING_PART: "Aide demandée par le site\u00a0: participer",
    Topic.VOTE: "Aide demandée par le site\u00a0: vote",
    Topic.DATA: "Aide demandée par le site\u00a0: données",
    Topic.ACCESSIBILITY: "Difficulté d’accès signalée par le site",
    Topic.OTHER: "Aide demandée par le site",
}
