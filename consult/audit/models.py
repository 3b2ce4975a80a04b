"""The journal of staff acts."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from consult.db import ADMINISTRATION, NEVER, Base
from consult.immutable import refuse_changes

# The CNIL's recommendation on logging (deliberation 2021-122) has them kept for six to twelve months.
KEPT_DAYS = 180


class AuditEntry(Base):
    """One act of staff. Never updated; not deleted before KEPT_DAYS: the database refuses.

    The organisation is plain and nullable: platform acts have none.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_organisation", "organisation_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True, info=ADMINISTRATION
    )
    at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(info=NEVER)
    account_id: Mapped[uuid.UUID | None] = mapped_column(index=True, info=NEVER)
    pseudonym: Mapped[str] = mapped_column(String(40), default="", info=ADMINISTRATION)
    roles: Mapped[list[str]] = mapped_column(default=list, info=ADMINISTRATION)
    action: Mapped[str] = mapped_column(String(80), info=ADMINISTRATION)
    target_type: Mapped[str] = mapped_column(String(60), info=ADMINISTRATION)
    target_id: Mapped[str] = mapped_column(String(80), info=ADMINISTRATION)
    reason: Mapped[str] = mapped_column(Text, default="", info=ADMINISTRATION)
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict, info=ADMINISTRATION)


refuse_changes(AuditEntry, keep_days=("at", KEPT_DAYS))
