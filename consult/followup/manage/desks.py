"""The three desks at which staff write: what differs between official answers, commitments and cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from consult.followup import forms, labels
from consult.followup.models import Commitment, OfficialAnswer, Status, UseCase


@dataclass(frozen=True, slots=True)
class Desk:
    """One of them: its place in addresses, its forms and its French."""

    name: str
    path: str
    model: Any
    form: Callable[..., Any]
    values: Callable[[Any], Mapping[str, Any]]
    title: str
    lead: str
    new: str
    one: str
    subject: str
    feminine: bool

    @property
    def statuses(self) -> Mapping[Status, tuple[str, str]]:
        """The word and the badge of each state."""
        return labels.STATUSES[self.feminine]

    def done(self, act: str) -> str:
        """What is said of an act."""
        e = "e" if self.feminine else ""
        return {
            "saved": f"{self.subject} est enregistré{e} en brouillon\u00a0: relisez, puis publiez.",
            "published": f"{self.subject} est publié{e}.",
            "corrected": f"{self.subject} est corrigé{e}\u00a0; la version précédente reste lisible.",
            "removed": "Le brouillon est supprimé.",
            "withdrawn": f"{self.subject} est retiré{e}, et son motif publié.",
        }[act]


_DESKS: Final = (
    Desk(
        name="answers",
        path="reponses-officielles",
        model=OfficialAnswer,
        form=forms.answer_form,
        values=forms.answer_values,
        title="Réponses officielles",
        lead="Répondez en public, en motivant, à une contribution, à un thème, à une étape ou à la consultation.",
        new="Nouvelle réponse officielle",
        one="Réponse officielle",
        subject="La réponse",
        feminine=True,
    ),
    Desk(
        name="commitments",
        path="engagements",
        model=Commitment,
        form=forms.commitment_form,
        values=forms.commitment_values,
        title="Engagements",
        lead="Dites ce que l’administration fera, qui en répond et pour quand, puis publiez des points d’étape.",
        new="Nouvel engagement",
        one="Engagement",
        subject="L’engagement",
        feminine=False,
    ),
    Desk(
        name="cases",
        path="cas-d-usage",
        model=UseCase,
        form=forms.case_form,
        values=forms.case_values,
        title="Cas d’usage",
        lead="Racontez cette consultation, une fois terminée, dans la liste publique des cas d’usage. "
        "Ses chiffres sont ceux de la consultation\u00a0: ils ne se saisissent pas.",
        new="Nouveau cas d’usage",
        one="Cas d’usage",
        subject="Le cas",
        feminine=False,
    ),
)
DESKS: Final = {desk.path: desk for desk in _DESKS}
