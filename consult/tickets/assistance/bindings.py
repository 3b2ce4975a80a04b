"""What this feature hands to `app.py` through the protocols: the personal data of its table."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import ClassVar

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from consult.accounts.models import Account
from consult.personal import plain, plain_row
from consult.protocols import Row
from consult.tickets.assistance import service
from consult.tickets.assistance.models import HelpRequest
from consult.tickets.models import Ticket


class HelpRequestData:
    """Requests of the account, and those made without signing in from the address that it proved to be its own."""

    table: ClassVar[str] = "help_request"
    label: ClassVar[str] = "Demandes d’aide"
    purpose: ClassVar[str] = "Répondre à vos demandes d’aide."
    kept: ClassVar[str] = "Un an après la clôture de la demande."

    def export(self, session: Session, account_id: uuid.UUID) -> Iterator[Row]:
        """Each request with its thread; who answered is not theirs to have."""
        for request in session.scalars(select(HelpRequest).where(_of(session, account_id)).order_by(HelpRequest.id)):
            ticket = session.get(Ticket, request.ticket_id) if request.ticket_id else None
            thread = [
                {"said_at": plain(each.said_at), "side": each.side.value, "body": each.body}
                for each in (ticket.messages if ticket else ())
            ]
            said = {"body": ticket.body if ticket else request.body, "thread": thread}
            yield {**plain_row(request, also={"email"}), **said}

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Forget them, and all that was said in their tickets."""
        del now
        return service.forget(session, session.scalars(select(HelpRequest.id).where(_of(session, account_id))).all())


def _of(session: Session, account_id: uuid.UUID) -> ColumnElement[bool]:
    account = session.get_one(Account, account_id)
    if account.email is None or account.confirmed_at is None:
        return HelpRequest.account_id == account_id
    proved = (HelpRequest.email == account.email) & HelpRequest.ticket_id.is_not(None)
    here = HelpRequest.organisation_id == account.organisation_id
    return or_(HelpRequest.account_id == account_id, proved & here)
