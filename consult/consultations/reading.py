"""Whether moderators read the texts of a step before they are published, and at which hours they are there."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from consult.clock import PARIS
from consult.consultations.models import OffHours, Reading, Step

FIRST_HOUR: Final = 8
LAST_HOUR: Final = 20
WORKING_DAYS: Final = 5
CHARTER_LENGTH: Final = 2_000
HOURS: Final = f"du lundi au vendredi, de {FIRST_HOUR}\u00a0h à {LAST_HOUR}\u00a0h, heure de Paris"
ABSENT: Final = (
    f"Les textes de cette étape sont lus par deux personnes avant d’être publiés\u00a0: elle en reçoit {HOURS}. "
    "Rien n’a été enregistré. Votre texte est ci-dessous."
)


def reads_first(step: Step) -> bool:
    """Whether a text of the step waits for a moderator before it is public."""
    return step.reading is not Reading.AFTER


def attended(now: dt.datetime) -> bool:
    """Whether moderators are at work: a working day, by day, in Paris; holidays are not known."""
    here = now.astimezone(PARIS)
    return here.weekday() < WORKING_DAYS and FIRST_HOUR <= here.hour < LAST_HOUR


def takes_texts(step: Step, now: dt.datetime) -> bool:
    """Whether the step receives texts at that hour."""
    closes = step.reading is Reading.TWICE and step.off_hours is OffHours.CLOSE
    return not closes or attended(now)


def told(step: Step) -> dict[str, Any]:
    """How a step is moderated, for the public log."""
    return {
        "step": str(step.id),
        "moderation": step.reading.value,
        "off_hours": step.off_hours.value,
        "charter": step.charter,
    }
