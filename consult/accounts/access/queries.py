"""The access register: who may do what, since when, and who no longer may."""

from __future__ import annotations

import csv
import datetime as dt
import io
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.accounts.labels import COMMAND_LINE, ROLES, WHOLE_ORGANISATION, WHOLE_PLATFORM
from consult.accounts.models import Account, Membership, PlatformRole
from consult.accounts.queries import HAS_SECOND_FACTOR
from consult.actor import Role
from consult.db import ALL_TENANTS, as_tenant
from consult.labels import moment

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


@dataclass(frozen=True, slots=True)
class Line:
    """One role of one account, held or withdrawn. `membership_id` is None for a platform role."""

    membership_id: uuid.UUID | None
    account_id: uuid.UUID
    pseudonym: str
    email: str
    role: Role
    scope: str
    granted_at: dt.datetime
    granted_by: str
    revoked_at: dt.datetime | None
    revoked_by: str
    reason: str
    second_factor: bool

    @property
    def role_label(self) -> str:
        """The role, in French."""
        return ROLES[self.role]

    @property
    def cells(self) -> tuple[str, ...]:
        """The line in the order of REGISTER_COLUMNS."""
        return (
            self.pseudonym,
            self.email,
            self.role_label,
            self.scope,
            moment(self.granted_at),
            self.granted_by,
            moment(self.revoked_at) if self.revoked_at else "",
            self.revoked_by,
            self.reason,
        )


def register(session: Session, organisation_id: uuid.UUID, titles: Mapping[uuid.UUID, str]) -> list[Line]:
    """Every role that counts or counted in the organisation, platform roles included, those held first.

    `titles` names the consultations. Platform staff of elsewhere are shown without their address.
    """
    rows = session.execute(
        select(Membership, Account, HAS_SECOND_FACTOR)
        .join(Account, Account.id == Membership.account_id)
        .where(Membership.organisation_id == organisation_id)
    ).all()
    with as_tenant(session, ALL_TENANTS):  # platform roles count in every organisation
        platform = session.execute(
            select(PlatformRole, Account, HAS_SECOND_FACTOR).join(Account, Account.id == PlatformRole.account_id)
        ).all()
    names = _names(session, (name for held, _, _ in rows for name in (held.granted_by_id, held.revoked_by_id)))
    lines = [_line(held, account, titles, names, enrolled=enrolled) for held, account, enrolled in rows]
    lines += [_platform_line(held, account, organisation_id, enrolled=enrolled) for held, account, enrolled in platform]
    return sorted(lines, key=lambda line: (line.revoked_at is not None, line.role, line.pseudonym.casefold()))


def _line(
    held: Membership,
    account: Account,
    titles: Mapping[uuid.UUID, str],
    names: Mapping[uuid.UUID, str],
    *,
    enrolled: bool,
) -> Line:
    scope = WHOLE_ORGANISATION
    if held.consultation_id is not None:
        scope = titles.get(held.consultation_id, str(held.consultation_id))
    return Line(
        membership_id=held.id,
        account_id=account.id,
        pseudonym=account.pseudonym,
        email=account.email or "",
        role=held.role,
        scope=scope,
        granted_at=held.granted_at,
        granted_by=_name(held.granted_by_id, names),
        revoked_at=held.revoked_at,
        revoked_by=_name(held.revoked_by_id, names) if held.revoked_at else "",
        reason=held.revocation_reason,
        second_factor=enrolled,
    )


def _platform_line(held: PlatformRole, account: Account, organisation_id: uuid.UUID, *, enrolled: bool) -> Line:
    return Line(
        membership_id=None,
        account_id=account.id,
        pseudonym=account.pseudonym,
        email=(account.email or "") if account.organisation_id == organisation_id else "",
        role=held.role,
        scope=WHOLE_PLATFORM,
        granted_at=held.granted_at,
        granted_by=COMMAND_LINE,
        revoked_at=held.revoked_at,
        revoked_by=COMMAND_LINE if held.revoked_at else "",
        reason="",
        second_factor=enrolled,
    )


def _name(account_id: uuid.UUID | None, names: Mapping[uuid.UUID, str]) -> str:
    return COMMAND_LINE if account_id is None else names.get(account_id, "")


def _names(session: Session, ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, str]:
    wanted = {account_id for account_id in ids if account_id is not None}
    with as_tenant(session, ALL_TENANTS):  # platform staff may have granted it
        rows = session.execute(select(Account.id, Account.pseudonym).where(Account.id.in_(wanted))).all()
    return {row.id: row.pseudonym for row in rows}


def as_csv(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A register as CSV (`;`, for French spreadsheets), no cell of which is taken for a formula (AT-19.8)."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in line] for line in lines)
    return text.getvalue()


def administrators(session: Session, organisation_id: uuid.UUID) -> set[uuid.UUID]:
    """The accounts that administer the whole organisation."""
    return set(
        session.scalars(
            select(Membership.account_id).where(
                Membership.organisation_id == organisation_id,
                Membership.role == Role.ADMINISTRATOR,
                Membership.consultation_id.is_(None),
                Membership.revoked_at.is_(None),
            )
        )
    )


def held(session: Session, account_id: uuid.UUID, role: Role, consultation_id: uuid.UUID | None) -> Membership | None:
    """The role, if the account holds it now with that very scope."""
    scope = (
        Membership.consultation_id.is_(None)
        if consultation_id is None
        else Membership.consultation_id == consultation_id
    )
    return session.scalar(
        select(Membership).where(
            Membership.account_id == account_id, Membership.role == role, scope, Membership.revoked_at.is_(None)
        )
    )


def only_of_organisation(session: Session, account_id: uuid.UUID) -> bool:
    """Whether the account holds a role on this organisation and none on the platform."""
    held_here = session.scalar(
        select(Membership.id).where(Membership.account_id == account_id, Membership.revoked_at.is_(None)).limit(1)
    )
    platform = session.scalar(
        select(PlatformRole.id).where(PlatformRole.account_id == account_id, PlatformRole.revoked_at.is_(None)).limit(1)
    )
    return held_here is not None and platform is None
