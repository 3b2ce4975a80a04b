"""What this feature hands to `app.py` through the protocols: the personal data of its table."""

from __future__ import annotations

from typing import ClassVar, Final

from consult.opendata.raw.models import RawExport
from consult.personal import KeptRows
from consult.protocols import PersonalData


class RawExportData(KeptRows):
    """Raw exports asked for by a member of staff."""

    table: ClassVar[str] = "raw_export"
    label: ClassVar[str] = "Exports de données brutes que vous avez demandés"
    purpose: ClassVar[str] = "Savoir qui a demandé des données personnelles."
    kept: ClassVar[str] = "Tant que l’organisation est servie, sans votre nom après la suppression du compte."
    model = RawExport
    owner: ClassVar[str] = "requested_by_id"


PERSONAL_DATA: Final[tuple[PersonalData, ...]] = (RawExportData(),)
