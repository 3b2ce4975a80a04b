"""Following and following no more."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from consult.accounts.service import lock_active
from consult.actor import Actor
from consult.consultations import policy as consultations
from consult.consultations.models import Consultation, ContentStatus
from consult.contributions.models import Proposal
from consult.db import insert_once
from consult.errors import ConflictError, NotFoundError
from consult.subscriptions.models import Subscription

MOST: Final = 500  # of an account: what one mail can tell of
NOT_FOUND: Final = "Il n’y a rien à suivre à cette adresse."


class Kind(enum.StrEnum):
    """What may be followed, as addresses name it."""

    CONSULTATION = "consultation"
    CONTRIBUTION = "contribution"

    @property
    def column(self) -> str:
        """Of `Subscription`."""
        return "consultation_id" if self is Kind.CONSULTATION else "proposal_id"


def follow(session: Session, kind: Kind, target_id: uuid.UUID, *, actor: Actor, now: dt.datetime) -> None:
    """Have this person told of what happens there from now on; twice is once.

    Raises NotFoundError for what is not published, ConflictError beyond what one mail can tell of.
    """
    assert actor.account_id is not None
    account = lock_active(session, actor.account_id)
    if not _is_public(session, kind, target_id):
        raise NotFoundError(NOT_FOUND)
    held = select(func.count(Subscription.id)).where(Subscription.account_id == account.id)
    if (session.scalar(held) or 0) >= MOST:
        raise ConflictError(
            f"Vous suivez déjà {MOST} pages\u00a0: cessez d’en suivre une dans «\u00a0Mes suivis\u00a0»."
        )
    insert_once(
        session,
        Subscription,
        conflict=["account_id", kind.column],
        id=uuid.uuid4(),
        organisation_id=account.organisation_id,
        account_id=account.id,
        created_at=now,
        told_until=now,
        **{kind.column: target_id},
    )


def unfollow(session: Session, kind: Kind, target_id: uuid.UUID, *, account_id: uuid.UUID) -> None:
    """Tell this person no more of what happens there; what is not followed is left alone."""
    column = getattr(Subscription, kind.column)
    session.execute(delete(Subscription).where(Subscription.account_id == account_id, column == target_id))


def _is_public(session: Session, kind: Kind, target_id: uuid.UUID) -> bool:
    if kind is Kind.CONSULTATION:
        consultation = session.get(Consultation, target_id)
    else:
        proposal = session.get(Proposal, target_id)
        if proposal is None or proposal.status is not ContentStatus.PUBLISHED:
            return False
        consultation = session.get(Consultation, proposal.consultation_id)
    return consultation is not None and consultations.is_public(consultation)
