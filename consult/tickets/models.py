"""Tickets, their clocks, their history, which never changes, and what is said and sent about them."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult.db import ADMINISTRATION, NEVER, PUBLIC, Base, TenantOwned
from consult.immutable import refuse_changes
from consult.seam import service_levels


class Kind(enum.StrEnum):
    """What is asked."""

    ANOMALY = "anomaly"
    ACCESSIBILITY = "accessibility"
    ASSISTANCE = "assistance"


class Side(enum.StrEnum):
    """Who acts on a ticket, towards whom."""

    ADMINISTRATION = "administration"
    CONTRACTOR = "contractor"  # who runs the platform
    REQUESTER = "requester"  # who asked for help
    SYSTEM = "system"


class EventKind(enum.StrEnum):
    """What happens to a ticket."""

    OPENED = "opened"
    SEVERITY = "severity"
    REACHED = "reached"  # a milestone
    TAKEN_BACK = "taken_back"  # a milestone that was not, after all
    MESSAGE = "message"
    FILE = "file"
    EXPLAINED = "explained"  # cause, release
    ALERTED = "alerted"
    CLOSED = "closed"
    REOPENED = "reopened"
    PUBLISHED = "published"  # what the status page says of it


class TicketEvent(TenantOwned, Base):
    """One line of the history of a ticket. The database refuses to change or to remove it.

    The account is plain: nothing may change here, not even when an account goes. `detail` holds no words of the public.
    """

    __tablename__ = "ticket_event"
    __table_args__ = (UniqueConstraint("ticket_id", "number"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    ticket_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("ticket.id"), info=ADMINISTRATION)
    number: Mapped[int] = mapped_column(info=ADMINISTRATION)
    at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    kind: Mapped[EventKind] = mapped_column(info=ADMINISTRATION)
    side: Mapped[Side] = mapped_column(info=ADMINISTRATION)
    account_id: Mapped[uuid.UUID | None] = mapped_column(info=NEVER)
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict, info=ADMINISTRATION)


class TicketClock(TenantOwned, Base):
    """One delay as it follows from the history: kept so that lists and alerts find it without reading all of it."""

    __tablename__ = "ticket_clock"
    __table_args__ = (
        UniqueConstraint("ticket_id", "milestone"),
        Index(
            "ix_ticket_clock_alert_at",
            "alert_at",
            sqlite_where=text("alert_at IS NOT NULL"),
            postgresql_where=text("alert_at IS NOT NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    ticket_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), info=ADMINISTRATION)
    milestone: Mapped[service_levels.Milestone] = mapped_column(info=ADMINISTRATION)
    deadline: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    reached_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
    alert: Mapped[int] = mapped_column(default=0, info=ADMINISTRATION)  # the last share of the delay that was told
    alert_at: Mapped[dt.datetime | None] = mapped_column(info=NEVER)  # when the next one is to be


class TicketMessage(TenantOwned, Base):
    """What somebody says about a ticket."""

    __tablename__ = "ticket_message"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    ticket_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("ticket.id", ondelete="CASCADE"), index=True, info=ADMINISTRATION
    )
    said_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    side: Mapped[Side] = mapped_column(info=ADMINISTRATION)
    author_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL"), info=ADMINISTRATION
    )
    body: Mapped[str] = mapped_column(Text, info=ADMINISTRATION)


class TicketFile(TenantOwned, Base):
    """A picture, written again, or a text, sent with a ticket."""

    __tablename__ = "ticket_file"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    ticket_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("ticket.id", ondelete="CASCADE"), index=True, info=ADMINISTRATION
    )
    sent_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    sender_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL"), info=ADMINISTRATION
    )
    name: Mapped[str] = mapped_column(String(120), info=ADMINISTRATION)
    media_type: Mapped[str] = mapped_column(String(40), info=ADMINISTRATION)
    digest: Mapped[str] = mapped_column(String(64), info=ADMINISTRATION)  # SHA-256 of the content
    size: Mapped[int] = mapped_column(info=ADMINISTRATION)
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True, info=NEVER)


class Ticket(TenantOwned, Base):
    """One request. T0 is when it was reported: neither it nor the number ever changes, the database sees to it.

    Severity, closing, cause and release follow from the history; they are kept here for lists.
    """

    __tablename__ = "ticket"
    __table_args__ = (
        UniqueConstraint("organisation_id", "number"),
        CheckConstraint("severity IS NULL OR kind = 'anomaly'", name="anomalies_alone_are_severe"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    number: Mapped[int] = mapped_column(info=ADMINISTRATION)  # within the organisation
    kind: Mapped[Kind] = mapped_column(info=ADMINISTRATION)
    t0: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    title: Mapped[str] = mapped_column(String(200), info=ADMINISTRATION)
    body: Mapped[str] = mapped_column(Text, info=ADMINISTRATION)
    reported_by_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL"), info=ADMINISTRATION
    )
    severity: Mapped[service_levels.Severity | None] = mapped_column(info=ADMINISTRATION)
    closed_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
    cause: Mapped[str] = mapped_column(String(200), default="", info=ADMINISTRATION)
    release: Mapped[str] = mapped_column(String(200), default="", info=ADMINISTRATION)  # that mends it
    # What the status page says of it; empty: nothing.
    public_words: Mapped[str] = mapped_column(Text, default="", server_default=text("''"), info=PUBLIC)

    events: Mapped[list[TicketEvent]] = relationship(order_by=TicketEvent.number)
    clocks: Mapped[list[TicketClock]] = relationship(cascade="all, delete-orphan", lazy="selectin")
    messages: Mapped[list[TicketMessage]] = relationship(order_by=(TicketMessage.said_at, TicketMessage.id))
    files: Mapped[list[TicketFile]] = relationship(order_by=(TicketFile.sent_at, TicketFile.id))


refuse_changes(Ticket, columns=("number", "kind", "t0"), keep_days=None)
refuse_changes(TicketEvent, keep_days=None)
