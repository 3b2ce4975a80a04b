"""Who asked for help, and where the answers go; what is said is in the ticket."""

from __future__ import annotations

import datetime as dt
import enum
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from consult.db import ADMINISTRATION, NEVER, Base, TenantOwned


class Topic(enum.StrEnum):
    """What help is asked about."""

    ACCOUNT = "account"
    TAKING_PART = "taking_part"
    VOTE = "vote"
    DATA = "data"
    ACCESSIBILITY = "accessibility"
    OTHER = "other"


class HelpRequest(TenantOwned, Base):
    """One request of an account, or of a visitor known by an address. Its ticket opens once the address is confirmed.

    The link of its page is made from its id and the secret of the settings: no copy of the database opens it.
    """

    __tablename__ = "help_request"
    __table_args__ = (
        CheckConstraint("(account_id IS NULL) <> (email IS NULL)", name="one_person"),
        CheckConstraint("(ticket_id IS NULL) <> (body = '')", name="said_in_the_ticket"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    account_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True, info=NEVER
    )
    email: Mapped[str | None] = mapped_column(String(254), index=True, info=NEVER)  # of a visitor
    topic: Mapped[Topic] = mapped_column(info=ADMINISTRATION)
    body: Mapped[str] = mapped_column(Text, info=ADMINISTRATION)  # until the ticket has it
    asked_at: Mapped[dt.datetime] = mapped_column(index=True, info=ADMINISTRATION)
    ticket_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("ticket.id", ondelete="CASCADE"), unique=True, info=ADMINISTRATION
    )
