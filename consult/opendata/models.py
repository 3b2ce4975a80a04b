"""The dumps made of each consultation, and of all those of an organisation."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from consult.db import ADMINISTRATION, NEVER, PUBLIC, Base, TenantOwned


class DumpStatus(enum.StrEnum):
    """Life of a dump; only a done one is ever served."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class Dump(TenantOwned, Base):
    """One dump, of a consultation or of all those of its organisation (`consultation_id` null).

    Its files stand in a folder of the data directory named by its id.
    """

    __tablename__ = "dump"
    __table_args__ = (
        CheckConstraint("(status = 'waiting') = (finished_at IS NULL)", name="end_is_dated"),
        Index("ix_dump_latest", "consultation_id", "status", "finished_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    consultation_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("consultation.id", ondelete="CASCADE"), info=PUBLIC
    )
    status: Mapped[DumpStatus] = mapped_column(default=DumpStatus.WAITING, info=PUBLIC)
    requested_at: Mapped[dt.datetime] = mapped_column(info=PUBLIC)
    finished_at: Mapped[dt.datetime | None] = mapped_column(info=PUBLIC)
    position: Mapped[int | None] = mapped_column(BigInteger, info=PUBLIC)  # in the log, of what the files show
    # Of the registry, in the state of the database that the files show: what is taken away after is still in them.
    last_entry: Mapped[int] = mapped_column(BigInteger, default=0, info=NEVER)
    removals: Mapped[int] = mapped_column(default=0, info=NEVER)
    job_id: Mapped[uuid.UUID | None] = mapped_column(info=ADMINISTRATION)
    files: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list, info=PUBLIC)  # as in the manifest
    error: Mapped[str | None] = mapped_column(Text, info=ADMINISTRATION)
