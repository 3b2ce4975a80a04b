"""Questions of a questionnaire step, and the replies given to it."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult.consultations.models import ContentStatus, Origin
from consult.db import ADMINISTRATION, NEVER, PUBLIC, Base, TenantOwned, owner


class AnswerVisibility(enum.StrEnum):
    """Declared by the organiser for each question, shown to the person who answers."""

    ROWS = "rows"
    AGGREGATES = "aggregates"
    ADMINISTRATION = "administration"


class OptionKind(enum.StrEnum):
    """`other` asks for a text; `exclusive` (« aucune de ces réponses ») goes with no other; `row` is one of a table."""

    NORMAL = "normal"
    OTHER = "other"
    EXCLUSIVE = "exclusive"
    ROW = "row"


class Question(TenantOwned, Base):
    """One question of a questionnaire step."""

    __tablename__ = "question"
    __table_args__ = (UniqueConstraint("step_id", "position"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    step_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("step.id", ondelete="CASCADE"), index=True, info=PUBLIC)
    position: Mapped[int] = mapped_column(info=PUBLIC)
    page: Mapped[int] = mapped_column(default=1, info=PUBLIC)
    kind: Mapped[str] = mapped_column(String(40), info=PUBLIC)  # see `kinds`
    wording: Mapped[str] = mapped_column(Text, info=PUBLIC)
    help: Mapped[str] = mapped_column(Text, default="", info=PUBLIC)
    required: Mapped[bool] = mapped_column(default=False, info=PUBLIC)
    visibility: Mapped[AnswerVisibility] = mapped_column(default=AnswerVisibility.ROWS, info=PUBLIC)
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict, info=PUBLIC)  # what its kind keeps
    # Of its text: 1, then one more for each correction once the consultation is open.
    version: Mapped[int] = mapped_column(default=1, server_default="1", info=PUBLIC)

    options: Mapped[list[QuestionOption]] = relationship(
        order_by="QuestionOption.position", cascade="all, delete-orphan"
    )


class QuestionOption(TenantOwned, Base):
    """One option of a closed question."""

    __tablename__ = "question_option"
    __table_args__ = (UniqueConstraint("question_id", "position"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    question_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("question.id", ondelete="CASCADE"), info=PUBLIC)
    position: Mapped[int] = mapped_column(info=PUBLIC)
    label: Mapped[str] = mapped_column(String(500), info=PUBLIC)
    kind: Mapped[OptionKind] = mapped_column(default=OptionKind.NORMAL, info=PUBLIC)

    picture: Mapped[OptionPicture | None] = relationship(
        lazy="joined", cascade="all, delete-orphan", passive_deletes=True
    )


class OptionPicture(TenantOwned, Base):
    """What an option shows, and the words for those who do not see it; served from an address that holds the digest."""

    __tablename__ = "option_picture"
    __table_args__ = (CheckConstraint("alt <> ''", name="said_in_words"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    option_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("question_option.id", ondelete="CASCADE"), unique=True, info=PUBLIC
    )
    alt: Mapped[str] = mapped_column(String(250), info=PUBLIC)
    digest: Mapped[str] = mapped_column(String(64), info=PUBLIC)  # SHA-256 of the content
    width: Mapped[int] = mapped_column(info=PUBLIC)
    height: Mapped[int] = mapped_column(info=PUBLIC)
    # Seen at its address by whoever may read the consultation; rows, exports and lists do without.
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True, info=NEVER)


class QuestionVersion(TenantOwned, Base):
    """What a question said before it was corrected."""

    __tablename__ = "question_version"
    __table_args__ = (UniqueConstraint("question_id", "number"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    question_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("question.id", ondelete="CASCADE"), info=PUBLIC)
    number: Mapped[int] = mapped_column(info=PUBLIC)
    wording: Mapped[str] = mapped_column(Text, info=PUBLIC)
    help: Mapped[str] = mapped_column(Text, info=PUBLIC)
    ended_at: Mapped[dt.datetime] = mapped_column(info=PUBLIC)


class PublishedTotal(TenantOwned, Base):
    """The totals of one question as they were published; every one stays, to be compared with what would follow."""

    __tablename__ = "published_total"
    __table_args__ = (UniqueConstraint("question_id", "origin", "number"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    question_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("question.id", ondelete="CASCADE"), info=PUBLIC)
    origin: Mapped[Origin] = mapped_column(info=PUBLIC)
    number: Mapped[int] = mapped_column(info=PUBLIC)  # 1, 2, 3…; the greatest is in force
    as_of: Mapped[dt.datetime] = mapped_column(info=PUBLIC)
    answered: Mapped[int] = mapped_column(info=PUBLIC)
    counts: Mapped[dict[str, Any]] = mapped_column(info=PUBLIC)  # option id -> people, or null: see disclosure.py

    question: Mapped[Question] = relationship()


_HELD_BY_CODE = text("edit_key IS NOT NULL")
_AWAITING = text("status_reason = 'awaiting'")  # few: moderators read them


class Reply(TenantOwned, Base):
    """One reply to a questionnaire step: of an account, or of whoever holds its code.

    An anonymous one came out of a `ReplyUrn`: it tells no instant, only the day of its batch.
    """

    __tablename__ = "reply"
    __table_args__ = (
        UniqueConstraint("step_id", "account_id"),
        UniqueConstraint("step_id", "external_ref"),
        CheckConstraint("(status = 'hidden') = (status_reason IS NOT NULL)", name="hiding_is_motivated"),
        CheckConstraint("account_id IS NULL OR edit_key IS NULL", name="code_names_nobody"),
        CheckConstraint("batch_ref IS NULL OR edit_key IS NOT NULL", name="batch_comes_with_codes"),
        Index(
            "ix_reply_edit_key",
            *("edit_key", "step_id"),
            unique=True,
            sqlite_where=_HELD_BY_CODE,
            postgresql_where=_HELD_BY_CODE,
        ),
        Index("ix_reply_listed", "step_id", "status", "id"),
        Index("ix_reply_public", "consultation_id", "status", "id"),
        Index("ix_reply_held", "consultation_id", "edited_at", sqlite_where=_AWAITING, postgresql_where=_AWAITING),
        Index("ix_reply_census", "consultation_id", "origin", "status"),
    )

    organisation_id: Mapped[uuid.UUID] = owner()
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    consultation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("consultation.id", ondelete="CASCADE"), info=PUBLIC)
    step_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("step.id", ondelete="CASCADE"), info=PUBLIC)
    account_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL"), index=True, info=NEVER
    )
    status: Mapped[ContentStatus] = mapped_column(default=ContentStatus.PUBLISHED, info=PUBLIC)
    status_reason: Mapped[str | None] = mapped_column(String(40), info=PUBLIC)
    origin: Mapped[Origin] = mapped_column(default=Origin.LIVE, info=PUBLIC)
    import_batch_id: Mapped[uuid.UUID | None] = mapped_column(index=True, info=ADMINISTRATION)
    external_ref: Mapped[str | None] = mapped_column(String(120), info=ADMINISTRATION)
    registry_ref: Mapped[str | None] = mapped_column(String(32), info=PUBLIC)
    received_on: Mapped[dt.date] = mapped_column(info=PUBLIC)  # a day, not an instant
    received_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    edited_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
    version: Mapped[int] = mapped_column(default=1, info=PUBLIC)
    # Of anonymous replies alone: the entry of the batch, and what the commitment of these answers in it was salted
    # with, as long as they stand. Of those tied to no account, anonymous or not: what knows again the code of each.
    batch_ref: Mapped[str | None] = mapped_column(String(32), info=PUBLIC)
    batch_salt: Mapped[str | None] = mapped_column(String(64), info=PUBLIC)
    edit_key: Mapped[str | None] = mapped_column(String(64), info=NEVER)

    answers: Mapped[list[Answer]] = relationship(cascade="all, delete-orphan", passive_deletes=True)


class Answer(TenantOwned, Base):
    """What one reply says to one question; no row where nothing was answered."""

    __tablename__ = "answer"
    __table_args__ = (UniqueConstraint("reply_id", "question_id"),)

    organisation_id: Mapped[uuid.UUID] = owner()
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=NEVER)
    reply_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("reply.id", ondelete="CASCADE"), info=PUBLIC)
    question_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("question.id", ondelete="CASCADE"), index=True, info=PUBLIC
    )
    text: Mapped[str | None] = mapped_column(Text, info=PUBLIC)
    options: Mapped[list[str]] = mapped_column(default=list, info=PUBLIC)  # keys: see kinds.base.Given
    other: Mapped[str | None] = mapped_column(Text, info=PUBLIC)  # the text of an « autre » option
    import_batch_id: Mapped[uuid.UUID | None] = mapped_column(info=ADMINISTRATION)  # a later file may complete a reply


class ReplyDraft(TenantOwned, Base):
    """Answers not sent yet: of an account, or of a browser whose form cookie holds the token of `holder_digest`."""

    __tablename__ = "reply_draft"
    __table_args__ = (
        UniqueConstraint("step_id", "account_id"),
        UniqueConstraint("step_id", "holder_digest"),
        CheckConstraint("(account_id IS NULL) <> (holder_digest IS NULL)", name="one_holder"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=NEVER)
    step_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("step.id", ondelete="CASCADE"), info=NEVER)
    account_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True, info=NEVER
    )
    holder_digest: Mapped[str | None] = mapped_column(String(64), index=True, info=NEVER)
    address_key: Mapped[str | None] = mapped_column(String(64), index=True, info=NEVER)  # see security.address_key
    size: Mapped[int] = mapped_column(info=NEVER)  # bytes of the answers, by which visitors are bounded
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict, info=NEVER)  # question id -> what was typed
    updated_at: Mapped[dt.datetime] = mapped_column(index=True, info=NEVER)


class HasReplied(TenantOwned, Base):
    """That an account gave its reply to an anonymous step: neither which, nor when, nor in which order.

    Its rows have no number of their own: SQLite keeps them in the order of accounts.
    """

    __tablename__ = "has_replied"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  # SQLAlchemy's

    organisation_id: Mapped[uuid.UUID] = owner()
    step_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("step.id", ondelete="CASCADE"), primary_key=True, info=NEVER)
    account_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, index=True, info=NEVER
    )


class UrnKind(enum.StrEnum):
    """What an urn gathers: replies to come, or what their authors change in those that came out."""

    REPLIES = "replies"
    CHANGES = "changes"


class ReplyUrn(TenantOwned, Base):
    """Anonymous replies between their sending and their batch: one row for all of them, sealed, in a drawn order.

    Each that comes in has the whole row written again: nothing tells one from the others, nor when it came.
    """

    __tablename__ = "reply_urn"
    __table_args__ = (
        UniqueConstraint("step_id", "kind", "open"),
        CheckConstraint("open IS NULL OR open", name="open_or_null"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=NEVER)
    step_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("step.id", ondelete="CASCADE"), info=NEVER)
    kind: Mapped[UrnKind] = mapped_column(info=NEVER)
    open: Mapped[bool | None] = mapped_column(info=NEVER)  # null once full or lost: a step fills one of a kind
    count: Mapped[int] = mapped_column(info=NEVER)
    sealed: Mapped[str] = mapped_column(Text, info=NEVER)  # reply id -> its key and its answers: see anonymous/urns.py
