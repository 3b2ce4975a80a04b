"""Batches of imported rows, and every row that could not be."""

from __future__ import annotations

import datetime as dt
import enum
import uuid

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from consult.db import ADMINISTRATION, NEVER, Base, TenantOwned, owner


class BatchStatus(enum.StrEnum):
    """Life of a batch: `stopped` keeps what was committed and why the rest could not be read."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    UNDOING = "undoing"
    UNDONE = "undone"


class ImportBatch(TenantOwned, Base):
    """One file imported into one step. read = added + completed + existing + empty + rejected, at any moment."""

    __tablename__ = "import_batch"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    consultation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("consultation.id", ondelete="CASCADE"), index=True, info=ADMINISTRATION
    )
    step_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("step.id", ondelete="CASCADE"), index=True, info=ADMINISTRATION
    )
    target: Mapped[str] = mapped_column(String(20), info=ADMINISTRATION)
    file_name: Mapped[str] = mapped_column(String(255), info=ADMINISTRATION)
    file_sha256: Mapped[str] = mapped_column(String(64), info=ADMINISTRATION)
    mapping: Mapped[str] = mapped_column(Text, info=ADMINISTRATION)  # the YAML, as it was applied
    notes: Mapped[list[str]] = mapped_column(default=list, info=ADMINISTRATION)  # what was guessed of the file
    status: Mapped[BatchStatus] = mapped_column(default=BatchStatus.RUNNING, info=ADMINISTRATION)
    stopped_because: Mapped[str] = mapped_column(Text, default="", info=ADMINISTRATION)
    actor_id: Mapped[uuid.UUID | None] = mapped_column(info=ADMINISTRATION)  # None: the command line
    started_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    finished_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
    last_line: Mapped[int] = mapped_column(default=0, info=ADMINISTRATION)
    rows_read: Mapped[int] = mapped_column(default=0, info=ADMINISTRATION)
    rows_added: Mapped[int] = mapped_column(default=0, info=ADMINISTRATION)
    rows_completed: Mapped[int] = mapped_column(default=0, info=ADMINISTRATION)  # an answer more on a known reply
    rows_existing: Mapped[int] = mapped_column(default=0, info=ADMINISTRATION)
    rows_empty: Mapped[int] = mapped_column(default=0, info=ADMINISTRATION)  # nothing in them to import
    rows_rejected: Mapped[int] = mapped_column(default=0, info=ADMINISTRATION)
    # Contents put in the queue of moderation, their text seeming to hold personal data; None until they are read.
    flagged: Mapped[int | None] = mapped_column(info=ADMINISTRATION)


class RejectedRow(TenantOwned, Base):
    """A row that was not imported, with the reason, so that somebody may mend it."""

    __tablename__ = "rejected_row"
    __table_args__ = (Index("ix_rejected_row_listed", "batch_id", "id"),)

    organisation_id: Mapped[uuid.UUID] = owner()
    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True, info=NEVER
    )
    batch_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("import_batch.id", ondelete="CASCADE"), info=ADMINISTRATION)
    line: Mapped[int] = mapped_column(info=ADMINISTRATION)
    reason: Mapped[str] = mapped_column(String(500), info=ADMINISTRATION)
    raw: Mapped[str] = mapped_column(Text, info=ADMINISTRATION)  # the row as JSON, shortened
