"""Codebooks, approvals and runs. Rows are never rewritten: a correction is a new codebook, a new run."""

from __future__ import annotations

import datetime as dt
import enum
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult.db import ADMINISTRATION, NEVER, PUBLIC, Base, TenantOwned


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


class QualitySample(TenantOwned, Base):
    """A blind sample of one corpus of a run, that people code to measure its codebook; once measured, the measure.

    `key` tells what the machine gave each contribution drawn: no page shows it.
    """

    __tablename__ = "quality_sample"
    __table_args__ = (
        CheckConstraint("(measured_at IS NULL) = (measure IS NULL)", name="measure_is_dated"),
        CheckConstraint("(measured_at IS NULL) = (measure_digest IS NULL)", name="measure_has_a_digest"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    consultation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("consultation.id", ondelete="CASCADE"), index=True, info=ADMINISTRATION
    )
    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("analysis_run.id", ondelete="CASCADE"), info=ADMINISTRATION)
    codebook_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("codebook.id", ondelete="CASCADE"), index=True, info=ADMINISTRATION
    )
    corpus: Mapped[str] = mapped_column(String(200), info=ADMINISTRATION)
    title: Mapped[str] = mapped_column(Text, info=ADMINISTRATION)  # of the corpus
    unit: Mapped[str] = mapped_column(String(20), info=ADMINISTRATION)  # what it is made of
    size: Mapped[int] = mapped_column(info=ADMINISTRATION)
    seed: Mapped[int] = mapped_column(info=ADMINISTRATION)
    per_stratum: Mapped[int] = mapped_column(info=ADMINISTRATION)
    readers: Mapped[int] = mapped_column(info=ADMINISTRATION)  # people who code each contribution
    precision: Mapped[float] = mapped_column(info=ADMINISTRATION)
    recall: Mapped[float] = mapped_column(info=ADMINISTRATION)
    alpha: Mapped[float | None] = mapped_column(info=ADMINISTRATION)
    key: Mapped[str] = mapped_column(Text, info=NEVER)
    drawn_by_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL"), info=ADMINISTRATION
    )
    drawn_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
    job_id: Mapped[uuid.UUID | None] = mapped_column(info=ADMINISTRATION)
    measured_at: Mapped[dt.datetime | None] = mapped_column(info=ADMINISTRATION)
    measure: Mapped[str | None] = mapped_column(Text, info=ADMINISTRATION)  # what `quality` wrote
    measure_digest: Mapped[str | None] = mapped_column(String(64), info=ADMINISTRATION)
    error: Mapped[str | None] = mapped_column(Text, info=ADMINISTRATION)

    run: Mapped[AnalysisRun] = relationship()
    codebook: Mapped[Codebook] = relationship()
    coders: Mapped[list[SampleCoder]] = relationship(order_by="SampleCoder.rank")


class SampleCoder(TenantOwned, Base):
    """Who codes a sample; the rank says which contributions are theirs, and names them in the agreement."""

    __tablename__ = "sample_coder"
    __table_args__ = (UniqueConstraint("sample_id", "rank"), UniqueConstraint("sample_id", "account_id"))

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    sample_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("quality_sample.id", ondelete="CASCADE"), info=ADMINISTRATION
    )
    account_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL"), index=True, info=ADMINISTRATION
    )
    rank: Mapped[int] = mapped_column(info=ADMINISTRATION)


class SampleCoding(TenantOwned, Base):
    """What one person gave one contribution, without seeing what anybody else gave. The latest counts: a correction is
    a new row. No codes at all (None): its text was not public any more.
    """

    __tablename__ = "sample_coding"
    __table_args__ = (UniqueConstraint("coder_id", "number"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4, info=ADMINISTRATION)
    coder_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("sample_coder.id", ondelete="CASCADE"), info=ADMINISTRATION)
    number: Mapped[int] = mapped_column(info=ADMINISTRATION)  # 1, 2, 3… among those of the coder
    unit: Mapped[uuid.UUID] = mapped_column(info=ADMINISTRATION)
    codes: Mapped[str | None] = mapped_column(Text, info=ADMINISTRATION)  # a JSON list
    coded_at: Mapped[dt.datetime] = mapped_column(info=ADMINISTRATION)
