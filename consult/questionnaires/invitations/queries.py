"""Reading invitations: what a code opens, and of a batch nothing but numbers."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Integer, cast, func, or_, select
from sqlalchemy.orm import Session

from consult.consultations.models import Step
from consult.errors import NotFoundError
from consult.questionnaires.invitations import policy
from consult.questionnaires.invitations.models import Invitation, InvitationBatch


@dataclass(frozen=True, slots=True)
class Opened:
    """What the code of an invitation opens."""

    step: Step
    used: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """A batch in numbers."""

    batch: InvitationBatch
    sent: int
    used: int


def opened(session: Session, organisation_id: uuid.UUID, code: str) -> Opened | None:
    """What that code opens; None for one that is no invitation, or was revoked."""
    held = policy.digest(organisation_id, code)
    query = (
        select(Invitation.used, Step)
        .join(InvitationBatch, InvitationBatch.id == Invitation.batch_id)
        .join(Step, Step.id == InvitationBatch.step_id)
        .where(or_(Invitation.digest == held, Invitation.reminder_digest == held))
    )
    found = session.execute(query).one_or_none()
    return Opened(found[1], found[0]) if found else None


def tallies(session: Session, step_id: uuid.UUID) -> Sequence[Tally]:
    """The batches of a step, the latest first, each with how many left and how many served."""
    counts = (
        select(
            Invitation.batch_id,
            func.count(Invitation.digest).label("sent"),
            func.sum(cast(Invitation.used, Integer)).label("used"),
        )
        .group_by(Invitation.batch_id)
        .subquery()
    )
    query = (
        select(InvitationBatch, func.coalesce(counts.c.sent, 0), func.coalesce(counts.c.used, 0))
        .outerjoin(counts, counts.c.batch_id == InvitationBatch.id)
        .where(InvitationBatch.step_id == step_id)
        .order_by(InvitationBatch.issued_at.desc(), InvitationBatch.id)
    )
    return [Tally(*row) for row in session.execute(query)]


def batch(session: Session, step_id: uuid.UUID, batch_id: uuid.UUID, *, lock: bool = False) -> InvitationBatch:
    """One batch of a step; `lock`: nobody else changes it until the transaction ends. Raises NotFoundError."""
    query = select(InvitationBatch).where(InvitationBatch.id == batch_id, InvitationBatch.step_id == step_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFoundError("Ces invitations n’existent pas dans ce questionnaire.")
    return found


def invited(session: Session, step_id: uuid.UUID) -> Sequence[str]:
    """The addresses that hold an invitation to a step."""
    mine = select(InvitationBatch.id).where(InvitationBatch.step_id == step_id)
    query = select(Invitation.email).where(Invitation.batch_id.in_(mine), Invitation.email.is_not(None))
    return [each for each in session.scalars(query) if each is not None]


def to_write(session: Session, batch_id: uuid.UUID, *, reminder: bool, limit: int) -> Sequence[Invitation]:
    """The next invitations of a batch of which the mail, or the reminder, is still to write."""
    query = select(Invitation).where(Invitation.batch_id == batch_id, Invitation.email.is_not(None))
    if reminder:
        query = query.where(~Invitation.used, Invitation.digest.is_not(None), Invitation.reminder_digest.is_(None))
    else:
        query = query.where(Invitation.digest.is_(None))
    return session.scalars(query.order_by(Invitation.id).limit(limit)).all()
