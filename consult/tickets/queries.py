"""Reading tickets."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, selectinload

from consult.accounts.models import Account, AccountStatus, Membership, PlatformRole
from consult.actor import PLATFORM_ROLES
from consult.db import ALL_TENANTS, as_tenant
from consult.errors import NotFoundError
from consult.paging import Paged, paged
from consult.tickets import policy
from consult.tickets.models import Kind, Side, Ticket, TicketClock, TicketFile

PAGE_SIZE: Final = 20
_ROLES: Final = {Side.ADMINISTRATION: policy.ADMINISTRATION, Side.CONTRACTOR: policy.CONTRACTOR}


def one(session: Session, ticket_id: uuid.UUID) -> Ticket:
    """A ticket with its history. Raises NotFoundError."""
    found = session.scalar(select(Ticket).where(Ticket.id == ticket_id).options(selectinload(Ticket.events)))
    if found is None:
        raise NotFoundError("Aucun ticket n’a cette adresse.")
    return found


def file(session: Session, ticket_id: uuid.UUID, file_id: uuid.UUID) -> tuple[TicketFile, bytes]:
    """A file of a ticket and its content. Raises NotFoundError."""
    query = select(TicketFile, TicketFile.content).where(TicketFile.id == file_id, TicketFile.ticket_id == ticket_id)
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotFoundError("Ce ticket n’a pas cette pièce.")
    return found[0], found[1]


def listed(session: Session, *, kind: str, state: str, severity: str, now: dt.datetime, page: int) -> Paged[Ticket]:
    """A page of tickets, the open ones by their next deadline, then the closed ones, the last first."""
    first = (
        select(func.min(TicketClock.deadline))
        .where(TicketClock.ticket_id == Ticket.id, TicketClock.reached_at.is_(None))
        .scalar_subquery()
    )
    query = select(Ticket).where(*_wanted(kind, state, severity, now))
    closed = Ticket.closed_at.is_not(None)
    order = (closed, Ticket.closed_at.desc(), first.is_(None), first, Ticket.number.desc())
    return paged(session, query.order_by(*order), number=page, size=PAGE_SIZE, options=[selectinload(Ticket.events)])


def _wanted(kind: str, state: str, severity: str, now: dt.datetime) -> list[Any]:
    conditions: list[Any] = []
    if kind:
        conditions.append(Ticket.kind == kind)
    if severity:
        conditions.append(Ticket.severity == severity)
    if state == "late":
        unreached = TicketClock.reached_at.is_(None)
        # Of a closed ticket, what was not reached stands as it did then.
        late = or_(
            TicketClock.reached_at > TicketClock.deadline,
            and_(unreached, TicketClock.deadline < func.coalesce(Ticket.closed_at, now)),
        )
        conditions.append(exists().where(TicketClock.ticket_id == Ticket.id, late))
    elif state:
        conditions.append(Ticket.closed_at.is_not(None) if state == "closed" else Ticket.closed_at.is_(None))
    return conditions


def above(session: Session, number: int, limit: int) -> Sequence[Ticket]:
    """The next tickets of the organisation above a number, in the order of numbers."""
    query = select(Ticket).where(Ticket.number > number).order_by(Ticket.number).limit(limit)
    return session.scalars(query.options(selectinload(Ticket.events))).all()


def to_alert(session: Session, now: dt.datetime, limit: int) -> Sequence[tuple[TicketClock, Ticket]]:
    """The delays of which a share passed that nobody was told of, the oldest first."""
    query: Select[TicketClock, Ticket] = select(TicketClock, Ticket).join(Ticket, Ticket.id == TicketClock.ticket_id)
    query = query.where(TicketClock.alert_at <= now).order_by(TicketClock.alert_at, TicketClock.id)
    return [(row[0], row[1]) for row in session.execute(query.limit(limit))]


def causes(session: Session) -> Sequence[str]:
    """The causes that were said of tickets, the most frequent first: to say the same one in the same words."""
    query = select(Ticket.cause).where(Ticket.cause != "", Ticket.kind == Kind.ANOMALY).group_by(Ticket.cause)
    return session.scalars(query.order_by(func.count(Ticket.id).desc(), Ticket.cause).limit(50)).all()


def names(session: Session, account_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, str]:
    """The pseudonyms of staff, whatever organisation their account is of: platform roles act in all of them."""
    with as_tenant(session, ALL_TENANTS):
        rows = session.execute(select(Account.id, Account.pseudonym).where(Account.id.in_(account_ids)))
        return {row.id: row.pseudonym for row in rows if row.pseudonym}


def mailboxes(session: Session, organisation_id: uuid.UUID, sides: Collection[Side]) -> Sequence[str]:
    """The addresses of those who act for these sides in an organisation, each once."""
    roles = {role for side in sides for role in _ROLES[side]}
    platform = select(PlatformRole.account_id).where(
        PlatformRole.role.in_(roles & PLATFORM_ROLES), PlatformRole.revoked_at.is_(None)
    )
    members = select(Membership.account_id).where(
        Membership.organisation_id == organisation_id,
        Membership.role.in_(roles - PLATFORM_ROLES),
        Membership.consultation_id.is_(None),
        Membership.revoked_at.is_(None),
    )
    query = select(Account.email).where(
        or_(Account.id.in_(platform), Account.id.in_(members)),
        Account.status == AccountStatus.ACTIVE,
        Account.email.is_not(None),
    )
    with as_tenant(session, ALL_TENANTS):
        return [email for email in session.scalars(query.order_by(Account.created_at, Account.id)) if email]
