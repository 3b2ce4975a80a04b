"""French words of the public log, on its page and on receipts."""

from __future__ import annotations

from typing import Any, Final

from consult.registry.models import EntryKind

ACTS: Final = {
    EntryKind.OPENED: "Ouverture d’une consultation",
    EntryKind.RULES: "Règles figées",
    EntryKind.CONTRIBUTION: "Proposition déposée",
    EntryKind.EDIT: "Texte modifié",
    EntryKind.ARGUMENT: "Argument déposé",
    EntryKind.VERSION: "Version d’article déposée",
    EntryKind.VOTE_CAST: "Vote",
    EntryKind.VOTE_CHANGED: "Vote changé",
    EntryKind.VOTE_WITHDRAWN: "Vote retiré",
    EntryKind.REPLIES: "Lot de réponses anonymes",
    EntryKind.MODERATION: "Décision de modération",
    EntryKind.MODERATION_KEPT: "Décision de modération",
    EntryKind.MODERATION_WITHHELD: "Texte retenu avant publication",
    EntryKind.MODERATION_REVERSED: "Décision de modération annulée",
    EntryKind.TOMBSTONE: "Texte retiré ou effacé",
    EntryKind.ANSWER: "Réponse officielle",
    EntryKind.COMMITMENT: "Engagement de l’administration",
    EntryKind.CASE: "Cas d’usage",
    EntryKind.CONTENT: "Changement de contenu",
    EntryKind.RELEASE: "Version du logiciel",
    EntryKind.INCIDENT: "Incident",
    EntryKind.SEALED: "Scellement d’une consultation",
}
REPLY_ACTS: Final = {
    EntryKind.CONTRIBUTION: "Réponse à un questionnaire",
    EntryKind.EDIT: "Réponse modifiée",
    EntryKind.TOMBSTONE: "Réponse retirée",
}
# What the administration says is corrected and taken back as citizens' texts are.
SAID_ACTS: Final = {
    "answer": {EntryKind.EDIT: "Réponse officielle corrigée", EntryKind.TOMBSTONE: "Réponse officielle retirée"},
    "commitment": {EntryKind.EDIT: "Engagement suivi ou corrigé", EntryKind.TOMBSTONE: "Engagement retiré"},
    "case": {EntryKind.EDIT: "Cas d’usage corrigé", EntryKind.TOMBSTONE: "Cas d’usage retiré"},
}
FIELDS: Final = {
    "type": "Nature",
    "step": "Étape",
    "contribution": "Proposition",
    "argument": "Argument",
    "reply": "Réponse",
    "answer": "Réponse officielle",
    "commitment": "Engagement",
    "case": "Cas d’usage",
    "published_at": "Heure de publication, arrondie",
    "reason": "Motif",
    "version": "Version du texte",
    "vote": "Type de vote",
    "value": "Sens du vote",
    "choices": "Points donnés à chaque proposition",
    "former": "Points donnés avant ce changement",
    "contributions": "Propositions dont les points ont changé",
    "voter": "Votant (identifiant propre à cette étape, sans lien avec votre pseudonyme)",
    "author": "Auteur (identifiant propre à cette étape, le même sur tous vos textes)",
    "text_sha256": "Empreinte du texte, sans le texte",
    "answers_sha256": "Empreinte des réponses publiées",
    "theme": "Thème",
    "article": "Article",
    "rewrites": "Texte récrit",
    "on": "Sur la proposition",
    "side": "Côté",
    "created_at": "Heure, arrondie",
    "day": "Jour",
    "count": "Nombre de réponses",
    "replies": "Empreintes salées des réponses publiées, une par réponse",
    "ground": "Raison",
    "entries": "Entrées dont le contenu a été détruit",
}
USEFUL: Final = {"for": "Utile"}  # the only value of a vote on an argument
SUPPORT: Final = {"for": "Soutien"}  # the only value where a vote is a support
VALUES: Final = {
    "value": {"for": "D’accord", "mixed": "Mitigé", "against": "Pas d’accord"},
    "side": {"for": "Pour", "against": "Contre"},
    "vote": {"support": "Soutien", "points": "Points à répartir", "ranking": "Classement d’une sélection"},
    "ground": {"withdrawn": "retiré par qui l’avait écrit", "erased": "effacé", "import_undone": "import annulé"},
    "type": {
        "replies": "réponses anonymes à un questionnaire",
        "reply": "réponse à un questionnaire",
        "vote": "vote",
        "proposal": "proposition",
        "argument": "argument",
    },
}


def act(kind: EntryKind, opening: dict[str, Any] | None) -> str:
    """What an entry is about, in French."""
    opening = opening or {}
    about = next((words for name, words in SAID_ACTS.items() if name in opening), ACTS)
    about = REPLY_ACTS if "reply" in opening else about
    return about.get(kind, ACTS[kind])


def said(opening: dict[str, Any]) -> list[tuple[str, str]]:
    """What an opening reveals, field by field."""
    values = VALUES
    if "argument" in opening or opening.get("vote") == "support":
        values = VALUES | {"value": USEFUL if "argument" in opening else SUPPORT}
    return [(FIELDS.get(name, name), _value(value, values.get(name, {}))) for name, value in opening.items()]


def _value(value: Any, words: dict[str, str]) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        said = list(value.items())
        if all(isinstance(inner, int) for inner in value.values()):  # points of a ballot: what has most comes first
            said = sorted(said, key=lambda each: (-each[1], each[0]))
        return ", ".join(f"{key}\u00a0: {inner}" for key, inner in said)
    return words.get(str(value), str(value))


# What the conservation census counts.
CONSERVED: Final = {
    "proposal": "Propositions",
    "version": "Versions d’articles",
    "argument": "Arguments",
    "reply": "Réponses aux questionnaires",
    "vote": "Votes",
}
