"""Reading accounts: who is signed in on this browser, whose address this is, how long to wait."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Connection, Row, Table, Uuid, and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session

from consult.accounts.models import (
    Account,
    AccountStatus,
    AttemptCount,
    LoginSession,
    Membership,
    PlatformRole,
    SecurityKey,
    SingleUseToken,
    TokenPurpose,
)
from consult.accounts.policy import TOUCH_EVERY
from consult.actor import Actor, Role
from consult.db import ALL_TENANTS, as_tenant
from consult.security import digest


@dataclass(frozen=True, slots=True)
class Identity:
    """The signed-in person of one request."""

    actor: Actor
    account_id: uuid.UUID
    login_session_id: uuid.UUID
    touch_due: bool  # `service.touch` is to be called, so that the session does not go idle
    second_factor_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signing in compares."""

    account_id: uuid.UUID
    password_hash: str | None


def identify(connection: Connection, *, token: str, organisation_id: uuid.UUID, now: dt.datetime) -> Identity | None:
    """Who holds this cookie, in one query; None when the session is over, revoked, blocked or of elsewhere.

    Platform roles count in every organisation, the others in their own. Staff roles are listed only once the second
    factor of this session has been given; until then `second_factor_due` is set.
    """
    rows = _held_by(connection, token, organisation_id)
    if not rows:
        return None
    first = rows[0]
    if now >= min(first.expires_at, first.last_seen_at + dt.timedelta(seconds=first.idle_seconds)):
        return None
    at_home = first.organisation_id == organisation_id
    actor = _actor(rows, at_home=at_home)
    if not at_home and not any(row.platform for row in rows):
        return None
    return Identity(
        actor=actor,
        account_id=first.account_id,
        login_session_id=first.id,
        touch_due=now - first.last_seen_at >= TOUCH_EVERY,
        second_factor_at=first.second_factor_at,
    )


def _held_by(connection: Connection, token: str, organisation_id: uuid.UUID) -> Sequence[Row[*tuple[Any, ...]]]:
    """The session of that cookie, with its account, once for each role it holds; nothing for a blocked account."""
    # On tables, hence without the filter of organisations: a session of platform staff may belong to another one.
    return connection.execute(_HELD, {"token_digest": digest(token), "organisation": organisation_id}).all()


# Built once, and on tables: every request of a signed-in person asks, and rows need no more than columns.
_S, _A, _M, _P, _K = (
    cast("Table", each.__table__).c for each in (LoginSession, Account, Membership, PlatformRole, SecurityKey)
)
# Whether the account has a second factor: an application of codes or a security key.
HAS_SECOND_FACTOR: Final[ColumnElement[bool]] = or_(
    _A.totp_enrolled_at.is_not(None), exists().where(_K.account_id == _A.id)
)
_HELD: Final = (
    select(
        *(_S.id, _S.last_seen_at, _S.expires_at, _S.idle_seconds, _S.second_factor_at),
        *(_A.id.label("account_id"), _A.organisation_id, _A.pseudonym, _A.confirmed_at),
        *(_A.password_for_staff, HAS_SECOND_FACTOR.label("enrolled")),
        *(_M.role.label("membership"), _M.consultation_id, _P.role.label("platform")),
    )
    .select_from(LoginSession.__table__)
    .join(Account.__table__, _A.id == _S.account_id)
    .outerjoin(
        Membership.__table__,
        and_(
            _M.account_id == _A.id,
            _M.revoked_at.is_(None),
            _M.organisation_id == bindparam("organisation", type_=Uuid()),  # its key's table may not be known yet
        ),
    )
    .outerjoin(PlatformRole.__table__, and_(_P.account_id == _A.id, _P.revoked_at.is_(None)))
    .where(_S.token_digest == bindparam("token_digest"), _A.status == AccountStatus.ACTIVE)
)


def _actor(rows: Sequence[Row[*tuple[Any, ...]]], *, at_home: bool) -> Actor:
    first = rows[0]
    platform = {row.platform for row in rows if row.platform}
    held = {(row.membership, row.consultation_id) for row in rows if row.membership and at_home}
    proven = bool(first.second_factor_at and first.enrolled and first.password_for_staff)
    due = bool(platform or held) and not proven
    scopes = {scope for _, scope in held if scope is not None and not due}
    staff = set() if due else platform | {role for role, scope in held if scope is None}
    return Actor(
        account_id=first.account_id,
        pseudonym=first.pseudonym,
        confirmed=first.confirmed_at is not None,
        roles=frozenset({Role.PARTICIPANT, *staff}),
        by_consultation={scope: frozenset(role for role, where in held if where == scope) for scope in scopes},
        second_factor_due=due,
    )


def confirmed_account(session: Session, email_key: str) -> Account | None:
    """The account that owns this address."""
    return session.scalar(
        select(Account).where(
            Account.email_key == email_key,
            Account.confirmed_at.is_not(None),
            Account.status == AccountStatus.ACTIVE,
        )
    )


def unconfirmed_account(session: Session, email_key: str) -> Account | None:
    """The latest account that waits for this address to be confirmed."""
    return session.scalar(
        select(Account)
        .where(
            Account.email_key == email_key,
            Account.confirmed_at.is_(None),
            Account.status == AccountStatus.ACTIVE,
        )
        .order_by(Account.created_at.desc())
        .limit(1)
    )


def credentials(session: Session, email_key: str) -> Credentials | None:
    """What to compare a typed password with."""
    account = confirmed_account(session, email_key)
    return Credentials(account.id, account.password_hash) if account else None


def seconds_to_wait(session: Session, keys: Iterable[str], now: dt.datetime) -> int:
    """How long the next attempt under any of these keys is refused; 0 when it is not."""
    latest = session.scalar(
        select(func.max(AttemptCount.next_at)).where(AttemptCount.key.in_(list(keys)), AttemptCount.next_at > now)
    )
    return 0 if latest is None else max(1, round((latest - now).total_seconds()))


def token_account(session: Session, token: str, purpose: TokenPurpose, now: dt.datetime) -> Account | None:
    """The account of a mailed link that can still serve."""
    return session.scalar(
        select(Account)
        .join(SingleUseToken, SingleUseToken.account_id == Account.id)
        .where(
            SingleUseToken.digest == digest(token),
            SingleUseToken.purpose == purpose,
            SingleUseToken.used_at.is_(None),
            SingleUseToken.expires_at > now,
            Account.status == AccountStatus.ACTIVE,
        )
    )


def open_sessions(session: Session, account_id: uuid.UUID, now: dt.datetime) -> Sequence[LoginSession]:
    """The browsers signed in to an account, the last used first."""
    rows = session.scalars(
        select(LoginSession)
        .where(LoginSession.account_id == account_id, LoginSession.expires_at > now)
        .order_by(LoginSession.last_seen_at.desc())
    )
    return [row for row in rows if row.last_seen_at + dt.timedelta(seconds=row.idle_seconds) > now]


def own_account(session: Session, account_id: uuid.UUID) -> Account:
    """The signed-in person's account, which for platform staff may be of another organisation."""
    with as_tenant(session, ALL_TENANTS):
        return session.get_one(Account, account_id)


def has_second_factor(session: Session, account_id: uuid.UUID) -> bool:
    """Whether the account can be asked for a second factor, or is to enrol its first."""
    with as_tenant(session, ALL_TENANTS):
        return bool(session.scalar(select(HAS_SECOND_FACTOR).where(_A.id == account_id)))


def staff_roles(session: Session, account_id: uuid.UUID) -> set[Role]:
    """Every role beyond taking part that the account holds, wherever."""
    with as_tenant(session, ALL_TENANTS):
        held = select(Membership.role).where(Membership.account_id == account_id, Membership.revoked_at.is_(None))
        platform = select(PlatformRole.role).where(
            PlatformRole.account_id == account_id, PlatformRole.revoked_at.is_(None)
        )
        return {*session.scalars(held), *session.scalars(platform)}


def reachable(session: Session, account_id: uuid.UUID | None) -> str | None:
    """The address of an account, if it still receives mail."""
    account = session.get(Account, account_id) if account_id else None
    return account.email if account and account.status is AccountStatus.ACTIVE else None


def staff_of(
    session: Session, organisation_id: uuid.UUID, consultation_id: uuid.UUID | None, roles: Iterable[Role]
) -> list[Account]:
    """Who holds one of these roles on the organisation or on that consultation, and receives mail; the oldest first."""
    query = (
        select(Account)
        .join(Membership, Membership.account_id == Account.id)
        .where(
            Membership.organisation_id == organisation_id,
            Membership.role.in_(roles),
            Membership.revoked_at.is_(None),
            or_(Membership.consultation_id.is_(None), Membership.consultation_id == consultation_id),
            Account.status == AccountStatus.ACTIVE,
            Account.email.is_not(None),
        )
        .order_by(Account.created_at, Account.id)
    )
    return list(session.scalars(query).unique())
