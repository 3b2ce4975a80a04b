"""A short memory for the pages that anonymous visitors see: the same bytes for all, two seconds at most.

It stands before the application, so that a page under press traffic costs a look-up. A request that carries any
cookie goes past it. Each process keeps its own: after a moderation or an erasure `purge` empties the one that acted,
and the others forget by themselves within the two seconds.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from flask import current_app, make_response, request
from werkzeug.wrappers import Response

from consult.displays import NOTES
from consult.tally import PAGE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

View = TypeVar("View", bound=Callable[..., Any])
CAPACITY: Final = 500  # pages kept by a process; the whole memory is dropped when it is full
MARK: Final = "public, max-age=2"


def cached_for_visitors(view: View) -> View:
    """Let the page be kept for visitors without any cookie. It must show nothing personal: no token, no account.

    A visitor who holds one, even without an account, may be shown a message of their own: that page is nobody else's.
    """

    @functools.wraps(view)
    def marked(*args: Any, **kwargs: Any) -> Any:
        response = make_response(view(*args, **kwargs))
        if not request.cookies and response.status_code == 200:  # noqa: PLR2004  # a page, no refusal
            response.headers["Cache-Control"] = MARK
            response.vary.add("Cookie")
        return response

    return marked  # type: ignore[return-value]  # same call signature


def purge() -> None:
    """Forget every page of this process: something public has just been withheld."""
    cache: PageCache | None = current_app.extensions.get("page_cache")
    if cache is not None:
        cache.clear()


@dataclass(frozen=True, slots=True)
class _Page:
    status: str
    headers: list[tuple[str, str]]
    body: bytes
    until: float
    displays: tuple[bytes, ...]  # what it displays, which counts each time that it is served
    served: tuple[Any, ...]  # which page it is, which counts too


class PageCache:
    """WSGI middleware that keeps replies marked by `cached_for_visitors`."""

    def __init__(self, application: WSGIApplication, seconds: float) -> None:
        self._application = application
        self._seconds = seconds
        self._pages: dict[tuple[str, ...], _Page] = {}
        self._lock = threading.Lock()

    def clear(self) -> None:
        """Forget every page."""
        with self._lock:
            self._pages.clear()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or environ.get("HTTP_COOKIE"):
            return self._application(environ, start_response)
        key = (
            environ.get("HTTP_HOST", ""),
            environ.get("SCRIPT_NAME", ""),
            environ.get("PATH_INFO", ""),
            environ.get("QUERY_STRING", ""),
        )
        page = self._pages.get(key)
        if page is not None and page.until > time.monotonic():
            environ.get(NOTES, []).extend(page.displays)
            environ.get(PAGE, []).extend(page.served)
            start_response(page.status, page.headers)
            return [page.body]
        response = Response.from_app(self._application, environ)
        if response.headers.get("Cache-Control") == MARK and "Set-Cookie" not in response.headers:
            self._keep(key, response, tuple(environ.get(NOTES, ())), tuple(environ.get(PAGE, ())))
        return response(environ, start_response)

    def _keep(
        self, key: tuple[str, ...], response: Response, displays: tuple[bytes, ...], served: tuple[Any, ...]
    ) -> None:
        body = response.get_data()
        until = time.monotonic() + self._seconds
        page = _Page(response.status, list(response.headers), body, until, displays, served)
        with self._lock:
            if len(self._pages) >= CAPACITY:
                self._pages.clear()
            self._pages[key] = page
