"""What is kept of traffic: sums, from which no visit can be told apart."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, String, Text, UniqueConstraint
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


class Period(enum.StrEnum):
    """What a report is about."""

    WEEK = "week"  # from Monday to Sunday, in Paris
    DAY = "day"


class TrafficReport(TenantOwned, Base):
    """The traffic of an organisation during a period that is over, and what its staff recommend.

    `traffic` is null when it could not be measured, and `outage` says why; what people did here is always counted, from
    our own rows, and is tied to no visit.
    """

    __tablename__ = "traffic_report"
    __table_args__ = (
        UniqueConstraint("organisation_id", "period", "first_day"),
        CheckConstraint("(made_at IS NULL) = (acts IS NULL)", name="made_with_acts"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    period: Mapped[Period] = mapped_column(info=ADMINISTRATION)
    first_day: Mapped[dt.date] = mapped_column(info=ADMINISTRATION)
    source: Mapped[str] = mapped_column(String(20), default="", info=ADMINISTRATION)  # see Settings.audience
    traffic: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), info=ADMINISTRATION)
    traffic_before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), info=ADMINISTRATION)
    acts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), info=ADMINISTRATION)
    acts_before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), info=ADMINISTRATION)
    outage: Mapped[str] = mapped_column(Text, default="", info=ADMINISTRATION)
    made_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
    job_id: Mapped[uuid.UUID | None] = mapped_column(info=ADMINISTRATION)  # the last that was asked to measure it
    recommendations: Mapped[str] = mapped_column(Text, default="", info=ADMINISTRATION)
    edits: Mapped[int] = mapped_column(default=0, info=ADMINISTRATION)
