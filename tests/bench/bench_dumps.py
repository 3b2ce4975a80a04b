"""Dumps by format: rows per second, as a share of what the database itself gives of the same rows, and peak memory.

Each measure is a process of its own, so that its peak memory is its own. The rows are votes and contributions, written
by a fixed seed into SQLite; beside each format stands `sqlite3` reading the same rows into a text file.
"""

import json
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from consult.app import bindings
from consult.db import ALL_TENANTS, Base, Database
from consult.migrations import load_models
from consult.opendata.dump import ALL
from consult.opendata.formats import Format
from consult.opendata.jobs import DumpMaker
from consult.settings import Settings

ROOT = Path(__file__).parents[2]
SIZES = {"small": (10_000, 100_000), "full": (100_000, 1_000_000)}  # contributions, votes
BOOK = 10_000  # contributions of the workbook whose seconds are told
TEXT = "plus de trains le soir et des pistes cyclables pour aller au travail sans voiture dans les villages il faut"


def run(scale: str) -> list[dict]:
    """Rows of the bench's table."""
    folder = Path(tempfile.mkdtemp(prefix="consult-bench-"))
    try:
        total = sum(SIZES[scale])
        _child("seed", folder, *SIZES[scale])
        plain = _child("sqlite3", folder)
        rows = [_row(f"sqlite3 : {total} lignes en texte", total / plain["seconds"], "lignes/s", "", "")]
        for form in Format:
            found = _child(form.value, folder)
            rate, note = total / found["seconds"], f"crête {found['peak_mb']:.0f} Mo"
            rows.append(_row(f"dump {form.value} de {total} lignes", rate, "lignes/s", "", note))
            budget = ">= 0.03" if form is Format.NDJSON else ""
            rows.append(_row(f"dump {form.value} / sqlite3", plain["seconds"] / found["seconds"], "", budget, ""))
        every = _child("all", folder)
        rows.append(_row("dump, tous formats : mémoire de crête", every["peak_mb"], "Mo", "<= 300", ""))
        rows.append(_row("dump, tous formats", total / every["seconds"], "lignes/s", "", ""))
        shutil.rmtree(folder)
        folder.mkdir()
        _child("seed", folder, BOOK, 0)
        book = _child("xlsx", folder)
        rows.append(_row(f"classeur XLSX de {BOOK} contributions", book["seconds"], "s", "", "un pair Django : 231 s"))
        return rows
    finally:
        shutil.rmtree(folder)


def _row(name: str, value: float, unit: str, budget: str, note: str) -> dict:
    return {"name": name, "value": round(value, 4), "unit": unit, "budget": budget, "note": note}


def _child(work: str, folder: Path, *sizes: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", work, str(folder), *map(str, sizes)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def _seed(folder: Path, settings: Settings, contributions: int, votes: int) -> None:
    from tests import factories

    load_models()
    database = Database(settings.database_url)
    Base.metadata.create_all(database.engine)
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(session)
        step = factories.make_step(session, factories.make_consultation(session, organisation))
        accounts = [factories.make_account(session, organisation) for _ in range(11)]
        proposal = factories.make_proposal(session, step, accounts[0])
        factories.make_vote(session, proposal, accounts[0])
        voters = [account.id.hex for account in accounts]
    database.dispose()
    draw, words = random.Random(20260302), TEXT.split()
    proposals = [uuid.UUID(int=draw.getrandbits(128), version=4).hex for _ in range(contributions)]
    with sqlite3.connect(folder / "bench.db") as connection:
        told = ({"id": key, "body": " ".join(draw.choices(words, k=draw.randint(5, 80)))} for key in proposals)
        _copies(connection, "proposal", told)
        cast = (
            {
                "id": uuid.UUID(int=draw.getrandbits(128), version=4).hex,
                "proposal_id": proposals[number % contributions],
                "account_id": voters[number // contributions],
            }
            for number in range(votes)
        )
        _copies(connection, "vote", cast)
        for table in ("proposal", "vote"):
            connection.execute(f"DELETE FROM {table} WHERE rowid = (SELECT min(rowid) FROM {table})")


def _copies(connection: sqlite3.Connection, table: str, changes) -> None:
    """Rows like the only one of the table, but for what each changes."""
    found = connection.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in found.description]
    model = dict(zip(names, found.fetchone(), strict=True))
    statement = f"INSERT INTO {table} VALUES ({', '.join(f':{name}' for name in names)})"
    connection.executemany(statement, (model | each for each in changes))


def _plain(folder: Path) -> None:
    connection = sqlite3.connect(folder / "bench.db")
    with (folder / "plain.txt").open("w", encoding="utf-8") as out:
        for table in ("proposal", "vote"):
            out.writelines("\t".join(map(str, row)) + "\n" for row in connection.execute(f"SELECT * FROM {table}"))


def _dump(folder: Path, settings: Settings, formats) -> None:
    database = Database(settings.database_url)
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        from consult.consultations.models import Consultation

        consultation = session.query(Consultation).one()
        organisation_id, consultation_id = consultation.organisation_id, consultation.id
    out = folder / "dump"
    shutil.rmtree(out, ignore_errors=True)
    for _ in DumpMaker(settings, bindings(settings).public_datasets, formats=formats)(
        organisation_id, consultation_id, out
    ):
        pass


def _run_child(work: str, folder: Path, sizes: list[int]) -> None:
    settings = Settings(database_url=f"sqlite:///{folder}/bench.db", data_dir=str(folder))
    start = time.perf_counter()
    if work == "seed":
        _seed(folder, settings, *sizes)
    elif work == "sqlite3":
        _plain(folder)
    else:
        _dump(folder, settings, ALL if work == "all" else {Format(work)})
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "peak_mb": peak / 1024}))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    _run_child(sys.argv[2], Path(sys.argv[3]), list(map(int, sys.argv[4:])))
