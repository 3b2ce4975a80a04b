"""The built-in counters: what a process of the web counts of the pages it serves, without a tracker."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from werkzeug.http import parse_cookie

from consult import clock
from consult.audience import policy
from consult.audience.models import Measure
from consult.tally import PAGE, Tally

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PREFETCHED: Final = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_MOZ")


class Opened(NamedTuple):
    """A page opened during an hour; `source` is None when it was from another page of the site."""

    hour: int
    organisation_id: uuid.UUID
    page: str
    source: str | None
    device: str


class Counted(NamedTuple):
    """What a row of the database adds up."""

    organisation_id: uuid.UUID
    measure: Measure
    hour: int
    value: str


Keep = Callable[[Mapping[Counted, int]], None]


class Visits(Tally[Opened, Counted]):
    """WSGI middleware around the short memory: counts the public pages that people open.

    A visit is a page opened from elsewhere than this site. Neither the address of the connection, nor the browser, nor
    what was before and after is kept: two visits of one person are two visits.
    """

    name = "visits"

    def __init__(self, application: WSGIApplication, keep: Keep) -> None:
        super().__init__(keep)
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        served: list[tuple[uuid.UUID, str]] = []
        environ[PAGE] = served
        body = self._application(environ, start_response)
        if served and _is_opened(environ):
            device = policy.device_of(environ.get("HTTP_USER_AGENT", ""))
            if device is not None:
                hour, source = clock.hour_number(clock.now()), _source(environ)
                self.count(Opened(hour, *page, source, device) for page in served)
        return body

    def spread(self, served: Opened) -> Iterator[Counted]:
        """See Tally."""
        owner, day = served.organisation_id, policy.day_of(served.hour)
        yield Counted(owner, Measure.PAGE, day, served.page)
        if served.source is not None:
            yield Counted(owner, Measure.VISIT, served.hour, "")
            yield Counted(owner, Measure.SOURCE, day, served.source)
            yield Counted(owner, Measure.DEVICE, day, served.device)

    def order(self, kept: Counted) -> Any:
        """See Tally."""
        return kept


def _is_opened(environ: WSGIEnvironment) -> bool:
    """Whether a person opens a page: no script, no page loaded in advance, nobody who objects."""
    if environ["REQUEST_METHOD"] != "GET" or environ.get("HTTP_SEC_FETCH_DEST", "document") != "document":
        return False
    if any(environ.get(name) for name in _PREFETCHED):
        return False
    return not policy.objects(
        do_not_track=environ.get("HTTP_DNT", ""),
        global_privacy_control=environ.get("HTTP_SEC_GPC", ""),
        cookies=parse_cookie(environ),
    )


def _source(environ: WSGIEnvironment) -> str | None:
    if environ.get("HTTP_SEC_FETCH_SITE") == "same-origin":
        return None
    return policy.source_of(environ.get("HTTP_REFERER", ""), environ.get("HTTP_HOST", ""))
