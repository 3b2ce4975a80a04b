"""What is kept of traffic: sums, from which no visit can be told apart."""

from __future__ import annotations

import enum
import uuid
from typing import Final

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from consult.db import ADMINISTRATION, NEVER, Base, TenantOwned

LONGEST: Final = 200  # of a value


class Measure(enum.StrEnum):
    """What is added up."""

    VISIT = "visit"  # arrivals, by the hour
    PAGE = "page"  # pages opened, by the day
    SOURCE = "source"  # the domain visits came from, by the day
    DEVICE = "device"  # the class of device of visits, by the day


class AudienceCount(TenantOwned, Base):
    """How many times something happened during an hour (visits) or a day (the rest).

    No two measures are crossed: that somebody came from there, with that device, to that page is told by no row.
    """

    __tablename__ = "audience_count"

    organisation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organisation.id", ondelete="CASCADE"), primary_key=True, info=NEVER
    )
    measure: Mapped[Measure] = mapped_column(primary_key=True, info=ADMINISTRATION)
    # See clock.hour_number; of a day in Paris, its first.
    hour: Mapped[int] = mapped_column(primary_key=True, info=ADMINISTRATION)
    value: Mapped[str] = mapped_column(String(LONGEST), primary_key=True, info=ADMINISTRATION)
    count: Mapped[int] = mapped_column(BigInteger, info=ADMINISTRATION)
