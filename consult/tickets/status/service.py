"""What the samples say of a month, and keeping it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from consult.clock import PARIS, written
from consult.seam import service_levels as levels
from consult.tickets.status import samples
from consult.tickets.status.models import ServiceMonth

LISTED: Final = 100  # outages of a month that are told one by one
_MILLISECOND: Final = dt.timedelta(milliseconds=1)


def measured(folder: Path, year: int, month: int, now: dt.datetime) -> levels.Availability | None:
    """The availability of a month in Paris up to `now`, from the first sample there ever was; None before it."""
    start, end = levels.month(year, month)
    began = samples.first(folder)
    if began is None:
        return None
    first, last = max(start, began), min(end, now)
    if last <= first:
        return None
    # What was seen just before holds into the period.
    seen = samples.read(folder, first - dt.timedelta(days=1), last)
    return levels.availability(seen, first, last, every=samples.EVERY)


def measure(session: Session, folder: Path, now: dt.datetime) -> int:
    """Keep what the samples say of this month, and of the one before as long as it is not whole; returns how many."""
    local = now.astimezone(PARIS)
    this = local.date().replace(day=1)
    before = (this - dt.timedelta(days=1)).replace(day=1)
    kept = 0
    for first_day in (before, this):
        row = session.get(ServiceMonth, first_day)
        _, end = levels.month(first_day.year, first_day.month)
        if row is not None and row.measured_to >= end:
            continue
        found = measured(folder, first_day.year, first_day.month, now)
        if found is not None:
            session.merge(_row(first_day, found))
            kept += 1
    session.flush()
    return kept


def _row(first_day: dt.date, found: levels.Availability) -> ServiceMonth:
    told = [
        {"start": written(each.start), "end": written(each.end), "seen": each.seen}
        for each in found.outages[::-1][:LISTED]
    ]
    return ServiceMonth(
        first_day=first_day, measured_from=found.start, measured_to=found.end, down_ms=found.down // _MILLISECOND,
        up=not found.outages or found.outages[-1].end < found.end,
        outages={"count": len(found.outages), "last": told},
    )  # fmt: skip
