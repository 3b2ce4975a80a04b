"""French words of moderation."""

from __future__ import annotations

from typing import Final

from consult.moderation.models import Act

ACTS: Final = {
    Act.HIDE: "Masqué",
    Act.DISMISS: "Signalements classés",
    Act.RESTORE: "Rétabli",
    Act.UPHOLD: "Décision confirmée après contestation",
}
# What the second of two moderators is told.
DONE: Final = {
    Act.HIDE: "a masqué ce contenu",
    Act.DISMISS: "a classé les signalements",
    Act.RESTORE: "a rétabli ce contenu",
    Act.UPHOLD: "a confirmé la décision",
}
