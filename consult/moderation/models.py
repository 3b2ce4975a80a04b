"""Reports of citizens and decisions of moderators. A decision is never changed; what undoes it is another decision."""

from __future__ import annotations

import datetime as dt
import enum
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consult.consultations.models import OffHours, Reading
from consult.db import ADMINISTRATION, NEVER, PUBLIC, Base, TenantOwned


class Act(enum.StrEnum):
    """What a moderator decided."""

    HIDE = "hide"
    DISMISS = "dismiss"  # the reports are set aside, the content stays published
    RESTORE = "restore"
    UPHOLD = "uphold"  # contested, examined by another moderator, still hidden
    PUBLISH = "publish"  # read before publication, published
    READ = "read"  # the first of two readings: may be published, if another moderator agrees
    REWORD = "reword"  # hidden until its author says it otherwise, and it is read again
    ESCALATE = "escalate"  # left to an administrator


HIDES = frozenset({Act.HIDE, Act.REWORD})  # what rests on an article of the charter, and can be contested


class Report(TenantOwned, Base):
    """One person's report of one content; `decision_id` is the decision that answered it."""

    __tablename__ = "report"
    __table_args__ = (
        UniqueConstraint("item_type", "item_id", "reporter_key"),
        Index("ix_report_waiting", "organisation_id", "decision_id", "reported_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    consultation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("consultation.id", ondelete="CASCADE"), index=True, info=ADMINISTRATION
    )
    item_type: Mapped[str] = mapped_column(String(40), info=ADMINISTRATION)
    item_id: Mapped[uuid.UUID] = mapped_column(info=ADMINISTRATION)
    reason: Mapped[str] = mapped_column(String(40), info=ADMINISTRATION)
    comment: Mapped[str] = mapped_column(Text, default="", info=ADMINISTRATION)
    reporter_key: Mapped[str] = mapped_column(String(64), info=NEVER)  # digest of the account, or of the form cookie
    reported_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    decision_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("moderation_decision.id"), index=True, info=ADMINISTRATION
    )


class Decision(TenantOwned, Base):
    """One act of moderation, with its ground, the article of the charter and the words sent to the author."""

    __tablename__ = "moderation_decision"
    __table_args__ = (
        CheckConstraint("(act IN ('hide', 'reword')) = (ground IS NOT NULL)", name="hiding_has_a_ground"),
        CheckConstraint("(ground IS NULL) = (article IS NULL)", name="ground_and_article"),
        CheckConstraint("act IN ('dismiss', 'publish', 'read') OR length(message) > 0", name="explained"),
        UniqueConstraint("item_type", "item_id", "number"),  # two moderators at once: the second act has no place
        Index("ix_decision_public", "consultation_id", "act", "decided_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    consultation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("consultation.id", ondelete="CASCADE"), info=PUBLIC)
    item_type: Mapped[str] = mapped_column(String(40), info=PUBLIC)
    item_id: Mapped[uuid.UUID] = mapped_column(info=PUBLIC)
    number: Mapped[int] = mapped_column(info=PUBLIC)  # 1, 2, 3… of this content; the greatest is in force
    act: Mapped[Act] = mapped_column(info=PUBLIC)
    version: Mapped[int | None] = mapped_column(info=ADMINISTRATION)  # of the content, as the moderator read it
    ground: Mapped[str | None] = mapped_column(String(40), info=PUBLIC)
    article: Mapped[int | None] = mapped_column(info=PUBLIC)
    message: Mapped[str] = mapped_column(Text, default="", info=ADMINISTRATION)
    automated: Mapped[bool] = mapped_column(default=False, info=PUBLIC)  # whether a machine took part
    reports: Mapped[int] = mapped_column(default=0, info=PUBLIC)  # handled by this decision
    delay_seconds: Mapped[int | None] = mapped_column(info=PUBLIC)  # since the first of them; None without report
    moderator_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL"), info=ADMINISTRATION
    )
    decided_at: Mapped[dt.datetime] = mapped_column(info=PUBLIC)
    contest_digest: Mapped[str | None] = mapped_column(String(64), unique=True, info=NEVER)
    registry_ref: Mapped[str | None] = mapped_column(String(32), info=PUBLIC)


class Contest(TenantOwned, Base):
    """An author's contestation of a decision, to be examined by somebody else than who took it."""

    __tablename__ = "moderation_contest"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    decision_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("moderation_decision.id", ondelete="CASCADE"), unique=True, info=ADMINISTRATION
    )
    statement: Mapped[str] = mapped_column(Text, default="", info=ADMINISTRATION)
    contested_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    answer_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("moderation_decision.id", ondelete="CASCADE"), index=True, info=ADMINISTRATION
    )


class ReadingChange(TenantOwned, Base):
    """A change, after the opening, of when the texts of a step are read: everybody may know it."""

    __tablename__ = "reading_change"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    consultation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("consultation.id", ondelete="CASCADE"), index=True, info=PUBLIC
    )
    step_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("step.id", ondelete="CASCADE"), info=PUBLIC)
    reading: Mapped[Reading] = mapped_column(info=PUBLIC)
    off_hours: Mapped[OffHours] = mapped_column(info=PUBLIC)
    charter: Mapped[str] = mapped_column(Text, default="", info=PUBLIC)
    changed_at: Mapped[dt.datetime] = mapped_column(index=True, info=PUBLIC)
    registry_ref: Mapped[str] = mapped_column(String(32), info=PUBLIC)
