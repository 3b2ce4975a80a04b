"""Import and dump of a consultation: rows per second and peak memory, which must not grow with the rows.

The dump is in NDJSON and CSV; `bench_dumps.py` measures each format.
Each measure is a process of its own, so that its peak memory is its own. Rows are open answers in French, one reply
each, written to a CSV file by a fixed seed; the database is SQLite, whose writer is the narrower way.
"""

import csv
import datetime as dt
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import func, select, update

from consult.app import bindings
from consult.consultations.models import Consultation, ConsultationStatus
from consult.db import ALL_TENANTS, Base, Database
from consult.imports import jobs, service
from consult.migrations import load_models
from consult.opendata.formats import Format
from consult.opendata.jobs import DumpMaker
from consult.organisations.models import Organisation
from consult.questionnaires.models import Reply
from consult.registry.models import RegistryEntry
from consult.settings import Settings

SIZES = {"small": (10_000, 100_000), "full": (100_000, 1_000_000)}
MAPPING = (
    "format: consult-import/1\ntarget: replies\nlayout: long\nconsultation: {title: Mesure}\n"
    "columns: {ref: id, question: question, answer: texte}\nquestion_defaults: {kind: long_text, visibility: rows}\n"
)
TEXT = "plus de trains le soir et des pistes cyclables pour aller au travail sans voiture dans les villages il faut"


def run(scale: str) -> list[dict]:
    """Rows of the bench's table."""
    measured = {size: _measure(size) for size in SIZES[scale]}
    rows = []
    for size, found in measured.items():
        for work in ("import", "dump"):
            note = f"crête {found[work]['peak_mb']:.0f} Mo"
            rows.append(_row(f"{work} de {size} lignes", found[work]["rows_per_second"], "lignes/s", "", note))
    small, large = (measured[size] for size in SIZES[scale])
    for work in ("import", "dump"):
        ratio = large[work]["peak_mb"] / small[work]["peak_mb"]
        rows.append(_row(f"{work} : mémoire de crête, {SIZES[scale][1]} / {SIZES[scale][0]}", ratio, "", "<= 1.2", ""))
    return rows


def _row(name: str, value: float, unit: str, budget: str, note: str) -> dict:
    return {"name": name, "value": round(value, 3), "unit": unit, "budget": budget, "note": note}


def _measure(size: int) -> dict[str, dict[str, float]]:
    folder = Path(tempfile.mkdtemp(prefix="consult-bench-"))
    try:
        _write_table(folder / "table.csv", size)
        return {work: _child(work, folder, size) for work in ("import", "place", "dump")}
    finally:
        shutil.rmtree(folder)


def _write_table(path: Path, size: int) -> None:
    draw, words = random.Random(20260302), TEXT.split()
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "question", "texte"])
        for number in range(size):
            writer.writerow([number, f"q{number % 10}", " ".join(draw.choices(words, k=draw.randint(3, 60)))])


def _child(work: str, folder: Path, size: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", work, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    if done.returncode:
        raise RuntimeError(done.stderr)
    found = json.loads(done.stdout)
    if found["rows"] != size:
        raise RuntimeError(f"{work}: {found['rows']} rows instead of {size}")
    return {"rows_per_second": size / found["seconds"], "peak_mb": found["peak_kb"] / 1024}


def _import(folder: Path, settings: Settings) -> int:
    database = Database(settings.database_url)
    load_models()
    Base.metadata.create_all(database.engine)
    now = dt.datetime.now(dt.UTC)
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = Organisation(slug="mesure", name="Mesure", created_at=now)
        session.add(organisation)
        session.flush()
        organisation_id = organisation.id
    plan = service.plan(folder / "table.csv", MAPPING)
    step_kinds = bindings(settings).step_kinds
    batch = jobs.import_file(database, plan, organisation_id=organisation_id, slug="mesure", step_kinds=step_kinds)
    with database.transaction(tenant=organisation_id) as session:
        consultation = session.get_one(Consultation, batch.consultation_id)
        consultation.status, consultation.opened_at = ConsultationStatus.OPEN, now
    return batch.rows_added


def _place(folder: Path, settings: Settings) -> int:
    """Leave the entries as the sequencer does within minutes: the manifest of a dump names those without a place."""
    del folder
    with Database(settings.database_url).transaction(tenant=ALL_TENANTS) as session:
        session.execute(update(RegistryEntry).values(position=RegistryEntry.id - 1, effect=None))
        return session.scalar(select(func.count()).select_from(Reply))


def _dump(folder: Path, settings: Settings) -> int:
    database = Database(settings.database_url)
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        consultation = session.query(Consultation).one()
        organisation_id, consultation_id = consultation.organisation_id, consultation.id
    make = DumpMaker(settings, bindings(settings).public_datasets, formats={Format.NDJSON, Format.CSV})
    for _progress in make(organisation_id, consultation_id, folder / "dump"):
        pass
    manifest = json.loads((folder / "dump" / "manifest.json").read_text(encoding="utf-8"))
    return next(file["rows"] for file in manifest["files"] if file["name"] == "answers.ndjson")


def _run_child(work: str, folder: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{folder}/bench.db", data_dir=str(folder))
    start = time.perf_counter()
    rows = {"import": _import, "place": _place, "dump": _dump}[work](folder, settings)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"rows": rows, "seconds": seconds, "peak_kb": peak}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _run_child(sys.argv[2], Path(sys.argv[3]))
    else:
        for each in run(sys.argv[1] if len(sys.argv) > 1 else "small"):
            print(each)
