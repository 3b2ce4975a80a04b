"""The anonymous list of 1,000 proposals on two gunicorn workers, as a share of a bare Flask page of 20 rows."""

import itertools
import statistics
import tempfile
from pathlib import Path

import serving
from sqlalchemy import event

from consult.app import create_app
from consult.settings import Settings

SECONDS = {"small": 2.0, "full": 6.0}
ROUNDS = {"small": 3, "full": 5}
SIZES = {"small": (1_000,), "full": (1_000, 10_000)}
CLIENTS = 8


def run(scale: str) -> list[dict]:
    """Shares of a bare page, and queries counted, on both databases."""
    rows = []
    for proposals in SIZES[scale]:
        with tempfile.TemporaryDirectory() as folder, serving.databases(Path(folder)) as urls:
            for name, url in urls.items():
                scene = serving.seed(url, proposals=proposals)
                where = f"{proposals} propositions, {name}"
                queries = count_queries(url, scene.list_path)
                rows.append({"name": f"list page, SQL queries ({where})", "value": queries, "unit": "queries",
                             "budget": "<= 12", "note": "BEGIN and PRAGMA not counted"})  # fmt: skip
                rows += _shares(scale, Path(folder), url, scene.list_path, where)
    return rows


def _shares(scale: str, folder: Path, url: str, path: str, where: str) -> list[dict]:
    def pages(port: int, path: str) -> serving.Load:
        request = ("GET", path, None, {})
        return serving.load(port, lambda _: itertools.repeat(request), threads=CLIENTS, seconds=SECONDS[scale])

    rows = []
    with serving.served("bare:app", url, folder) as bare:
        for kind, seconds, budget in (("uncached", "0", ">= 0.05"), ("short cache", "2", ">= 0.6")):
            with serving.served("consult.wsgi:app", url, folder, CONSULT_PAGE_CACHE_SECONDS=seconds) as ours:
                pages(ours, path)  # the first requests compile templates and statements
                share, loads = serving.side_by_side(
                    lambda port=ours: pages(port, path), lambda: pages(bare, "/"), rounds=ROUNDS[scale]
                )
            rate = statistics.median(load.rate for load in loads)
            rows.append({"name": f"list page, {kind} ({where})", "value": share, "unit": "× bare", "budget": budget,
                         "note": f"{rate:.0f} pages/s here"})  # fmt: skip
    return rows


def count_queries(url: str, path: str) -> int:
    """How many statements one page sends, once warm."""
    app = create_app(Settings(database_url=url, page_cache_seconds=0.0, rate_limits=False))
    statements: list[str] = []
    for engine in app.extensions["database"].engines:
        event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    client = app.test_client()
    for _ in range(2):
        statements.clear()
        assert client.get(path).status_code == 200
    app.extensions["database"].dispose()
    return sum(not statement.startswith(("BEGIN", "PRAGMA")) for statement in statements)
