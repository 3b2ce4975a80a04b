"""How many times each text was displayed in a list, counted as pages are served, from the short memory too.

A GET writes nothing: each process counts in memory, and a thread of its own adds what it counted to the database every
minute and at its end, so that nobody waits for it. What is counted says which texts were shown during which hour, and
nothing of who read them. A process that is killed loses a minute of its counts.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from flask import request
from sqlalchemy.exc import SQLAlchemyError

from consult import clock

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)
NOTES: Final = "consult.displays"  # where the WSGI environment holds what the page being served displays
EVERY: Final = 60.0  # seconds between two writings
CHUNK: Final = 500  # rows of one transaction: SQLite's only writer is held for a moment
MOST: Final = 50_000  # different pages a process remembers between two writings; beyond, it writes at once
_ID: Final = 16


class Shown(NamedTuple):
    """A text in a list of a step during an hour; `drawn`: in the order by lot, not in one that the reader asked for."""

    hour: int
    step_id: uuid.UUID
    item_id: uuid.UUID
    drawn: bool


Keep = Callable[[Mapping[Shown, int]], None]


def note(step_id: uuid.UUID, ids: Iterable[uuid.UUID], *, drawn: bool) -> None:
    """Say that the page being made displays these texts: they count each time that it is served."""
    notes = request.environ.get(NOTES)
    if notes is not None:
        # One object of bytes, which knows its hash: counting a page kept in memory costs one look-up.
        notes.append(b"".join([step_id.bytes, bytes([drawn]), *(each.bytes for each in ids)]))


class Displays:
    """WSGI middleware around the short memory: counts what each page says that it displays."""

    def __init__(self, application: WSGIApplication, keep: Keep) -> None:
        self._application, self._keep = application, keep
        self._lock, self._writing, self._due = threading.Lock(), threading.Lock(), threading.Event()
        self._seconds: float | None = None
        self.forget()

    def forget(self) -> None:
        """Begin anew, with nothing counted."""
        self._pages: Counter[tuple[int, bytes]] = Counter()
        self._waiting: Counter[Shown] = Counter()
        self._process = os.getpid()

    def write_every(self, seconds: float) -> None:
        """Have each process that serves write what it counted, that often and at its end."""
        self._seconds, self._process = seconds, 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # A script that asks again for a page already before the reader displays nothing more.
        if environ["REQUEST_METHOD"] != "GET" or environ.get("HTTP_SEC_FETCH_DEST", "document") != "document":
            return self._application(environ, start_response)
        notes: list[bytes] = []
        environ[NOTES] = notes
        body = self._application(environ, start_response)
        if notes:
            self._count(notes)
        return body

    def _count(self, notes: Sequence[bytes]) -> None:
        hour = clock.hour_number(clock.now())
        with self._lock:
            if self._process != os.getpid():
                self._begin()
            for each in notes:
                self._pages[hour, each] += 1
            if len(self._pages) >= MOST:
                self._due.set()

    def _begin(self) -> None:
        """The first count of a process: what its parent counted is its parent's."""
        self.forget()
        if self._seconds is not None:
            threading.Thread(target=self._run, name="displays", daemon=True).start()
            atexit.register(self.write)

    def _run(self) -> None:
        while True:
            self._due.wait(self._seconds)
            self._due.clear()
            self.write()

    def write(self) -> None:
        """Give what was counted to be kept; what cannot be now waits for the next time."""
        with self._writing:
            with self._lock:
                pages, self._pages = self._pages, Counter()
            for (hour, page), count in pages.items():
                step_id, drawn = uuid.UUID(bytes=page[:_ID]), bool(page[_ID])
                for start in range(_ID + 1, len(page), _ID):
                    self._waiting[Shown(hour, step_id, uuid.UUID(bytes=page[start : start + _ID]), drawn)] += count
            try:
                while self._waiting:
                    # In the order of ids: two processes that write the same rows wait for each other, no more.
                    chunk = sorted(self._waiting, key=lambda shown: (shown.item_id, shown.hour, shown.drawn))[:CHUNK]
                    self._keep({shown: self._waiting[shown] for shown in chunk})
                    for shown in chunk:
                        del self._waiting[shown]
            except SQLAlchemyError:
                logger.exception("what was displayed could not be written")
