"""A person's ballot in a step."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consult.db import ADMINISTRATION, NEVER, PUBLIC, Base, TenantOwned


class Ballot(TenantOwned, Base):
    """What one account gives to which texts of a step: the database refuses a second ballot."""

    __tablename__ = "ballot"
    __table_args__ = (
        UniqueConstraint("account_id", "step_id"),
        Index("ix_ballot_step", "step_id", "counted"),
        Index("ix_ballot_listed", "consultation_id", "counted", "id"),
    )

    # Copied from the step, which goes with them.
    organisation_id: Mapped[uuid.UUID] = mapped_column(info=NEVER)
    consultation_id: Mapped[uuid.UUID] = mapped_column(info=PUBLIC)
    step_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("step.id", ondelete="CASCADE"), info=PUBLIC)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), info=NEVER)
    # Points by proposal, each 1 or more; in a ranking, as many as there are places from its own to the last.
    choices: Mapped[dict[str, int]] = mapped_column(JSON, info=PUBLIC)
    counted: Mapped[bool] = mapped_column(default=True, info=ADMINISTRATION)  # False until the e-mail is confirmed
    registry_ref: Mapped[str | None] = mapped_column(String(32), info=PUBLIC)
    cast_at: Mapped[dt.datetime] = mapped_column(info=PUBLIC)  # public to the hour
