"""The public log: entries written, placed and signed on two stores a second; how soon one alone is; proofs."""

import datetime as dt
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import published
import serving

from consult.db import ALL_TENANTS, Base, Database
from consult.migrations import load_models
from consult.registry import publishing, tiles, tree, verifier
from consult.registry.publishing import Stores
from consult.registry.store import Store
from tests import factories
from tests.registers import act, sequencer

ENTRIES = {"small": 20_000, "full": 1_000_000}
VOTES = {"small": 20_000, "full": 1_000_000}
# Runs a program, then says what memory it took at most, in kilobytes.
PEAK = """import resource, runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""
ALONE = {"small": 10, "full": 30}
PROOFS = {"small": 500, "full": 5_000}
BURST = 500  # entries of one transaction: what an import or a busy second writes


def run(scale: str) -> list[dict]:
    """The same figures on SQLite and on PostgreSQL."""
    rows = []
    with tempfile.TemporaryDirectory() as folder, serving.databases(Path(folder)) as urls:
        for name, url in urls.items():
            rows += _measure(scale, Path(folder) / name, url, name)
    with tempfile.TemporaryDirectory() as folder:
        rows += _verification(Path(folder), VOTES[scale])
    return rows


def _verification(folder: Path, votes: int) -> list[dict]:
    """The whole verification of a downloaded folder, in a process of its own, beside the hashing of its bytes."""
    made = published.Made(folder / "site", votes)
    begun = time.perf_counter()
    size = made.hash_all()
    hashing = time.perf_counter() - begun
    program, site = [sys.executable, "-I", verifier.__file__], str(made.folder)
    begun = time.perf_counter()
    done = subprocess.run([*program[:2], "-c", PEAK, program[2], site], capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode != 0:
        raise RuntimeError(done.stdout + done.stderr)
    megabytes = int(done.stderr.split()[-1]) / 1024
    note = f"{votes} votes, {size / 1e6:.0f} MB"
    return [
        {"name": "full verification / hashing the same bytes", "value": seconds / hashing, "unit": "",
         "budget": "<= 60", "note": f"{note}, hashed in {hashing:.1f} s"},
        {"name": "full verification, minutes a million entries", "value": seconds / 60 * 1e6 / votes, "unit": "min",
         "budget": None, "note": note},
        {"name": "full verification, peak memory", "value": megabytes, "unit": "MB", "budget": "<= 500", "note": note},
    ]  # fmt: skip


def _measure(scale: str, folder: Path, url: str, name: str) -> list[dict]:
    database = Database(url)
    load_models()
    Base.metadata.create_all(database.engine)
    now = dt.datetime.now(dt.UTC)
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(session)
        owner, slug = organisation.id, organisation.slug
    stop = threading.Event()
    thread = threading.Thread(target=sequencer(database, folder).run_forever, args=[stop])
    thread.start()
    signed = Signed(folder / "first" / slug / "checkpoint")
    rate = _sustained(database, owner, now, signed, ENTRIES[scale])
    delays = [_alone(database, owner, now, signed) for _ in range(ALONE[scale])]
    stop.set()
    thread.join()
    size, begun = signed.size(), time.perf_counter()
    publishing.check(database, Stores(Store(folder / "first"), Store(folder / "second")))
    checked = size / (time.perf_counter() - begun)
    proofs = _proofs(Store(folder / "first"), slug, size, PROOFS[scale])
    database.dispose()
    note = f"{size} entries"
    return [
        {"name": f"entries written, placed and signed ({name})", "value": rate, "unit": "/s", "budget": ">= 1000",
         "note": f"{note}, {BURST} a transaction"},
        {"name": f"an entry alone, to its signature, median ({name})", "value": statistics.median(delays), "unit": "s",
         "budget": "<= 1", "note": f"worst {max(delays):.2f} s"},
        {"name": f"entries and files checked ({name})", "value": checked, "unit": "/s", "budget": None, "note": note},
        {"name": f"inclusion proofs from cold tiles ({name})", "value": proofs, "unit": "/s", "budget": None,
         "note": note},
    ]  # fmt: skip


class Signed:
    """What the first store says."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def size(self) -> int:
        return int(self._path.read_text().split("\n")[1]) if self._path.exists() else 0

    def wait(self, size: int) -> None:
        limit = time.monotonic() + 600
        while self.size() < size:
            if time.monotonic() > limit:
                raise TimeoutError(f"{size} entries are not signed")
            time.sleep(0.01)


def _sustained(database, owner, now, signed: Signed, count: int) -> float:
    begun = time.perf_counter()
    for _ in range(count // BURST):
        act(database, owner, now, count=BURST)
    signed.wait(count)
    return count / (time.perf_counter() - begun)


def _alone(database, owner, now, signed: Signed) -> float:
    size = signed.size()
    begun = time.perf_counter()
    act(database, owner, now)
    signed.wait(size + 1)
    return time.perf_counter() - begun


def _proofs(store: Store, slug: str, size: int, count: int) -> float:
    begun = time.perf_counter()
    for number in range(count):
        read = tiles.TileReader(lambda tile: store.fetch(slug, tile), size)
        tree.inclusion_proof(read, number * 7_919 % size, size)
    return count / (time.perf_counter() - begun)
