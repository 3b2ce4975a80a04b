"""Choosing when the texts of a step are read. After the opening every change is logged and shown to everybody."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.audit import service as audit
from consult.consultations import policy as consultations
from consult.consultations import reading
from consult.consultations.models import OffHours, Reading, Step
from consult.errors import InvalidError
from consult.moderation.models import ReadingChange
from consult.registry import service as registry
from consult.registry.models import EntryKind

# A reply is read by the analysis, row by row at most: it is moderated after publication, as is an anonymous one.
KINDS = frozenset({"proposals", "bill", "debate"})


def choose(
    session: Session,
    step: Step,
    *,
    actor: Actor,
    how: Reading,
    off_hours: OffHours,
    charter: str,
    now: dt.datetime,
) -> bool:
    """Set when the texts of a step are read; False when nothing changes.

    What waits already goes on waiting for a moderator. Raises InvalidError naming the field.
    """
    if how is not Reading.AFTER and step.kind not in KINDS:
        reason = "Les textes de ce type d’étape se modèrent après publication."
        raise InvalidError(reason, fields={"reading": reason})
    charter = charter.replace("\r\n", "\n").strip() if how is Reading.TWICE else ""
    if len(charter) > reading.CHARTER_LENGTH:
        reason = "Cette charte est trop longue."
        raise InvalidError(reason, fields={"charter": reason})
    if how is not Reading.TWICE:
        off_hours = OffHours.QUEUE
    if (step.reading, step.off_hours, step.charter) == (how, off_hours, charter):
        return False
    step.reading, step.off_hours, step.charter = how, off_hours, charter
    if consultations.is_public(step.consultation):
        _tell(session, step, now)
    audit.record(
        session,
        actor=actor,
        organisation_id=step.organisation_id,
        action="step.reading",
        target_type="step",
        target_id=step.id,
        now=now,
        detail={"reading": how.value, "off_hours": off_hours.value, "charter": bool(charter)},
    )
    session.flush()
    return True


def _tell(session: Session, step: Step, now: dt.datetime) -> None:
    ref = registry.append(
        session,
        organisation_id=step.organisation_id,
        consultation_id=step.consultation_id,
        kind=EntryKind.CONTENT,
        content={"consultation": str(step.consultation_id), **reading.told(step)},
        now=now,
    )
    session.add(
        ReadingChange(
            organisation_id=step.organisation_id,
            consultation_id=step.consultation_id,
            step_id=step.id,
            reading=step.reading,
            off_hours=step.off_hours,
            charter=step.charter,
            changed_at=now,
            registry_ref=ref,
        )
    )
