"""French words of official answers, commitments and cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from consult.followup.models import Outcome, Stage, Status, TargetType


def _statuses(e: str) -> Mapping[Status, tuple[str, str]]:
    return {
        Status.DRAFT: ("Brouillon", "warning"),
        Status.PUBLISHED: (f"Publié{e}", "success"),
        Status.WITHDRAWN: (f"Retiré{e}", "neutral"),
    }


OUTCOMES: Final = {  # word, kind of badge
    Outcome.UNDER_STUDY: ("À l’étude", "info"),
    Outcome.ACCEPTED: ("Retenue", "success"),
    Outcome.PARTLY_ACCEPTED: ("Retenue en partie", "warning"),
    Outcome.DECLINED: ("Non retenue", "neutral"),
}
STAGES: Final = {
    Stage.PLANNED: ("Prévu", "info"),
    Stage.IN_PROGRESS: ("En cours", "warning"),
    Stage.DONE: ("Réalisé", "success"),
    Stage.ABANDONED: ("Abandonné", "neutral"),
}
STATUSES: Final = {  # of something feminine, of something masculine
    True: _statuses("e"),
    False: _statuses(""),
}
TARGETS: Final = {
    TargetType.CONTRIBUTION: "une contribution",
    TargetType.THEME: "un thème",
    TargetType.STEP: "une étape",
    TargetType.CONSULTATION: "toute la consultation",
}
LICENCES: Final = {
    "etalab-2.0": "Licence Ouverte 2.0 (etalab-2.0)",
    "odbl-1.0": "Open Database License 1.0 (odbl-1.0)",
    "cc-by-4.0": "Creative Commons Attribution 4.0 (cc-by-4.0)",
}
