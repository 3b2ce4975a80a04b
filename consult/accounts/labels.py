"""The French words of accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from consult.actor import Role
from consult.labels import number

ROLES: Final = {
    Role.OPERATOR: "exploitant de la plateforme",
    Role.DITP: "DITP",
    Role.ADMINISTRATOR: "administrateur",
    Role.ORGANISER: "organisateur",
    Role.MODERATOR: "modérateur",
    Role.ANALYST: "analyste",
    Role.DECISION_MAKER: "décideur",
    Role.READER: "lecteur",
    Role.FACILITATOR: "animateur de groupe",
    Role.MEMBER: "membre de groupe",
    Role.PARTICIPANT: "participant",
    Role.ANONYMOUS: "visiteur",
}
WHOLE_ORGANISATION: Final = "toute l’organisation"
WHOLE_PLATFORM: Final = "toute la plateforme"
REGISTER_COLUMNS: Final = (
    "Pseudonyme",
    "Adresse électronique",
    "Rôle",
    "Portée",
    "Depuis le",
    "Donné par",
    "Retiré le",
    "Retiré par",
    "Motif du retrait",
)
COMMAND_LINE: Final = "ligne de commande"
ERASED_PSEUDONYM: Final = "Compte supprimé"
_PREPARED: Final = {
    "votes": ("vote", "votes"),
    "texts": ("texte", "textes"),
    "replies": ("réponse à un questionnaire", "réponses à des questionnaires"),
}


def prepared(counts: Mapping[str, int]) -> str:
    """« 2 votes, 1 texte et 1 réponse à un questionnaire »; an empty string when there is nothing."""
    told = [f"{number(counts[kind])} {words[counts[kind] > 1]}" for kind, words in _PREPARED.items() if counts[kind]]
    return " et ".join(part for part in (", ".join(told[:-1]), *told[-1:]) if part)
