"""Writing to who asked for help."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from consult.accounts.notices.service import Sender
from consult.mail import service as mail
from consult.tickets.assistance import links, queries
from consult.tickets.assistance.models import HelpRequest
from consult.tickets.assistance.policy import LINK_LIFE
from consult.tickets.models import EventKind, Kind, Side, Ticket, TicketEvent


def to_confirm(session: Session, request: HelpRequest, sender: Sender, now: dt.datetime) -> None:
    """Ask a visitor whether the address is theirs."""
    _send(session, request, "assistance_confirm", sender, now, until=request.asked_at + LINK_LIFE)


def received(session: Session, request: HelpRequest, ticket: Ticket, sender: Sender, now: dt.datetime) -> None:
    """Acknowledge a request, with its page."""
    timed = ticket.kind is Kind.ACCESSIBILITY
    _send(session, request, "assistance_received", sender, now, number=ticket.number, timed=timed)


def changed(session: Session, ticket: Ticket, event: TicketEvent, sender: Sender, now: dt.datetime) -> None:
    """Send an answer of the team, or tell that the request is closed or open again."""
    told = {EventKind.MESSAGE, EventKind.REACHED, EventKind.CLOSED, EventKind.REOPENED}
    if event.kind not in told or event.side is Side.REQUESTER or ticket.kind is Kind.ANOMALY:
        return
    request = queries.of_ticket(session, ticket.id)
    if request is None:
        return
    answer = ticket.messages[-1].body if event.kind is EventKind.MESSAGE else ""
    reopened = event.kind is EventKind.REOPENED
    _send(session, request, "assistance_changed", sender, now, number=ticket.number, answer=answer, reopened=reopened)


def _send(
    session: Session, request: HelpRequest, template: str, sender: Sender, now: dt.datetime, **context: Any
) -> None:
    to = queries.address(session, request)
    if to is None:
        return
    shared = {
        "link": f"{sender.site}/assistance/{links.token(sender.secret, request.id)}",
        "organisation_name": sender.organisation.name,
        "site_url": sender.site,
    }
    mail.send(
        session, organisation_id=request.organisation_id, to=to, template=template, context={**shared, **context},
        now=now,
    )  # fmt: skip
