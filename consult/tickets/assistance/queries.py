"""Reading requests for help."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.accounts.models import Account
from consult.tickets.assistance import links
from consult.tickets.assistance.models import HelpRequest


def by_token(session: Session, secret: str, token: str, *, lock: bool = False) -> HelpRequest | None:
    """The request that this link opens."""
    found = links.opened(secret, token)
    query = select(HelpRequest).where(HelpRequest.id == found)
    return session.scalar(query.with_for_update() if lock else query) if found is not None else None


def of_ticket(session: Session, ticket_id: uuid.UUID) -> HelpRequest | None:
    """The request that opened a ticket, if the public did."""
    return session.scalar(select(HelpRequest).where(HelpRequest.ticket_id == ticket_id))


def address(session: Session, request: HelpRequest) -> str | None:
    """Where answers go; None once the account is gone."""
    if request.account_id is None:
        return request.email
    return session.scalar(select(Account.email).where(Account.id == request.account_id))
