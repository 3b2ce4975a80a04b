"""French words of tickets."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any, Final

from consult.labels import NARROW, NO_BREAK, moment, number
from consult.seam import service_levels as levels
from consult.tickets.models import EventKind, Kind, Side

KINDS: Final = {
    Kind.ANOMALY: "Anomalie",
    Kind.ACCESSIBILITY: "Accessibilité",
    Kind.ASSISTANCE: "Assistance",
}
SEVERITIES: Final = {  # word, kind of badge
    levels.Severity.BLOCKING: ("Bloquante", "danger"),
    levels.Severity.MAJOR: ("Majeure", "warning"),
    levels.Severity.MINOR: ("Mineure", "info"),
}
MEANINGS: Final = {
    levels.Severity.BLOCKING: "empêche l’utilisation de tout ou partie des fonctionnalités",
    levels.Severity.MAJOR: "l’empêche aussi, mais une manipulation simple la contourne ; ou gêne significative",
    levels.Severity.MINOR: "n’empêche ni l’usage normal des fonctionnalités, ni la navigation",
}
MILESTONES: Final = {
    levels.Milestone.ACKNOWLEDGED: "Prise en compte",
    levels.Milestone.DIAGNOSED: "Diagnostic",
    levels.Milestone.WORKED_AROUND: "Contournement",
    levels.Milestone.RESOLVED: "Résolution",
    levels.Milestone.CAUGHT_UP: "Rattrapage",
    levels.Milestone.ANSWERED: "Réponse",
}
SIDES: Final = {
    Side.ADMINISTRATION: "Administration",
    Side.CONTRACTOR: "Exploitant",
    Side.REQUESTER: "Demandeur",
    Side.SYSTEM: "Plateforme",
}
STATES: Final = {"open": "Ouverts", "late": "En retard", "closed": "Clos"}
_EVENTS: Final = {
    EventKind.OPENED: "Signalement",
    EventKind.SEVERITY: "Gravité",
    EventKind.REACHED: "Étape atteinte",
    EventKind.TAKEN_BACK: "Étape refusée",
    EventKind.MESSAGE: "Message",
    EventKind.FILE: "Pièce jointe",
    EventKind.EXPLAINED: "Cause et version",
    EventKind.ALERTED: "Alerte",
    EventKind.CLOSED: "Clôture",
    EventKind.REOPENED: "Réouverture",
    EventKind.PUBLISHED: "Page de statut",
}


def severity(value: str | None) -> str:
    """The word of a severity, or that there is none."""
    return SEVERITIES[levels.Severity(value)][0] if value else "à fixer par l’administration"


def told(kind: EventKind, detail: Mapping[str, Any]) -> str:
    """One line of history in words."""
    parts: list[str] = []
    if "milestone" in detail:
        parts.append(MILESTONES[levels.Milestone(detail["milestone"])].lower())
    if "severity" in detail and kind is not EventKind.ALERTED:
        parts.append(severity(detail["severity"]).lower())
    if "share" in detail:
        over = detail["share"] == levels.ALERTS[-1]
        parts.append("délai dépassé" if over else f"{detail['share']}{NO_BREAK}% du délai écoulé")
    parts += [str(detail[name]) for name in ("cause", "release", "name", "words", "reason") if detail.get(name)]
    said = ", ".join(parts)
    return f"{_EVENTS[kind]}{NO_BREAK}: {said}" if said else _EVENTS[kind]


def length(value: dt.timedelta) -> str:
    """A length of time as people say it: « 3 j 4 h », « 4 h 05 min », « 12 min », « 8 s »."""
    seconds = int(value.total_seconds())
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    if days:
        return f"{days}{NO_BREAK}j {hours}{NO_BREAK}h"
    if hours:
        return f"{hours}{NO_BREAK}h {minutes:02d}{NO_BREAK}min"
    return f"{minutes}{NO_BREAK}min" if minutes else f"{seconds}{NO_BREAK}s"


def instant(at: dt.datetime) -> str:
    """An instant in Paris; in the hour that comes twice when clocks go back, which of both it is."""
    local = at.astimezone(levels.PARIS)
    twice = local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset()
    season = "d’hiver" if local.fold else "d’été"
    return f"{moment(at)} (heure {season})" if twice else moment(at)


def percentage(value: float) -> str:
    """A percentage to the thousandth below: rounding never turns a breach into a promise kept."""
    return f"{number(math.floor(value * 1_000) / 1_000, 3)}{NARROW}%"


def outage(told: Mapping[str, Any]) -> str:
    """A time when the platform was down, in words."""
    start, end = (dt.datetime.fromisoformat(told[name]) for name in ("start", "end"))
    unseen = "" if told["seen"] else ", non mesuré"
    return f"Du {moment(start)} au {moment(end)} ({length(end - start)}{unseen})"


def clock(each: levels.Clock, now: dt.datetime) -> str:
    """How a delay stands, in a few words."""
    if each.reached is None:
        return f"dépassée de {length(each.late)}" if each.breached else f"reste {length(each.deadline - now)}"
    return f"atteinte, en retard de {length(each.late)}" if each.breached else "atteinte dans le délai"
