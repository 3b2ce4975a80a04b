"""What this feature hands to `app.py` through the protocols: the personal data of its table."""

from __future__ import annotations

from typing import ClassVar, Final

from consult.opendata.mission.models import MissionPackage
from consult.personal import KeptRows
from consult.protocols import PersonalData


class MissionPackageData(KeptRows):
    """Packages asked for by a member of staff."""

    table: ClassVar[str] = "mission_package"
    label: ClassVar[str] = "Dossiers de fin de mission que vous avez demandés"
    purpose: ClassVar[str] = "Savoir qui a demandé ce qui est remis à la bibliothèque."
    kept: ClassVar[str] = "Jusqu’au dossier suivant, sans votre nom après la suppression du compte."
    model = MissionPackage
    owner: ClassVar[str] = "requested_by_id"


PERSONAL_DATA: Final[tuple[PersonalData, ...]] = (MissionPackageData(),)
