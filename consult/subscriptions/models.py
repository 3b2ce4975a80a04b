"""What an account follows: nobody else ever reads it, not even as a number."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consult.db import NEVER, Base, TenantOwned


class Subscription(TenantOwned, Base):
    """One account follows one consultation, or one contribution, and was told of what happened there until then."""

    __tablename__ = "subscription"
    __table_args__ = (
        CheckConstraint("(consultation_id IS NULL) <> (proposal_id IS NULL)", name="one_target"),
        UniqueConstraint("account_id", "consultation_id"),
        UniqueConstraint("account_id", "proposal_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=NEVER)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), info=NEVER)
    consultation_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("consultation.id", ondelete="CASCADE"), index=True, info=NEVER
    )
    proposal_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("proposal.id", ondelete="CASCADE"), index=True, info=NEVER
    )
    created_at: Mapped[dt.datetime] = mapped_column(info=NEVER)
    told_until: Mapped[dt.datetime] = mapped_column(index=True, info=NEVER)

    @property
    def target_id(self) -> uuid.UUID:
        """The consultation or the contribution."""
        target = self.consultation_id or self.proposal_id
        assert target is not None
        return target
