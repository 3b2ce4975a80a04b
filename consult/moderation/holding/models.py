"""The hold of a moderator on a content, one at most; one that is over holds nothing."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consult.db import ADMINISTRATION, Base, TenantOwned


class Hold(TenantOwned, Base):
    """A content that a moderator took, or that an administrator entrusted to them."""

    __tablename__ = "moderation_hold"
    __table_args__ = (UniqueConstraint("item_type", "item_id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    consultation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("consultation.id", ondelete="CASCADE"), index=True, info=ADMINISTRATION
    )
    item_type: Mapped[str] = mapped_column(String(40), info=ADMINISTRATION)
    item_id: Mapped[uuid.UUID] = mapped_column(info=ADMINISTRATION)
    holder_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True, info=ADMINISTRATION
    )
    held_until: Mapped[dt.datetime] = mapped_column(index=True, info=ADMINISTRATION)
