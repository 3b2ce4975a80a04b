"""What is counted of a request, and under which words; pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from consult import clock
from consult.audience.models import LONGEST

DIRECT: Final = ""  # a source: typed, kept in bookmarks, opened from a mail or an application
OTHERS: Final = "autres"  # a source that is no public name, or one too many
KEPT: Final = dt.timedelta(days=760)  # 25 months, CNIL's limit for audience figures
OBJECTION: Final = "audience-refusee"  # the cookie of who objects to being counted
OBJECTION_LIFE: Final = dt.timedelta(days=395)  # 13 months
DESKTOP, MOBILE, TABLET = "ordinateur", "téléphone", "tablette"

_NAMED: Final = re.compile(r"^/(?:consultations/<slug>|aide/<slug>)")
_PUBLIC_NAMES: Final = ("slug", "step_slug")
_VARIABLE: Final = re.compile(r"<(?:[^:<>]*:)?(\w+)>")
_HOST: Final = re.compile(r"^(?=.{4,100}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$")
_ROBOT: Final = re.compile(
    r"bot\b|bot[/;]|crawl|spider|slurp|preview|monitor|scan|fetch|curl|wget|python|java/|go-http|headless|lighthouse",
    re.IGNORECASE,
)
_TABLET: Final = re.compile(r"ipad|tablet|kindle|silk|playbook", re.IGNORECASE)
_MOBILE: Final = re.compile(r"mobi|iphone|ipod|android", re.IGNORECASE)


def page_of(rule: str, values: Mapping[str, Any]) -> str:
    """What a page is called wherever traffic is measured: its address without identifier, token nor search.

    Only the names of consultations, of their steps and of guides stay, which are public.
    """
    named = {name: str(values[name]) for name in _PUBLIC_NAMES if name in values} if _NAMED.match(rule) else {}
    return _VARIABLE.sub(lambda found: named.get(found[1], "*"), rule)[:LONGEST]


def source_of(referrer: str, host: str) -> str | None:
    """The domain that a visit came from; None when the page was opened from this site: no visit begins.

    Nothing else of the address is looked at. An address of a machine is never kept.
    """
    if not referrer:
        return DIRECT
    try:
        found = (urlsplit(referrer).hostname or "").lower()
        here = (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return OTHERS
    if found == here:
        return None
    found = found.removeprefix("www.")
    return found if _HOST.match(found) else OTHERS


def device_of(agent: str) -> str | None:
    """The class of device that a browser says it runs on; None for a robot, which is no visit."""
    if not agent or _ROBOT.search(agent):
        return None
    if _TABLET.search(agent) or ("Android" in agent and "Mobi" not in agent):
        return TABLET
    return MOBILE if _MOBILE.search(agent) else DESKTOP


def objects(*, do_not_track: str, global_privacy_control: str, cookies: Mapping[str, str]) -> bool:
    """Whether the person, or their browser for them, asks not to be counted."""
    return do_not_track == "1" or global_privacy_control == "1" or OBJECTION in cookies


def day_of(hour: int) -> int:
    """The number of the first hour of the day in Paris that holds an hour."""
    instant = dt.datetime.fromtimestamp(hour * 3_600, dt.UTC)
    return clock.hour_number(clock.start_of(clock.day(instant)))
