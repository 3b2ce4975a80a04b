"""Requests to exercise a right of the GDPR."""

from __future__ import annotations

import datetime as dt
import enum
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from consult.db import ADMINISTRATION, NEVER, Base, TenantOwned


class Right(enum.StrEnum):
    """Articles 15 to 18 and 21 of Regulation (EU) 2016/679."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    LIMITATION = "limitation"
    OBJECTION = "objection"


class Outcome(enum.StrEnum):
    """How the administration answered."""

    GRANTED = "granted"
    REFUSED = "refused"


class RightsRequest(TenantOwned, Base):
    """One request, of an account or of a visitor known by an address, which counts once the address is confirmed."""

    __tablename__ = "rights_request"
    __table_args__ = (
        CheckConstraint("(account_id IS NULL) <> (email IS NULL)", name="one_person"),
        CheckConstraint("(confirmed_at IS NULL) = (due_on IS NULL)", name="due_once_confirmed"),
        CheckConstraint("(extended_at IS NULL) = (extension_reason = '')", name="extension_is_motivated"),
        CheckConstraint("(outcome IS NULL) = (answered_at IS NULL)", name="answered_or_not"),
        CheckConstraint("(outcome IS NULL) = (answer = '')", name="answer_is_motivated"),
        CheckConstraint("lifted_at IS NULL OR outcome = 'granted'", name="granted_before_lifted"),
        Index("ix_rights_request_waiting", "organisation_id", "outcome", "due_on"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    account_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True, info=ADMINISTRATION
    )
    email: Mapped[str | None] = mapped_column(String(254), info=ADMINISTRATION)  # of a visitor
    token_digest: Mapped[str | None] = mapped_column(String(64), unique=True, info=NEVER)  # of the link sent to them
    right: Mapped[Right] = mapped_column(info=ADMINISTRATION)
    statement: Mapped[str] = mapped_column(Text, info=ADMINISTRATION)
    asked_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    confirmed_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)  # when the delay begins
    due_on: Mapped[dt.date | None] = mapped_column(info=ADMINISTRATION)
    extended_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
    extension_reason: Mapped[str] = mapped_column(Text, default="", info=ADMINISTRATION)
    outcome: Mapped[Outcome | None] = mapped_column(info=ADMINISTRATION)
    answer: Mapped[str] = mapped_column(Text, default="", info=ADMINISTRATION)
    answered_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
    answered_by_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL"), info=ADMINISTRATION
    )
    lifted_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)  # the end of what was granted
    reminded_on: Mapped[dt.date | None] = mapped_column(info=ADMINISTRATION)  # the last reminder to who must answer
