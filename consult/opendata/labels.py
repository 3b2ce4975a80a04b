"""French names of the public datasets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

DATASETS: Final[Mapping[str, str]] = {
    "consultation": "La consultation",
    "steps": "Étapes",
    "themes": "Thèmes",
    "articles": "Parties des textes de loi",
    "contributions": "Contributions",
    "arguments": "Arguments",
    "votes": "Votes",
    "ballots": "Bulletins",
    "questions": "Questions",
    "replies": "Réponses aux questionnaires",
    "answers": "Réponses à chaque question",
    "totals": "Totaux publiés des questions fermées",
    "moderation": "Décisions de modération",
    "official_answers": "Réponses officielles",
    "commitments": "Engagements",
    "": "Tout l’export",
}
