"""The contract's clocks: the deadlines of an anomaly, what was late, and the availability of the platform.

CCTP lot 2, UO 2.1: every delay runs from T0, the time of the report to support; days and hours are calendar ones, and
nothing stops the clock. So they are lengths of time, not dates: a day is 24 hours, on the night when clocks change too.
Criterion 14: available 24 hours a day, 99.90 % of the month, maintenance included.
"""

import datetime as dt
import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from analysis.errors import AnalysisError

PARIS: Final = ZoneInfo("Europe/Paris")
PROMISED: Final = 99.90
"""Percentage of a month."""
ALERTS: Final = (50, 80, 100)
"""Percentages of a delay at which somebody is told."""
_MILLIONTH: Final = dt.timedelta(microseconds=1)


class Severity(enum.StrEnum):
    """Set by the administration alone, when it reports the anomaly."""

    BLOCKING = "blocking"
    MAJOR = "major"
    MINOR = "minor"


class Milestone(enum.StrEnum):
    """What is owed, in the order of the contract."""

    ACKNOWLEDGED = "acknowledged"  # prise en compte
    DIAGNOSED = "diagnosed"  # diagnostic
    WORKED_AROUND = "worked_around"  # contournement
    RESOLVED = "resolved"  # résolution
    CAUGHT_UP = "caught_up"  # rattrapage
    ANSWERED = "answered"  # réponse: owed to whoever tells that they cannot read, before any contract


Delays: TypeAlias = Mapping[Milestone, dt.timedelta]
CONTRACT: Final = tuple(Milestone)[:5]
"""What is owed for an anomaly."""


def _delays(*lengths: dt.timedelta) -> Delays:
    return MappingProxyType(dict(zip(CONTRACT, lengths, strict=True)))


_M, _H, _D = (dt.timedelta(**{unit: 1}) for unit in ("minutes", "hours", "days"))
DELAYS: Final[Mapping[Severity, Delays]] = MappingProxyType(
    {
        Severity.BLOCKING: _delays(15 * _M, 4 * _H, 8 * _H, 24 * _H, 48 * _H),
        Severity.MAJOR: _delays(30 * _M, 8 * _H, 12 * _H, 36 * _H, 72 * _H),
        Severity.MINOR: _delays(4 * _H, 5 * _D, 10 * _D, 20 * _D, 30 * _D),
    }
)
ACCESSIBILITY: Final[Delays] = MappingProxyType({Milestone.ANSWERED: 7 * _D})
"""What is owed for a request about accessibility (AT-2.6)."""


@dataclass(frozen=True, slots=True)
class Clock:
    """One delay as it stands at an instant.

    `reached` is None as long as the milestone is not; `late` is how long after the deadline it was reached, or how long
    ago the deadline passed: zero when it is kept. `alert` is the last of `ALERTS` passed before it was reached, or 0.
    """

    milestone: Milestone
    deadline: dt.datetime
    reached: dt.datetime | None
    late: dt.timedelta
    alert: int

    @property
    def breached(self) -> bool:
        """Whether it is late by one instant: at the deadline itself it is kept."""
        return self.late > dt.timedelta(0)


def deadlines(t0: dt.datetime, delays: Delays) -> Mapping[Milestone, dt.datetime]:
    """The instant, in UTC, until which each milestone is kept. Raises AnalysisError for a time without its zone."""
    start = _instant(t0)
    return {milestone: start + delay for milestone, delay in delays.items()}


def alert_times(t0: dt.datetime, deadline: dt.datetime) -> Mapping[int, dt.datetime]:
    """When each of `ALERTS` is to be told: at its share of the delay, and of the last one, a microsecond after.

    At 100 % it is told that the delay is over, which it is not at the deadline itself.
    """
    start, end = _instant(t0), _instant(deadline)
    return {share: start + (end - start) * share / 100 + (share == ALERTS[-1]) * _MILLIONTH for share in ALERTS}


def clocks(
    t0: dt.datetime, delays: Delays, reached: Mapping[Milestone, dt.datetime], *, now: dt.datetime
) -> tuple[Clock, ...]:
    """Every delay, in order, as they stand `now`: what is not reached is late by the clock alone.

    A milestone stands for those before it: what is resolved was acknowledged, whatever was noted. Raises AnalysisError
    for a milestone before T0 or after `now`.
    """
    start, here = _instant(t0), _instant(now)
    known = {milestone: _instant(instant) for milestone, instant in reached.items()}
    if any(not start <= instant <= here for instant in known.values()):
        raise AnalysisError("Une étape d’un incident ne précède pas son signalement et n’est pas à venir.")
    found: list[Clock] = []
    for rank, (milestone, deadline) in enumerate(deadlines(start, delays).items()):
        done = min((known[each] for each in list(delays)[rank:] if each in known), default=None)
        until = here if done is None else done
        late = max(until - deadline, dt.timedelta(0))
        told = [share for share, at in alert_times(start, deadline).items() if at <= until]
        found.append(Clock(milestone, deadline, done, late, told[-1] if told else 0))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Sample:
    """What a probe saw at an instant."""

    at: dt.datetime
    up: bool


@dataclass(frozen=True, slots=True)
class Outage:
    """A time when the platform was down, or when nobody looked: the second counts as the first."""

    start: dt.datetime
    end: dt.datetime
    seen: bool

    @property
    def length(self) -> dt.timedelta:
        """How long it lasted."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Availability:
    """The share of a period when the platform answered; `allowed` is the downtime that the promise leaves."""

    start: dt.datetime
    end: dt.datetime
    down: dt.timedelta
    outages: tuple[Outage, ...]

    @property
    def percentage(self) -> float:
        """100 × time up / period, to the millionth below, so that rounding never turns a breach into a promise kept."""
        whole = (self.end - self.start) // _MILLIONTH
        return (100_000_000 * (whole - self.down // _MILLIONTH)) // whole / 1_000_000

    @property
    def allowed(self) -> dt.timedelta:
        """43 min 12 s of a month of 30 days."""
        return allowed(self.start, self.end)

    @property
    def left(self) -> dt.timedelta:
        """Of what is allowed; negative once it is used up."""
        return self.allowed - self.down

    @property
    def breached(self) -> bool:
        """Whether more was used than is allowed."""
        return self.down > self.allowed


def allowed(start: dt.datetime, end: dt.datetime) -> dt.timedelta:
    """The downtime that the promise leaves in a period."""
    return (end - start) * round(10_000 - PROMISED * 100) / 10_000


def month(year: int, number: int) -> tuple[dt.datetime, dt.datetime]:
    """The first instant of a month in Paris, and that of the next one, in UTC: 743 or 745 hours when clocks change."""
    following = (year + number // 12, number % 12 + 1)
    first, last = (dt.datetime(*each, 1, tzinfo=PARIS) for each in ((year, number), following))
    return first.astimezone(dt.UTC), last.astimezone(dt.UTC)


def availability(
    samples: Iterable[Sample], start: dt.datetime, end: dt.datetime, *, every: dt.timedelta
) -> Availability:
    """What the samples of a probe say of a period, from `start` to `end` excluded.

    What was seen holds until the next sample, and no longer than twice `every`, the time between two: beyond, nobody
    looked, and that counts as down, as does the time before the first. Several samples of one instant: one that saw it
    down prevails. Raises AnalysisError for an empty period.
    """
    first, last = _instant(start), _instant(end)
    if last <= first or every <= dt.timedelta(0):
        raise AnalysisError("La période et l’intervalle de mesure doivent durer.")
    seen: dict[dt.datetime, bool] = {}
    for sample in samples:
        at = _instant(sample.at)
        if first - 2 * every <= at < last:
            seen[at] = seen.get(at, True) and sample.up
    spans: list[Outage] = []
    place = first
    for at, following in pairwise([*sorted(seen), last]):
        if at > place:
            spans.append(Outage(place, at, seen=False))
        holds = min(following, at + 2 * every)
        if not seen[at] and holds > max(at, first):
            spans.append(Outage(max(at, first), holds, seen=True))
        place = max(place, holds, first)
    if place < last:
        spans.append(Outage(place, last, seen=False))
    outages = _merged(spans)
    return Availability(first, last, sum((each.length for each in outages), dt.timedelta(0)), outages)


def _merged(spans: Sequence[Outage]) -> tuple[Outage, ...]:
    """Neighbours of one nature told once."""
    found: list[Outage] = []
    for span in spans:
        if found and found[-1].end == span.start and found[-1].seen == span.seen:
            found[-1] = Outage(found[-1].start, span.end, seen=span.seen)
        else:
            found.append(span)
    return tuple(found)


def penalty(value: float, days_late: int, rate: float) -> float:
    """What delay costs, for information: CCAG-TIC (2021), article 14, P = V × R / `rate`, R in days; 0 without rate."""
    return round(value * days_late / rate, 2) if rate else 0.0


def _instant(at: dt.datetime) -> dt.datetime:
    if at.tzinfo is None:
        raise AnalysisError("Une heure sans fuseau n’est pas un instant.")
    return at.astimezone(dt.UTC)
