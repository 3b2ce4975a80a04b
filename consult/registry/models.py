"""Entries of the public log, from the act to its place in the log."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from consult.db import NEVER, PUBLIC, Base, TenantOwned, owner
from consult.immutable import refuse_changes


class EntryKind(enum.StrEnum):
    """Every public act that the log holds."""

    OPENED = "opened"
    RULES = "rules"
    CONTRIBUTION = "contribution"
    EDIT = "edit"
    ARGUMENT = "argument"
    VERSION = "version"
    VOTE_CAST = "vote.cast"
    VOTE_CHANGED = "vote.changed"
    VOTE_WITHDRAWN = "vote.withdrawn"
    REPLIES = "replies"
    MODERATION = "moderation"
    MODERATION_KEPT = "moderation.kept"
    MODERATION_WITHHELD = "moderation.withheld"
    MODERATION_REVERSED = "moderation.reversed"
    TOMBSTONE = "tombstone"
    ANSWER = "answer"
    COMMITMENT = "commitment"
    CASE = "case"
    CONTENT = "content"
    RELEASE = "release"
    INCIDENT = "incident"
    SEALED = "sealed"


# What takes something away from the public; a decision that leaves everything as it was is « moderation.kept », what
# keeps from the public a text that it had not read is « moderation.withheld ».
REMOVALS = (EntryKind.TOMBSTONE, EntryKind.MODERATION)
_REMOVES = text("kind IN ('tombstone', 'moderation')")
_EDITS = text("kind = 'edit'")
_SEALS = text("kind = 'sealed'")
_RELEASES = text("kind = 'release'")
_PENDING, _PLACED = text("position IS NULL"), text("position IS NOT NULL")
_HELD = text("holder IS NOT NULL")
_BIG = BigInteger().with_variant(Integer, "sqlite")


class RegistryEntry(TenantOwned, Base):
    """A commitment to one public act, and beside it the opening that moderation withholds and erasure destroys.

    `id` is the order of writing, which is not the order of the log: the sequencer alone gives `position`.
    """

    __tablename__ = "registry_entry"
    __table_args__ = (
        CheckConstraint("(salt IS NULL) = (opening IS NULL)", name="opened_or_destroyed"),
        CheckConstraint("length(commitment) = 32", name="commitment_is_sha256"),
        # Written by the sequencer alone: an act pays nothing for the place it has not yet.
        Index(
            "uq_registry_entry_organisation_id_position",
            *("organisation_id", "position"),
            unique=True,
            sqlite_where=_PLACED,
            postgresql_where=_PLACED,
        ),
        Index("ix_registry_entry_consultation", "consultation_id", "id"),
        # Few entries take something away from the public: what was published before must be found quickly.
        Index("ix_registry_entry_removals", "consultation_id", "id", sqlite_where=_REMOVES, postgresql_where=_REMOVES),
        # An erasure destroys the openings of the edits of a content: few entries among the votes.
        Index("ix_registry_entry_edits", "consultation_id", "id", sqlite_where=_EDITS, postgresql_where=_EDITS),
        # What the sequencer asks for several times a second: a handful of entries beside millions.
        Index("ix_registry_entry_pending", "organisation_id", "id", sqlite_where=_PENDING, postgresql_where=_PENDING),
        # One per consultation: whether it is sealed is asked every few seconds.
        Index("ix_registry_entry_seals", "consultation_id", sqlite_where=_SEALS, postgresql_where=_SEALS),
        # A handful: which release was told last is asked each time a log is opened.
        Index(
            "ix_registry_entry_releases", *("organisation_id", "id"), sqlite_where=_RELEASES, postgresql_where=_RELEASES
        ),
        # An erasure finds all that a voter had logged, votes since withdrawn included.
        Index("ix_registry_entry_holder", "holder", sqlite_where=_HELD, postgresql_where=_HELD),
    )

    # Without a key: each act would lock the row of its organisation. `RegistryLog` has it, and no entry is deleted.
    organisation_id: Mapped[uuid.UUID] = mapped_column(info=NEVER)
    id: Mapped[int] = mapped_column(_BIG, primary_key=True, autoincrement=True, info=NEVER)
    consultation_id: Mapped[uuid.UUID | None] = mapped_column(info=PUBLIC)
    kind: Mapped[EntryKind] = mapped_column(info=PUBLIC)
    ref: Mapped[str] = mapped_column(String(32), unique=True, info=PUBLIC)
    commitment: Mapped[bytes] = mapped_column(LargeBinary(32), info=PUBLIC)
    recorded_at: Mapped[dt.datetime] = mapped_column(info=PUBLIC)
    salt: Mapped[bytes | None] = mapped_column(LargeBinary(32), info=PUBLIC)
    opening: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), info=PUBLIC)
    withheld: Mapped[bool] = mapped_column(default=False, info=PUBLIC)
    holder: Mapped[str | None] = mapped_column(String(32), info=NEVER)  # the `voter` of the opening, as long as it is
    # The vote it is about: once the row is gone, the feed of changes still says which one open data had shown.
    vote_id: Mapped[uuid.UUID | None] = mapped_column(info=PUBLIC)
    position: Mapped[int | None] = mapped_column(_BIG, info=PUBLIC)
    # What the features do once the entry has its position, until it is done: see `service.take_effects`.
    effect: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), info=NEVER)


class RegistryLog(TenantOwned, Base):
    """The log of one organisation: its identity, given once, and how far it was placed and signed.

    `size` counts the positions given; `signed_size` and `signed_root` are those of the last checkpoint published. What
    the stores hold has the last word: see `sequencer.py`.
    """

    __tablename__ = "registry_log"
    __table_args__ = (
        CheckConstraint("0 <= signed_size AND signed_size <= size", name="signed_is_placed"),
        CheckConstraint("(signed_size = 0) = (signed_root IS NULL)", name="signed_has_a_root"),
    )

    organisation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organisation.id", ondelete="CASCADE"), primary_key=True, info=NEVER
    )
    slug: Mapped[str] = mapped_column(String(60), unique=True, info=PUBLIC)
    origin: Mapped[str] = mapped_column(String(300), unique=True, info=PUBLIC)
    key: Mapped[str] = mapped_column(String(400), info=PUBLIC)  # as `/registry/<organisation>/key` gives it
    size: Mapped[int] = mapped_column(_BIG, default=0, info=PUBLIC)
    signed_size: Mapped[int] = mapped_column(_BIG, default=0, info=PUBLIC)
    signed_root: Mapped[bytes | None] = mapped_column(LargeBinary(32), info=PUBLIC)
    # What was placed when the figures of steps and the census were counted.
    counted_size: Mapped[int] = mapped_column(_BIG, default=0, server_default="0", info=PUBLIC)


class RegistryFlow(TenantOwned, Base):
    """How many acts of a kind the log holds, added up as they are placed: one side of the conservation equation."""

    __tablename__ = "registry_flow"

    organisation_id: Mapped[uuid.UUID] = owner()
    consultation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("consultation.id", ondelete="CASCADE"), primary_key=True, info=PUBLIC
    )
    type: Mapped[str] = mapped_column(String(20), primary_key=True, info=PUBLIC)
    origin: Mapped[str] = mapped_column(String(20), primary_key=True, info=PUBLIC)
    act: Mapped[str] = mapped_column(String(20), primary_key=True, info=PUBLIC)
    count: Mapped[int] = mapped_column(_BIG, info=PUBLIC)


class RegistryCensus(TenantOwned, Base):
    """What became of all that was submitted to a consultation, as it stands at `RegistryLog.counted_size`."""

    __tablename__ = "registry_census"

    organisation_id: Mapped[uuid.UUID] = owner(index=True)
    consultation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("consultation.id", ondelete="CASCADE"), primary_key=True, info=PUBLIC
    )
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSON, info=PUBLIC)


class LostOpening(TenantOwned, Base):
    """An entry that a restore took back from the log, and whose opening the database no longer had."""

    __tablename__ = "registry_lost_opening"

    ref: Mapped[str] = mapped_column(String(32), primary_key=True, info=PUBLIC)
    found_at: Mapped[dt.datetime] = mapped_column(info=PUBLIC)


class SequencerState(Base):
    """One row: when all was last seen placed and signed, so that any node can tell that the sequencer is late."""

    __tablename__ = "registry_sequencer"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1, info=NEVER)
    settled_at: Mapped[dt.datetime] = mapped_column(info=PUBLIC)


refuse_changes(
    RegistryEntry,
    columns=("id", "organisation_id", "consultation_id", "kind", "ref", "commitment", "recorded_at"),
    keep_days=None,
)
refuse_changes(RegistryLog, columns=("organisation_id", "slug", "origin", "key"), keep_days=None)
