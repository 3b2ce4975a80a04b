"""Invitations and the batches in which they are issued.

A reply names no invitation, and an invitation no reply: all that is known of one is whether it served.
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from consult.db import ADMINISTRATION, NEVER, Base, TenantOwned


class InvitationBatch(TenantOwned, Base):
    """Invitations issued together: how many the public log says, how many were taken back unused."""

    __tablename__ = "invitation_batch"
    __table_args__ = (
        CheckConstraint("issued > 0 AND revoked >= 0 AND revoked <= issued", name="revoked_among_issued"),
        CheckConstraint("revoked_at IS NOT NULL OR revoked = 0", name="revocation_is_dated"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    step_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("step.id", ondelete="CASCADE"), index=True, info=ADMINISTRATION
    )
    name: Mapped[str] = mapped_column(String(100), info=ADMINISTRATION)
    mailed: Mapped[bool] = mapped_column(info=ADMINISTRATION)  # else given as codes, to print
    issued: Mapped[int] = mapped_column(info=ADMINISTRATION)
    issued_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    reminded_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
    revoked: Mapped[int] = mapped_column(default=0, info=ADMINISTRATION)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)


class Invitation(TenantOwned, Base):
    """One invitation: neither when it served nor what for; its address goes when the step ends."""

    __tablename__ = "invitation"
    __table_args__ = (Index("ix_invitation_batch", "batch_id", "used"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=NEVER)
    batch_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("invitation_batch.id", ondelete="CASCADE"), info=NEVER)
    email: Mapped[str | None] = mapped_column(String(254), index=True, info=NEVER)
    digest: Mapped[str | None] = mapped_column(String(64), unique=True, info=NEVER)  # None: its mail is still to write
    reminder_digest: Mapped[str | None] = mapped_column(String(64), unique=True, info=NEVER)  # of the second link
    used: Mapped[bool] = mapped_column(default=False, info=NEVER)
