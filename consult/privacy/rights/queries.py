"""Reading requests: those of a person, those that wait, and who must answer them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Final

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from consult.accounts.access import queries as access
from consult.accounts.models import Account, AccountStatus
from consult.organisations.models import Organisation
from consult.paging import Paged, paged
from consult.privacy.rights import policy
from consult.privacy.rights.models import Outcome, Right, RightsRequest
from consult.security import digest

PAGE_SIZE: Final = 50


def of_account(session: Session, account_id: uuid.UUID, *, page: int) -> Paged[RightsRequest]:
    """A page of the requests of an account, the last first."""
    mine = select(RightsRequest).where(RightsRequest.account_id == account_id)
    return _paged(session, mine.order_by(RightsRequest.asked_at.desc(), RightsRequest.id), page)


def is_of(session: Session, request_id: uuid.UUID, account_id: uuid.UUID) -> bool:
    """Whether that request is of that account."""
    own = select(RightsRequest.id).where(RightsRequest.id == request_id, RightsRequest.account_id == account_id)
    return session.scalar(own) is not None


def waiting_of(session: Session, account_id: uuid.UUID, right: Right) -> RightsRequest | None:
    """The request of that right which still waits for its answer."""
    mine = (RightsRequest.account_id == account_id, RightsRequest.right == right, RightsRequest.outcome.is_(None))
    return session.scalar(select(RightsRequest).where(*mine).limit(1))


def by_token(session: Session, token: str, *, lock: bool = False) -> RightsRequest | None:
    """The request of a visitor that a mailed link opens."""
    known = select(RightsRequest).where(RightsRequest.token_digest == digest(token))
    return session.scalar(known.with_for_update() if lock else known)


def keeps_aside(session: Session, account_id: uuid.UUID) -> bool:
    """Whether a granted request still keeps the texts of the account aside."""
    mine = select(RightsRequest.id).where(RightsRequest.account_id == account_id, standing())
    return session.scalar(mine.limit(1)) is not None


def standing() -> ColumnElement[bool]:
    """What `policy.in_force` says, for the database."""
    return (
        RightsRequest.account_id.is_not(None)
        & RightsRequest.right.in_(policy.SETS_ASIDE)
        & (RightsRequest.outcome == Outcome.GRANTED)
        & RightsRequest.lifted_at.is_(None)
    )


def waiting(session: Session, *, page: int) -> Paged[RightsRequest]:
    """A page of the confirmed requests without answer, the first due first."""
    asked = select(RightsRequest).where(RightsRequest.outcome.is_(None), RightsRequest.due_on.is_not(None))
    return _paged(session, asked.order_by(RightsRequest.due_on, RightsRequest.id), page)


def answered(session: Session, *, page: int) -> Paged[RightsRequest]:
    """A page of the requests answered, the last first."""
    done = select(RightsRequest).where(RightsRequest.outcome.is_not(None))
    return _paged(session, done.order_by(RightsRequest.answered_at.desc(), RightsRequest.id), page)


def _paged(session: Session, query: Select[RightsRequest], page: int) -> Paged[RightsRequest]:
    return paged(session, query, number=page, size=PAGE_SIZE)


def to_remind(session: Session, today: dt.date) -> RightsRequest | None:
    """A request due within a week, or overdue, of which nobody was reminded for a week."""
    before = today - policy.REMINDED_BEFORE
    late = or_(RightsRequest.reminded_on.is_(None), RightsRequest.reminded_on <= before)
    due = select(RightsRequest).where(
        RightsRequest.outcome.is_(None), RightsRequest.due_on <= today + policy.REMINDED_BEFORE, late
    )
    return session.scalar(due.order_by(RightsRequest.due_on, RightsRequest.id).limit(1))


def who_answers(session: Session, organisation: Organisation) -> list[str]:
    """The addresses of those who must answer."""
    active = (Account.status == AccountStatus.ACTIVE, Account.email.is_not(None))
    ids = access.administrators(session, organisation.id)
    found = session.scalars(select(Account.email).where(Account.id.in_(ids), *active).order_by(Account.email))
    return list(dict.fromkeys([*([organisation.dpo_email] if organisation.dpo_email else []), *map(str, found)]))
