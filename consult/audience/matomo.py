"""The one door to a Matomo: its HTTP reporting API through matomo-api, asked by the worker and the commands alone.

The library sends the token in the address, waits for ever and does not see the refusals that Matomo gives under HTTP
200: the transport below does the sending in its place.
"""

from __future__ import annotations

import datetime as dt
import re
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import requests
from sqlalchemy.orm import Session

from consult.audience.figures import HOURS, Ranked, Span, Traffic, ranked
from consult.audience.models import Period
from consult.audience.policy import DESKTOP, DIRECT, MOBILE, OTHERS, TABLET
from consult.errors import UnavailableError
from consult.settings import Settings, by_organisation

TIMEOUT: Final = (5, 30)  # seconds: to connect, to answer
TRIES: Final = 3
PAUSE: Final = 2.0  # seconds before the second try, doubled before the third
LONGEST_WORDS: Final = 200  # of what Matomo says
_DEVICES: Final = {
    "desktop": DESKTOP,
    "smartphone": MOBILE,
    "phablet": MOBILE,
    "feature phone": MOBILE,
    "tablet": TABLET,
}
_WEBSITE: Final = 3  # Matomo's number of the type of a referrer
_TYPES: Final = {1: DIRECT, 2: "Moteurs de recherche", 6: "Campagnes", 7: "Réseaux sociaux", 8: "Assistants d’IA"}
LACKING: Final = (
    "Le paquet matomo-api n’est pas installé\u00a0: installez l’extra « matomo », ou choisissez les compteurs."
)
UNGIVEN: Final = "CONSULT_MATOMO_TOKEN n’est pas donné au travailleur\u00a0: Matomo ne peut pas être interrogé."
SILENT: Final = "Le serveur Matomo n’a pas répondu à temps, malgré trois essais."


class _Posting:
    """Stands where the library expects `requests`: what it would put in an address goes in a body, once."""

    @staticmethod
    def get(url: str, arguments: Mapping[str, Any]) -> requests.Response:
        """Send it, and follow nobody elsewhere with the token."""
        return requests.post(url, data=dict(arguments), timeout=TIMEOUT, allow_redirects=False)


class Matomo:
    """A Meter that asks a Matomo."""

    source = "matomo"

    def __init__(self, settings: Settings, pause: Callable[[float], None] = time.sleep) -> None:
        self._address = f"{settings.matomo_url.rstrip('/')}/index.php"
        self._token = settings.matomo_token
        self._sites = by_organisation(settings.matomo_sites)
        self._pause = pause

    def site(self, organisation: str) -> str:
        """The number of the site that measures an organisation. Raises UnavailableError."""
        if organisation not in self._sites:
            raise UnavailableError(f"CONSULT_MATOMO_SITES ne donne pas le site de mesure de « {organisation} ».")
        return self._sites[organisation]

    def read(self, session: Session, organisation: str, span: Span) -> Traffic:
        """See Meter."""
        del session
        about = {"idSite": self.site(organisation), "period": span.period.value, "date": span.first.isoformat()}
        try:
            return self._traffic(about, span)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise UnavailableError(
                "Matomo a répondu sous une forme inattendue\u00a0: sa version a pu changer."
            ) from None

    def _traffic(self, about: Mapping[str, str], span: Span) -> Traffic:
        visits = int(_row(self.ask("VisitsSummary.get", about)).get("nb_visits", 0))
        views = int(_row(self.ask("Actions.get", about)).get("nb_pageviews", 0))
        pages = _rows(self.ask("Actions.getPageUrls", {**about, "flat": "1"}))
        types = _rows(self.ask("Referrers.getReferrerType", about))
        websites = _rows(self.ask("Referrers.getWebsites", about))
        devices = _rows(self.ask("DevicesDetection.getType", about))
        hours = [0] * HOURS
        for row in _rows(self.ask("VisitTime.getVisitInformationPerServerTime", about)):
            # A label without hour is a TypeError, which the caller tells as an unexpected form.
            hours[int(re.match(r"\d+", str(row["label"]))[0])] += int(row["nb_visits"])  # type: ignore[index]
        return Traffic(
            visits=visits,
            views=views,
            pages=ranked((_path(row["label"]), int(row["nb_hits"])) for row in pages),
            sources=_sources(types, websites),
            devices=_devices(devices),
            hours=tuple(hours),
            days=self._days(about, span),
        )

    def _days(self, about: Mapping[str, str], span: Span) -> Ranked:
        asked = dict(about) | {"period": "day", "date": f"{span.first.isoformat()},{span.last.isoformat()}"}
        if span.period is Period.DAY:
            asked["date"] = span.first.isoformat()
        found = self.ask("VisitsSummary.getVisits", asked)
        days = [(span.first + dt.timedelta(days=n)).isoformat() for n in range(span.days)]
        if span.period is Period.DAY:
            return ((days[0], int(_row(found).get("value", 0))),)
        return tuple((day, int(_row(found).get(day) or 0)) for day in days)

    def ask(self, method: str, parameters: Mapping[str, str]) -> Any:
        """What the API answers to `Module.method`. Raises UnavailableError, in French and without the token."""
        if not self._token:
            raise UnavailableError(UNGIVEN)
        asked = {"format": "JSON", "filter_limit": "-1", "language": "fr", **parameters}
        for turn in range(TRIES):
            if turn:
                self._pause(PAUSE * turn)
            try:
                reply = self._send(method, asked)
            except (requests.ConnectionError, requests.Timeout):
                continue
            except requests.RequestException:
                break
            if reply.status_code < 500 and reply.status_code != 429:  # noqa: PLR2004  # HTTP: try again later
                return _read(reply)
        raise UnavailableError(SILENT)

    def _send(self, name: str, asked: Mapping[str, str]) -> requests.Response:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # its docstrings hold escapes that Python will know no more
                import matomo_api  # here and not above: an extra, which an operator may leave out
                from matomo_api import decorators
        except ImportError:
            raise UnavailableError(LACKING) from None
        decorators.requests = _Posting
        module, method = name.split(".")
        known = getattr(getattr(matomo_api.MatomoApi(self._address, self._token), module)(), method, None)
        if known is not None:
            reply: requests.Response = known(dict(asked))
            return reply
        # The library was made from the documentation of 2021: what came since is asked in the same way.
        return _Posting.get(self._address, {"module": "API", "method": name, "token_auth": self._token, **asked})


def _read(reply: requests.Response) -> Any:
    if reply.status_code in {401, 403}:
        raise UnavailableError("Matomo refuse le jeton de CONSULT_MATOMO_TOKEN, ou ne lui ouvre pas ce site.")
    if reply.status_code != 200:  # noqa: PLR2004  # HTTP: an answer
        raise UnavailableError(
            f"Ce qui est à CONSULT_MATOMO_URL répond {reply.status_code}\u00a0: ce n’est pas l’API de Matomo."
        )
    try:
        found = reply.json()
    except ValueError:
        raise UnavailableError(
            "Ce qui est à CONSULT_MATOMO_URL ne répond pas en JSON\u00a0: ce n’est pas Matomo."
        ) from None
    if isinstance(found, dict) and found.get("result") == "error":
        said = " ".join(str(found.get("message", "")).split())[:LONGEST_WORDS]
        raise UnavailableError(f"Matomo a refusé la demande\u00a0: «\u00a0{said}\u00a0».")
    return found


def _row(found: Any) -> Mapping[str, Any]:
    """One row; Matomo writes an empty list where there is none."""
    return found if isinstance(found, dict) else {}


def _rows(found: Any) -> Sequence[Mapping[str, Any]]:
    if not isinstance(found, list):
        raise TypeError("a list of rows was expected")
    return found


def _path(label: str) -> str:
    return "/" if label in {"/", "/index"} else label


def _sources(types: Sequence[Mapping[str, Any]], websites: Sequence[Mapping[str, Any]]) -> Ranked:
    """The types of referrers, websites told one by one."""
    named = [(str(row["label"]), int(row["nb_visits"])) for row in websites]
    others = [(_TYPES.get(int(row["referrer_type"]), OTHERS), int(row["nb_visits"])) for row in types]
    whole = sum(int(row["nb_visits"]) for row in types if int(row["referrer_type"]) == _WEBSITE)
    of_types = [row for row, kind in zip(others, types, strict=True) if int(kind["referrer_type"]) != _WEBSITE]
    return ranked([*of_types, *named, (OTHERS, max(0, whole - sum(count for _, count in named)))])


def _devices(rows: Sequence[Mapping[str, Any]]) -> Ranked:
    counts: dict[str, int] = {}
    for row in rows:
        kind = str(row.get("segment", "")).rpartition("==")[2].replace("+", " ").replace("%20", " ")
        label = _DEVICES.get(kind, str(row["label"]))
        counts[label] = counts.get(label, 0) + int(row["nb_visits"])
    return ranked(counts.items())
