"""French words of the aids of moderation."""

from __future__ import annotations

from typing import Final

from consult.labels import number
from consult.moderation.aids.models import Kind, Suggestion

KINDS: Final = {
    Kind.INSULT: "Injure ou menace possible",
    Kind.NAME: "Nom d’une personne possible",
    Kind.LINKS: "Liens",
    Kind.REPETITION: "Répétition",
    Kind.CAMPAIGN: "Textes semblables de plusieurs comptes",
}
LONGEST: Final = 60


def reason(suggestion: Suggestion, text: str) -> str:
    """Why it was suggested, in words; the passages are read in the text itself."""
    if suggestion.kind in {Kind.REPETITION, Kind.CAMPAIGN}:
        others = suggestion.with_others
        texts = "un autre texte récent dit" if others == 1 else f"{number(others)} autres textes récents disent"
        whose = " du même auteur" if suggestion.kind is Kind.REPETITION else ""
        return f"{texts} la même chose{whose}"
    passages = [f"«\u00a0{text[start:end][:LONGEST]}\u00a0»" for start, end in suggestion.spans]
    told = ", ".join(dict.fromkeys(passages))
    if suggestion.kind is Kind.INSULT:
        return f"mots qui ont pesé\u00a0: {told or 'aucun en particulier'}"
    return told
