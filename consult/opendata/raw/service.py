"""Asking for the raw data, recording the end of the work, forgetting the files."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.audit import service as audit
from consult.db import as_tenant
from consult.errors import ConflictError, GoneError, NotFoundError
from consult.jobs import queries as job_queries
from consult.jobs import service as jobs
from consult.opendata.raw import queries
from consult.opendata.raw.models import RawExport, RawStatus
from consult.sealing import Keyring, phrases

RAW_JOB: Final = "opendata.raw"
OUTDATED: Final = (
    "Cette archive a été supprimée\u00a0: depuis qu’elle a été faite, un contenu ou un compte a été masqué, retiré ou "
    "effacé. Demandez-en une autre."
)
KEPT: Final = dt.timedelta(days=7)
PASSPHRASE_BYTES: Final = 20
_GROUP: Final = 4


def keyring(setting: str) -> Keyring:
    """The keys that seal a passphrase until its archive is made, from CONSULT_SEAL_KEYS."""
    return Keyring(phrases(setting), "raw export")


def file_of(data_path: Path, export_id: uuid.UUID) -> Path:
    """Where the archive of a ready export stands."""
    return data_path / "raw" / f"{export_id}.zip"


def request(
    session: Session,
    organisation_id: uuid.UUID,
    *,
    actor: Actor,
    keys: Keyring,
    now: dt.datetime,
    randbytes: Callable[[int], bytes] = secrets.token_bytes,
) -> tuple[RawExport, str]:
    """Ask a worker for an archive; returns it with its passphrase, which is never shown again.

    Raises ConflictError while another one is being made.
    """
    if give_up(session, now):
        raise ConflictError("Un export de données brutes est déjà en préparation. Attendez qu’il soit prêt.")
    letters = base64.b32encode(randbytes(PASSPHRASE_BYTES)).decode().lower()
    passphrase = "-".join(letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP))
    export = RawExport(
        id=uuid.uuid4(),
        organisation_id=organisation_id,
        requested_by_id=actor.account_id,
        requested_at=now,
    )
    export.passphrase = keys.seal(passphrase, export.id)
    session.add(export)
    job = jobs.enqueue(session, RAW_JOB, {"export": str(export.id)}, organisation_id=organisation_id, now=now)
    export.job_id = job.id if job else None
    _journal(session, export, "raw.request", actor, now)
    return export, passphrase


def ready(
    session: Session, export: RawExport, *, rows: int, size: int, sha256: str, removal_count: int, now: dt.datetime
) -> None:
    """Record that the archive is in place; its passphrase is forgotten here."""
    export.status, export.passphrase, export.finished_at, export.expires_at = RawStatus.READY, None, now, now + KEPT
    export.rows, export.size, export.sha256, export.removal_count = rows, size, sha256, removal_count
    session.flush()


def give_up(session: Session, now: dt.datetime) -> int:
    """Forget the passphrases of archives that nobody makes any more; returns how many are still being made."""
    going = 0
    for export in session.scalars(select(RawExport).where(RawExport.status == RawStatus.WAITING).with_for_update()):
        if job_queries.is_over(session, export.job_id):
            export.status, export.passphrase, export.finished_at = RawStatus.FAILED, None, now
            export.error = "La production de l’archive s’est arrêtée à chaque essai."
        else:
            going += 1
    session.flush()
    return going


def hand_over(session: Session, export_id: uuid.UUID, *, actor: Actor, now: dt.datetime) -> RawExport:
    """Journal that an archive leaves, and return it.

    Raises NotFoundError, GoneError once it has expired or holds what was hidden, withdrawn or erased since.
    """
    export = session.get(RawExport, export_id)
    if export is None or export.status in {RawStatus.WAITING, RawStatus.FAILED}:
        raise NotFoundError("Aucune archive prête n’a cette adresse.")
    if export.status is RawStatus.EXPIRED or (export.expires_at is not None and export.expires_at <= now):
        raise GoneError("Cette archive a été supprimée : elles sont gardées sept jours. Demandez-en une autre.")
    if export.removal_count != queries.removal_count(session):
        raise GoneError(OUTDATED)
    _journal(session, export, "raw.download", actor, now)
    return export


def remove(session: Session, export_id: uuid.UUID, *, actor: Actor, now: dt.datetime) -> RawExport:
    """Withdraw an archive before its time. Raises NotFoundError."""
    export = session.get(RawExport, export_id, with_for_update=True)
    if export is None or export.status is not RawStatus.READY:
        raise NotFoundError("Aucune archive prête n’a cette adresse.")
    export.status = RawStatus.EXPIRED
    _journal(session, export, "raw.remove", actor, now)
    return export


def expire(session: Session, now: dt.datetime) -> list[uuid.UUID]:
    """Mark the archives whose time is over, or from which something was taken; returns those whose files must go."""
    gone = []
    for export in session.scalars(select(RawExport).where(RawExport.status == RawStatus.READY)):
        with as_tenant(session, export.organisation_id):
            outdated = export.removal_count != queries.removal_count(session)
        if outdated or (export.expires_at is not None and export.expires_at <= now):
            export.status = RawStatus.EXPIRED
            gone.append(export)
    session.flush()
    return [export.id for export in gone]


def _journal(session: Session, export: RawExport, action: str, actor: Actor, now: dt.datetime) -> None:
    detail: Mapping[str, Any] = {"rows": export.rows, "sha256": export.sha256} if export.sha256 else {}
    audit.record(
        session,
        actor=actor,
        organisation_id=export.organisation_id,
        action=action,
        target_type="raw_export",
        target_id=export.id,
        now=now,
        detail=detail,
    )
