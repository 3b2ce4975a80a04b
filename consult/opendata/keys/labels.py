"""French words of API keys."""

from __future__ import annotations

from typing import Final

from consult.opendata.keys.models import Scope

SCOPES: Final = {
    Scope.FIGURES: "Chiffres de suivi : inscriptions, contributions, votes, signalements en attente",
    Scope.TICKETS: "Tickets : signaler une anomalie, la suivre, écrire à l’exploitant",
    Scope.RAW: "Données brutes, données d’inscription comprises",
}
