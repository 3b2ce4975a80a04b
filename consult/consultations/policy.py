"""What dates and states allow, judged at the instant the server received the request."""

from __future__ import annotations

import datetime as dt
import enum
import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Protocol

from consult.actor import ORGANISATION_ROLES, Actor, Role
from consult.consultations.models import Consultation, ConsultationStatus
from consult.errors import InvalidError
from consult.labels import number

# To contest a decision: Regulation (EU) 2022/2065, article 20(1) asks for six months at least.
APPEALS: Final = dt.timedelta(days=183)
SLUG_LENGTH: Final = 80
TITLE_LENGTH: Final = 200
SUMMARY_LENGTH: Final = 500
FROZEN_DATES: Final = "Après l’ouverture, seule la date de fin peut changer, et seulement pour être reculée."
# Words that an address already uses where an identifier would stand.
RESERVED_SLUGS: Final = frozenset({"nouvelle", "nouveau", "proposer"})

DRAFT_READERS: Final = ORGANISATION_ROLES | {Role.DITP}


class Phase(enum.StrEnum):
    """Where a consultation or a step stands at an instant."""

    UPCOMING = "upcoming"
    OPEN = "open"
    CLOSED = "closed"


class _Dated(Protocol):
    @property
    def opens_at(self) -> dt.datetime: ...

    @property
    def closes_at(self) -> dt.datetime: ...


class _Consultation(_Dated, Protocol):
    @property
    def status(self) -> ConsultationStatus: ...


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates of a step or a consultation read as columns, for the predicates below."""

    opens_at: dt.datetime
    closes_at: dt.datetime
    status: ConsultationStatus = ConsultationStatus.OPEN


def is_public(consultation: _Consultation) -> bool:
    """Whether everybody may read it: announced, open or closed, but no draft."""
    return consultation.status is not ConsultationStatus.DRAFT


def may_read(consultation: Consultation, actor: Actor) -> bool:
    """Whether this person may read it: a draft shows itself to the staff of that consultation alone."""
    return is_public(consultation) or actor.holds(*DRAFT_READERS, consultation_id=consultation.id)


def phase(consultation: _Consultation, now: dt.datetime) -> Phase:
    """Where the consultation stands; the opening instant is inside, the closing instant is outside."""
    if consultation.status is ConsultationStatus.CLOSED:
        return Phase.CLOSED
    if consultation.status is ConsultationStatus.DRAFT:
        return Phase.UPCOMING
    return _between(consultation, now)


def step_state(step: _Dated, consultation: _Consultation, now: dt.datetime) -> Phase:
    """Where the step stands: its own dates, inside those of its consultation."""
    whole = phase(consultation, now)
    if whole is not Phase.OPEN:
        # A step may be over while its consultation is announced again: never the reverse.
        return whole
    return _between(step, now)


def accepts_acts(step: _Dated, consultation: _Consultation, now: dt.datetime) -> bool:
    """Whether the step takes contributions, votes and replies at that instant."""
    return step_state(step, consultation, now) is Phase.OPEN


def slug_of(title: str) -> str:
    """The identifier of a title in addresses: lower-case letters without accents, digits and hyphens."""
    decomposed = unicodedata.normalize(
        "NFKD", title.replace("œ", "oe").replace("Œ", "oe").replace("æ", "ae").replace("’", " ")
    )
    words = re.findall(r"[a-z0-9]+", decomposed.encode("ascii", "ignore").decode().lower())
    slug = "-".join(words)
    if len(slug) > SLUG_LENGTH:
        slug = slug[:SLUG_LENGTH].rpartition("-")[0] or slug[:SLUG_LENGTH]
    return slug or "sans-titre"


def check_texts(title: str, summary: str) -> None:
    """Raise InvalidError when a title or a summary cannot be accepted."""
    fields = {}
    if not title.strip():
        fields["title"] = "Donnez un titre."
    elif len(title.strip()) > TITLE_LENGTH:
        fields["title"] = f"Le titre compte {number(len(title.strip()))} caractères : {TITLE_LENGTH} au plus."
    if len(summary.strip()) > SUMMARY_LENGTH:
        fields["summary"] = (
            f"Le résumé compte {number(len(summary.strip()))} caractères : {number(SUMMARY_LENGTH)} au plus."
        )
    if fields:
        raise InvalidError(next(iter(fields.values())), fields=fields)


def check_dates(opens_at: dt.datetime, closes_at: dt.datetime) -> None:
    """Raise InvalidError unless the end comes after the beginning."""
    if closes_at <= opens_at:
        message = "La fin doit venir après le début."
        raise InvalidError(message, fields={"closes_at": message})


def check_step_dates(consultation: _Dated, opens_at: dt.datetime, closes_at: dt.datetime) -> None:
    """Raise InvalidError unless the step stands within its consultation."""
    check_dates(opens_at, closes_at)
    if opens_at < consultation.opens_at:
        message = "L’étape commence avant la consultation."
        raise InvalidError(message, fields={"opens_at": message})
    if closes_at > consultation.closes_at:
        message = "L’étape finit après la consultation."
        raise InvalidError(message, fields={"closes_at": message})


def check_extension(dated: _Dated, opens_at: dt.datetime, closes_at: dt.datetime, now: dt.datetime) -> None:
    """Raise InvalidError unless the only change of dates is an end put off before it has come."""
    if opens_at != dated.opens_at:
        raise InvalidError(FROZEN_DATES, fields={"opens_at": FROZEN_DATES})
    if closes_at < dated.closes_at:
        raise InvalidError(FROZEN_DATES, fields={"closes_at": FROZEN_DATES})
    if dated.closes_at <= now:
        message = "La date de fin est passée : elle ne peut plus être reculée."
        raise InvalidError(message, fields={"closes_at": message})


def _between(dated: _Dated, now: dt.datetime) -> Phase:
    if now < dated.opens_at:
        return Phase.UPCOMING
    return Phase.OPEN if now < dated.closes_at else Phase.CLOSED
