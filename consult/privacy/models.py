"""The journal of erasures."""

from __future__ import annotations

import datetime as dt
import enum
import uuid

from sqlalchemy.orm import Mapped, mapped_column

from consult.db import ADMINISTRATION, NEVER, Base, TenantOwned


class ErasureMode(enum.StrEnum):
    """What a person asked to have erased."""

    EVERYTHING = "everything"
    ACCOUNT = "account"  # what is published stays, under no name


class ErasureEntry(TenantOwned, Base):
    """An account was erased: nothing of the person, so that the erasure can be done again after a restore.

    The account is no foreign key: the entry is copied to a file that outlives the database (`erasures.py`).
    """

    __tablename__ = "erasure_entry"

    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, info=NEVER)
    mode: Mapped[ErasureMode] = mapped_column(default=ErasureMode.EVERYTHING, info=ADMINISTRATION)
    erased_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
