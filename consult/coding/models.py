"""Codebooks, approvals and runs. Rows are never rewritten: a correction is a new codebook, a new run."""

from __future__ import annotations

import datetime as dt
import enum
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult.db import ADMINISTRATION, PUBLIC, Base, TenantOwned


class Party(enum.StrEnum):
    """Who must approve a codebook (CCTP, UO 2.4.4 to 2.4.8): the DITP and the administration that consults."""

    DITP = "ditp"
    ADMINISTRATION = "administration"


class RunStatus(enum.StrEnum):
    """Life of an analysis run."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class Codebook(TenantOwned, Base):
    """One version of a consultation's codebook (« plan de codification »), as its author wrote it."""

    __tablename__ = "codebook"
    __table_args__ = (UniqueConstraint("consultation_id", "number"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    consultation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("consultation.id", ondelete="CASCADE"), info=PUBLIC)
    number: Mapped[int] = mapped_column(info=PUBLIC)  # 1, 2, 3… within the consultation
    title: Mapped[str] = mapped_column(String(200), info=PUBLIC)
    source: Mapped[str] = mapped_column(Text, info=PUBLIC)  # YAML
    digest: Mapped[str] = mapped_column(String(64), info=PUBLIC)
    author_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL"), info=ADMINISTRATION
    )
    created_at: Mapped[dt.datetime] = mapped_column(info=PUBLIC)

    approvals: Mapped[list[CodebookApproval]] = relationship(order_by="CodebookApproval.approved_at")

    @property
    def approved(self) -> bool:
        return {approval.party for approval in self.approvals} == set(Party)


class CodebookApproval(TenantOwned, Base):
    """One party's approval of one version."""

    __tablename__ = "codebook_approval"
    __table_args__ = (UniqueConstraint("codebook_id", "party"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    codebook_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("codebook.id", ondelete="CASCADE"), info=PUBLIC)
    party: Mapped[Party] = mapped_column(info=PUBLIC)
    approver_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), info=ADMINISTRATION)
    approver_name: Mapped[str] = mapped_column(String(40), info=ADMINISTRATION)
    approved_at: Mapped[dt.datetime] = mapped_column(info=PUBLIC)


class AnalysisRun(TenantOwned, Base):
    """One run of the analysis on one dump; its files stand in a folder of the data directory named by its id."""

    __tablename__ = "analysis_run"
    __table_args__ = (
        CheckConstraint("(status = 'waiting') = (finished_at IS NULL)", name="end_is_dated"),
        CheckConstraint("published_at IS NULL OR status = 'done'", name="only_a_finished_run_is_published"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=PUBLIC)
    consultation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("consultation.id", ondelete="CASCADE"), index=True, info=PUBLIC
    )
    codebook_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("codebook.id"), info=PUBLIC)
    status: Mapped[RunStatus] = mapped_column(default=RunStatus.WAITING, info=PUBLIC)
    seed: Mapped[int] = mapped_column(info=PUBLIC)
    job_id: Mapped[uuid.UUID | None] = mapped_column(info=ADMINISTRATION)
    requested_by_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL"), info=ADMINISTRATION
    )
    requested_at: Mapped[dt.datetime] = mapped_column(info=PUBLIC)
    finished_at: Mapped[dt.datetime | None] = mapped_column(info=PUBLIC)
    manifest_digest: Mapped[str | None] = mapped_column(String(64), info=PUBLIC)
    publishable: Mapped[bool] = mapped_column(default=False, info=PUBLIC)
    error: Mapped[str | None] = mapped_column(Text, info=ADMINISTRATION)
    published_at: Mapped[dt.datetime | None] = mapped_column(info=PUBLIC)

    codebook: Mapped[Codebook | None] = relationship()
