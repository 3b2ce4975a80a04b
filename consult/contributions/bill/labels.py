"""French words of the parts of a bill."""

from __future__ import annotations

from typing import Final

from consult.contributions.models import Level

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
