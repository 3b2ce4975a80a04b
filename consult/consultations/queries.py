"""Reading consultations and their steps."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Row, Select, bindparam, case, func, or_, select
from sqlalchemy.orm import Session, contains_eager, selectinload

from consult.actor import Actor
from consult.consultations import policy
from consult.consultations.models import Consultation, ConsultationStatus, Step
from consult.errors import NotFoundError
from consult.paging import Paged, paged
from consult.protocols import Closed
from consult.registry import queries as registry
from consult.registry.models import EntryKind

PAGE_SIZE: Final = 24
PHASES: Final = (policy.Phase.OPEN, policy.Phase.UPCOMING, policy.Phase.CLOSED)  # in the order of lists
NOT_FOUND: Final = "Aucune consultation n’est publiée à cette adresse."

# Built once: the address of a step is the most read of the site.
_STEP: Final = (
    select(Step)
    .join(Step.consultation)
    .where(Consultation.slug == bindparam("slug"), Step.slug == bindparam("step_slug"))
    .options(contains_eager(Step.consultation))
)


def ended_before(instant: dt.datetime) -> Select[uuid.UUID]:
    """The ids of the steps that ended before that instant, as `Step.ends_at` says."""
    cut = (Consultation.closed_at > Step.opens_at) & (Consultation.closed_at < Step.closes_at)
    end = case((cut, Consultation.closed_at), else_=Step.closes_at)
    return select(Step.id).join(Consultation, Consultation.id == Step.consultation_id).where(end < instant)


def _public(now: dt.datetime) -> tuple[Select[Consultation], ColumnElement[int]]:
    """The public consultations in the order of lists, and their phase as `policy.phase` tells it, 0 to 2.

    Open ones by coming end, upcoming ones by opening, closed ones by last end.
    """
    closed = or_(Consultation.status == ConsultationStatus.CLOSED, Consultation.closes_at <= now)
    rank = case((closed, PHASES.index(policy.Phase.CLOSED)), (Consultation.opens_at > now, 1), else_=0)
    ended = func.coalesce(Consultation.closed_at, Consultation.closes_at)
    query = select(Consultation).where(Consultation.status != ConsultationStatus.DRAFT)
    order = (
        rank,
        case((rank == 0, Consultation.closes_at), (rank == 1, Consultation.opens_at)),
        case((rank == len(PHASES) - 1, ended)).desc(),
        Consultation.id,
    )
    return query.order_by(*order), rank


def public_consultations(
    session: Session, now: dt.datetime, *, page: int, size: int = PAGE_SIZE, with_steps: bool = False
) -> Paged[Consultation]:
    """A page of the public consultations, the open ones first."""
    query, _ = _public(now)
    options = [selectinload(Consultation.steps)] if with_steps else []
    return paged(session, query, number=page, size=size, options=options)


def first_public(session: Session, now: dt.datetime, size: int) -> Mapping[policy.Phase, Sequence[Consultation]]:
    """The first public consultations of each phase."""
    query, rank = _public(now)
    return {phase: session.scalars(query.where(rank == n).limit(size)).all() for n, phase in enumerate(PHASES)}


def by_phase(found: Sequence[Consultation], now: dt.datetime) -> Mapping[policy.Phase, Sequence[Consultation]]:
    """Consultations told apart by phase, in the order given."""
    return {phase: [each for each in found if policy.phase(each, now) is phase] for phase in PHASES}


def public_count(session: Session) -> int:
    """How many consultations are public."""
    counted = select(func.count(Consultation.id)).where(Consultation.status != ConsultationStatus.DRAFT)
    return session.scalar(counted) or 0


def public_slugs(session: Session, *, page: int, size: int) -> Sequence[str]:
    """The addresses of a page of the public consultations, in a fixed order."""
    query = select(Consultation.slug).where(Consultation.status != ConsultationStatus.DRAFT)
    return session.scalars(query.order_by(Consultation.id).limit(size).offset((page - 1) * size)).all()


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


def closed(session: Session, now: dt.datetime) -> list[Closed]:
    """The consultations that take no act any more, with the instant of their end: the registry seals them."""
    end = case((Consultation.status == ConsultationStatus.CLOSED, Consultation.closed_at), else_=Consultation.closes_at)
    query = select(Consultation.organisation_id, Consultation.id, end).where(
        Consultation.status != ConsultationStatus.DRAFT, end <= now
    )
    return [Closed(*row) for row in session.execute(query)]


def titles(session: Session) -> Mapping[uuid.UUID, str]:
    """The title of every consultation of the organisation, drafts included."""
    return _titles(session, select(Consultation.id, Consultation.title))


def public_titles(session: Session) -> Mapping[uuid.UUID, str]:
    """The title of every consultation of the organisation that anybody may read."""
    shown = Consultation.status != ConsultationStatus.DRAFT
    return _titles(session, select(Consultation.id, Consultation.title).where(shown))


def _titles(session: Session, query: Select[uuid.UUID, str]) -> Mapping[uuid.UUID, str]:
    return {row.id: row.title for row in session.execute(query)}


def step_or_404(session: Session, slug: str, step_slug: str, actor: Actor) -> Step:
    """The step of that address, its consultation loaded, if this person may read it. Raises NotFoundError."""
    step = session.scalar(_STEP, {"slug": slug, "step_slug": step_slug})
    if step is None or not policy.may_read(step.consultation, actor):
        raise NotFoundError("Aucune étape de consultation n’est publiée à cette adresse.")
    return step


def names(session: Session, ids: Collection[uuid.UUID] | None) -> Sequence[Row[uuid.UUID, str]]:
    """The id and title of these consultations, or of all those of the organisation, the latest first."""
    query = select(Consultation.id, Consultation.title).order_by(Consultation.created_at.desc(), Consultation.id)
    return session.execute(query if ids is None else query.where(Consultation.id.in_(ids))).all()


def staff_consultations(session: Session, actor: Actor, *, page: int = 1, size: int = PAGE_SIZE) -> Paged[Consultation]:
    """A page of the consultations that this member of staff may manage or read, drafts included, the latest first."""
    query = select(Consultation).order_by(Consultation.created_at.desc(), Consultation.id)
    if not actor.holds(*policy.DRAFT_READERS):
        held = [key for key, roles in actor.by_consultation.items() if not roles.isdisjoint(policy.DRAFT_READERS)]
        query = query.where(Consultation.id.in_(held))
    return paged(session, query, number=page, size=size)


def closing_reason(session: Session, consultation: Consultation) -> str:
    """Why a consultation was closed by hand, as the public log says it; empty when it was not."""
    if consultation.closed_at is None:
        return ""
    told = registry.openings(session, consultation.id, EntryKind.CONTENT)
    return next((str(each["reason"]) for each in told if "closed_at" in each), "")
