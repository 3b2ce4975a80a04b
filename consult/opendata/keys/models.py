"""Keys by which an administration's own programs read what it may see."""

from __future__ import annotations

import datetime as dt
import enum
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from consult.db import ADMINISTRATION, NEVER, Base, TenantOwned


class Scope(enum.StrEnum):
    """What a key opens."""

    FIGURES = "figures"
    RAW = "raw"
    TICKETS = "tickets"


class ApiKey(TenantOwned, Base):
    """One key: its digest, what it opens, until when. A revoked row stays: it is the register."""

    __tablename__ = "api_key"
    __table_args__ = (CheckConstraint("length(digest) = 64", name="digest_is_sha256"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    name: Mapped[str] = mapped_column(String(80), info=ADMINISTRATION)
    digest: Mapped[str] = mapped_column(String(64), info=NEVER)
    scopes: Mapped[list[str]] = mapped_column(info=ADMINISTRATION)
    created_by_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL"), info=ADMINISTRATION
    )
    created_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    expires_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
    last_used_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)  # to the hour

    def stands(self, now: dt.datetime) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and now < self.expires_at
