"""Asking for an end-of-mission package, recording the end of the work, handing it over."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.audit import service as audit
from consult.consultations import policy
from consult.consultations.models import Consultation
from consult.errors import ConflictError, GoneError, NotFoundError
from consult.jobs import queries as job_queries
from consult.jobs import service as jobs
from consult.opendata.library import NOT_OVER
from consult.opendata.mission import queries
from consult.opendata.mission.models import MissionPackage, MissionStatus

MISSION_JOB: Final = "opendata.mission"
STOPPED: Final = "La production du dossier s’est arrêtée à chaque essai."
OUTDATED: Final = (
    "Ce dossier a été supprimé\u00a0: depuis qu’il a été fait, un contenu a été masqué, retiré ou effacé. "
    "Demandez-en un autre."
)


def file_of(data_path: Path, package_id: uuid.UUID) -> Path:
    """Where the archive of a ready package stands."""
    return data_path / "missions" / f"{package_id}.zip"


def request(session: Session, consultation: Consultation, *, actor: Actor, now: dt.datetime) -> MissionPackage:
    """Ask a worker for the package. Raises ConflictError before the end, and while another one is being made."""
    if policy.phase(consultation, now) is not policy.Phase.CLOSED:
        raise ConflictError(NOT_OVER)
    session.refresh(consultation, with_for_update=True)  # two who ask at once ask one after the other
    for each in queries.all_of(session, consultation.id):
        if each.status is not MissionStatus.WAITING:
            continue
        if not job_queries.is_over(session, each.job_id):
            raise ConflictError("Ce dossier est déjà en préparation. Attendez qu’il soit prêt.")
        fail(session, each, STOPPED, now=now)
    package = MissionPackage(
        id=uuid.uuid4(),
        organisation_id=consultation.organisation_id,
        consultation_id=consultation.id,
        requested_by_id=actor.account_id,
        requested_at=now,
    )
    session.add(package)
    payload = {"package": str(package.id)}
    job = jobs.enqueue(session, MISSION_JOB, payload, organisation_id=consultation.organisation_id, now=now)
    package.job_id = job.id if job else None
    _journal(session, package, "mission.request", actor, now)
    return package


def finish(
    session: Session, package: MissionPackage, *, size: int, sha256: str, removals: int, now: dt.datetime
) -> None:
    """Record that the archive is in place; it takes the place of all those before it."""
    package.status, package.finished_at = MissionStatus.READY, now
    package.size, package.sha256, package.removals = size, sha256, removals
    others = (MissionPackage.consultation_id == package.consultation_id, MissionPackage.id != package.id)
    session.execute(delete(MissionPackage).where(*others))


def fail(session: Session, package: MissionPackage, reason: str, *, now: dt.datetime) -> None:
    """Record that it could not be made, and why."""
    package.status, package.finished_at, package.error = MissionStatus.FAILED, now, reason
    session.flush()


def hand_over(
    session: Session, consultation_id: uuid.UUID, package_id: uuid.UUID, *, actor: Actor, now: dt.datetime
) -> MissionPackage:
    """Journal that an archive leaves, and return it.

    Raises NotFoundError, GoneError when it holds what was hidden, withdrawn or erased since.
    """
    package = _ready(session, consultation_id, package_id)
    if queries.is_outdated(session, package):
        raise GoneError(OUTDATED)
    _journal(session, package, "mission.download", actor, now)
    return package


def remove(
    session: Session, consultation_id: uuid.UUID, package_id: uuid.UUID, *, actor: Actor, now: dt.datetime
) -> None:
    """Withdraw a package before its time; the journal keeps that it was. Raises NotFoundError."""
    package = _ready(session, consultation_id, package_id)
    _journal(session, package, "mission.remove", actor, now)
    session.delete(package)


def _ready(session: Session, consultation_id: uuid.UUID, package_id: uuid.UUID) -> MissionPackage:
    package = session.scalar(
        select(MissionPackage).where(MissionPackage.id == package_id, MissionPackage.consultation_id == consultation_id)
    )
    if package is None or package.status is not MissionStatus.READY:
        raise NotFoundError("Aucun dossier prêt n’a cette adresse.")
    return package


def _journal(session: Session, package: MissionPackage, action: str, actor: Actor, now: dt.datetime) -> None:
    detail: dict[str, Any] = {"consultation": str(package.consultation_id)}
    audit.record(
        session,
        actor=actor,
        organisation_id=package.organisation_id,
        action=action,
        target_type="mission_package",
        target_id=package.id,
        now=now,
        detail=detail | ({"sha256": package.sha256} if package.sha256 else {}),
    )
