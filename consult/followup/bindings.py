"""What this feature hands to `app.py` through the protocols: two public datasets, the personal data of its tables."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.clock import hour, written
from consult.consultations.datasets import PublicRows
from consult.followup.models import Commitment, OfficialAnswer, Status, UseCase
from consult.personal import KeptRows
from consult.protocols import PersonalData, Row

_STATE: Final[Mapping[str, str]] = {
    "status": "published (publié) ou withdrawn (retiré)",
    "version": "Numéro de la version ; au-dessus de 1, les précédentes se lisent sur la page",
    "published_at": "Heure de publication (UTC)",
    "edited_at": "Heure de la dernière version (UTC)",
    "withdrawn_at": "Heure du retrait (UTC)",
    "withdrawal_reason": "Motif du retrait",
}


def _state(item: OfficialAnswer | Commitment) -> Row:
    dates = {name: getattr(item, name) for name in ("published_at", "edited_at", "withdrawn_at")}
    return {
        "status": item.status.value,
        "version": item.version,
        **{name: written(hour(at)) if at else None for name, at in dates.items()},
        "withdrawal_reason": item.withdrawal_reason,
    }


def _row(item: OfficialAnswer | Commitment, kept: Mapping[str, Any]) -> Row:
    """What it says, unless it was taken back: then `kept` replaces what goes."""
    facts = item.facts() if item.status is Status.PUBLISHED else {**item.facts(), **kept}
    return {"id": str(item.id), **facts, **_state(item)}


class _Said(PublicRows):
    """What was published, without the words of what was taken back."""

    withdrawn: ClassVar[Mapping[str, Any]]

    def _select(self, consultation_id: uuid.UUID) -> Any:
        return select(self.model).where(
            self.model.consultation_id == consultation_id, self.model.status != Status.DRAFT
        )

    def _writer(self, session: Session, consultation_id: uuid.UUID) -> Callable[[Any], Row]:
        del session, consultation_id
        return lambda row: _row(row[0], self.withdrawn)


class OfficialAnswersDataset(_Said):
    """What the administration answered."""

    model = OfficialAnswer
    name: ClassVar[str] = "official_answers"
    withdrawn: ClassVar[Mapping[str, Any]] = {"outcome": None, "body": ""}
    columns: ClassVar[Mapping[str, str]] = {
        "id": "Identifiant",
        "target_type": "Ce à quoi elle répond : contribution, theme, step (étape) ou consultation",
        "target": "Identifiant de ce à quoi elle répond",
        "outcome": "Suite : under_study (à l’étude), accepted (retenue), partly_accepted (retenue en partie), "
        "declined (non retenue) ; vide si la réponse est retirée",
        "authority": "Au nom de qui",
        "body": "Texte, vide si la réponse est retirée",
        **_STATE,
    }


class CommitmentsDataset(_Said):
    """What the administration committed to."""

    model = Commitment
    name: ClassVar[str] = "commitments"
    withdrawn: ClassVar[Mapping[str, Any]] = {
        "title": "", "body": "", "link": "", "answers": [], "contributions": [], "updates": [],
    }  # fmt: skip
    columns: ClassVar[Mapping[str, str]] = {
        "id": "Identifiant",
        "title": "Titre, vide si l’engagement est retiré",
        "body": "Texte, vide si l’engagement est retiré",
        "owner": "Administration en charge",
        "stage": "Avancement : planned (prévu), in_progress (en cours), done (réalisé), abandoned (abandonné)",
        "due_on": "Échéance",
        "link": "Page qui en dit plus",
        "answers": "Identifiants des réponses officielles qu’il suit",
        "contributions": "Identifiants des contributions qu’il suit",
        "updates": "Points d’étape, du premier au dernier : avancement (stage), texte (body), heure (published_at)",
        **_STATE,
    }


class _Written(KeptRows):
    """An act of the administration: its author is a name in the access register, and no one once their account goes."""

    purpose: ClassVar[str] = "Rendre compte de ce que l’administration répond, et de qui l’a écrit."
    kept: ClassVar[str] = "Tant que la consultation est publiée, sans votre nom après la suppression du compte."
    owner: ClassVar[str] = "author_id"


class OfficialAnswerData(_Written):
    """Answers written."""

    table: ClassVar[str] = "official_answer"
    label: ClassVar[str] = "Réponses officielles que vous avez écrites"
    model = OfficialAnswer


class CommitmentData(_Written):
    """Commitments written."""

    table: ClassVar[str] = "commitment"
    label: ClassVar[str] = "Engagements que vous avez écrits"
    model = Commitment


class UseCaseData(_Written):
    """Cases written."""

    table: ClassVar[str] = "use_case"
    label: ClassVar[str] = "Cas d’usage que vous avez écrits"
    model = UseCase


PERSONAL_DATA: Final[tuple[PersonalData, ...]] = (OfficialAnswerData(), CommitmentData(), UseCaseData())
