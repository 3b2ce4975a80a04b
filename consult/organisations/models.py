"""An administration served by the platform."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from consult.db import ADMINISTRATION, PUBLIC, Base


class Organisation(Base):
    """A tenant: every other row of the platform belongs to one."""

    __tablename__ = "organisation"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    slug: Mapped[str] = mapped_column(String(60), unique=True, info=PUBLIC)
    name: Mapped[str] = mapped_column(String(200), info=PUBLIC)
    tagline: Mapped[str] = mapped_column(String(300), default="", info=PUBLIC)
    legal_name: Mapped[str] = mapped_column(String(200), default="", info=PUBLIC)
    legal_address: Mapped[str] = mapped_column(Text, default="", info=PUBLIC)
    phone: Mapped[str] = mapped_column(String(40), default="", info=PUBLIC)
    publication_director: Mapped[str] = mapped_column(String(200), default="", info=PUBLIC)
    host_name: Mapped[str] = mapped_column(String(200), default="", info=PUBLIC)
    host_address: Mapped[str] = mapped_column(Text, default="", info=PUBLIC)
    host_phone: Mapped[str] = mapped_column(String(40), default="", info=PUBLIC)
    contact_email: Mapped[str] = mapped_column(String(254), default="", info=PUBLIC)
    dpo_email: Mapped[str] = mapped_column(String(254), default="", info=PUBLIC)
    access_register_email: Mapped[str] = mapped_column(String(254), default="", info=ADMINISTRATION)
    # Names that no pseudonym may hold, one a line, beside its own and the official ones.
    protected_names: Mapped[str] = mapped_column(Text, default="", server_default=text("''"), info=ADMINISTRATION)
    theme: Mapped[dict[str, Any]] = mapped_column(default=dict, info=PUBLIC)
    fictional: Mapped[bool] = mapped_column(default=False, info=PUBLIC)
    created_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
