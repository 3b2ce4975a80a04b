"""Writing an open dump (« consult-dump/1 »), of one consultation or of all those of an organisation.

A dump is a folder: a file per public dataset in each format of tables (`formats`), a workbook of them all in each
format of workbooks (`workbooks`), `datapackage.json` and `dictionnaire.md` (`package`), an archive of the text files,
and `manifest.json`, which tells rows, bytes and SHA-256 of each. Rows are read once, whatever the formats, and nothing
is kept of them: memory does not grow with their number.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import uuid
import zipfile
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.clock import written
from consult.consultations.models import Consultation, ConsultationStatus
from consult.opendata import package
from consult.opendata.formats import CsvWriter, Format, NdjsonWriter, ParquetWriter, Writer, batches, described
from consult.opendata.tables import CONSULTATION, Table, tables
from consult.opendata.workbooks import WORKBOOKS
from consult.protocols import Progress, PublicDataset, Row
from consult.registry import queries as registry

FORMAT: Final = "consult-dump/1"
WHOLE_FORMAT: Final = "consult-dump-whole/1"  # of several consultations: each row says which one is its own
CHUNK: Final = 2_000  # rows written at a time, and between two signs of progress
TABLES: Final[Mapping[Format, Callable[[Path], Writer]]] = {
    Format.NDJSON: NdjsonWriter,
    Format.CSV: CsvWriter,
    Format.PARQUET: ParquetWriter,
}
ALL: Final = frozenset(Format)


@dataclass(frozen=True, slots=True)
class Identity:
    """What the manifest says of the dump besides its files; `consultation` is empty for a whole organisation."""

    organisation: str
    consultation: str
    title: str
    source: str
    generated_at: dt.datetime

    @property
    def name(self) -> str:
        """What its workbooks and its archive are called."""
        return self.consultation or self.organisation


@dataclass(frozen=True, slots=True)
class Written:
    """The files of a dump, and where the registry stood in the very state of the database that they show."""

    files: Sequence[dict[str, Any]]
    position: int | None
    last_entry: int
    removals: int


def write_dump(
    reading: Session,
    consultation_id: uuid.UUID | None,
    identity: Identity,
    datasets: Mapping[str, PublicDataset],
    folder: Path,
    *,
    formats: Collection[Format] = ALL,
    edit: Callable[[str, Row], Row] = lambda _name, row: row,
) -> Generator[Progress, None, Written]:
    """Fill an existing empty folder, for one consultation, or for every public one of the organisation (None).

    `reading` is a reading session of its own, whose transaction has not begun: all files, and what is returned, show
    one state of the database. `edit` is given the name of a table and a row of it, and gives the row to write.
    """
    removals = registry.removal_count(reading, consultation_id)
    last_entry = registry.last_entry(reading, consultation_id)
    manifest = _manifest(reading, consultation_id, identity)
    listed = tables(datasets, whole=consultation_id is None)
    files: list[dict[str, Any]] = []
    done = 0
    with _writers(folder, identity, package.notice(manifest), list(listed.values()), formats) as writers:
        for name, table in listed.items():
            rows = (edit(name, row) for row in _rows(reading, consultation_id, datasets[name]))
            for count in _write_table(table, rows, writers, files):
                yield Progress(done + count, None, f"Données « {name} »")
            done += count
        for form, writer in writers.items():
            yield Progress(done, None, f"Fichier {form.upper()}")
            files += filter(None, [writer.close()])
    yield Progress(done, None, "Empreintes et archive")
    files += _companions(folder, manifest, listed, files)
    _write_json(folder / "manifest.json", manifest | {"files": files})
    files += _archived(folder, identity.name, files)
    yield Progress(done, done, "Fichiers prêts")
    return Written([*files, described(folder / "manifest.json")], manifest["position"], last_entry, removals)


def _manifest(reading: Session, consultation_id: uuid.UUID | None, identity: Identity) -> dict[str, Any]:
    return {
        "format": FORMAT if consultation_id else WHOLE_FORMAT,
        "organisation": identity.organisation,
        "consultation": identity.consultation,
        "title": identity.title,
        "licence": package.LICENCE,
        "source": identity.source,
        "generated_at": written(identity.generated_at),
        "position": registry.position(reading),
        # Acts that the rows show and that have no position yet: they come after it.
        "pending": registry.pending_refs(reading, consultation_id),
    }


@contextlib.contextmanager
def _writers(
    folder: Path, identity: Identity, notice: Sequence[str], listed: Sequence[Table], formats: Collection[Format]
) -> Iterator[dict[Format, Writer]]:
    """A writer for each format asked for, in their order; what is open is let go of when the dump fails."""
    made: dict[Format, Writer] = {}
    try:
        for form in (each for each in Format if each in formats):
            if form in TABLES:
                made[form] = TABLES[form](folder)
            else:
                path = folder / f"{identity.name}.{form}"
                made[form] = WORKBOOKS[form](path, notice, listed, identity.generated_at)
        yield made
    except BaseException:
        for writer in made.values():
            writer.abandon()
        raise


def _rows(reading: Session, consultation_id: uuid.UUID | None, dataset: PublicDataset) -> Iterator[Row]:
    """The rows of a dataset; of several consultations, each row saying which one is its own."""
    if consultation_id is not None:
        yield from dataset.rows(reading, consultation_id)
        return
    public = select(Consultation.id).where(Consultation.status != ConsultationStatus.DRAFT).order_by(Consultation.id)
    for each in reading.scalars(public).all():
        for row in dataset.rows(reading, each):
            yield {CONSULTATION.name: str(each), **row}


def _write_table(
    table: Table, rows: Iterator[Row], writers: Mapping[Format, Writer], files: list[dict[str, Any]]
) -> Iterator[int]:
    """Write a table in every format; gives the number of rows done, as it goes and at the end."""
    for writer in writers.values():
        writer.begin(table)
    count = 0
    for batch in batches(rows, CHUNK):
        for writer in writers.values():
            writer.write(batch)
        count += len(batch)
        yield count
    files += filter(None, [writer.end() for writer in writers.values()])
    yield count


def _companions(
    folder: Path, manifest: Mapping[str, Any], listed: Mapping[str, Table], files: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    _write_json(folder / "datapackage.json", package.package(manifest, listed, files))
    text = package.dictionary(manifest, list(listed.values()))
    (folder / "dictionnaire.md").write_text(text, encoding="utf-8")
    return [described(folder / name) for name in ("datapackage.json", "dictionnaire.md")]


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _archived(folder: Path, name: str, files: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The text files and what describes them, in one file; the other formats are compressed already."""
    kept = [each["name"] for each in files if each["format"] not in {Format.PARQUET, Format.XLSX, Format.ODS}]
    with zipfile.ZipFile(folder / f"{name}.zip", "x", zipfile.ZIP_DEFLATED) as archive:
        for each in ["manifest.json", *kept]:
            archive.write(folder / each, f"{name}/{each}")
    return [described(folder / f"{name}.zip")]
