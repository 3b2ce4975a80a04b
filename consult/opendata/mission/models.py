"""The end-of-mission packages that were asked for, and what became of each."""

from __future__ import annotations

import datetime as dt
import enum
import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult.accounts.models import Account
from consult.db import ADMINISTRATION, NEVER, Base, TenantOwned


class MissionStatus(enum.StrEnum):
    """Life of a package; only a ready one has a file."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


class MissionPackage(TenantOwned, Base):
    """One archive; its file stands in the data directory, named by its id, until the next one is ready."""

    __tablename__ = "mission_package"
    __table_args__ = (CheckConstraint("(status = 'waiting') = (finished_at IS NULL)", name="end_is_dated"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    consultation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("consultation.id", ondelete="CASCADE"), index=True, info=ADMINISTRATION
    )
    status: Mapped[MissionStatus] = mapped_column(default=MissionStatus.WAITING, info=ADMINISTRATION)
    requested_by_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL"), info=ADMINISTRATION
    )
    requested_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    finished_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
    job_id: Mapped[uuid.UUID | None] = mapped_column(info=ADMINISTRATION)
    size: Mapped[int] = mapped_column(BigInteger, default=0, info=ADMINISTRATION)
    sha256: Mapped[str] = mapped_column(String(64), default="", info=ADMINISTRATION)
    removals: Mapped[int] = mapped_column(default=0, info=NEVER)  # in the state of the database that it shows
    error: Mapped[str] = mapped_column(Text, default="", info=ADMINISTRATION)

    requested_by: Mapped[Account | None] = relationship()
