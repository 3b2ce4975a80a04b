"""Official answers, commitments and cases: drafted, published, corrected in the open, taken back with a reason."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from consult.clock import hour, written
from consult.db import ADMINISTRATION, PUBLIC, Base, TenantOwned


class Status(enum.StrEnum):
    """Where what the administration says stands."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class TargetType(enum.StrEnum):
    """What an official answer is about."""

    CONTRIBUTION = "contribution"
    THEME = "theme"
    STEP = "step"
    CONSULTATION = "consultation"


class Outcome(enum.StrEnum):
    """What an official answer makes of what it answers."""

    UNDER_STUDY = "under_study"
    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly_accepted"
    DECLINED = "declined"


class Stage(enum.StrEnum):
    """How far a commitment has come."""

    PLANNED = "planned"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    ABANDONED = "abandoned"


class Said(TenantOwned):
    """What the three have in common. `name` is the key under which the public log names one.

    The `facts` of each are what it says, JSON-able: open data show them, the log holds their digest, each former
    version keeps them.
    """

    name: ClassVar[str]

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    status: Mapped[Status] = mapped_column(default=Status.DRAFT, info=PUBLIC)
    version: Mapped[int] = mapped_column(default=1, info=PUBLIC)
    # How many times it was written, drafts included: what a form must have read to be saved.
    edits: Mapped[int] = mapped_column(default=0, server_default="0", info=ADMINISTRATION)
    created_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    published_at: Mapped[dt.datetime | None] = mapped_column(info=PUBLIC)
    edited_at: Mapped[dt.datetime | None] = mapped_column(info=PUBLIC)
    withdrawn_at: Mapped[dt.datetime | None] = mapped_column(info=PUBLIC)
    withdrawal_reason: Mapped[str | None] = mapped_column(Text, info=PUBLIC)
    registry_ref: Mapped[str | None] = mapped_column(String(32), info=PUBLIC)

    @declared_attr
    def consultation_id(cls) -> Mapped[uuid.UUID]:  # noqa: N805  # as SQLAlchemy declares mixin columns
        return mapped_column(ForeignKey("consultation.id", ondelete="CASCADE"), index=True, info=PUBLIC)

    @declared_attr
    def author_id(cls) -> Mapped[uuid.UUID | None]:  # noqa: N805
        return mapped_column(ForeignKey("account.id", ondelete="SET NULL"), info=ADMINISTRATION)


def _states() -> tuple[CheckConstraint, ...]:
    """A constraint belongs to one table."""
    return (
        CheckConstraint("(status = 'draft') = (published_at IS NULL)", name="publication_is_dated"),
        CheckConstraint("(status = 'withdrawn') = (withdrawn_at IS NOT NULL)", name="withdrawal_is_dated"),
        CheckConstraint("(status = 'withdrawn') = (withdrawal_reason IS NOT NULL)", name="withdrawal_is_motivated"),
    )


_STANDING = text("status <> 'withdrawn'")


class OfficialAnswer(Said, Base):
    """The administration's answer to a contribution, a theme, a step or a whole consultation."""

    __tablename__ = "official_answer"
    __table_args__ = (
        *_states(),
        # One answer stands to each: another one would contradict it.
        Index(
            "uq_official_answer_target", "target_id", unique=True, sqlite_where=_STANDING, postgresql_where=_STANDING
        ),
    )
    name: ClassVar[str] = "answer"

    target_type: Mapped[TargetType] = mapped_column(info=PUBLIC)
    target_id: Mapped[uuid.UUID] = mapped_column(info=PUBLIC)
    outcome: Mapped[Outcome] = mapped_column(info=PUBLIC)
    authority: Mapped[str] = mapped_column(String(200), info=PUBLIC)  # in whose name
    body: Mapped[str] = mapped_column(Text, info=PUBLIC)

    def facts(self) -> dict[str, Any]:
        """What it answers, how, in whose name and why."""
        return {
            "target_type": self.target_type.value,
            "target": str(self.target_id),
            "outcome": self.outcome.value,
            "authority": self.authority,
            "body": self.body,
        }


class CommitmentLink(TenantOwned, Base):
    """An official answer or a contribution that a commitment follows."""

    __tablename__ = "commitment_link"
    __table_args__ = (UniqueConstraint("commitment_id", "target_id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    commitment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("commitment.id", ondelete="CASCADE"), info=PUBLIC)
    target_id: Mapped[uuid.UUID] = mapped_column(index=True, info=PUBLIC)
    target_type: Mapped[str] = mapped_column(String(20), info=PUBLIC)  # answer, contribution


class CommitmentUpdate(TenantOwned, Base):
    """A dated public word on how far a commitment has come."""

    __tablename__ = "commitment_update"
    __table_args__ = (UniqueConstraint("commitment_id", "number"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    commitment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("commitment.id", ondelete="CASCADE"), info=PUBLIC)
    number: Mapped[int] = mapped_column(info=PUBLIC)
    stage: Mapped[Stage] = mapped_column(info=PUBLIC)
    body: Mapped[str] = mapped_column(Text, info=PUBLIC)
    published_at: Mapped[dt.datetime] = mapped_column(info=PUBLIC)


class Commitment(Said, Base):
    """What an administration says it will do, by when, and who is in charge."""

    __tablename__ = "commitment"
    __table_args__ = (*_states(), Index("ix_commitment_due", "status", "due_on"))
    name: ClassVar[str] = "commitment"

    title: Mapped[str] = mapped_column(String(200), info=PUBLIC)
    body: Mapped[str] = mapped_column(Text, info=PUBLIC)
    owner: Mapped[str] = mapped_column(String(200), info=PUBLIC)  # the administration in charge
    stage: Mapped[Stage] = mapped_column(default=Stage.PLANNED, info=PUBLIC)
    due_on: Mapped[dt.date | None] = mapped_column(info=PUBLIC)
    link: Mapped[str] = mapped_column(String(500), default="", info=PUBLIC)
    reminded_for: Mapped[dt.date | None] = mapped_column(info=ADMINISTRATION)  # the due date that staff were told of

    links: Mapped[list[CommitmentLink]] = relationship(
        order_by=CommitmentLink.target_id, cascade="all, delete-orphan", lazy="selectin"
    )
    updates: Mapped[list[CommitmentUpdate]] = relationship(
        order_by=CommitmentUpdate.number, cascade="all, delete-orphan", lazy="selectin"
    )

    def linked(self, target_type: str) -> list[str]:
        """The ids of the answers, or contributions, that it follows."""
        return sorted(str(each.target_id) for each in self.links if each.target_type == target_type)

    def facts(self) -> dict[str, Any]:
        """All that its page says."""
        return {
            "title": self.title,
            "body": self.body,
            "owner": self.owner,
            "stage": self.stage.value,
            "due_on": self.due_on.isoformat() if self.due_on else None,
            "link": self.link,
            "answers": self.linked("answer"),
            "contributions": self.linked("contribution"),
            "updates": [
                {"stage": each.stage.value, "body": each.body, "published_at": written(hour(each.published_at))}
                for each in self.updates
            ],
        }


class UseCase(Said, Base):
    """A consultation told as an example; its figures are those of the consultation, never typed."""

    __tablename__ = "use_case"
    __table_args__ = (*_states(), CheckConstraint("ends_on >= starts_on", name="ends_after_it_starts"))
    name: ClassVar[str] = "case"

    title: Mapped[str] = mapped_column(String(200), info=PUBLIC)
    partner: Mapped[str] = mapped_column(String(200), info=PUBLIC)
    theme: Mapped[str] = mapped_column(String(100), info=PUBLIC)
    summary: Mapped[str] = mapped_column(Text, info=PUBLIC)
    starts_on: Mapped[dt.date] = mapped_column(info=PUBLIC)
    ends_on: Mapped[dt.date] = mapped_column(info=PUBLIC)
    result_link: Mapped[str] = mapped_column(String(500), default="", info=PUBLIC)
    licence: Mapped[str] = mapped_column(String(40), info=PUBLIC)

    def facts(self) -> dict[str, Any]:
        """What was typed of it."""
        return {
            "title": self.title,
            "partner": self.partner,
            "theme": self.theme,
            "summary": self.summary,
            "starts_on": self.starts_on.isoformat(),
            "ends_on": self.ends_on.isoformat(),
            "result_link": self.result_link,
            "licence": self.licence,
        }


class FormerVersion(TenantOwned, Base):
    """What one of them said before a correction."""

    __tablename__ = "followup_version"
    __table_args__ = (UniqueConstraint("item_id", "version"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    consultation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("consultation.id", ondelete="CASCADE"), index=True, info=PUBLIC
    )
    item_id: Mapped[uuid.UUID] = mapped_column(info=PUBLIC)
    version: Mapped[int] = mapped_column(info=PUBLIC)
    facts: Mapped[dict[str, Any]] = mapped_column(info=PUBLIC)
    replaced_at: Mapped[dt.datetime] = mapped_column(info=PUBLIC)
