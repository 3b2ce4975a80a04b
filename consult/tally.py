"""Counting what is served without a write of any GET: each process adds up in memory, and a thread of its own gives
what it counted to be kept every minute and at its end, so that nobody waits for it.

A process that is killed loses a minute of its counts.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Final, Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError

logger = logging.getLogger(__name__)
# Where the WSGI environment holds a list, which takes the organisation and the page being served, from the short memory
# too.
PAGE: Final = "consult.page"
EVERY: Final = 60.0  # seconds between two writings
CHUNK: Final = 500  # rows of one transaction: SQLite's only writer is held for a moment
MOST: Final = 50_000  # different things a process remembers between two writings; beyond, it writes at once

Served = TypeVar("Served", bound=Hashable)
Kept = TypeVar("Kept", bound=Hashable)


class Tally(ABC, Generic[Served, Kept]):
    """Counts of what a process served, spread into the rows that are kept."""

    name: str

    def __init__(self, keep: Callable[[Mapping[Kept, int]], None]) -> None:
        self._keep = keep
        self._lock, self._writing, self._due = threading.Lock(), threading.Lock(), threading.Event()
        self._seconds: float | None = None
        self.forget()

    @abstractmethod
    def spread(self, served: Served) -> Iterable[Kept]:
        """The rows to which one thing served adds one."""

    @abstractmethod
    def order(self, kept: Kept) -> Any:
        """The order of writing: two processes that write the same rows wait for each other, no more."""

    def forget(self) -> None:
        """Begin anew, with nothing counted."""
        self._served: Counter[Served] = Counter()
        self._waiting: Counter[Kept] = Counter()
        self._process = os.getpid()

    def write_every(self, seconds: float) -> None:
        """Have each process that serves write what it counted, that often and at its end."""
        self._seconds, self._process = seconds, 0

    def count(self, served: Iterable[Served]) -> None:
        """Add one to each."""
        with self._lock:
            if self._process != os.getpid():
                self._begin()
            for each in served:
                self._served[each] += 1
            if len(self._served) >= MOST:
                self._due.set()

    def _begin(self) -> None:
        """The first count of a process: what its parent counted is its parent's."""
        self.forget()
        if self._seconds is not None:
            threading.Thread(target=self._run, name=self.name, daemon=True).start()
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
                served, self._served = self._served, Counter()
            for each, count in served.items():
                for kept in self.spread(each):
                    self._waiting[kept] += count
            try:
                while self._waiting:
                    chunk = sorted(self._waiting, key=self.order)[:CHUNK]
                    self._keep({kept: self._waiting[kept] for kept in chunk})
                    for kept in chunk:
                        del self._waiting[kept]
            except SQLAlchemyError:
                logger.exception("what was counted could not be written", extra={"tally": self.name})
