"""The figures of a period of traffic, wherever they come from; pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from consult import clock
from consult.audience.models import Period

SHOWN: Final = 50  # pages and sources of a report; the rest is told as one line
REST: Final = "le reste"
HOURS: Final = 24
Ranked = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A week or a day, in Paris."""

    period: Period
    first: dt.date

    @classmethod
    def of(cls, period: Period, day: dt.date) -> Self:
        """The one that holds a day."""
        return cls(period, day - dt.timedelta(days=day.weekday()) if period is Period.WEEK else day)

    @property
    def days(self) -> int:
        """How many days it lasts."""
        return 7 if self.period is Period.WEEK else 1

    @property
    def after(self) -> dt.date:
        """The day after its last."""
        return self.first + dt.timedelta(days=self.days)

    @property
    def last(self) -> dt.date:
        """Its last day."""
        return self.after - dt.timedelta(days=1)

    @property
    def previous(self) -> Span:
        """The one before."""
        return Span(self.period, self.first - dt.timedelta(days=self.days))

    @property
    def start(self) -> dt.datetime:
        """The instant at which it begins."""
        return clock.start_of(self.first)

    @property
    def end(self) -> dt.datetime:
        """The instant at which it is over."""
        return clock.start_of(self.after)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What was measured: pages and sources the most seen first; visits by hour of the day and by day."""

    visits: int
    views: int
    pages: Ranked
    sources: Ranked
    devices: Ranked
    hours: tuple[int, ...]
    days: Ranked  # by ISO date

    def kept(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Self:
        """Back from JSON."""
        ranked = {name: tuple((str(label), int(count)) for label, count in kept[name]) for name in _RANKED}
        return cls(visits=kept["visits"], views=kept["views"], hours=tuple(kept["hours"]), **ranked)


_RANKED: Final = ("pages", "sources", "devices", "days")


@dataclass(frozen=True, slots=True)
class Acts:
    """What people did during the period, counted in our own rows: never tied to a visit."""

    accounts: int
    contributions: int
    votes: int


def ranked(counts: Iterable[tuple[str, int]], shown: int = SHOWN) -> Ranked:
    """The greatest first, by name where they are equal; beyond `shown`, one line for the rest."""
    rows = sorted(((label, count) for label, count in counts if count), key=lambda row: (-row[1], row[0]))
    rest = sum(count for _, count in rows[shown:])
    return (*rows[:shown], *(((REST, rest),) if rest else ()))


def change(now: int, before: int) -> float | None:
    """How much more than before, as a share; None when there was nothing before."""
    return (now - before) / before if before else None
