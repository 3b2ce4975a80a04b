"""What an account wrote and voted, the latest first: what the account alone may ask."""

from __future__ import annotations

import uuid
from typing import Any, Final

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from consult.accounts.pseudonyms.queries import shown
from consult.consultations.models import Consultation, ContentStatus, Step
from consult.contributions.models import Argument, Proposal, Vote
from consult.paging import Paged, paged_columns

SIZE: Final = 20


def proposals(session: Session, account_id: uuid.UUID, *, number: int) -> Paged[Any]:
    """A page of its proposals and versions, in any state: `name` is the one under which it is shown there."""
    query = (
        select(
            *(Proposal.id, Proposal.kind, Proposal.title, Proposal.status, Proposal.status_reason),
            *(Proposal.created_at, Proposal.version, Consultation.title.label("consultation")),
            shown(Proposal.author_id, Proposal.consultation_id).label("name"),
        )
        .join(Consultation, Consultation.id == Proposal.consultation_id)
        .where(Proposal.author_id == account_id)
        .order_by(Proposal.created_at.desc(), Proposal.id)
    )
    return paged_columns(session, query, number=number, size=SIZE)


def arguments(session: Session, account_id: uuid.UUID, *, number: int) -> Paged[Any]:
    """A page of its arguments, in any state; `title` of the proposal each is on, None unless published."""
    query = (
        select(
            *(Argument.id, Argument.body, Argument.side, Argument.status, Argument.status_reason),
            *(Argument.created_at, Argument.version, Argument.proposal_id),
            case((Proposal.status == ContentStatus.PUBLISHED, Proposal.title)).label("title"),
            Consultation.title.label("consultation"),
            shown(Argument.author_id, Argument.consultation_id).label("name"),
        )
        .join(Proposal, Proposal.id == Argument.proposal_id)
        .join(Consultation, Consultation.id == Argument.consultation_id)
        .where(Argument.author_id == account_id)
        .order_by(Argument.created_at.desc(), Argument.id)
    )
    return paged_columns(session, query, number=number, size=SIZE)


def votes(session: Session, account_id: uuid.UUID, *, number: int) -> Paged[Any]:
    """A page of its votes, with the published proposal each concerns and the settings of its step."""
    query = (
        select(
            *(Vote.value, Vote.counted, Vote.cast_at, Vote.argument_id, Proposal.id, Proposal.title),
            *(Step.settings, Consultation.title.label("consultation")),
        )
        .outerjoin(Argument, Argument.id == Vote.argument_id)
        .join(Proposal, Proposal.id == func.coalesce(Vote.proposal_id, Argument.proposal_id))
        .join(Step, Step.id == Vote.step_id)
        .join(Consultation, Consultation.id == Vote.consultation_id)
        .where(Vote.account_id == account_id, Proposal.status == ContentStatus.PUBLISHED)
        .order_by(Vote.cast_at.desc(), Vote.id)
    )
    return paged_columns(session, query, number=number, size=SIZE)
