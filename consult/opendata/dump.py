"""Writing the open dump of a consultation (« consult-dump/1 ») in constant memory.

A dump is a folder: one NDJSON file per public dataset, which is the canonical form, its CSV twin for spreadsheets, and
`manifest.json` with rows, bytes and SHA-256 of each. In CSV a list is joined by `|`, and a cell that a spreadsheet
could take for a formula begins with an apostrophe; so does one that already begins with an apostrophe: taking one
apostrophe away gives every cell back as it was.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import uuid
import zipfile
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from consult.clock import written
from consult.protocols import Progress, PublicDataset
from consult.registry import queries as registry

FORMAT: Final = "consult-dump/1"
LICENCE: Final = "etalab-2.0"
CHUNK: Final = 5_000  # rows between two signs of progress
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "'")


@dataclass(frozen=True, slots=True)
class Identity:
    """What the manifest says of the dump besides its files."""

    organisation: str
    consultation: str
    title: str
    source: str
    generated_at: dt.datetime


def cell(value: Any) -> str:
    """A value as its CSV cell; see the module's docstring."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        value = "|".join(each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in value)
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return str(value)


class _Out:
    """A text file that knows its size and digest."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] = path.open("xb")
        self._sha256 = hashlib.sha256()
        self._bytes = 0

    def write(self, text: str) -> int:
        data = text.encode()
        self._sha256.update(data)
        self._bytes += len(data)
        return self._file.write(data)

    def close(self, dataset: str, rows: int) -> dict[str, Any]:
        self._file.close()
        digest = self._sha256.hexdigest()
        return {"name": self.path.name, "dataset": dataset, "rows": rows, "bytes": self._bytes, "sha256": digest}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the registry stood in the very state of the database that the files show."""

    last_entry: int
    removals: int


def write_dump(
    reading: Session,
    consultation_id: uuid.UUID,
    identity: Identity,
    datasets: Mapping[str, PublicDataset],
    folder: Path,
) -> Generator[Progress, None, Standing]:
    """Write every dataset, then the manifest, then the archive of all into an existing empty folder.

    `reading` is a reading session of its own: all files, and the standing returned, show one state of the database.
    """
    _fix_snapshot(reading)
    removals = registry.removals(reading, [consultation_id]).get(consultation_id, 0)
    standing = Standing(registry.last_entry(reading, consultation_id), removals)
    files: list[dict[str, Any]] = []
    done = 0
    for dataset in datasets.values():
        for progress in _write_dataset(reading, consultation_id, dataset, folder, files):
            yield Progress(done + progress, None, f"Données « {dataset.name} »")
        done += files[-1]["rows"]
    manifest = {
        "format": FORMAT,
        "organisation": identity.organisation,
        "consultation": identity.consultation,
        "title": identity.title,
        "licence": LICENCE,
        "source": identity.source,
        "generated_at": written(identity.generated_at),
        "position": registry.position(reading),
        "files": files,
    }
    text_of = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
    (folder / "manifest.json").write_text(text_of, encoding="utf-8")
    _archive(folder, f"{identity.consultation}.zip")
    yield Progress(done, done, "Fichiers prêts")
    return standing


def described(path: Path) -> dict[str, Any]:
    """A file of no dataset (the manifest, the archive) as the manifest tells the others."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"name": path.name, "dataset": "", "rows": None, "bytes": path.stat().st_size, "sha256": digest}


def _fix_snapshot(reading: Session) -> None:
    # A SQLite transaction reads one state already; PostgreSQL must be told before the first query.
    if reading.get_bind().dialect.name == "postgresql":
        reading.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))


def _write_dataset(
    reading: Session,
    consultation_id: uuid.UUID,
    dataset: PublicDataset,
    folder: Path,
    files: list[dict[str, Any]],
) -> Iterator[int]:
    columns = list(dataset.columns)
    ndjson, table = _Out(folder / f"{dataset.name}.ndjson"), _Out(folder / f"{dataset.name}.csv")
    writer = csv.writer(table, lineterminator="\r\n")
    writer.writerow(columns)
    rows = 0
    for row in dataset.rows(reading, consultation_id):
        ndjson.write(json.dumps({name: row[name] for name in columns}, ensure_ascii=False) + "\n")
        writer.writerow([cell(row[name]) for name in columns])
        rows += 1
        if rows % CHUNK == 0:
            yield rows
    files += [ndjson.close(dataset.name, rows), table.close(dataset.name, rows)]


def _archive(folder: Path, name: str) -> None:
    members = sorted(path for path in folder.iterdir() if path.is_file())
    with zipfile.ZipFile(folder / name, "x", zipfile.ZIP_DEFLATED) as archive:
        for path in members:
            archive.write(path, path.name)
