"""Reading consultations and their steps."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, contains_eager, selectinload

from consult.actor import Actor
from consult.consultations import policy
from consult.consultations.models import Consultation, ConsultationStatus, Step
from consult.errors import NotFoundError
from consult.protocols import StepKind
from consult.registry import queries as registry
from consult.registry.models import EntryKind

LISTED: Final = 100
NOT_FOUND: Final = "Aucune consultation n’est publiée à cette adresse."

# Built once: the address of a step is the most read of the site.
_STEP: Final = (
    select(Step)
    .join(Step.consultation)
    .where(Consultation.slug == bindparam("slug"), Step.slug == bindparam("step_slug"))
    .options(contains_eager(Step.consultation))
)


def public_consultations(session: Session, now: dt.datetime) -> Mapping[policy.Phase, Sequence[Consultation]]:
    """The latest hundred public consultations by phase: open by coming end, upcoming by opening, closed by last end."""
    rows = session.scalars(
        select(Consultation)
        .where(Consultation.status != ConsultationStatus.DRAFT)
        .order_by(Consultation.opens_at.desc())
        .limit(LISTED)
    ).all()
    by_phase: dict[policy.Phase, list[Consultation]] = {phase: [] for phase in policy.Phase}
    for consultation in rows:
        by_phase[policy.phase(consultation, now)].append(consultation)
    by_phase[policy.Phase.OPEN].sort(key=lambda each: each.closes_at)
    by_phase[policy.Phase.UPCOMING].sort(key=lambda each: each.opens_at)
    by_phase[policy.Phase.CLOSED].sort(key=lambda each: each.closed_at or each.closes_at, reverse=True)
    return by_phase


def consultation_or_404(session: Session, slug: str, actor: Actor) -> Consultation:
    """The consultation of that address with its steps, if this person may read it. Raises NotFoundError."""
    consultation = session.scalar(
        select(Consultation).where(Consultation.slug == slug).options(selectinload(Consultation.steps))
    )
    if consultation is None or not policy.may_read(consultation, actor):
        raise NotFoundError(NOT_FOUND)
    return consultation


def id_of(session: Session, slug: str) -> uuid.UUID | None:
    """The id of the consultation of that address, whoever asks."""
    return session.scalar(select(Consultation.id).where(Consultation.slug == slug))


def titles(session: Session) -> Mapping[uuid.UUID, str]:
    """The title of every consultation of the organisation, drafts included."""
    return {row.id: row.title for row in session.execute(select(Consultation.id, Consultation.title))}


def step_or_404(session: Session, slug: str, step_slug: str, actor: Actor) -> Step:
    """The step of that address, its consultation loaded, if this person may read it. Raises NotFoundError."""
    step = session.scalar(_STEP, {"slug": slug, "step_slug": step_slug})
    if step is None or not policy.may_read(step.consultation, actor):
        raise NotFoundError("Aucune étape de consultation n’est publiée à cette adresse.")
    return step


def staff_consultations(session: Session, actor: Actor) -> Sequence[Consultation]:
    """The latest hundred consultations that this member of staff may manage or read, drafts included."""
    query = select(Consultation).order_by(Consultation.created_at.desc()).limit(LISTED)
    if not actor.holds(*policy.DRAFT_READERS):
        held = [key for key, roles in actor.by_consultation.items() if not roles.isdisjoint(policy.DRAFT_READERS)]
        query = query.where(Consultation.id.in_(held))
    return session.scalars(query).all()


def figures(
    session: Session, consultation: Consultation, step_kinds: Mapping[str, StepKind]
) -> Mapping[str, Mapping[str, int]]:
    """Public counts of each step, by the step's slug; a kind that is not installed counts nothing."""
    return {
        step.slug: step_kinds[step.kind].census(session, step) for step in consultation.steps if step.kind in step_kinds
    }


def totals(figures: Mapping[str, Mapping[str, int]]) -> Mapping[str, int]:
    """The counts of several steps added up by name."""
    added: dict[str, int] = {}
    for counts in figures.values():
        for name, value in counts.items():
            added[name] = added.get(name, 0) + value
    return added


def closing_reason(session: Session, consultation: Consultation) -> str:
    """Why a consultation was closed by hand, as the public log says it; empty when it was not."""
    if consultation.closed_at is None:
        return ""
    told = registry.openings(session, consultation.id, EntryKind.CONTENT)
    return next((str(each["reason"]) for each in told if "closed_at" in each), "")
