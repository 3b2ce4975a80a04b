"""Accounts of participants and staff, their sessions, single-use tokens and roles."""

from __future__ import annotations

import datetime as dt
import enum
import uuid

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from consult.actor import Role
from consult.db import ADMINISTRATION, NEVER, PUBLIC, Base, TenantOwned, owner


def _unique_where(name: str, *columns: str, where: str) -> Index:
    """A unique index over part of the rows, on both databases."""
    return Index(name, *columns, unique=True, sqlite_where=text(where), postgresql_where=text(where))


_TOLD = text("told_of_answers")


class AccountStatus(enum.StrEnum):
    """Life of an account."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    ERASED = "erased"


class TokenPurpose(enum.StrEnum):
    """What a single-use link does, after a confirmation page."""

    CONFIRM_EMAIL = "confirm_email"
    SIGN_IN = "sign_in"
    RESET_PASSWORD = "reset_password"  # noqa: S105  # a purpose, not a password


class Account(TenantOwned, Base):
    """A person, known by a pseudonym, in one organisation. Staff are accounts that hold a role.

    An address belongs to whoever confirmed it: several unconfirmed accounts may name one, so that signing up never
    tells whether an address is known, nor keeps it from its owner.
    """

    __tablename__ = "account"
    __table_args__ = (
        _unique_where("uq_account_confirmed_email", "organisation_id", "email_key", where="confirmed_at IS NOT NULL"),
        UniqueConstraint("organisation_id", "pseudonym_key"),
        Index("ix_account_email_key", "organisation_id", "email_key"),
        Index("ix_account_pseudonym_look", "organisation_id", "pseudonym_look"),
        Index("ix_account_told_of_answers", "organisation_id", "id", sqlite_where=_TOLD, postgresql_where=_TOLD),
    )

    # As the author of a content, which the administration may know; votes and replies keep theirs to themselves.
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    email: Mapped[str | None] = mapped_column(String(254), info=ADMINISTRATION)
    email_key: Mapped[str | None] = mapped_column(String(254), info=NEVER)  # canonical form, for uniqueness
    pseudonym: Mapped[str] = mapped_column(String(40), info=PUBLIC)
    pseudonym_key: Mapped[str | None] = mapped_column(String(160), info=NEVER)  # look-alike skeleton, for uniqueness
    pseudonym_look: Mapped[str | None] = mapped_column(String(160), info=NEVER)  # the one of its very capitals
    password_hash: Mapped[str | None] = mapped_column(String(200), info=NEVER)
    password_for_staff: Mapped[bool] = mapped_column(default=False, info=NEVER)  # it met the rule of staff when set
    status: Mapped[AccountStatus] = mapped_column(default=AccountStatus.ACTIVE, info=ADMINISTRATION)
    created_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    confirmed_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
    seen_on: Mapped[dt.date | None] = mapped_column(info=ADMINISTRATION)  # last sign-in
    warned_on: Mapped[dt.date | None] = mapped_column(info=ADMINISTRATION)  # that it will be erased, not being used
    # What it published then is kept, neither shown nor processed: a right of the GDPR that was granted.
    set_aside_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
    # They asked for a mail when the administration answers, or commits to something, where they took part.
    told_of_answers: Mapped[bool] = mapped_column(default=False, server_default=false(), info=ADMINISTRATION)
    # The other mails that may be declined: see accounts/notices/policy.py.
    told_when_answered: Mapped[bool] = mapped_column(default=True, server_default=true(), info=ADMINISTRATION)
    told_of_reports: Mapped[bool] = mapped_column(default=True, server_default=true(), info=ADMINISTRATION)
    told_of_delays: Mapped[bool] = mapped_column(default=True, server_default=true(), info=ADMINISTRATION)
    told_of_traffic: Mapped[bool] = mapped_column(default=True, server_default=true(), info=ADMINISTRATION)
    told_of_followed: Mapped[bool] = mapped_column(default=True, server_default=true(), info=ADMINISTRATION)
    # The age that a consultation asked for, which they declared to have, or, with parental consent, not to have yet.
    declared_age: Mapped[int | None] = mapped_column(info=NEVER)
    declared_consent: Mapped[bool] = mapped_column(default=False, server_default=false(), info=NEVER)
    age_declared_at: Mapped[dt.datetime | None] = mapped_column(info=NEVER)
    terms_version: Mapped[str] = mapped_column(String(20), default="", info=ADMINISTRATION)
    terms_accepted_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
    totp_secret: Mapped[str | None] = mapped_column(String(200), info=NEVER)  # sealed, see consult/sealing.py
    totp_enrolled_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
    totp_last_step: Mapped[int | None] = mapped_column(info=NEVER)  # a code serves once
    recovery_codes: Mapped[list[str]] = mapped_column(default=list, info=NEVER)  # digests


class SecurityKey(TenantOwned, Base):
    """A WebAuthn key that staff enrolled as a second factor; the private half never leaves the key."""

    __tablename__ = "security_key"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=NEVER)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True, info=NEVER)
    name: Mapped[str] = mapped_column(String(60), info=NEVER)  # what its holder calls it
    relying_party: Mapped[str] = mapped_column(String(253), info=NEVER)  # the host it was made for, and answers to
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True, info=NEVER)
    public_key: Mapped[bytes] = mapped_column(LargeBinary, info=NEVER)  # COSE (RFC 9052)
    sign_count: Mapped[int] = mapped_column(BigInteger, info=NEVER)  # only rises, or stays 0: else it was copied
    added_at: Mapped[dt.datetime] = mapped_column(info=NEVER)
    used_at: Mapped[dt.datetime | None] = mapped_column(info=NEVER)


class IdentityProvider(enum.StrEnum):
    """Who may identify a person for us."""

    FRANCECONNECT = "franceconnect"
    PROCONNECT = "proconnect"


class FederatedIdentity(TenantOwned, Base):
    """A person of an identity provider, known by a keyed digest alone, and the account that they open."""

    __tablename__ = "federated_identity"
    __table_args__ = (
        UniqueConstraint("organisation_id", "subject_digest"),
        UniqueConstraint("account_id", "provider"),
    )

    organisation_id: Mapped[uuid.UUID] = owner()
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=NEVER)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), info=NEVER)
    provider: Mapped[IdentityProvider] = mapped_column(info=NEVER)
    subject_digest: Mapped[str] = mapped_column(String(64), info=NEVER)
    linked_at: Mapped[dt.datetime] = mapped_column(info=NEVER)


class ConsultationPseudonym(TenantOwned, Base):
    """The name under which an account is shown in one consultation, instead of the one it has everywhere."""

    __tablename__ = "consultation_pseudonym"
    __table_args__ = (
        UniqueConstraint("consultation_id", "account_id"),
        UniqueConstraint("consultation_id", "pseudonym_key"),
        Index("ix_consultation_pseudonym_key", "organisation_id", "pseudonym_key"),
        Index("ix_consultation_pseudonym_look", "organisation_id", "pseudonym_look"),
    )

    organisation_id: Mapped[uuid.UUID] = owner()
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=NEVER)
    consultation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("consultation.id", ondelete="CASCADE"), info=ADMINISTRATION
    )
    account_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True, info=ADMINISTRATION
    )
    pseudonym: Mapped[str] = mapped_column(String(40), info=PUBLIC)
    pseudonym_key: Mapped[str] = mapped_column(String(160), info=NEVER)
    pseudonym_look: Mapped[str] = mapped_column(String(160), info=NEVER)
    chosen_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)


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
    idle_seconds: Mapped[int] = mapped_column(info=NEVER)  # over as soon as it was not used for that long
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


class UnsentForm(TenantOwned, Base):
    """A form sent by a browser whose session was over: kept a day, sealed by the token that this browser holds."""

    __tablename__ = "unsent_form"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True, info=NEVER)
    address_key: Mapped[str] = mapped_column(String(64), index=True, info=NEVER)  # see security.address_key
    sealed: Mapped[str] = mapped_column(Text, info=NEVER)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True, info=NEVER)


class SpentProof(Base):
    """A proof of work already used: kept until it expires, so that it serves once."""

    __tablename__ = "spent_proof"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True, info=NEVER)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True, info=NEVER)


class AttemptCount(Base):
    """Recent failures of one kind for one person or browser, known by a keyed digest: nothing personal is kept."""

    __tablename__ = "attempt_count"

    key: Mapped[str] = mapped_column(String(64), primary_key=True, info=NEVER)
    failures: Mapped[int] = mapped_column(info=NEVER)
    next_at: Mapped[dt.datetime] = mapped_column(info=NEVER)  # refused before this instant
    expires_at: Mapped[dt.datetime] = mapped_column(index=True, info=NEVER)


class MailboxCount(Base):
    """When mails that anyone may cause left to one mailbox, known by a keyed digest, in the last day."""

    __tablename__ = "mailbox_count"

    key: Mapped[str] = mapped_column(String(64), primary_key=True, info=NEVER)
    sent: Mapped[list[str]] = mapped_column(default=list, info=NEVER)  # instants, the latest last
    expires_at: Mapped[dt.datetime] = mapped_column(index=True, info=NEVER)


class Membership(TenantOwned, Base):
    """A role held on the organisation, or on one consultation of it. Revoked rows stay: they are the register."""

    __tablename__ = "membership"
    __table_args__ = (
        CheckConstraint("(revoked_at IS NULL) = (revocation_reason = '')", name="revocation_is_motivated"),
        Index("ix_membership_held", "account_id", "revoked_at"),
        _unique_where(
            "uq_membership_organisation",
            "account_id",
            "role",
            where="revoked_at IS NULL AND consultation_id IS NULL",
        ),
        _unique_where(
            "uq_membership_consultation",
            "account_id",
            "role",
            "consultation_id",
            where="revoked_at IS NULL AND consultation_id IS NOT NULL",
        ),
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
    revoked_by_id: Mapped[uuid.UUID | None] = mapped_column(info=ADMINISTRATION)  # None: the command line
    revocation_reason: Mapped[str] = mapped_column(String(300), default="", info=ADMINISTRATION)


class PlatformRole(Base):
    """`operator` or `ditp`: a role that counts in every organisation, given and withdrawn by the command line alone."""

    __tablename__ = "platform_role"
    __table_args__ = (
        CheckConstraint("role IN ('operator', 'ditp')", name="platform_roles_only"),
        _unique_where("uq_platform_role_held", "account_id", "role", where="revoked_at IS NULL"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=NEVER)
    account_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True, info=ADMINISTRATION
    )
    role: Mapped[Role] = mapped_column(info=ADMINISTRATION)
    granted_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
