"""The French words of accounts."""

from __future__ import annotations

from typing import Final

from consult.actor import Role

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
