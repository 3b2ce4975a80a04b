"""What this feature hands to `app.py` through the protocols: the personal data of its tables, all acts of staff."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import ClassVar, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.accounts.labels import ERASED_PSEUDONYM
from consult.coding.models import (
    AnalysisRun,
    Codebook,
    CodebookApproval,
    QualitySample,
    SampleCoder,
    SampleCoding,
)
from consult.personal import KeptRows, plain_row
from consult.protocols import PersonalData, Row

PURPOSE: Final = "Rendre compte de la façon dont l’analyse a été faite."
KEPT: Final = "Tant que les résultats sont publiés, sans votre nom après la suppression du compte."


class CodebookData(KeptRows):
    """Codebooks written."""

    table: ClassVar[str] = "codebook"
    label: ClassVar[str] = "Plans de codification que vous avez enregistrés"
    purpose: ClassVar[str] = PURPOSE
    kept: ClassVar[str] = KEPT
    model = Codebook
    owner: ClassVar[str] = "author_id"


class CodebookApprovalData(KeptRows):
    """Approvals: the only rows of this feature that hold a name."""

    table: ClassVar[str] = "codebook_approval"
    label: ClassVar[str] = "Plans de codification que vous avez approuvés"
    purpose: ClassVar[str] = PURPOSE
    kept: ClassVar[str] = KEPT
    model = CodebookApproval
    owner: ClassVar[str] = "approver_id"

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Take the name away; the approval of the party stands."""
        del now
        approvals = self.rows(session, account_id)
        for approval in approvals:
            approval.approver_name = ERASED_PSEUDONYM
        session.flush()
        return len(approvals)


class AnalysisRunData(KeptRows):
    """Analyses asked for."""

    table: ClassVar[str] = "analysis_run"
    label: ClassVar[str] = "Analyses que vous avez demandées"
    purpose: ClassVar[str] = PURPOSE
    kept: ClassVar[str] = KEPT
    model = AnalysisRun
    owner: ClassVar[str] = "requested_by_id"


class QualitySampleData(KeptRows):
    """Blind samples drawn."""

    table: ClassVar[str] = "quality_sample"
    label: ClassVar[str] = "Échantillons de contrôle que vous avez tirés"
    purpose: ClassVar[str] = PURPOSE
    kept: ClassVar[str] = KEPT
    model = QualitySample
    owner: ClassVar[str] = "drawn_by_id"


class SampleCoderData(KeptRows):
    """Samples that the account codes."""

    table: ClassVar[str] = "sample_coder"
    label: ClassVar[str] = "Échantillons de contrôle que vous codez"
    purpose: ClassVar[str] = PURPOSE
    kept: ClassVar[str] = KEPT
    model = SampleCoder


class SampleCodingData:
    """What the account coded: a measure stands on it, under a number."""

    table: ClassVar[str] = "sample_coding"
    label: ClassVar[str] = "Codes que vous avez donnés à des contributions"
    purpose: ClassVar[str] = PURPOSE
    kept: ClassVar[str] = KEPT

    def export(self, session: Session, account_id: uuid.UUID) -> Iterator[Row]:
        """Every row, in order."""
        own = select(SampleCoding).join(SampleCoder, SampleCoder.id == SampleCoding.coder_id)
        for row in session.scalars(own.where(SampleCoder.account_id == account_id).order_by(SampleCoding.id)):
            yield plain_row(row)

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Change nothing."""
        del session, account_id, now
        return 0


PERSONAL_DATA: Final[tuple[PersonalData, ...]] = (
    CodebookData(),
    CodebookApprovalData(),
    AnalysisRunData(),
    QualitySampleData(),
    SampleCoderData(),
    SampleCodingData(),
)
