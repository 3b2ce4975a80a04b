"""Asking for help, going on with the thread, and forgetting who asked and what was said."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Final

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from consult.accounts import policy as accounts
from consult.accounts.notices.service import Sender
from consult.accounts.service import lock_active, mailing
from consult.actor import ANONYMOUS
from consult.errors import ConflictError, GoneError
from consult.tickets import service as tickets
from consult.tickets.assistance import labels, notices, policy
from consult.tickets.assistance.models import HelpRequest, Topic
from consult.tickets.models import Side, Ticket, TicketFile, TicketMessage

_APART: Final = {"synchronize_session": False}


def ask(
    session: Session, account_id: uuid.UUID, topic: Topic, body: str, *, sender: Sender, now: dt.datetime
) -> HelpRequest:
    """Open the ticket of an account. Raises InvalidError, ConflictError while its address is not confirmed."""
    account = lock_active(session, account_id)
    if account.confirmed_at is None:
        raise ConflictError("Confirmez d’abord votre adresse\u00a0: c’est là que la réponse vous sera envoyée.")
    request = _request(sender, topic, body, now)
    request.account_id = account.id
    session.add(request)
    session.flush()
    _open(session, request, sender, now)
    return request


def ask_without_account(
    session: Session, email: str, topic: Topic, body: str, *, mailbox: accounts.Mailbox, sender: Sender,
    now: dt.datetime,
) -> None:  # fmt: skip
    """Keep the request of a visitor until the address is confirmed by the link of a mail; no account is looked for.

    Nothing is kept nor sent once the mailbox got its share of mails. Raises InvalidError.
    """
    request = _request(sender, topic, body, now)
    request.email = accounts.clean_email(email)
    with mailing(session, mailbox, now):
        session.add(request)
        session.flush()
        notices.to_confirm(session, request, sender, now)


def confirm(session: Session, request: HelpRequest, *, sender: Sender, now: dt.datetime) -> None:
    """Open the ticket of a visitor, whose address is proved: T0 is `now`; a second time changes nothing.

    `request` is locked. Raises GoneError for a link that expired.
    """
    if request.ticket_id is not None:
        return
    if now > request.asked_at + policy.LINK_LIFE:
        raise GoneError("Ce lien a expiré. Faites votre demande de nouveau\u00a0: un autre lien vous sera envoyé.")
    _open(session, request, sender, now)


def say(session: Session, ticket: Ticket, body: str, *, sender: Sender, now: dt.datetime) -> None:
    """Add what who asked has to say. Raises InvalidError, ConflictError once closed, or for a thread without end."""
    body = policy.checked(body, policy.MESSAGE_MIN)
    if ticket.closed_at is not None:
        raise ConflictError("Cette demande est close\u00a0: faites-en une autre.")
    if sum(each.side is Side.REQUESTER for each in ticket.messages) >= policy.MESSAGES_MAX:
        raise ConflictError(f"Vous avez déjà écrit {policy.MESSAGES_MAX} messages\u00a0: attendez une réponse.")
    tickets.say(session, ticket, body, actor=ANONYMOUS, sender=sender, now=now)


def forget(session: Session, request_ids: Collection[uuid.UUID]) -> int:
    """Leave nothing of who asked nor of what was said, answers included, which may name them.

    The ticket stays, with its delays and its history, which hold no words of the public.
    """
    query = select(HelpRequest.ticket_id).where(HelpRequest.id.in_(request_ids), HelpRequest.ticket_id.is_not(None))
    ticket_ids = session.scalars(query).all()
    session.execute(delete(TicketMessage).where(TicketMessage.ticket_id.in_(ticket_ids)), execution_options=_APART)
    session.execute(delete(TicketFile).where(TicketFile.ticket_id.in_(ticket_ids)), execution_options=_APART)
    session.execute(update(Ticket).where(Ticket.id.in_(ticket_ids)).values(body=""), execution_options=_APART)
    session.execute(delete(HelpRequest).where(HelpRequest.id.in_(request_ids)), execution_options=_APART)
    return len(request_ids)


def forget_old(session: Session, now: dt.datetime, limit: int) -> int:
    """Forget some of the requests never confirmed in time, and of those closed for long; says how many."""
    never = HelpRequest.ticket_id.is_(None) & (HelpRequest.asked_at < now - policy.LINK_LIFE)
    over = or_(never, Ticket.closed_at < now - policy.KEPT)
    query = select(HelpRequest.id).outerjoin(Ticket, Ticket.id == HelpRequest.ticket_id).where(over)
    return forget(session, session.scalars(query.limit(limit)).all())


def _request(sender: Sender, topic: Topic, body: str, now: dt.datetime) -> HelpRequest:
    body = policy.checked(body, policy.BODY_MIN)
    return HelpRequest(
        id=uuid.uuid4(), organisation_id=sender.organisation.id, topic=topic, body=body, asked_at=now
    )  # fmt: skip


def _open(session: Session, request: HelpRequest, sender: Sender, now: dt.datetime) -> None:
    ticket = tickets.report(
        session, kind=policy.kind_of(request.topic), title=labels.TITLES[request.topic], body=request.body,
        severity=None, actor=ANONYMOUS, sender=sender, now=now,
    )  # fmt: skip
    request.ticket_id, request.body = ticket.id, ""
    notices.received(session, request, ticket, sender, now)
