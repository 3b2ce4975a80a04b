"""Reading the end-of-mission packages that were asked for."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from consult.jobs import queries as jobs
from consult.opendata.mission.models import MissionPackage, MissionStatus
from consult.registry import queries as registry


def all_of(session: Session, consultation_id: uuid.UUID) -> Sequence[MissionPackage]:
    """Those of a consultation, the last one first."""
    asked = select(MissionPackage).where(MissionPackage.consultation_id == consultation_id)
    latest = asked.order_by(MissionPackage.requested_at.desc(), MissionPackage.id)
    return session.scalars(latest.options(joinedload(MissionPackage.requested_by))).all()


def state(session: Session, package: MissionPackage) -> str:
    """Its status; « failed » when nobody makes it any more, « outdated » when it holds what was taken away since."""
    if package.status is MissionStatus.WAITING and jobs.is_over(session, package.job_id):
        return MissionStatus.FAILED
    return "outdated" if is_outdated(session, package) else package.status


def is_outdated(session: Session, package: MissionPackage) -> bool:
    """Whether something that a ready package holds was hidden, withdrawn or erased since."""
    removals = registry.removal_count(session, package.consultation_id)
    return package.status is MissionStatus.READY and package.removals != removals


def with_file(session: Session) -> set[str]:
    """The ids of the packages, of all organisations, whose files are needed: those in the making and those served."""
    unfailed = session.scalars(select(MissionPackage).where(MissionPackage.status != MissionStatus.FAILED)).all()
    removals = registry.removals(session, {each.consultation_id for each in unfailed})
    return {
        str(each.id)
        for each in unfailed
        if each.status is MissionStatus.WAITING or each.removals == removals.get(each.consultation_id, 0)
    }
