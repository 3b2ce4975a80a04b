"""What the public log costs to votes, and how soon a vote is seen while others vote: page, API, signed checkpoint."""

import contextlib
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import serving
from bench_votes import PROPOSALS, ROUNDS, SECONDS, VOTERS, Ballots
from sqlalchemy import func, select

from consult.contributions.models import VoteValue
from consult.db import ALL_TENANTS, Database
from consult.registry.models import RegistryEntry

PROBES = {"small": 100, "full": 500}
LIMIT = 60  # seconds after which a vote is lost
SEE_OTHER, BAD_REQUEST = 303, 400
CHECKPOINT = "signed checkpoint"
FIGURES = re.compile(r'data-figure="(\w+)" data-count="(\d+)"')


def run(scale: str) -> list[dict]:
    """On SQLite and on PostgreSQL."""
    rows = []
    with contextlib.ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        logged, bare = (stack.enter_context(serving.databases(folder)) for folder in folders)
        for name in logged:
            rows += _measure(scale, folders[0] / name, name, logged[name], bare[name])
    return rows


def _measure(scale: str, folder: Path, name: str, url: str, bare_url: str) -> list[dict]:
    folder.mkdir()
    scene, unlogged = (serving.seed(each, proposals=PROPOSALS, accounts_count=VOTERS + 1) for each in (url, bare_url))
    others = [each for each in scene.proposals if each != min(scene.proposals)]
    ballots = Ballots(serving.Scene(scene.list_path, others, scene.tokens[:VOTERS]))
    beside = Ballots(serving.Scene(unlogged.list_path, unlogged.proposals, unlogged.tokens[:VOTERS]))
    shape = serving.AS_SERVED
    with (
        serving.served("consult.wsgi:app", url, folder, shape=shape) as logged,
        serving.served("without_log:app", bare_url, folder, shape=shape) as bare,
        sequencing(url, folder),
    ):
        ballots.learn_tokens(logged)
        beside.learn_tokens(bare)
        send = {"threads": VOTERS, "seconds": SECONDS[scale]}
        share, _ = serving.side_by_side(
            lambda: serving.load(logged, ballots.requests, **send),
            lambda: serving.load(bare, beside.requests, **send),
            rounds=ROUNDS[scale],
        )
        probe = Probe(scene, logged, folder, Database(url))
        with voted_on(logged, ballots):
            seen = [probe.vote() for _ in range(PROBES[scale])]
    rows = [
        {"name": f"votes a second, with the log / without ({name})", "value": share, "unit": "", "budget": ">= 0.85",
         "note": "sequencer at work beside"},
    ]  # fmt: skip
    for where, budget in (("page", "<= 5"), ("API", "<= 5"), (CHECKPOINT, "<= 60")):
        delays = [each[where] for each in seen]
        rows.append(
            {"name": f"vote to {where}, 99th percentile ({name})", "value": statistics.quantiles(delays, n=100)[98],
             "unit": "s", "budget": budget,
             "note": f"median {statistics.median(delays):.2f} s, {len(delays)} votes, {VOTERS} people voting beside"},
        )  # fmt: skip
    return rows


@contextlib.contextmanager
def sequencing(url: str, folder: Path) -> Iterator[None]:
    """The sequencer of `consult serve`, on the same database and folder."""
    environment = os.environ | {"DATABASE_URL": url, "CONSULT_DATA_DIR": str(folder)}
    command = [sys.executable, "-m", "consult", "registry", "sequence"]
    process = subprocess.Popen(command, env=environment, cwd=serving.ROOT, stderr=subprocess.DEVNULL)
    try:
        yield
        if process.poll() is not None:
            raise SystemExit("the sequencer has stopped")
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def voted_on(port: int, ballots: Ballots) -> Iterator[None]:
    """People who vote without a pause, for the block."""
    over = threading.Event()

    def go_on(voter: int) -> Iterator[serving.Request]:
        for request in ballots.requests(voter):
            if over.is_set():
                return
            yield request

    thread = threading.Thread(target=lambda: serving.load(port, go_on, threads=VOTERS, seconds=3600))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Probe:
    """Somebody who changes a vote on a proposal of their own, and watches where it is seen."""

    def __init__(self, scene: serving.Scene, port: int, folder: Path, database: Database) -> None:
        self._database, self._port, self._proposal = database, port, min(scene.proposals)
        self._ballots = Ballots(serving.Scene(scene.list_path, [self._proposal], scene.tokens[VOTERS:]))
        self._ballots.learn_tokens(port)
        slug = scene.list_path.split("/")[2]
        self._places: dict[str, Callable[[], list[int]]] = {
            "page": self._on_page,
            "API": lambda: self._in_api(f"/api/v1/consultations/{slug}/contributions?limit=100"),
        }
        self._checkpoints = folder / "registry"
        self._acts = self._ballots.requests(0)
        self._before = self._places["API"]()

    def vote(self) -> dict[str, float]:
        """Seconds after which a change of vote was on the page, in the API, and in a signed checkpoint."""
        last = self._ballots.last[0]
        held, value = last.get(str(self._proposal)), None
        while value in {held, None}:
            method, path, body, headers = next(self._acts)
            value = last[str(self._proposal)]
        expected = [count + (name == value) for name, count in zip(VoteValue, self._before, strict=True)]
        begun = time.monotonic()
        if self._ask(method, path, body, headers)[0] != SEE_OTHER:
            raise SystemExit("the vote of the probe was refused")
        with self._database.session(write=False, tenant=ALL_TENANTS) as session:
            size = session.scalar(select(func.max(RegistryEntry.id)))
        seen: dict[str, float] = {}
        while len(seen) <= len(self._places):
            for place, look in self._places.items():
                if place not in seen and look() == expected:
                    seen[place] = time.monotonic() - begun
            if CHECKPOINT not in seen and self._signed() >= size:
                seen[CHECKPOINT] = time.monotonic() - begun
            if time.monotonic() - begun > LIMIT:
                raise SystemExit(f"a vote is not seen after {LIMIT} s, but in {sorted(seen)}")
            time.sleep(0.02)
        return seen

    def _ask(self, method: str, path: str, body: str | None = None, headers: Mapping[str, str] = {}) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def _on_page(self) -> list[int]:
        figures = dict(FIGURES.findall(self._ask("GET", f"/contributions/{self._proposal}")[1]))
        return [int(figures[value]) for value in VoteValue if value in figures]  # none before the first checkpoint

    def _in_api(self, path: str) -> list[int]:
        status, told = self._ask("GET", path)
        if status >= BAD_REQUEST:
            raise SystemExit(f"the API answers {status}: {told[:200]}")
        rows = json.loads(told)["data"]
        return next([row[f"votes_{value}"] for value in VoteValue] for row in rows if row["id"] == str(self._proposal))

    def _signed(self) -> int:
        return max((int(path.read_text().split("\n")[1]) for path in self._checkpoints.glob("*/checkpoint")), default=0)
