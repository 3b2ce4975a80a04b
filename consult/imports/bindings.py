"""What this feature hands to `app.py` through the protocols: the personal data of its tables."""

from __future__ import annotations

from typing import ClassVar, Final

from consult.imports.models import ImportBatch
from consult.personal import KeptRows
from consult.protocols import PersonalData


class ImportBatchData(KeptRows):
    """Imports made by a member of staff."""

    table: ClassVar[str] = "import_batch"
    label: ClassVar[str] = "Imports que vous avez faits"
    purpose: ClassVar[str] = "Savoir d’où viennent des contributions importées, et pouvoir annuler l’import."
    kept: ClassVar[str] = "Tant que la consultation est publiée, sans votre nom après la suppression du compte."
    model = ImportBatch
    owner: ClassVar[str] = "actor_id"


PERSONAL_DATA: Final[tuple[PersonalData, ...]] = (ImportBatchData(),)
