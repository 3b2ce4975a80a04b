"""Walking a site by its links: each route a few times, on the narrowest screen, and what every page owes."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from flask import Flask
from playwright.sync_api import Error, Page
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

TOMBSTONE, HTML = 410, "text/html"
NARROW = {"width": 320, "height": 800}
# What no visitor should read: English of the libraries, Python that leaked, dates that are not French.
FOREIGN = re.compile(
    r"\b(Submit|Password|Username|Error|Errors|Invalid|required|This field|Field must|Not a valid|Not Found|Forbidden|"
    r"Bad Request|Internal Server|Sign in|Sign up|Log in|Choose|Search|Next|Previous|Loading|undefined|None|True|"
    r"January|February|April|June|July|August|October|November|December)\b|\{\{|\}\}|\{%|\[object"
)
FOREIGN_DATE = re.compile(r"\b(?:\d{4}-\d{2}-\d{2}|\d{1,2}/\d{1,2}/\d{2,4})\b")
READ = """() => {
    const main = document.body.cloneNode(true);
    main.querySelectorAll("code, pre, textarea, script, style, template").forEach(node => node.remove());
    return {
        lang: document.documentElement.lang,
        title: document.title,
        h1: [...document.querySelectorAll("h1")].filter(node => node.checkVisibility()).length,
        text: main.textContent,
        wide: document.documentElement.scrollWidth,
        links: [...document.querySelectorAll("a[href]")].map(node => node.href),
    };
}"""


@dataclass
class Walk:
    """What a walk found: pages by address, faults in words, and the routes that were reached."""

    faults: list[str] = field(default_factory=list)
    titles: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    reached: Counter[str] = field(default_factory=Counter)


class Walker:
    """One visitor who follows every link under a path, each route `times` times at most."""

    def __init__(self, page: Page, routes: Flask, *, times: int = 2, within: str = "/") -> None:
        self.page, self.times, self.within, self.walk = page, times, within, Walk()
        self.origin = page.evaluate("location.origin")
        self.routes: MapAdapter = routes.url_map.bind("localhost")
        self._waiting: list[tuple[str, str]] = []
        self._known: set[str] = set()
        page.set_viewport_size(NARROW)

    def follow(self, *paths: str) -> Walk:
        """Walk from these addresses until no new link is left."""
        for path in paths:
            self._plan(self.origin + path, "the start")
        while self._waiting:
            address, origin = self._waiting.pop(0)
            self._visit(address, origin)
        for title, addresses in self.walk.titles.items():
            if len(addresses) > 1:
                self.walk.faults.append(f"one title « {title} » for {sorted(addresses)}")
        return self.walk

    def _route(self, address: str) -> str | None:
        """Endpoint, names in the address, and names of the parameters; None for what is not a page to walk to.

        Pages of contents are alike: their identifiers do not count.
        """
        parts = urlsplit(address)
        if f"{parts.scheme}://{parts.netloc}" != self.origin or not parts.path.startswith(self.within):
            return None
        try:
            endpoint, values = self.routes.match(parts.path, method="GET")
        except HTTPException:
            return f"no route for {parts.path}"
        names = sorted({name for name, _ in parse_qsl(parts.query)} - {"suite"})
        named = [value for value in values.values() if isinstance(value, str)]
        return " ".join([endpoint, *named, *names])

    def _plan(self, address: str, origin: str) -> None:
        address = address.split("#", maxsplit=1)[0]
        route = self._route(address)
        if route is None or address in self._known or self.walk.reached[route] >= self.times:
            return
        self._known.add(address)
        self.walk.reached[route] += 1
        self._waiting.append((address, origin))

    def _visit(self, address: str, origin: str) -> None:
        path = address.removeprefix(self.origin)
        try:
            reply = self.page.goto(address, wait_until="domcontentloaded")
        except Error as error:
            if "Download is starting" not in str(error):
                raise
            reply = self.page.request.get(address)
        is_page = reply.headers["content-type"].startswith(HTML)
        if reply.status >= 400 or not is_page:  # the browser notes an error, and asks for the icon of a bare file
            self.page.faults[:] = [fault for fault in self.page.faults if "Failed to load resource" not in fault]
        if reply.status >= 400 and reply.status != TOMBSTONE:
            self.walk.faults.append(f"{path}: {reply.status}, linked from {origin.removeprefix(self.origin)}")
            return
        if not is_page:
            return
        if "attachment" in reply.headers.get("content-disposition", ""):
            return
        seen = self.page.evaluate(READ)
        self._judge(path, seen)
        for link in seen["links"]:
            self._plan(link, address)

    def _judge(self, path: str, seen: dict) -> None:
        wrong = self.walk.faults.append
        if seen["lang"] != "fr":
            wrong(f"{path}: lang={seen['lang']}")
        if seen["h1"] != 1:
            wrong(f"{path}: {seen['h1']} h1")
        if seen["wide"] > NARROW["width"]:
            wrong(f"{path}: {seen['wide']} px wide")
        for pattern in (FOREIGN, FOREIGN_DATE):
            found = pattern.search(seen["text"])
            if found:
                start = max(0, found.start() - 30)
                wrong(f"{path}: « {' '.join(seen['text'][start : found.end() + 30].split())} »")
        if "?" not in path and self.page.url.removeprefix(self.origin) == path:
            self.walk.titles[seen["title"]].add(path)
