"""How many times a text was displayed in the lists of its step."""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from consult.db import PUBLIC, Base, TenantOwned, owner


class Exposure(TenantOwned, Base):
    """The displays of a proposal, a version or an argument, those of the hour that is under way apart.

    `drawn`: in the order by lot; otherwise in an order, a search or a filter that a reader asked for.
    """

    __tablename__ = "exposure"

    organisation_id: Mapped[uuid.UUID] = owner()
    item_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, info=PUBLIC)
    drawn: Mapped[bool] = mapped_column(primary_key=True, info=PUBLIC)
    step_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("step.id", ondelete="CASCADE"), index=True, info=PUBLIC)
    past: Mapped[int] = mapped_column(BigInteger, info=PUBLIC)  # before `hour`
    latest: Mapped[int] = mapped_column(info=PUBLIC)  # during `hour`, public once it is over
    hour: Mapped[int] = mapped_column(info=PUBLIC)  # see clock.hour_number
