"""The journal of erasures."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Mapped, mapped_column

from consult.db import ADMINISTRATION, NEVER, Base, TenantOwned


class ErasureEntry(TenantOwned, Base):
    """An account was erased: nothing of the person, so that the erasure can be done again after a restore.

    The account is no foreign key: the entry is kept apart from the backups that it corrects.
    """

    __tablename__ = "erasure_entry"

    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, info=NEVER)
    erased_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
