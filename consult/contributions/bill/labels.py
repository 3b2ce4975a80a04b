"""French words of the parts of a bill."""

from __future__ import annotations

from typing import Final

from consult.contributions.models import Level
from consult.contributions.voting import VoteKind

LEVELS: Final = {
    Level.PART: "Partie",
    Level.BOOK: "Livre",
    Level.TITLE: "Titre",
    Level.SUBTITLE: "Sous-titre",
    Level.CHAPTER: "Chapitre",
    Level.SECTION: "Section",
    Level.SUBSECTION: "Sous-section",
    Level.PARAGRAPH: "Paragraphe",
    Level.SUBPARAGRAPH: "Sous-paragraphe",
    Level.ANNEX: "Annexe",
    Level.HEADING: "Intertitre",
    Level.ARTICLE: "Article",
}
FROZEN: Final = (
    "Le texte est figé depuis l’ouverture de la consultation\u00a0: les versions et les votes portent sur ce que "
    "chacun a lu."
)
_RETAINED: Final = (
    "à égalité, le texte soumis, puis la version que l’ordre aléatoire public place d’abord. Ce texte montre où vont "
    "les votes\u00a0: il ne vaut pas décision."
)
# Which text of an article stands in the consolidated bill, by the kind of its step's vote.
RETAINED: Final = {
    VoteKind.THREE_WAY: (
        "Pour chaque article, entre le texte soumis et ses versions publiées, ceux qui ont plus de "
        "«\u00a0D’accord\u00a0» que de «\u00a0Pas d’accord\u00a0» sont comparés, et celui qui a le plus de "
        "«\u00a0D’accord\u00a0» est retenu\u00a0; si aucun n’en a plus, le texte soumis\u00a0; " + _RETAINED
    ),
    VoteKind.SUPPORT: (
        "Pour chaque article, celui du texte soumis et de ses versions publiées qui a le plus de soutiens est "
        "retenu\u00a0; " + _RETAINED
    ),
}
