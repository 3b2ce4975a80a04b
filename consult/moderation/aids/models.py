"""Suggestions of the machine, never changed, and up to when each step was read."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consult.db import ADMINISTRATION, Base, TenantOwned


class Kind(enum.StrEnum):
    """What a text may be worth a look for."""

    INSULT = "insult"
    NAME = "name"
    LINKS = "links"
    REPETITION = "repetition"
    CAMPAIGN = "campaign"


class Suggestion(TenantOwned, Base):
    """One reason to look at one text; `spans` say where in it, and no word of it is kept.

    `text_digest` is that of the text that was read: once edited, the content has another, and the suggestion is stale.
    """

    __tablename__ = "suggestion"
    __table_args__ = (
        UniqueConstraint("item_type", "item_id", "kind", "version", "text_digest"),
        Index("ix_suggestion_latest", "consultation_id", "made_at"),
        Index("ix_suggestion_item", "item_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    consultation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("consultation.id", ondelete="CASCADE"), info=ADMINISTRATION
    )
    item_type: Mapped[str] = mapped_column(String(40), info=ADMINISTRATION)
    item_id: Mapped[uuid.UUID] = mapped_column(info=ADMINISTRATION)
    kind: Mapped[Kind] = mapped_column(info=ADMINISTRATION)
    version: Mapped[str] = mapped_column(String(60), info=ADMINISTRATION)  # of what found it
    score: Mapped[float] = mapped_column(info=ADMINISTRATION)
    spans: Mapped[list[Any]] = mapped_column(JSON, default=list, info=ADMINISTRATION)
    with_others: Mapped[int] = mapped_column(default=0, info=ADMINISTRATION)  # texts that say the same
    text_digest: Mapped[str] = mapped_column(String(64), info=ADMINISTRATION)
    made_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)


class ReadUntil(TenantOwned, Base):
    """Up to when the texts of a step were read."""

    __tablename__ = "suggestion_mark"

    step_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("step.id", ondelete="CASCADE"), primary_key=True, info=ADMINISTRATION
    )
    read_until: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
