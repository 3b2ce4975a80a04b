"""The anonymous list of proposals, and a search in it, on two gunicorn workers: shares of a bare page of 20 rows."""

import itertools
import statistics
import tempfile
from pathlib import Path
from urllib.parse import quote

import serving

from consult.app import create_app
from consult.settings import Settings
from tests import plans

SECONDS = {"small": 2.0, "full": 3.0}
ROUNDS = {"small": 3, "full": 3}
SIZES = {"small": (1_000,), "full": (1_000, 10_000)}
VOTES_EACH = 20
CLIENTS = 8
SEARCHED = {"search": "mot50 mot100", "rare search": "mot1500"}  # about 700 of 10,000 proposals, and 140


def run(scale: str) -> list[dict]:
    """Shares of a bare page, queries counted and plans looked at, on both databases."""
    rows = []
    for proposals in SIZES[scale]:
        with tempfile.TemporaryDirectory() as folder, serving.databases(Path(folder)) as urls:
            for name, url in urls.items():
                scene = serving.seed(url, proposals=proposals, votes=VOTES_EACH * proposals)
                where = f"{proposals} propositions, {name}"
                paths = {"list": scene.list_path}
                paths |= {page: f"{scene.list_path}?q={quote(words)}" for page, words in SEARCHED.items()}
                for page, path in paths.items():
                    rows += _statements(url, path, f"{page} page", where)
                rows += _shares(scale, Path(folder), url, paths, where)
    return rows


def _shares(scale: str, folder: Path, url: str, paths: dict[str, str], where: str) -> list[dict]:
    def pages(port: int, path: str) -> serving.Load:
        request = ("GET", path, None, {})
        return serving.load(port, lambda _: itertools.repeat(request), threads=CLIENTS, seconds=SECONDS[scale])

    rows = []
    with serving.served("bare:app", url, folder) as bare:
        for kind, seconds, budget in (("uncached", "0", ">= 0.05"), ("short cache", "2", ">= 0.6")):
            with serving.served("consult.wsgi:app", url, folder, CONSULT_PAGE_CACHE_SECONDS=seconds) as ours:
                for page, path in paths.items() if kind == "uncached" else [("list", paths["list"])]:
                    pages(ours, path)  # the first requests compile templates and statements
                    share, loads = serving.side_by_side(
                        lambda port=ours, path=path: pages(port, path), lambda: pages(bare, "/"), rounds=ROUNDS[scale]
                    )
                    rate = statistics.median(load.rate for load in loads)
                    p95 = statistics.median(load.p95 for load in loads)
                    rows.append({"name": f"{page} page, {kind} ({where})", "value": share, "unit": "× bare",
                                 "budget": budget, "note": f"{rate:.0f} pages/s here, p95 {p95:.0f} ms"})  # fmt: skip
    return rows


def _statements(url: str, path: str, page: str, where: str) -> list[dict]:
    """How many statements one page sends, once warm, and how many of them read a large table from end to end."""
    app = create_app(Settings(database_url=url, page_cache_seconds=0.0, rate_limits=False))
    database, client = app.extensions["database"], app.test_client()
    assert client.get(path).status_code == 200
    with plans.watched(database) as sent:
        assert client.get(path).status_code == 200
    scanned = plans.scans(database, sent)
    database.dispose()
    return [
        {"name": f"{page}, SQL queries ({where})", "value": len(sent), "unit": "queries",
         "budget": "<= 12", "note": "BEGIN and PRAGMA not counted"},
        {"name": f"{page}, sequential scans over 1,000 rows ({where})", "value": len(scanned), "unit": "queries",
         "budget": "<= 0", "note": "; ".join(scanned)[:200]},
    ]  # fmt: skip
