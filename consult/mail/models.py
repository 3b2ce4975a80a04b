"""Mails to deliver."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from consult.db import ADMINISTRATION, NEVER, Base, TenantOwned


class OutgoingMail(TenantOwned, Base):
    """One mail to one person. Once sent, all that remains is which template left, when, and the Message-ID."""

    __tablename__ = "outgoing_mail"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=NEVER)
    template: Mapped[str] = mapped_column(String(80), info=ADMINISTRATION)
    recipient: Mapped[str | None] = mapped_column(String(254), index=True, info=NEVER)
    subject: Mapped[str | None] = mapped_column(String(300), info=NEVER)
    text: Mapped[str | None] = mapped_column(Text, info=NEVER)
    html: Mapped[str | None] = mapped_column(Text, info=NEVER)
    message_id: Mapped[str] = mapped_column(String(120), info=ADMINISTRATION)
    created_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    sent_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
