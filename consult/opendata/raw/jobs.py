"""Making the encrypted archive of an administration's raw data, and deleting it when its time is over."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import uuid
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar, Final

import pyzipper
from sqlalchemy.orm import Session

from consult import clock
from consult.clock import written
from consult.db import Database, one_snapshot
from consult.jobs.schedule import Task
from consult.opendata.dump import CHUNK
from consult.opendata.formats import cell
from consult.opendata.raw import queries, service
from consult.opendata.raw.models import RawExport, RawStatus
from consult.organisations.models import Organisation
from consult.protocols import Progress
from consult.settings import Settings

README: Final = """\
Données brutes de « {organisation} ».

Export {id}, demandé par {by}, état du {at}. Chaque ligne de chaque fichier porte ce numéro d’export.
Ces fichiers contiennent des données personnelles (adresses électroniques, dates d’inscription, réponses réservées) :
gardez l’archive chiffrée, ne la transmettez qu’à qui doit en connaître, supprimez-la quand elle ne sert plus.

Un fichier CSV par table, en UTF-8 avec « ; », que les tableurs ouvrent. Une cellule qui commence par = + - @ ou une
apostrophe est précédée d’une apostrophe : retirez-la pour retrouver la valeur. Une liste est jointe par « | ».
Les votes et les réponses aux questionnaires n’y portent le nom de personne. manifeste.json donne le nombre de lignes.
"""


class MakeRaw:
    """JobHandler of `opendata.raw`: a crash starts over; the archive appears whole or not at all."""

    kind: ClassVar[str] = service.RAW_JOB

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """See JobHandler."""
        del cursor
        export = session.get(RawExport, uuid.UUID(payload["export"]))
        if export is None or export.status is not RawStatus.WAITING or export.passphrase is None:
            return
        keys = service.keyring(self._settings.seal_keys)
        passphrase = keys.unseal(export.passphrase, export.id)
        told = (export.id, export.organisation_id, export.requested_by.pseudonym if export.requested_by else "")
        yield Progress(0, None, "Préparation")
        path = service.file_of(self._settings.data_path, told[0])
        partial = path.with_suffix(".partial")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        rows, removal_count = yield from self._write(partial, passphrase, *told)
        with partial.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        size = partial.stat().st_size
        partial.replace(path)
        export = session.get_one(RawExport, told[0])
        facts = {"rows": rows, "size": size, "removal_count": removal_count}
        service.ready(session, export, sha256=digest, now=clock.now(), **facts)
        yield Progress(rows, rows, "Archive prête")

    def _write(
        self, path: Path, passphrase: str, export_id: uuid.UUID, organisation_id: uuid.UUID, by: str
    ) -> Generator[Progress, None, tuple[int, int]]:
        """Fill the archive from one state of the database, read in a transaction of its own.

        Returns how many rows it holds, and `removal_count` in that state.
        """
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        database = Database(self._settings.database_url, pool_size=1)
        counts: dict[str, int] = {}
        try:
            with (
                database.session(write=False, tenant=organisation_id) as reading,
                pyzipper.AESZipFile(path, "w", compression=pyzipper.ZIP_DEFLATED) as archive,
            ):
                one_snapshot(reading)
                removal_count = queries.removal_count(reading)
                archive.setpassword(passphrase.encode())
                archive.setencryption(pyzipper.WZ_AES, nbits=256)
                name = reading.get_one(Organisation, organisation_id).name
                at = clock.now()
                for table_name in queries.tables():
                    for count in _write_table(reading, archive, table_name, organisation_id, export_id):
                        counts[table_name] = count
                        yield Progress(sum(counts.values()), None, f"Table « {table_name} »")
                readme = README.format(organisation=name, id=export_id, by=by, at=written(at))
                archive.writestr("LISEZ-MOI.txt", readme)
                manifest = {"export": str(export_id), "requested_by": by, "at": written(at), "rows": counts}
                archive.writestr("manifeste.json", json.dumps(manifest, ensure_ascii=False, indent=2) + "\n")
        finally:
            database.dispose()
        return sum(counts.values()), removal_count


def _write_table(
    reading: Session, archive: Any, table_name: str, organisation_id: uuid.UUID, export_id: uuid.UUID
) -> Iterator[int]:
    """One CSV; gives the rows written, now and then and at the end."""
    table = queries.tables()[table_name]
    count = 0
    # The size is not known beforehand: beyond 4 GB the entry needs the long form of sizes.
    with (
        closing(archive.open(f"{table_name}.csv", "w", force_zip64=True)) as raw,
        io.TextIOWrapper(raw, encoding="utf-8-sig", newline="", write_through=True) as text,
    ):
        writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
        writer.writerow([*(column.name for column in queries.columns(table)), "export"])
        for _, row in queries.rows(reading, table, organisation_id):
            writer.writerow([*(cell(_flat(value)) for value in row.values()), str(export_id)])
            count += 1
            if count % CHUNK == 0:
                yield count
        text.flush()
    yield count


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


class ExpireRaw:
    """Periodic: deletes the archives whose time is over, and what a crash left half written."""

    kind: ClassVar[str] = "opendata.raw.expire"

    def __init__(self, settings: Settings) -> None:
        self._data_path = settings.data_path

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """Mark, commit, then delete whatever belongs to no export that is ready or being made."""
        del payload, cursor
        service.give_up(session, clock.now())
        gone = service.expire(session, clock.now())
        yield Progress(len(gone), len(gone))
        kept = {str(each) for each in queries.standing(session)}
        for path in (self._data_path / "raw").glob("*.*"):
            if path.stem not in kept:
                path.unlink(missing_ok=True)


TASKS: Final = (Task(ExpireRaw.kind, dt.timedelta(minutes=10)),)
