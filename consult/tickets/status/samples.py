"""The probe and its samples: files of its own, so that what it saw is kept while the database is away.

One line a sample, `2026-11-28T08:00:00Z up`, in one file a month (of UTC) and probe, `<name>-2026-11.log`. Several
probes may share the folder.
"""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import requests

from consult.clock import written
from consult.seam import service_levels as levels

EVERY: Final = dt.timedelta(minutes=1)
PATIENCE_SECONDS: Final = 10
BELOW: Final = 400  # HTTP: what answers below is there
NAME: Final = re.compile(r"[a-z0-9-]{1,40}")
_LINE: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (up|down)")


def look(address: str) -> bool:
    """Whether the page is there: an answer below 400, whole, within ten seconds."""
    try:
        reply = requests.get(address, timeout=PATIENCE_SECONDS, headers={"User-Agent": "consult-probe"})
    except requests.RequestException:
        return False
    return int(reply.status_code) < BELOW


def keep(folder: Path, name: str, sample: levels.Sample) -> None:
    """Add a sample to the file of its month. Raises OSError where the folder cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    at = sample.at.astimezone(dt.UTC)
    with (folder / f"{name}-{at:%Y-%m}.log").open("a", encoding="ascii") as file:
        file.write(f"{written(at)} {'up' if sample.up else 'down'}\n")


def watch(
    address: str, folder: Path, name: str, *, every: dt.timedelta, stop: threading.Event, now: Callable[[], dt.datetime]
) -> None:
    """Look and keep what was seen, at each multiple of `every`, until told to stop."""
    while not stop.wait(_wait(now(), every)):
        at = now()
        keep(folder, name, levels.Sample(at, look(address)))


def _wait(now: dt.datetime, every: dt.timedelta) -> float:
    length = every.total_seconds()
    return length - now.timestamp() % length


def read(folder: Path, start: dt.datetime, end: dt.datetime) -> Iterator[levels.Sample]:
    """The samples of all probes in the months of UTC that a period touches. A line cut short tells nothing."""
    months = {(start + dt.timedelta(days=each)).strftime("%Y-%m") for each in range((end - start).days + 2)}
    for month in sorted(months):
        for path in sorted(folder.glob(f"*-{month}.log")):
            yield from _in(path)


def first(folder: Path) -> dt.datetime | None:
    """The first sample there is: nothing was promised to be measured before."""
    by_month: dict[str, list[Path]] = {}
    for path in folder.glob("*-????-??.log"):
        by_month.setdefault(path.stem[-7:], []).append(path)
    begun = [next(_in(path), None) for path in by_month[min(by_month)]] if by_month else []
    return min((sample.at for sample in begun if sample), default=None)


def _in(path: Path) -> Iterator[levels.Sample]:
    with path.open(encoding="ascii", errors="replace") as file:
        for line in file:
            if found := _LINE.fullmatch(line.rstrip("\n")):
                yield levels.Sample(dt.datetime.fromisoformat(found[1]), found[2] == "up")
