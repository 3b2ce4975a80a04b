"""A server that follows Matomo's documented HTTP API: reporting by POST with the token in the body, tracking by POST.

https://developer.matomo.org/api-reference/reporting-api and …/tracking-api: the shapes of the answers, refusals under
HTTP 200 included, are those of the documentation.
"""

import contextlib
import copy
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TOKEN = "0123456789abcdef0123456789abcdef"
WEEK, BEFORE = "2026-03-23", "2026-03-16"
STATES = {  # by method and date: what a site of one week answers
    ("VisitsSummary.get", WEEK): {"nb_visits": 42, "nb_actions": 130, "bounce_rate": "40%"},
    ("VisitsSummary.get", BEFORE): {"nb_visits": 20, "nb_actions": 50},
    ("Actions.get", WEEK): {"nb_pageviews": 100, "nb_uniq_pageviews": 80},
    ("Actions.get", BEFORE): {"nb_pageviews": 50},
    ("Actions.getPageUrls", WEEK): [
        {"label": "/index", "nb_hits": 60, "nb_visits": 40},
        {"label": "/consultations/velo", "nb_hits": 40, "nb_visits": 30},
    ],
    ("Referrers.getReferrerType", WEEK): [
        {"label": "Entrées directes", "nb_visits": 25, "referrer_type": 1},
        {"label": "Sites web", "nb_visits": 10, "referrer_type": 3},
        {"label": "Moteurs de recherche", "nb_visits": 7, "referrer_type": 2},
    ],
    ("Referrers.getWebsites", WEEK): [{"label": "exemple.fr", "nb_visits": 8}],
    ("DevicesDetection.getType", WEEK): [
        {"label": "Smartphone", "nb_visits": 20, "segment": "deviceType==smartphone"},
        {"label": "Phablette", "nb_visits": 5, "segment": "deviceType==phablet"},
        {"label": "Bureau", "nb_visits": 17, "segment": "deviceType==desktop"},
    ],
    ("VisitTime.getVisitInformationPerServerTime", WEEK): [
        {"label": f"{hour}h", "nb_visits": {9: 30, 20: 12}.get(hour, 0)} for hour in range(24)
    ],
    ("VisitsSummary.getVisits", f"{WEEK},2026-03-29"): {"2026-03-23": 30, "2026-03-29": 12},
    ("API.getMatomoVersion", ""): {"value": "5.6.1"},
    ("SitesManager.getSiteFromId", ""): {
        "idsite": 3, "timezone": "Europe/Paris", "ecommerce": 0, "sitesearch": 0, "keep_url_fragment": "2",
    },
    ("PrivacyManager.getComplianceStatus", ""): {
        "complianceModeEnforced": True,
        "complianceConfigControlled": False,
        "complianceRequirements": [
            {"name": "Anonymisation de l’adresse IP", "value": "compliant", "notes": ""},
            {"name": "Journal des visites", "value": "compliant", "notes": ""},
            {"name": "Refus de la mesure", "value": "unknown", "notes": "À vérifier à la main"},
        ],
    },
}  # fmt: skip


@dataclass
class FakeMatomo:
    """What it was asked, what it was told, and how it is to fail."""

    address: str = ""
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)  # method, address, body
    told: list[tuple[dict[str, str], dict[str, str]]] = field(default_factory=list)  # hit, headers
    answers: dict[tuple[str, str], Any] = field(default_factory=lambda: copy.deepcopy(STATES))
    failing: list[tuple[int, bytes]] = field(default_factory=list)  # the next answers, whatever is asked

    def report(self, body: dict[str, str]) -> Any:
        if body.get("token_auth") != TOKEN:
            words = "You can't access this resource as it requires 'view' access for the website id = 3."
            return {"result": "error", "message": words}
        if body["method"].startswith(("API.", "SitesManager.", "PrivacyManager.")):
            return self.answers.get((body["method"], ""), {"result": "error", "message": "Feature not available"})
        if body.get("idSite") != "3":
            return {
                "result": "error",
                "message": "An unexpected website was found in the request: website id was set to 'x'.",
            }
        return self.answers.get((body["method"], body["date"]), [])


class _Handler(BaseHTTPRequestHandler):
    matomo: FakeMatomo

    def do_POST(self):
        body = dict(parse_qsl(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()))
        if urlsplit(self.path).path == "/matomo.php":
            self.matomo.told.append((body, dict(self.headers)))
            return self._reply(204, b"")
        self.matomo.asked.append((self.command, self.path, body))
        if self.matomo.failing:
            return self._reply(*self.matomo.failing.pop(0))
        return self._reply(200, json.dumps(self.matomo.report(body)).encode())

    def do_GET(self):
        self.matomo.asked.append((self.command, self.path, {}))
        self._reply(405, b"")

    def _reply(self, status, content):
        self.send_response(status)
        if status in {301, 302}:
            self.send_header("Location", content.decode())
            content = b""
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving() -> Iterator[FakeMatomo]:
    matomo = FakeMatomo()
    handler = type("Handler", (_Handler,), {"matomo": matomo})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    matomo.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield matomo
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
