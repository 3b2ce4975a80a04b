"""What the page that erases an account tells of it, and what both databases keep of a former row."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from consult.accounts.models import Account, AccountStatus, Membership, PlatformRole
from consult.contributions.ballots.models import Ballot
from consult.contributions.models import Argument, Proposal, Vote
from consult.db import Database
from consult.privacy import retention
from consult.questionnaires.models import Reply


def counts(session: Session, account_id: uuid.UUID) -> Mapping[str, int]:
    """How many proposals, arguments, votes and replies the account has, in one query."""
    owners: dict[str, tuple[InstrumentedAttribute[Any], ...]] = {
        "proposals": (Proposal.author_id,),
        "arguments": (Argument.author_id,),
        "votes": (Vote.account_id, Ballot.account_id),
        "replies": (Reply.account_id,),
    }
    asked = [
        sum((_owned(owner, account_id) for owner in rest), _owned(first, account_id)).label(name)
        for name, (first, *rest) in owners.items()
    ]
    return dict(session.execute(select(*asked)).mappings().one())


def _owned(owner: InstrumentedAttribute[Any], account_id: uuid.UUID) -> ColumnElement[int]:
    counted: ColumnElement[int] = select(func.count()).where(owner == account_id).scalar_subquery()
    return counted


def unconfirmed(session: Session, now: dt.datetime) -> Account | None:
    """An account whose address was never confirmed in time."""
    late = Account.confirmed_at.is_(None) & (Account.created_at < now - retention.UNCONFIRMED)
    return _first(session, late)


def asleep(session: Session, now: dt.datetime) -> Account | None:
    """An account that nobody used, although its holder was warned in time."""
    return _first(session, _unused(now), Account.warned_on <= (now - retention.WARNED).date())


def falling_asleep(session: Session, now: dt.datetime) -> Account | None:
    """An account whose holder is to be warned."""
    return _first(session, _unused(now + retention.WARNED), Account.warned_on.is_(None), Account.email.is_not(None))


def _unused(now: dt.datetime) -> ColumnElement[bool]:
    return Account.confirmed_at.is_not(None) & (Account.seen_on <= (now - retention.INACTIVE).date())


def _first(session: Session, *which: ColumnElement[bool]) -> Account | None:
    """Agents are let go by whoever gave them their role."""
    roles = select(Membership.account_id).where(Membership.revoked_at.is_(None))
    platform = select(PlatformRole.account_id).where(PlatformRole.revoked_at.is_(None))
    query = select(Account).where(Account.status == AccountStatus.ACTIVE, *which)
    query = query.where(Account.id.not_in(roles), Account.id.not_in(platform)).order_by(Account.id).limit(1)
    return session.scalar(query)


def give_up_log(database: Database) -> None:
    """Have SQLite give up what its write-ahead log still holds of former rows; PostgreSQL recycles its own.

    Readers under way may keep a part of it: what is left goes with the next call, or when the last process leaves.
    """
    if database.is_sqlite:
        with contextlib.closing(database.engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
