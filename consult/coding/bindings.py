"""What this feature hands to `app.py` through the protocols: the personal data of its tables, all acts of staff."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import ClassVar, Final

from sqlalchemy.orm import Session

from consult.accounts.labels import ERASED_PSEUDONYM
from consult.coding.models import AnalysisRun, Codebook, CodebookApproval
from consult.personal import KeptRows
from consult.protocols import PersonalData

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


PERSONAL_DATA: Final[tuple[PersonalData, ...]] = (CodebookData(), CodebookApprovalData(), AnalysisRunData())
