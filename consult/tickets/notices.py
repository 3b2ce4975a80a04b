"""Writing to those who must act on a ticket, and to those who wait for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy.orm import Session

from consult.accounts.notices.service import Sender
from consult.mail import service as mail
from consult.seam import service_levels as levels
from consult.tickets import labels, queries
from consult.tickets.assistance import notices as assistance
from consult.tickets.models import Side, Ticket, TicketEvent


def opened(session: Session, ticket: Ticket, by: Side, sender: Sender, now: dt.datetime) -> None:
    """Tell who runs the platform, whoever reported it, since the clocks run; and the administration, unless it did."""
    sides = {Side.CONTRACTOR} | (set() if by is Side.ADMINISTRATION else {Side.ADMINISTRATION})
    _send(session, ticket, "tickets_opened", sides, sender, now)


def changed(session: Session, ticket: Ticket, event: TicketEvent, sender: Sender, now: dt.datetime) -> None:
    """Tell the other side of an act, and who asked for help."""
    assistance.changed(session, ticket, event, sender, now)
    others = {Side.CONTRACTOR, Side.ADMINISTRATION} - {event.side}
    _send(session, ticket, "tickets_changed", others, sender, now, told=labels.told(event.kind, event.detail))


def alert(session: Session, ticket: Ticket, clock: levels.Clock, sender: Sender, now: dt.datetime) -> None:
    """Tell those who run the platform that a delay is passing, and both sides once it is over."""
    over = clock.alert == levels.ALERTS[-1]
    sides = {Side.CONTRACTOR} | ({Side.ADMINISTRATION} if over else set())
    context = {
        "share": clock.alert, "over": over, "milestone": labels.MILESTONES[clock.milestone], "deadline": clock.deadline,
    }  # fmt: skip
    _send(session, ticket, "tickets_alert", sides, sender, now, **context)


def _send(
    session: Session, ticket: Ticket, template: str, sides: Collection[Side], sender: Sender, now: dt.datetime,
    **context: Any,
) -> None:  # fmt: skip
    shared = {
        "number": ticket.number,
        "title": ticket.title,
        "kind": labels.KINDS[ticket.kind],
        "severity": labels.severity(ticket.severity) if ticket.kind == "anomaly" else "",
        "t0": ticket.t0,
        "address": f"{sender.site}/gestion/tickets/{ticket.id}",
        "organisation_name": sender.organisation.name,
        "site_url": sender.site,
    }
    for email in queries.mailboxes(session, ticket.organisation_id, sides):
        mail.send(
            session, organisation_id=ticket.organisation_id, to=email, template=template,
            context={**shared, **context}, now=now,
        )  # fmt: skip
