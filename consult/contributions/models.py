"""Proposals, articles of a bill and their versions, arguments and votes.

What is argued and voted on is one table, whoever wrote it. Vote rows are the truth; the counters of proposals and
arguments follow as the entries of the votes get their place.
"""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from consult.consultations.models import ContentStatus, Origin
from consult.db import ADMINISTRATION, NEVER, PUBLIC, Base, TenantOwned, owner
from consult.departements import CODE_LENGTH


class Side(enum.StrEnum):
    """An argument is for or against its proposal."""

    FOR = "for"
    AGAINST = "against"


class VoteValue(enum.StrEnum):
    """D'accord, mitigé, pas d'accord. An argument only takes `for` (« utile »)."""

    FOR = "for"
    MIXED = "mixed"
    AGAINST = "against"


class ProposalKind(enum.StrEnum):
    """What a text that is argued and voted on is: two are citizens', two are what the administration submits."""

    PROPOSAL = "proposal"
    VERSION = "version"  # rewrites an article, or another version of it
    ARTICLE = "article"  # the text of an article
    QUESTION = "question"  # what a debate is about


# What the administration submits goes into the log with the rules of the step, and is never moderated.
OFFICIAL: Final = (ProposalKind.ARTICLE, ProposalKind.QUESTION)


# The kinds of steps where people write, argue and vote.
STEP_KINDS: Final = ("proposals", "bill", "debate")


class Level(enum.StrEnum):
    """What a part of a bill is called."""

    PART = "part"
    BOOK = "book"
    TITLE = "title"
    SUBTITLE = "subtitle"
    CHAPTER = "chapter"
    SECTION = "section"
    SUBSECTION = "subsection"
    PARAGRAPH = "paragraph"
    SUBPARAGRAPH = "subparagraph"
    ANNEX = "annex"
    HEADING = "heading"  # without a number
    ARTICLE = "article"  # holds a text, and no other part


class Theme(TenantOwned, Base):
    """A heading under which proposals of a step are filed."""

    __tablename__ = "theme"
    __table_args__ = (UniqueConstraint("step_id", "slug"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    step_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("step.id", ondelete="CASCADE"), index=True, info=PUBLIC)
    slug: Mapped[str] = mapped_column(String(80), info=PUBLIC)
    title: Mapped[str] = mapped_column(String(200), info=PUBLIC)
    position: Mapped[int] = mapped_column(info=PUBLIC)


class Article(TenantOwned, Base):
    """A part of a bill: a division, which holds others, or an article, whose text is a `Proposal` of that kind."""

    __tablename__ = "article"
    __table_args__ = (Index("ix_article_tree", "step_id", "parent_id", "position"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    step_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("step.id", ondelete="CASCADE"), info=PUBLIC)
    parent_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), index=True, info=PUBLIC
    )
    position: Mapped[int] = mapped_column(info=PUBLIC)  # among the parts of its parent
    level: Mapped[Level] = mapped_column(info=PUBLIC)
    number: Mapped[str] = mapped_column(String(20), default="", info=PUBLIC)  # as typed; empty: numbered by its place
    heading: Mapped[str] = mapped_column(String(150), default="", info=PUBLIC)


_TEXT = text("kind = 'article'")
_ASKED = text("kind = 'question'")
_OF = text("kind = 'version'")
_HELD = text("status_reason = 'awaiting'")  # few: moderators read them
_SOMEWHERE = text("departement IS NOT NULL")


class Proposal(TenantOwned, Base):
    """A citizen's proposal or version of an article, or what the administration submits."""

    __tablename__ = "proposal"
    __table_args__ = (
        UniqueConstraint("step_id", "external_ref"),
        CheckConstraint("(status = 'hidden') = (status_reason IS NOT NULL)", name="hiding_is_motivated"),
        CheckConstraint("(kind IN ('article', 'version')) = (article_id IS NOT NULL)", name="belongs_to_an_article"),
        CheckConstraint("(kind = 'version') = (rewrites_id IS NOT NULL)", name="version_of_something"),
        Index("uq_proposal_article_text", "article_id", unique=True, sqlite_where=_TEXT, postgresql_where=_TEXT),
        Index("uq_proposal_question", "step_id", unique=True, sqlite_where=_ASKED, postgresql_where=_ASKED),
        Index("ix_proposal_versions", "article_id", "status", "random_rank", sqlite_where=_OF, postgresql_where=_OF),
        Index("ix_proposal_rewrites", "rewrites_id", sqlite_where=_OF, postgresql_where=_OF),
        Index("ix_proposal_random", "step_id", "status", "random_rank"),
        Index("ix_proposal_recent", "step_id", "status", "created_at", "id"),
        Index("ix_proposal_voted", "step_id", "status", "votes_total", "random_rank"),  # also the sum of votes
        Index("ix_proposal_listed", "consultation_id", "id"),
        Index("ix_proposal_held", "consultation_id", "ended_at", sqlite_where=_HELD, postgresql_where=_HELD),
        Index(
            "ix_proposal_departement", "step_id", "departement", sqlite_where=_SOMEWHERE, postgresql_where=_SOMEWHERE
        ),
        Index(  # the sum of imported votes, without reading the proposals
            "ix_proposal_imported",
            *("step_id", "origin", "status"),
            *("imported_votes_for", "imported_votes_mixed", "imported_votes_against"),
        ),
    )

    organisation_id: Mapped[uuid.UUID] = owner()
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    consultation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("consultation.id", ondelete="CASCADE"), info=PUBLIC)
    step_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("step.id", ondelete="CASCADE"), info=PUBLIC)
    theme_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("theme.id"), index=True, info=PUBLIC)
    author_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL"), index=True, info=ADMINISTRATION
    )
    author_name: Mapped[str] = mapped_column(String(80), default="", info=PUBLIC)  # imported contents: as published
    kind: Mapped[ProposalKind] = mapped_column(default=ProposalKind.PROPOSAL, info=PUBLIC)
    article_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), info=PUBLIC)
    rewrites_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("proposal.id", ondelete="CASCADE"), info=PUBLIC)
    departement: Mapped[str | None] = mapped_column(String(CODE_LENGTH), info=PUBLIC)  # its code, as the author said
    title: Mapped[str] = mapped_column(String(200), info=PUBLIC)
    body: Mapped[str] = mapped_column(Text, info=PUBLIC)
    reason: Mapped[str | None] = mapped_column(Text, info=PUBLIC)  # why a version rewrites: « exposé des motifs »
    sources: Mapped[list[dict[str, str]] | None] = mapped_column(JSON(none_as_null=True), info=PUBLIC)  # url, title
    status: Mapped[ContentStatus] = mapped_column(default=ContentStatus.PUBLISHED, info=PUBLIC)
    status_reason: Mapped[str | None] = mapped_column(String(40), info=PUBLIC)
    origin: Mapped[Origin] = mapped_column(default=Origin.LIVE, info=PUBLIC)
    import_batch_id: Mapped[uuid.UUID | None] = mapped_column(index=True, info=ADMINISTRATION)
    external_ref: Mapped[str | None] = mapped_column(String(120), info=ADMINISTRATION)
    registry_ref: Mapped[str | None] = mapped_column(String(32), info=PUBLIC)
    submission_key: Mapped[str | None] = mapped_column(String(64), unique=True, info=NEVER)  # a double click: one row
    created_at: Mapped[dt.datetime] = mapped_column(info=PUBLIC)  # public to the hour
    edited_at: Mapped[dt.datetime | None] = mapped_column(info=PUBLIC)
    ended_at: Mapped[dt.datetime | None] = mapped_column(info=PUBLIC)  # hidden or withdrawn since; shown as a day
    version: Mapped[int] = mapped_column(default=1, info=PUBLIC)
    random_rank: Mapped[int] = mapped_column(BigInteger, info=PUBLIC)  # first 63 bits of SHA-256(order_seed, id)
    votes_for: Mapped[int] = mapped_column(default=0, info=PUBLIC)
    votes_mixed: Mapped[int] = mapped_column(default=0, info=PUBLIC)
    votes_against: Mapped[int] = mapped_column(default=0, info=PUBLIC)
    # For, mixed and against, or the points of ballots: what lists are sorted by.
    votes_total: Mapped[int] = mapped_column(default=0, info=PUBLIC)
    points: Mapped[int] = mapped_column(default=0, server_default="0", info=PUBLIC)
    ballots: Mapped[int] = mapped_column(default=0, server_default="0", info=PUBLIC)  # that give it points
    first_choices: Mapped[int] = mapped_column(default=0, server_default="0", info=PUBLIC)  # of rankings
    imported_votes_for: Mapped[int] = mapped_column(default=0, info=PUBLIC)
    imported_votes_mixed: Mapped[int] = mapped_column(default=0, info=PUBLIC)
    imported_votes_against: Mapped[int] = mapped_column(default=0, info=PUBLIC)


class Argument(TenantOwned, Base):
    """An argument for or against a proposal."""

    __tablename__ = "argument"
    __table_args__ = (
        UniqueConstraint("proposal_id", "external_ref"),
        CheckConstraint("(status = 'hidden') = (status_reason IS NOT NULL)", name="hiding_is_motivated"),
        Index("ix_argument_shown", "proposal_id", "status", "side"),
        Index("ix_argument_tally", "step_id", "status", "origin", "votes_for"),
        Index("ix_argument_listed", "consultation_id", "id"),
        Index("ix_argument_held", "consultation_id", "ended_at", sqlite_where=_HELD, postgresql_where=_HELD),
    )

    organisation_id: Mapped[uuid.UUID] = owner()
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    consultation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("consultation.id", ondelete="CASCADE"), info=PUBLIC)
    step_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("step.id", ondelete="CASCADE"), info=PUBLIC)
    proposal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("proposal.id", ondelete="CASCADE"), info=PUBLIC)
    author_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL"), index=True, info=ADMINISTRATION
    )
    author_name: Mapped[str] = mapped_column(String(80), default="", info=PUBLIC)
    side: Mapped[Side] = mapped_column(info=PUBLIC)
    title: Mapped[str | None] = mapped_column(String(200), info=PUBLIC)
    body: Mapped[str] = mapped_column(Text, info=PUBLIC)
    status: Mapped[ContentStatus] = mapped_column(default=ContentStatus.PUBLISHED, info=PUBLIC)
    status_reason: Mapped[str | None] = mapped_column(String(40), info=PUBLIC)
    origin: Mapped[Origin] = mapped_column(default=Origin.LIVE, info=PUBLIC)
    import_batch_id: Mapped[uuid.UUID | None] = mapped_column(index=True, info=ADMINISTRATION)
    external_ref: Mapped[str | None] = mapped_column(String(120), info=ADMINISTRATION)
    registry_ref: Mapped[str | None] = mapped_column(String(32), info=PUBLIC)
    submission_key: Mapped[str | None] = mapped_column(String(64), unique=True, info=NEVER)
    created_at: Mapped[dt.datetime] = mapped_column(info=PUBLIC)
    edited_at: Mapped[dt.datetime | None] = mapped_column(info=PUBLIC)
    ended_at: Mapped[dt.datetime | None] = mapped_column(info=PUBLIC)  # hidden or withdrawn since; shown as a day
    version: Mapped[int] = mapped_column(default=1, info=PUBLIC)
    votes_for: Mapped[int] = mapped_column(default=0, info=PUBLIC)
    imported_votes_for: Mapped[int] = mapped_column(default=0, info=PUBLIC)


class ContentVersion(TenantOwned, Base):
    """What a proposal or an argument said before an edit: history is public as long as the content is."""

    __tablename__ = "content_version"
    __table_args__ = (
        CheckConstraint("(proposal_id IS NULL) <> (argument_id IS NULL)", name="one_content"),
        UniqueConstraint("proposal_id", "version"),
        UniqueConstraint("argument_id", "version"),
    )

    organisation_id: Mapped[uuid.UUID] = owner()
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    proposal_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("proposal.id", ondelete="CASCADE"), info=PUBLIC)
    argument_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("argument.id", ondelete="CASCADE"), info=PUBLIC)
    version: Mapped[int] = mapped_column(info=PUBLIC)
    title: Mapped[str | None] = mapped_column(String(200), info=PUBLIC)
    body: Mapped[str] = mapped_column(Text, info=PUBLIC)
    reason: Mapped[str | None] = mapped_column(Text, info=PUBLIC)
    sources: Mapped[list[dict[str, str]] | None] = mapped_column(JSON(none_as_null=True), info=PUBLIC)
    replaced_at: Mapped[dt.datetime] = mapped_column(info=PUBLIC)


def _index_of_votes(name: str, *columns: str, unique: bool = False) -> Index:
    """A vote is about a proposal or an argument: the column that is empty is not worth a page of an index."""
    known = text(f"{columns[-1]} IS NOT NULL")
    return Index(name, *columns, unique=unique, sqlite_where=known, postgresql_where=known)


_AWAITING = text("NOT counted")


class Vote(TenantOwned, Base):
    """One account's vote on one content: the database refuses a second."""

    __tablename__ = "vote"
    __table_args__ = (
        CheckConstraint("(proposal_id IS NULL) <> (argument_id IS NULL)", name="one_target"),
        CheckConstraint("argument_id IS NULL OR value = 'for'", name="arguments_are_found_useful_or_not"),
        UniqueConstraint("account_id", "proposal_id"),  # whole: it also finds the votes of an account
        _index_of_votes("uq_vote_account_id_argument_id", "account_id", "argument_id", unique=True),
        Index("ix_vote_listed", "consultation_id", "id"),
        _index_of_votes("ix_vote_proposal_id", "proposal_id"),
        _index_of_votes("ix_vote_argument_id", "argument_id"),
        # Those that await a confirmed address: few among the votes, counted for the census.
        Index("ix_vote_awaiting", "consultation_id", sqlite_where=_AWAITING, postgresql_where=_AWAITING),
    )

    # Copied from what is voted on, which goes with them: a key of their own would make each vote look them up, and
    # on PostgreSQL lock them.
    organisation_id: Mapped[uuid.UUID] = mapped_column(info=NEVER)
    consultation_id: Mapped[uuid.UUID] = mapped_column(info=PUBLIC)
    step_id: Mapped[uuid.UUID] = mapped_column(info=PUBLIC)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    proposal_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("proposal.id", ondelete="CASCADE"), info=PUBLIC)
    argument_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("argument.id", ondelete="CASCADE"), info=PUBLIC)
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), info=NEVER)
    value: Mapped[VoteValue] = mapped_column(info=PUBLIC)
    counted: Mapped[bool] = mapped_column(default=True, info=ADMINISTRATION)  # False until the e-mail is confirmed
    origin: Mapped[Origin] = mapped_column(default=Origin.LIVE, info=PUBLIC)
    registry_ref: Mapped[str | None] = mapped_column(String(32), info=PUBLIC)
    cast_at: Mapped[dt.datetime] = mapped_column(info=PUBLIC)  # public to the hour


class StepSecret(TenantOwned, Base):
    """The random secret from which a step's opaque `author` and `voter` identifiers are derived.

    Once the row is destroyed, no one can tell any more which identifiers are the same person.
    """

    __tablename__ = "step_secret"

    step_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("step.id", ondelete="CASCADE"), primary_key=True, info=NEVER)
    secret: Mapped[bytes] = mapped_column(LargeBinary(32), info=NEVER)


class ContributionDraft(TenantOwned, Base):
    """What a visitor wrote before signing in: kept a day for whoever holds the token of the address."""

    __tablename__ = "contribution_draft"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True, info=NEVER)
    step_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("step.id", ondelete="CASCADE"), index=True, info=NEVER)
    address_key: Mapped[str | None] = mapped_column(String(64), index=True, info=NEVER)  # see security.address_key
    content: Mapped[dict[str, Any]] = mapped_column(info=NEVER)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True, info=NEVER)
