"""Cases as anybody reads them: what was typed, and the figures of their consultation where the public log stands."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

from consult.clock import hour, written
from consult.consultations import figures
from consult.consultations.labels import FIGURES
from consult.consultations.models import Consultation, ConsultationStatus
from consult.followup.models import Status, UseCase
from consult.paging import Paged, paged
from consult.protocols import Row, StepKind
from consult.registry import queries as registry

PAGE_SIZE: Final = 20
COLUMNS: Final[Mapping[str, str]] = {
    "id": "Identifiant",
    "title": "Titre",
    "partner": "Administration partenaire",
    "theme": "Thème",
    "summary": "Ce qui fut fait",
    "starts_on": "Premier jour",
    "ends_on": "Dernier jour",
    "consultation": "Identifiant de la consultation dans les adresses",
    "contributions": "Contributions publiées",
    "arguments": "Arguments publiés",
    "votes": "Votes",
    "replies": "Réponses aux questionnaires",
    "imported_votes": "Votes recueillis ailleurs, jamais ajoutés aux autres",
    "imported_replies": "Réponses recueillies ailleurs, jamais ajoutées aux autres",
    "position": "Numéro du registre public auquel ces chiffres sont arrêtés",
    "sealed": "Numéro de l’entrée qui scelle la consultation ; vide tant qu’elle ne l’est pas",
    "result_link": "Page des résultats",
    "licence": "Licence des résultats",
    "published_at": "Heure de publication (UTC)",
}


def published(*, theme: str = "", partner: str = "") -> Select[UseCase]:
    """The published cases of that theme and that partner, in the order of their ids."""
    query = (
        select(UseCase)
        .join(Consultation, Consultation.id == UseCase.consultation_id)
        .where(UseCase.status == Status.PUBLISHED, Consultation.status != ConsultationStatus.DRAFT)
        .order_by(UseCase.id)
    )
    if theme:
        query = query.where(UseCase.theme == theme)
    return query.where(UseCase.partner == partner) if partner else query


def page(session: Session, *, theme: str, partner: str, number: int) -> Paged[UseCase]:
    """A page of them, the last ended first."""
    query = published(theme=theme, partner=partner).order_by(None).order_by(UseCase.ends_on.desc(), UseCase.id)
    return paged(session, query, number=number, size=PAGE_SIZE)


def choices(session: Session) -> Mapping[str, Sequence[str]]:
    """The themes and the partners that a list may be filtered by."""
    shown = published().order_by(None).with_only_columns
    return {
        name: session.scalars(shown(column).distinct().order_by(column)).all()
        for name, column in (("theme", UseCase.theme), ("partner", UseCase.partner))
    }


def rows(session: Session, found: Sequence[UseCase], step_kinds: Mapping[str, StepKind]) -> list[Row]:
    """Cases with their figures, in a bounded number of queries."""
    ids = {each.consultation_id for each in found}
    query = select(Consultation).where(Consultation.id.in_(ids)).options(selectinload(Consultation.steps))
    held = {each.id: each for each in session.scalars(query)}
    counts = figures.of_steps(session, [step for each in held.values() for step in each.steps], step_kinds)
    seals, position = registry.seals(session, ids), registry.counted(session)
    return [
        {
            "id": str(each.id),
            **each.facts(),
            "consultation": held[each.consultation_id].slug,
            **_volumes(held[each.consultation_id], counts),
            "position": position,
            "sealed": seals.get(each.consultation_id),
            "published_at": written(hour(each.published_at)) if each.published_at else None,
        }
        for each in found
    ]


def _volumes(consultation: Consultation, counts: Mapping[uuid.UUID, figures.Counts]) -> dict[str, Any]:
    whole = figures.totals(counts[step.id] for step in consultation.steps if step.id in counts)
    return {name: whole.get(name, 0) for name in FIGURES}
