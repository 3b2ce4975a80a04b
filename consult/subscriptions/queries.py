"""What an account follows, and who is still to be told."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from consult.accounts.models import Account
from consult.consultations.models import Consultation, ContentStatus
from consult.contributions.models import Proposal
from consult.paging import Paged, paged_columns
from consult.subscriptions.models import Subscription

PAGE_SIZE: Final = 20


def follows(session: Session, account_id: uuid.UUID, column: str, target_id: uuid.UUID) -> bool:
    """Whether the account follows what that column names."""
    mine = select(Subscription.id).where(Subscription.account_id == account_id)
    return session.scalar(mine.where(getattr(Subscription, column) == target_id)) is not None


def mine(session: Session, account_id: uuid.UUID, *, number: int) -> Paged[Any]:
    """A page of what an account follows, the latest first; `title` is None for what is published no more."""
    published = case((Proposal.status == ContentStatus.PUBLISHED, Proposal.title))
    query = (
        select(
            *(Subscription.consultation_id, Subscription.proposal_id, Subscription.created_at, Consultation.slug),
            case((Subscription.proposal_id.is_(None), Consultation.title), else_=published).label("title"),
            Consultation.title.label("consultation"),
        )
        .outerjoin(Proposal, Proposal.id == Subscription.proposal_id)
        .join(Consultation, Consultation.id == func.coalesce(Subscription.consultation_id, Proposal.consultation_id))
        .where(Subscription.account_id == account_id)
        .order_by(Subscription.created_at.desc(), Subscription.id)
    )
    return paged_columns(session, query, number=number, size=PAGE_SIZE)


def due(session: Session, until: dt.datetime, limit: int) -> Sequence[Account]:
    """Accounts that were not told of all that happened until then, each kept for whoever asks first."""
    behind = select(Subscription.account_id).where(Subscription.told_until < until).limit(limit)
    query = select(Account).where(Account.id.in_(behind)).order_by(Account.id)
    return session.scalars(query.with_for_update(skip_locked=True, key_share=True)).all()


def of_accounts(session: Session, ids: Collection[uuid.UUID]) -> Sequence[Subscription]:
    """All that these accounts follow, contributions first: what happens to one is told there alone."""
    query = select(Subscription).where(Subscription.account_id.in_(ids))
    order = (Subscription.proposal_id.is_(None), Subscription.created_at, Subscription.id)
    return session.scalars(query.order_by(*order)).all()
