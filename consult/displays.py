"""How many times each text was displayed in a list, counted as pages are served, from the short memory too.

What is counted says which texts were shown during which hour, and nothing of who read them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flask import request

from consult import clock
from consult.tally import Tally

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

NOTES: Final = "consult.displays"  # where the WSGI environment holds what the page being served displays
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


class Displays(Tally[tuple[int, bytes], Shown]):
    """WSGI middleware around the short memory: counts what each page says that it displays."""

    name = "displays"

    def __init__(self, application: WSGIApplication, keep: Keep) -> None:
        super().__init__(keep)
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # A script that asks again for a page already before the reader displays nothing more.
        if environ["REQUEST_METHOD"] != "GET" or environ.get("HTTP_SEC_FETCH_DEST", "document") != "document":
            return self._application(environ, start_response)
        notes: list[bytes] = []
        environ[NOTES] = notes
        body = self._application(environ, start_response)
        if notes:
            hour = clock.hour_number(clock.now())
            self.count((hour, each) for each in notes)
        return body

    def spread(self, served: tuple[int, bytes]) -> Iterator[Shown]:
        """See Tally."""
        hour, page = served
        step_id, drawn = uuid.UUID(bytes=page[:_ID]), bool(page[_ID])
        for start in range(_ID + 1, len(page), _ID):
            yield Shown(hour, step_id, uuid.UUID(bytes=page[start : start + _ID]), drawn)

    def order(self, kept: Shown) -> Any:
        """See Tally."""
        return kept.item_id, kept.hour, kept.drawn
