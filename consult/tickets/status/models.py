"""What the samples of the probe say of a month; of the whole platform, hence of no organisation."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consult.db import PUBLIC, Base


class ServiceMonth(Base):
    """One month in Paris, as far as it was measured. Milliseconds are whole numbers: sums stay exact."""

    __tablename__ = "service_month"
    __table_args__ = (CheckConstraint("measured_to > measured_from", name="something_was_measured"),)

    first_day: Mapped[dt.date] = mapped_column(primary_key=True, info=PUBLIC)
    measured_from: Mapped[dt.datetime] = mapped_column(info=PUBLIC)
    measured_to: Mapped[dt.datetime] = mapped_column(info=PUBLIC)
    down_ms: Mapped[int] = mapped_column(BigInteger, info=PUBLIC)
    up: Mapped[bool] = mapped_column(info=PUBLIC)  # at `measured_to`
    # The times when it was down, the last ones first: start, end, and whether it was seen or nobody looked.
    outages: Mapped[dict[str, Any]] = mapped_column(info=PUBLIC)
