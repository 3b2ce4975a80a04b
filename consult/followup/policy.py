"""What an official answer, a commitment and a case must say, and who may say it; pure."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import uuid
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import rfc8785

from consult.actor import Role
from consult.consultations.policy import TITLE_LENGTH
from consult.contributions.policy import length_fault, many_lines, one_line, refuse
from consult.followup.models import Commitment, Stage, Status
from consult.labels import PARIS

WRITERS: Final = (Role.DECISION_MAKER, Role.ORGANISER, Role.ADMINISTRATOR)
BODY_MIN: Final = 20
BODY_MAX: Final = 20_000
REASON_MIN: Final = 10
REASON_MAX: Final = 1_000
NAME_MAX: Final = 200
THEME_MAX: Final = 100
LINK_MAX: Final = 500
LINKS_MAX: Final = 100
TOLD_AT: Final = dt.time(9)  # in Paris
OVER: Final = frozenset({Stage.DONE, Stage.ABANDONED})
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


def digest(facts: Mapping[str, Any]) -> str:
    """What the public log holds of what is said: SHA-256 of its canonical JSON."""
    return hashlib.sha256(rfc8785.dumps(dict(facts))).hexdigest()


def today(now: dt.datetime) -> dt.date:
    """The day in Paris, by which due dates are judged."""
    return now.astimezone(PARIS).date()


def is_overdue(commitment: Commitment, now: dt.datetime) -> bool:
    """Whether its day is past and it is neither done nor given up."""
    is_late = commitment.due_on is not None and commitment.due_on < today(now)
    return is_late and commitment.stage not in OVER and commitment.status is Status.PUBLISHED


def cleaned(values: Mapping[str, Any]) -> dict[str, Any]:
    """Typed texts as they are kept: several lines for the long ones, one for the others."""
    long = {"body", "summary"}
    return {
        name: (many_lines if name in long else one_line)(value) if type(value) is str else value
        for name, value in values.items()
    }


def check(values: Mapping[str, Any]) -> None:
    """Raise InvalidError naming each text, date or address that cannot be accepted."""
    reasons = {name: reason for name, value in values.items() if (reason := _fault(name, value))}
    if "ends_on" in values and not reasons and values["ends_on"] < values["starts_on"]:
        reasons["ends_on"] = "La fin vient avant le début."
    refuse(reasons)


_LENGTHS: Final = {
    **dict.fromkeys(("body", "summary"), ("Le texte", BODY_MIN, BODY_MAX)),
    **dict.fromkeys(("authority", "owner", "partner"), ("Ce nom", 2, NAME_MAX)),
    "title": ("Le titre", 5, TITLE_LENGTH),
    "theme": ("Le thème", 2, THEME_MAX),
}


def _fault(name: str, value: Any) -> str:
    if name in _LENGTHS:
        what, least, most = _LENGTHS[name]
        return length_fault(what, value, least, most)
    if name in {"link", "result_link"}:
        return _address(value)
    return "Donnez une date." if name in {"starts_on", "ends_on"} and not value else ""


def check_reason(reason: str) -> str:
    """The reason of a withdrawal as it is kept. Raises InvalidError."""
    reason = many_lines(reason)
    refuse({"reason": length_fault("Le motif", reason, REASON_MIN, REASON_MAX)})
    return reason


def _address(link: str) -> str:
    if not link:
        return ""
    try:
        parts = urlsplit(link)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.netloc or " " in link:
        return "Donnez une adresse complète, par exemple https://www.exemple.gouv.fr/page."
    return f"Cette adresse dépasse {LINK_MAX} caractères." if len(link) > LINK_MAX else ""


def ids_in(text: str) -> list[uuid.UUID]:
    """The ids that typed addresses hold, each once, in their order."""
    return list(dict.fromkeys(uuid.UUID(found) for found in _UUID.findall(text)))


def ids_of_lines(text: str) -> list[uuid.UUID]:
    """The id that each typed line holds. Raises InvalidError for a line that holds none, or several."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    wrong = [line for line in lines if len(ids_in(line)) != 1]
    refuse({"links": f"Cette ligne n’est pas une adresse d’ici\u00a0: {wrong[0][:100]}" if wrong else ""})
    return ids_in(text)


def told_between(now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """The day, from nine to nine in Paris, whose publications are told of together at its end."""
    local = now.astimezone(PARIS)
    first = local.date() - dt.timedelta(days=local.time() < TOLD_AT)
    since, until = (dt.datetime.combine(first + dt.timedelta(days=each), TOLD_AT, PARIS) for each in (0, 1))
    return since.astimezone(dt.UTC), until.astimezone(dt.UTC)
