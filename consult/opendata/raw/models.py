"""The raw exports that were asked for, and what became of each."""

from __future__ import annotations

import datetime as dt
import enum
import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult.accounts.models import Account
from consult.db import ADMINISTRATION, NEVER, Base, TenantOwned


class RawStatus(enum.StrEnum):
    """Life of a raw export; only a ready one has a file, until it expires."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"
    EXPIRED = "expired"


class RawExport(TenantOwned, Base):
    """One encrypted archive; its file stands in the data directory, named by its id.

    The passphrase is kept, sealed, only until the archive is made: then nobody but its reader has it.
    """

    __tablename__ = "raw_export"
    __table_args__ = (
        CheckConstraint("(status = 'waiting') = (passphrase IS NOT NULL)", name="passphrase_is_forgotten"),
        CheckConstraint("(status = 'waiting') = (finished_at IS NULL)", name="end_is_dated"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    status: Mapped[RawStatus] = mapped_column(default=RawStatus.WAITING, info=ADMINISTRATION)
    passphrase: Mapped[str | None] = mapped_column(String(300), info=NEVER)
    requested_by_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL"), info=ADMINISTRATION
    )
    requested_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    finished_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
    expires_at: Mapped[dt.datetime | None] = mapped_column(index=True, info=ADMINISTRATION)
    job_id: Mapped[uuid.UUID | None] = mapped_column(info=ADMINISTRATION)
    rows: Mapped[int] = mapped_column(BigInteger, default=0, info=ADMINISTRATION)
    size: Mapped[int] = mapped_column(BigInteger, default=0, info=ADMINISTRATION)
    # In the state of the database that it holds, as `queries.removal_count` counts.
    removal_count: Mapped[int] = mapped_column(default=0, server_default="0", info=NEVER)
    sha256: Mapped[str] = mapped_column(String(64), default="", info=ADMINISTRATION)
    error: Mapped[str | None] = mapped_column(Text, info=ADMINISTRATION)

    requested_by: Mapped[Account | None] = relationship()
