"""What this feature hands to `app.py` through the protocols: the personal data of its table."""

from __future__ import annotations

from typing import ClassVar, Final

from consult.opendata.keys.models import ApiKey
from consult.personal import KeptRows
from consult.protocols import PersonalData


class ApiKeyData(KeptRows):
    """Keys created by a member of staff."""

    table: ClassVar[str] = "api_key"
    label: ClassVar[str] = "Clés d’API que vous avez créées"
    purpose: ClassVar[str] = "Savoir qui a ouvert un accès aux données de l’administration."
    kept: ClassVar[str] = "Tant que l’organisation est servie, sans votre nom après la suppression du compte."
    model = ApiKey
    owner: ClassVar[str] = "created_by_id"


PERSONAL_DATA: Final[tuple[PersonalData, ...]] = (ApiKeyData(),)
