"""French words of moderation."""

from __future__ import annotations

from typing import Final

from consult.moderation.models import Act

ACTS: Final = {
    Act.HIDE: "Masqué",
    Act.DISMISS: "Signalements classés",
    Act.RESTORE: "Rétabli",
    Act.UPHOLD: "Décision confirmée après contestation",
    Act.PUBLISH: "Publié après lecture",
    Act.READ: "Première lecture favorable",
    Act.REWORD: "À reformuler par son auteur",
    Act.ESCALATE: "Transmis à un administrateur",
}
# What the second of two moderators is told.
DONE: Final = {
    Act.HIDE: "a masqué ce contenu",
    Act.DISMISS: "a classé les signalements",
    Act.RESTORE: "a rétabli ce contenu",
    Act.UPHOLD: "a confirmé la décision",
    Act.PUBLISH: "a publié ce contenu",
    Act.READ: "a fait la première lecture",
    Act.REWORD: "a demandé à l’auteur de reformuler",
    Act.ESCALATE: "a transmis ce contenu à un administrateur",
}
