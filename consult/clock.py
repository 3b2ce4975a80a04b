"""The present instant: the only place that reads the system's clock for the application."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


def now() -> dt.datetime:
    """The present instant, in UTC."""
    return dt.datetime.now(dt.UTC)


def written(instant: dt.datetime) -> str:
    """An instant as public data write it: ISO 8601, UTC, to the second."""
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def hour(instant: dt.datetime) -> dt.datetime:
    """The instant rounded down to its hour: the finest time of an act that is ever public."""
    return instant.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


def hour_number(instant: dt.datetime) -> int:
    """How many whole hours went by from 1 January 1970 (UTC) to that instant."""
    return int(instant.timestamp()) // 3_600


def day(instant: dt.datetime) -> dt.date:
    """The day in Paris."""
    return instant.astimezone(PARIS).date()


def start_of(day: dt.date) -> dt.datetime:
    """The instant at which a day begins in Paris."""
    return dt.datetime.combine(day, dt.time(), PARIS).astimezone(dt.UTC)
