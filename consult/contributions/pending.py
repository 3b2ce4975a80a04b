"""What was written and voted before the e-mail of an account was confirmed, once it is."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.consultations import policy as consultations
from consult.consultations.models import ContentStatus, Step
from consult.contributions.ballots.service import count_pending_ballots
from consult.contributions.models import Argument, Proposal
from consult.contributions.service import Content, ContentT, is_shown, publish
from consult.contributions.votes import count_pending_votes


def publish_pending(session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
    """Publish what an account wrote before its e-mail was confirmed, where it still can be; returns how many.

    A text whose step has closed meanwhile, or what it is about is no longer published, stays pending.
    """
    pending: list[tuple[Content, Step]] = [
        *_pending(session, Proposal, account_id),
        *_pending(session, Argument, account_id),
    ]
    published = 0
    for item, step in pending:
        on_id = item.proposal_id if isinstance(item, Argument) else item.rewrites_id
        on = session.get_one(Proposal, on_id) if on_id else None
        if consultations.accepts_acts(step, step.consultation, now) and (on is None or is_shown(session, on)):
            publish(session, item, now)
            published += 1
    session.flush()
    return published


def count_pending(session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
    """Count the votes and the ballots of an account, where they still can be; returns how many."""
    return count_pending_votes(session, account_id, now) + count_pending_ballots(session, account_id, now)


def _pending(session: Session, model: type[ContentT], account_id: uuid.UUID) -> list[tuple[ContentT, Step]]:
    rows = session.execute(
        select(model, Step)
        .join(Step, Step.id == model.step_id)
        .where(model.author_id == account_id, model.status == ContentStatus.PENDING)
        .order_by(model.created_at)
    )
    return [(item, step) for item, step in rows]
