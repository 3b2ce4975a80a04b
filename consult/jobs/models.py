"""Work to do, as rows: what survives the death of whoever does it."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from consult.db import ADMINISTRATION, NEVER, Base


class JobState(enum.StrEnum):
    """Life of a job; a running one whose lease is over is waiting again in fact."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Job(Base):
    """One piece of work, leased by one worker at a time. Its organisation is plain: a periodic task has none."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint("(state = 'running') = (lease_token IS NOT NULL)", name="running_is_leased"),
        Index("ix_job_due", "state", "run_after"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(index=True, info=NEVER)
    kind: Mapped[str] = mapped_column(String(80), info=ADMINISTRATION)
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict, info=NEVER)
    cursor: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), info=NEVER)
    state: Mapped[JobState] = mapped_column(default=JobState.WAITING, info=ADMINISTRATION)
    attempts: Mapped[int] = mapped_column(default=0, info=ADMINISTRATION)  # since the cursor last moved
    max_attempts: Mapped[int] = mapped_column(default=5, info=ADMINISTRATION)
    run_after: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    lease_until: Mapped[dt.datetime | None] = mapped_column(info=NEVER)
    lease_token: Mapped[uuid.UUID | None] = mapped_column(info=NEVER)
    worker: Mapped[str] = mapped_column(String(80), default="", info=ADMINISTRATION)
    done: Mapped[int] = mapped_column(default=0, info=ADMINISTRATION)
    total: Mapped[int | None] = mapped_column(info=ADMINISTRATION)
    message: Mapped[str] = mapped_column(String(300), default="", info=ADMINISTRATION)
    error: Mapped[str] = mapped_column(Text, default="", info=ADMINISTRATION)  # last one, in French
    unique_key: Mapped[str | None] = mapped_column(String(120), unique=True, info=NEVER)
    created_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    finished_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
