"""French words of the moderators' register."""

from __future__ import annotations

from typing import Final

COLUMNS: Final = (
    "Pseudonyme",
    "Adresse électronique",
    "Rôles",
    "Depuis le",
    "Jusqu’au",
    "Décisions",
    "Décisions contestées",
    "Décisions infirmées après contestation",
)
