"""Reading a ballot, and the texts that it names."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.consultations.models import Consultation, ContentStatus, Step
from consult.contributions.ballots.models import Ballot
from consult.contributions.models import Proposal
from consult.registry.models import RegistryEntry

_PLACED = RegistryEntry.position.is_not(None).label("placed")


def own(session: Session, account_id: uuid.UUID, step_id: uuid.UUID) -> Any:
    """This account's ballot in a step; None without one. The row has choices, whether it is `counted` (the address is
    confirmed), and whether it is `placed` in the log, hence in the figures.
    """
    return session.execute(
        select(Ballot.choices, Ballot.counted, _PLACED)
        .outerjoin(RegistryEntry, RegistryEntry.ref == Ballot.registry_ref)
        .where(Ballot.account_id == account_id, Ballot.step_id == step_id)
    ).one_or_none()


def titles(session: Session, step_id: uuid.UUID, texts: Collection[uuid.UUID]) -> Mapping[str, str]:
    """The titles of those of these texts that are published in the step, by id."""
    named = select(Proposal.id, Proposal.title).where(
        Proposal.step_id == step_id, Proposal.status == ContentStatus.PUBLISHED, Proposal.id.in_(texts)
    )
    return {str(row.id): row.title for row in session.execute(named)}


def all_of(session: Session, account_id: uuid.UUID) -> list[Any]:
    """Every ballot of an account, the last cast first, with the titles and addresses of step and consultation."""
    query = (
        select(
            *(Ballot.choices, Ballot.counted, Ballot.cast_at, Step.slug, Step.title),
            *(Consultation.title.label("consultation"), Consultation.slug.label("consultation_slug")),
        )
        .join(Step, Step.id == Ballot.step_id)
        .join(Consultation, Consultation.id == Ballot.consultation_id)
        .where(Ballot.account_id == account_id)
        .order_by(Ballot.cast_at.desc(), Ballot.id)
    )
    return list(session.execute(query))
