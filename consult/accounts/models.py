"""Accounts of participants and staff, their sessions, single-use tokens and roles."""

from __future__ import annotations

import datetime as dt
import enum
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consult.actor import Role
from consult.db import ADMINISTRATION, NEVER, PUBLIC, Base, TenantOwned


class AccountStatus(enum.StrEnum):
    """Life of an account."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    ERASED = "erased"


class TokenPurpose(enum.StrEnum):
    """What a single-use link does, after a confirmation page."""

    CONFIRM_EMAIL = "confirm_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105  # a purpose, not a password


class Account(TenantOwned, Base):
    """A person, known by a pseudonym, in one organisation. Staff are accounts that hold a role."""

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("organisation_id", "email_key"),
        UniqueConstraint("organisation_id", "pseudonym_key"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=NEVER)
    email: Mapped[str | None] = mapped_column(String(254), info=ADMINISTRATION)
    email_key: Mapped[str | None] = mapped_column(String(254), info=NEVER)  # canonical form, for uniqueness
    pseudonym: Mapped[str] = mapped_column(String(40), info=PUBLIC)
    pseudonym_key: Mapped[str | None] = mapped_column(String(80), info=NEVER)  # look-alike skeleton, for uniqueness
    password_hash: Mapped[str | None] = mapped_column(String(200), info=NEVER)
    status: Mapped[AccountStatus] = mapped_column(default=AccountStatus.ACTIVE, info=ADMINISTRATION)
    created_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    confirmed_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
    terms_version: Mapped[str] = mapped_column(String(20), default="", info=ADMINISTRATION)
    terms_accepted_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
    failed_logins: Mapped[int] = mapped_column(default=0, info=NEVER)
    next_login_at: Mapped[dt.datetime | None] = mapped_column(info=NEVER)  # throttle: refused before this instant
    totp_secret: Mapped[str | None] = mapped_column(String(64), info=NEVER)
    totp_enrolled_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
    totp_last_step: Mapped[int | None] = mapped_column(info=NEVER)  # a code serves once
    recovery_codes: Mapped[list[str]] = mapped_column(default=list, info=NEVER)  # digests


class LoginSession(TenantOwned, Base):
    """A signed-in browser. The cookie holds the token, the row its digest."""

    __tablename__ = "login_session"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=NEVER)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True, info=NEVER)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True, info=NEVER)
    browser: Mapped[str] = mapped_column(String(80), default="", info=ADMINISTRATION)  # « Firefox sous Linux »
    created_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    last_seen_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True, info=NEVER)
    second_factor_at: Mapped[dt.datetime | None] = mapped_column(info=NEVER)


class SingleUseToken(TenantOwned, Base):
    """A link sent by mail: single use, dated, stored as a digest."""

    __tablename__ = "single_use_token"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=NEVER)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True, info=NEVER)
    purpose: Mapped[TokenPurpose] = mapped_column(info=NEVER)
    digest: Mapped[str] = mapped_column(String(64), unique=True, info=NEVER)
    expires_at: Mapped[dt.datetime] = mapped_column(info=NEVER)
    used_at: Mapped[dt.datetime | None] = mapped_column(info=NEVER)


class SpentProof(Base):
    """A proof of work already used: kept until it expires, so that it serves once."""

    __tablename__ = "spent_proof"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True, info=NEVER)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True, info=NEVER)


class Membership(TenantOwned, Base):
    """A role held on the organisation, or on one consultation of it. Revoked rows stay: they are the register."""

    __tablename__ = "membership"
    __table_args__ = (
        CheckConstraint("(revoked_at IS NULL) = (revoked_by_id IS NULL)", name="revocation_is_signed"),
        Index("ix_membership_held", "account_id", "revoked_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=NEVER)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), info=ADMINISTRATION)
    role: Mapped[Role] = mapped_column(info=ADMINISTRATION)
    consultation_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("consultation.id", ondelete="CASCADE"), info=ADMINISTRATION
    )
    granted_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    granted_by_id: Mapped[uuid.UUID | None] = mapped_column(info=ADMINISTRATION)  # None: the command line
    revoked_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
    revoked_by_id: Mapped[uuid.UUID | None] = mapped_column(info=ADMINISTRATION)


class PlatformRole(Base):
    """`operator` or `ditp`: a role that counts in every organisation."""

    __tablename__ = "platform_role"
    __table_args__ = (CheckConstraint("role IN ('operator', 'ditp')", name="platform_roles_only"),)

    account_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, info=ADMINISTRATION
    )
    role: Mapped[Role] = mapped_column(primary_key=True, info=ADMINISTRATION)
    granted_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
