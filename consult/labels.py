"""French words and figures shared by every feature: dates, instants, numbers. Times are shown in Europe/Paris."""

from __future__ import annotations

import datetime as dt
import functools
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal

from consult.departements import spoken

PARIS = ZoneInfo("Europe/Paris")
NARROW = "\u202f"
NO_BREAK = "\u00a0"


def _in_paris(instant: dt.datetime) -> dt.datetime:
    if instant.tzinfo is None:
        raise ValueError("an instant without time zone cannot be shown: store UTC")
    return instant.astimezone(PARIS)


def date(day: dt.date | dt.datetime) -> str:
    """« 22 novembre 2026 », « 1er novembre 2026 »; an instant is taken on its day in Paris.

    Raises ValueError for an instant without time zone.
    """
    if isinstance(day, dt.datetime):
        day = _in_paris(day).date()
    return _long_date(day)


@functools.lru_cache(maxsize=2_000)
def _long_date(day: dt.date) -> str:
    text = format_date(day, "long", locale="fr")
    return text.replace("1 ", "1er ", 1) if day.day == 1 else text


def moment(instant: dt.datetime) -> str:
    """« 22 novembre 2026 à 14 h 05 », in Paris. Raises ValueError for an instant without time zone."""
    local = _in_paris(instant)
    return f"{date(local.date())} à {local.hour}{NO_BREAK}h{NO_BREAK}{local.minute:02d}"


def number(value: float | Decimal, digits: int = 0) -> str:
    """« 1 234 567,9 »: thousands parted by U+202F, at most `digits` decimals, a real minus sign."""
    if isinstance(value, int) and value >= 0:  # counts, many on a page: Babel takes fifty times as long
        return f"{value:,}".replace(",", NARROW)
    return format_decimal(value, format=f"#,##0.{'#' * digits}" if digits else "#,##0", locale="fr").replace(
        "-", "\u2212"
    )


def percent(share: float | Decimal, digits: int = 1) -> str:
    """A share of 1 as « 12,3 % » (U+202F before the sign), at most `digits` decimals."""
    return f"{number(share * 100, digits)}{NARROW}%"


def weight(size: int) -> str:
    """A number of bytes as people say it, in decimal units."""
    units = ("octets", "ko", "Mo", "Go", "To")
    rank = min((len(str(size)) - 1) // 3, len(units) - 1)
    return f"{number(Decimal(size).scaleb(-3 * rank), 1 if rank else 0)}\u00a0{units[rank]}"


FILTERS = {
    "departement": spoken,
    "date": date,
    "moment": moment,
    "number": number,
    "percent": percent,
    "weight": weight,
}
