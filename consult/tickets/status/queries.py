"""What the public page shows: months, and the anomalies that staff tell the public of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from consult.seam import service_levels as levels
from consult.tickets import policy
from consult.tickets.models import Ticket
from consult.tickets.status.models import ServiceMonth

MONTHS: Final = 13
INCIDENTS: Final = 50


@dataclass(frozen=True, slots=True)
class Month:
    """A month as it is told. `left` is of the downtime that the promise leaves in the whole month."""

    row: ServiceMonth
    availability: levels.Availability
    allowed: dt.timedelta

    @property
    def left(self) -> dt.timedelta:
        """Negative once it is used up."""
        return self.allowed - self.availability.down

    @property
    def whole(self) -> bool:
        """Whether it was measured to its end."""
        return self.row.measured_to >= levels.month(self.row.first_day.year, self.row.first_day.month)[1]

    @property
    def breached(self) -> bool:
        """Whether the month cannot be at 99.90 % any more."""
        return self.availability.down > self.allowed


@dataclass(frozen=True, slots=True)
class Incident:
    """An anomaly of which the public is told."""

    number: int
    words: str
    severity: levels.Severity | None
    started_at: dt.datetime
    ended_at: dt.datetime | None


def months(session: Session) -> Sequence[Month]:
    """The last months that were measured, the last first."""
    rows = session.scalars(select(ServiceMonth).order_by(ServiceMonth.first_day.desc()).limit(MONTHS))
    return [told(row) for row in rows]


def told(row: ServiceMonth) -> Month:
    """A row with its percentage and what the promise leaves."""
    down = dt.timedelta(milliseconds=row.down_ms)
    found = levels.Availability(row.measured_from, row.measured_to, down, ())
    return Month(row, found, levels.allowed(*levels.month(row.first_day.year, row.first_day.month)))


def incidents(session: Session) -> Sequence[Incident]:
    """The last anomalies that the public is told of, the last first; over once resolved, or closed."""
    query = select(Ticket).where(Ticket.public_words != "").options(selectinload(Ticket.events))
    found = []
    for ticket in session.scalars(query.order_by(Ticket.t0.desc()).limit(INCIDENTS)):
        known = policy.state(ticket.events)
        ended = known.reached.get(levels.Milestone.RESOLVED, known.closed_at)
        found.append(Incident(ticket.number, ticket.public_words, ticket.severity, ticket.t0, ended))
    return found
