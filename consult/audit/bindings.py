"""What this feature hands to `app.py` through the protocols: the personal data of its table."""

from __future__ import annotations

from typing import ClassVar, Final

from consult.audit.models import AuditEntry
from consult.personal import KeptRows
from consult.protocols import PersonalData


class AuditData(KeptRows):
    """The journal of staff acts: it never changes, the name of a member of staff stays in it.

    Regulation (EU) 2016/679, article 17(3)(b) and (e): what an administration must prove of its own acts.
    """

    table: ClassVar[str] = "audit_entry"
    label: ClassVar[str] = "Journal des actes des agents"
    purpose: ClassVar[str] = "Prouver qui a fait quoi dans la gestion de la consultation."
    kept: ClassVar[str] = "Un an ; personne ne peut le modifier, pas même pour en ôter un nom."
    model = AuditEntry


PERSONAL_DATA: Final[tuple[PersonalData, ...]] = (AuditData(),)
