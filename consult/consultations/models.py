"""A consultation and its dated steps."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult.db import ADMINISTRATION, PUBLIC, Base, TenantOwned


class ConsultationStatus(enum.StrEnum):
    """Where the organiser has brought it; `policy.py` says what the dates then make of it."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"


class ContentStatus(enum.StrEnum):
    """State of a content; the conservation equation counts exactly these."""

    PENDING = "pending"
    PUBLISHED = "published"
    HIDDEN = "hidden"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"


class Origin(enum.StrEnum):
    """How a content came in; figures of different origins are never summed silently."""

    LIVE = "live"
    IMPORTED = "imported"
    OFFLINE = "offline"
    TEST = "test"


class Reading(enum.StrEnum):
    """When the moderators read what is written in a step."""

    AFTER = "a_posteriori"  # published at once, read when somebody reports it
    BEFORE = "a_priori"  # published once a moderator has read it
    TWICE = "divisive"  # « clivant »: published once two moderators have read it


class OffHours(enum.StrEnum):
    """What becomes of texts sent at night or in the week-end to a step that is read twice."""

    QUEUE = "queue"  # they wait
    CLOSE = "close"  # they are refused until the moderators are back


class Consultation(TenantOwned, Base):
    """A consultation: public once opened, read for ever once closed."""

    __tablename__ = "consultation"
    __table_args__ = (
        UniqueConstraint("organisation_id", "slug"),
        CheckConstraint("closes_at > opens_at", name="closes_after_it_opens"),
        CheckConstraint("(status = 'draft') = (opened_at IS NULL)", name="opening_is_dated"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    slug: Mapped[str] = mapped_column(String(80), info=PUBLIC)
    title: Mapped[str] = mapped_column(String(200), info=PUBLIC)
    summary: Mapped[str] = mapped_column(String(500), default="", info=PUBLIC)
    description: Mapped[str] = mapped_column(Text, default="", info=PUBLIC)  # sanitised HTML
    outcome: Mapped[str] = mapped_column(Text, default="", info=PUBLIC)  # what will be done with it: sanitised HTML
    status: Mapped[ConsultationStatus] = mapped_column(default=ConsultationStatus.DRAFT, index=True, info=PUBLIC)
    opens_at: Mapped[dt.datetime] = mapped_column(info=PUBLIC)
    closes_at: Mapped[dt.datetime] = mapped_column(info=PUBLIC)
    opened_at: Mapped[dt.datetime | None] = mapped_column(info=PUBLIC)
    closed_at: Mapped[dt.datetime | None] = mapped_column(info=PUBLIC)
    rules_digest: Mapped[str | None] = mapped_column(String(64), info=PUBLIC)  # frozen at opening
    minimum_age: Mapped[int | None] = mapped_column(info=PUBLIC)  # to declare before taking part: see age/policy.py
    parental_consent: Mapped[bool] = mapped_column(default=False, server_default=false(), info=PUBLIC)
    fictional: Mapped[bool] = mapped_column(default=False, info=PUBLIC)
    created_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)

    steps: Mapped[list[Step]] = relationship(
        back_populates="consultation", order_by="Step.position", cascade="all, delete-orphan"
    )

    @property
    def ends_at(self) -> dt.datetime:
        """When it ended, or will as planned: it may be closed before."""
        return self.closed_at or self.closes_at


class StepFigures(TenantOwned, Base):
    """The public counts of a step, as they stand at `RegistryLog.counted_size`."""

    __tablename__ = "step_figures"

    step_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("step.id", ondelete="CASCADE"), primary_key=True, info=PUBLIC)
    counts: Mapped[dict[str, Any]] = mapped_column(info=PUBLIC)


class Step(TenantOwned, Base):
    """One dated stage of a consultation, of a registered kind."""

    __tablename__ = "step"
    __table_args__ = (
        UniqueConstraint("consultation_id", "slug"),
        CheckConstraint("closes_at > opens_at", name="closes_after_it_opens"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    consultation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("consultation.id", ondelete="CASCADE"), index=True, info=PUBLIC
    )
    slug: Mapped[str] = mapped_column(String(80), info=PUBLIC)
    kind: Mapped[str] = mapped_column(String(40), info=PUBLIC)
    title: Mapped[str] = mapped_column(String(200), info=PUBLIC)
    introduction: Mapped[str] = mapped_column(Text, default="", info=PUBLIC)  # sanitised HTML
    position: Mapped[int] = mapped_column(info=PUBLIC)
    opens_at: Mapped[dt.datetime] = mapped_column(info=PUBLIC)
    closes_at: Mapped[dt.datetime] = mapped_column(info=PUBLIC)
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict, info=PUBLIC)
    order_seed: Mapped[str] = mapped_column(String(32), info=PUBLIC)  # published: the random order can be replayed
    reading: Mapped[Reading] = mapped_column(default=Reading.AFTER, server_default=Reading.AFTER.value, info=PUBLIC)
    off_hours: Mapped[OffHours] = mapped_column(
        default=OffHours.QUEUE, server_default=OffHours.QUEUE.value, info=PUBLIC
    )
    charter: Mapped[str] = mapped_column(
        Text, default="", server_default=text("''"), info=PUBLIC
    )  # of its own: plain text

    consultation: Mapped[Consultation] = relationship(back_populates="steps")

    @property
    def ends_at(self) -> dt.datetime:
        """When it ended, or will as planned: closing the consultation ends the steps that are open."""
        closed = self.consultation.closed_at
        return closed if closed and self.opens_at < closed < self.closes_at else self.closes_at
