"""What a month of service comes to, as its history stood at its end: the same whenever it is asked again."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from consult.seam import service_levels as levels
from consult.tickets import policy
from consult.tickets.models import EventKind, Kind, Ticket, TicketEvent
from consult.tickets.status import queries as status
from consult.tickets.status.models import ServiceMonth

LOOKED_BACK: Final = dt.timedelta(days=365)  # for causes that come again
_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the contract says elsewhere, and what is done elsewhere: told by whoever asks for the report.

    `value` and `rate` are V and the divisor of P = V × R / rate; without them no penalty is worked out.
    """

    value: float = 0.0
    rate: float = 0.0
    drills: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A ticket as it stood at the end of the month."""

    number: int
    title: str
    kind: Kind
    t0: dt.datetime
    known: policy.State
    clocks: Sequence[levels.Clock]

    @property
    def late(self) -> dt.timedelta:
        """The longest of its delays that were not kept."""
        return max((each.late for each in self.clocks), default=dt.timedelta(0))


@dataclass(frozen=True, slots=True)
class Rate:
    """Of the delays of a kind that ended in the month, how many were kept."""

    severity: levels.Severity | None
    milestone: levels.Milestone
    due: int
    kept: int


@dataclass(frozen=True, slots=True)
class Volume:
    """What was opened, closed and said in the month."""

    kind: Kind
    opened: int
    closed: int
    messages: int


@dataclass(frozen=True, slots=True)
class Report:
    """A month. `until` is its end, or the present instant of a month that is not over."""

    organisation: str
    start: dt.datetime
    end: dt.datetime
    until: dt.datetime
    month: status.Month | None
    lines: Sequence[Line]
    rates: Sequence[Rate]
    causes: Sequence[tuple[str, int]]
    volumes: Sequence[Volume]
    terms: Terms

    @property
    def releases(self) -> Sequence[tuple[str, str]]:
        """The releases said to mend tickets of the month, and which."""
        named: dict[str, list[int]] = {}
        for line in self.lines:
            if line.known.release:
                named.setdefault(line.known.release, []).append(line.number)
        return [(name, ", ".join(f"n° {number}" for number in numbers)) for name, numbers in sorted(named.items())]

    @property
    def penalties(self) -> Sequence[tuple[int, int, float]]:
        """Of each ticket late by a whole day or more: its number, these days, what they cost for information."""
        terms = self.terms
        found = [(line.number, line.late // _DAY) for line in self.lines if line.kind is Kind.ANOMALY]
        return [(number, days, levels.penalty(terms.value, days, terms.rate)) for number, days in found if days]


def compute(session: Session, organisation: str, year: int, month: int, terms: Terms, *, now: dt.datetime) -> Report:
    """The report of a month in Paris, of the organisation of the session."""
    start, end = levels.month(year, month)
    until = min(end, now)
    tickets = _open_since(session, start, until)
    lines = [line for ticket in tickets if (line := _line(ticket, start, until)) is not None]
    row = session.get(ServiceMonth, dt.date(year, month, 1))
    return Report(
        organisation, start, end, until, status.told(row) if row else None, lines, _rates(lines, start, until),
        _causes(session, until), _volumes(session, start, until), terms,
    )  # fmt: skip


def _open_since(session: Session, start: dt.datetime, until: dt.datetime) -> Sequence[Ticket]:
    """All that was open at an instant of the month, and perhaps some that were closed before and opened again since."""
    query = select(Ticket).where(Ticket.t0 < until, or_(Ticket.closed_at.is_(None), Ticket.closed_at >= start))
    return session.scalars(query.order_by(Ticket.number).options(selectinload(Ticket.events))).all()


def _line(ticket: Ticket, start: dt.datetime, until: dt.datetime) -> Line | None:
    known = policy.state(event for event in ticket.events if event.at < until)
    if known.closed_at is not None and known.closed_at < start:
        return None
    clocks = policy.clocks(ticket.kind, ticket.t0, known, until)
    return Line(ticket.number, ticket.title, ticket.kind, ticket.t0, known, clocks)


def _rates(lines: Sequence[Line], start: dt.datetime, until: dt.datetime) -> Sequence[Rate]:
    """A delay counts in the month in which it ends, not when the ticket was closed before, for another reason."""
    due: Counter[tuple[levels.Severity | None, levels.Milestone]] = Counter()
    kept: Counter[tuple[levels.Severity | None, levels.Milestone]] = Counter()
    for line in lines:
        for clock in line.clocks:
            dropped = clock.reached is None and line.known.closed_at is not None and not clock.breached
            if start <= clock.deadline < until and not dropped:
                due[line.known.severity, clock.milestone] += 1
                kept[line.known.severity, clock.milestone] += not clock.breached
    severities: list[levels.Severity | None] = [*levels.Severity, None]
    return [
        Rate(severity, milestone, due[severity, milestone], kept[severity, milestone])
        for severity in severities
        for milestone in levels.Milestone
        if due[severity, milestone]
    ]


def _causes(session: Session, until: dt.datetime) -> Sequence[tuple[str, int]]:
    """The causes said of several anomalies of the year before, the most frequent first."""
    query = select(Ticket).where(Ticket.kind == Kind.ANOMALY, Ticket.t0 < until, Ticket.t0 >= until - LOOKED_BACK)
    said: Counter[str] = Counter()
    for ticket in session.scalars(query.options(selectinload(Ticket.events))):
        said[policy.state(event for event in ticket.events if event.at < until).cause] += 1
    repeated = [(cause, count) for cause, count in said.items() if cause and count > 1]
    return sorted(repeated, key=lambda each: (-each[1], each[0]))


def _volumes(session: Session, start: dt.datetime, until: dt.datetime) -> Sequence[Volume]:
    counted = (EventKind.OPENED, EventKind.CLOSED, EventKind.MESSAGE)
    query = (
        select(Ticket.kind, TicketEvent.kind)
        .join(TicketEvent, TicketEvent.ticket_id == Ticket.id)
        .where(TicketEvent.at >= start, TicketEvent.at < until, TicketEvent.kind.in_(counted))
    )
    found = Counter((row[0], row[1]) for row in session.execute(query))
    return [Volume(kind, *(found[kind, what] for what in counted)) for kind in Kind]
