"""What this feature hands to `app.py` through the protocols: the personal data of its table."""

from __future__ import annotations

from typing import ClassVar, Final

from consult.personal import DeletedRows
from consult.protocols import PersonalData
from consult.subscriptions.models import Subscription


class SubscriptionData(DeletedRows):
    """What the person follows."""

    table: ClassVar[str] = "subscription"
    label: ClassVar[str] = "Consultations et contributions que vous suivez"
    purpose: ClassVar[str] = "Vous écrire ce qui s’y passe."
    kept: ClassVar[str] = "Jusqu’à ce que vous cessiez de les suivre, ou à la suppression du compte."
    model = Subscription
    also: ClassVar[frozenset[str]] = frozenset({"consultation_id", "proposal_id", "created_at", "told_until"})


PERSONAL_DATA: Final[tuple[PersonalData, ...]] = (SubscriptionData(),)
