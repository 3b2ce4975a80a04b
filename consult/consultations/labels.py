"""French words of what every kind of content shares: its states, its origins, and the grounds for hiding it.

The grounds stand here, below contributions and questionnaires, so that a content's own page can say why it was hidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from consult.consultations.models import ContentStatus, OffHours, Origin, Reading

STATUSES: Final = {
    ContentStatus.PENDING: "En attente",
    ContentStatus.PUBLISHED: "Publié",
    ContentStatus.HIDDEN: "Masqué",
    ContentStatus.WITHDRAWN: "Retiré par son auteur",
    ContentStatus.ERASED: "Effacé",
}
ORIGINS: Final = {
    Origin.LIVE: "en ligne",
    Origin.IMPORTED: "importé",
    Origin.OFFLINE: "recueilli hors ligne",
    Origin.TEST: "essai",
}
READINGS: Final = {
    Reading.AFTER: "Après publication",
    Reading.BEFORE: "Avant publication",
    Reading.TWICE: "Sujet clivant\u00a0: avant publication, par deux personnes",
}
OFF_HOURS: Final = {
    OffHours.QUEUE: "Les textes attendent dans la file",
    OffHours.CLOSE: "L’étape ne reçoit plus de texte jusqu’au retour des modérateurs",
}


@dataclass(frozen=True, slots=True)
class Ground:
    """A ground of the charter: the `code` that `status_reason` stores, its public words, the article that says it."""

    code: str
    label: str
    article: int


GROUNDS: Final = {
    ground.code: ground
    for ground in (
        Ground("insult", "Injure, menace ou attaque personnelle", 3),
        Ground("hatred", "Propos discriminatoire ou haineux", 4),
        Ground("illegal", "Autre contenu contraire à la loi", 5),
        Ground("personal_data", "Donnée personnelle d’une personne identifiable", 6),
        Ground("impersonation", "Usurpation d’identité", 6),
        Ground("off_topic", "Hors sujet", 7),
        Ground("flood", "Répétition du même message", 8),
        Ground("advertising", "Publicité ou démarchage", 9),
    )
}
# A citizen may report for a reason of their own; a decision always rests on an article.
OTHER_REPORT: Final = ("other", "Autre raison, à préciser")
# An import brings contents that their own consultation had hidden: we were not told on which ground.
HIDDEN_AT_SOURCE: Final = ("hidden_at_source", "Déjà masqué dans la consultation d’origine")
# A content set aside because its author exercised a right of the GDPR (articles 18 and 21): nobody judged it.
SET_ASIDE: Final = {
    "limitation": "À la demande de son auteur, qui a obtenu la limitation du traitement de ses données",
    "objection": "À la demande de son auteur, qui s’est opposé au traitement de ses données",
}

# Contents that nobody judged contrary to the charter, and that wait: for a moderator, or for their author.
AWAITING: Final = "awaiting"
REWORDING: Final = "rewording"
HELD: Final = {
    AWAITING: "En attente de lecture par la modération",
    REWORDING: "La modération a demandé à l’auteur de reformuler",
}


def ground_label(code: str | None) -> str:
    """« Hors sujet (charte, article 7) »; an unknown code, from an import for instance, is told as itself."""
    if code == HIDDEN_AT_SOURCE[0]:
        return HIDDEN_AT_SOURCE[1]
    if told := SET_ASIDE.get(code or "") or HELD.get(code or ""):
        return told
    ground = GROUNDS.get(code or "")
    return f"{ground.label} (charte, article {ground.article})" if ground else code or ""


def report_label(code: str) -> str:
    """The words of a reason given by a citizen."""
    return OTHER_REPORT[1] if code == OTHER_REPORT[0] else GROUNDS[code].label if code in GROUNDS else code


# Key figures, by the names that a step's census uses: one, several.
FIGURES: Final = {
    "contributions": ("contribution", "contributions"),
    "arguments": ("argument", "arguments"),
    "votes": ("vote", "votes"),
    "replies": ("réponse", "réponses"),
    "imported_votes": ("vote importé", "votes importés"),
    "imported_replies": ("réponse importée", "réponses importées"),
}
ALWAYS_SHOWN: Final = frozenset({"contributions", "arguments", "votes", "replies"})  # even when they are 0


def figures(counts: Mapping[str, int]) -> list[tuple[int, str]]:
    """Counts with their words, in one order; imported ones only where there are any."""
    return [
        (counts[name], words[counts[name] > 1])
        for name, words in FIGURES.items()
        if name in counts and (counts[name] or name in ALWAYS_SHOWN)
    ]
