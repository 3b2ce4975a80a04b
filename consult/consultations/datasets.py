"""The public rows of a consultation and of its steps, and how the rows of any table of a consultation are read."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, ClassVar, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.clock import written
from consult.consultations.models import Consultation, ConsultationStatus, Step
from consult.protocols import Row

BATCH: Final = 1_000


class PublicRows(ABC):
    """Rows of one consultation, if public, in the order of ids; streamed. A PublicDataset once it says its names."""

    model: ClassVar[Any]
    name: ClassVar[str]
    columns: ClassVar[Mapping[str, str]]

    def rows(
        self,
        session: Session,
        consultation_id: uuid.UUID,
        *,
        after: str | None = None,
        limit: int | None = None,
        among: Collection[uuid.UUID] | None = None,
    ) -> Iterator[Row]:
        """Public rows, streamed; `after` is the `id` of the last row seen. None for a draft."""
        statuses = select(Consultation.status).where(Consultation.id == consultation_id)
        if session.scalar(statuses) in {None, ConsultationStatus.DRAFT}:
            return
        query = self._select(consultation_id).order_by(self.model.id).limit(limit)
        if after is not None:
            query = query.where(self.model.id > uuid.UUID(after))
        if among is not None:
            query = query.where(self.model.id.in_(among))
        write = self._writer(session, consultation_id)
        for row in session.execute(query, execution_options={"yield_per": BATCH}):
            yield write(row)

    @abstractmethod
    def _select(self, consultation_id: uuid.UUID) -> Any:
        """The rows of that consultation that are public, whatever it is itself."""

    @abstractmethod
    def _writer(self, session: Session, consultation_id: uuid.UUID) -> Callable[[Any], Row]:
        """What writes one of them."""


def consultation_row(consultation: Consultation) -> Row:
    """A consultation as public data tell it."""
    return {
        "id": str(consultation.id),
        "slug": consultation.slug,
        "title": consultation.title,
        "summary": consultation.summary,
        "opens_at": written(consultation.opens_at),
        "closes_at": written(consultation.closed_at or consultation.closes_at),
        "sample": "volunteers",
        "minimum_age": consultation.minimum_age,
        "parental_consent": consultation.parental_consent,
    }


class ConsultationDataset(PublicRows):
    """The consultation itself, one row."""

    model = Consultation
    name: ClassVar[str] = "consultation"
    columns: ClassVar[Mapping[str, str]] = {
        "id": "Identifiant",
        "slug": "Identifiant dans les adresses",
        "title": "Titre",
        "summary": "Résumé",
        "opens_at": "Ouverture (UTC)",
        "closes_at": "Clôture prévue ou faite (UTC)",
        "sample": "Qui a répondu : « volunteers » pour des participants volontaires",
        "minimum_age": "Âge à déclarer pour participer ; vide quand aucun n’est demandé",
        "parental_consent": "Si de plus jeunes participent avec l’accord d’un parent",
    }

    def _select(self, consultation_id: uuid.UUID) -> Any:
        return select(Consultation).where(Consultation.id == consultation_id)

    def _writer(self, session: Session, consultation_id: uuid.UUID) -> Callable[[Any], Row]:
        del session, consultation_id
        return lambda row: consultation_row(row.Consultation)


class StepsDataset(PublicRows):
    """The steps of a consultation."""

    model = Step
    name: ClassVar[str] = "steps"
    columns: ClassVar[Mapping[str, str]] = {
        "id": "Identifiant",
        "slug": "Identifiant dans les adresses",
        "kind": "Type : « proposals », « bill », « debate », « questionnaire », « presentation »…",
        "title": "Titre",
        "position": "Rang dans la consultation",
        "opens_at": "Ouverture (UTC)",
        "closes_at": "Clôture (UTC)",
        "order_seed": "Graine publique des tirages au sort, que le guide « L’ordre des listes » dit comment refaire",
    }

    def _select(self, consultation_id: uuid.UUID) -> Any:
        columns = (Step.id, Step.slug, Step.kind, Step.title, Step.position, Step.opens_at, Step.closes_at)
        return select(*columns, Step.order_seed).where(Step.consultation_id == consultation_id)

    def _writer(self, session: Session, consultation_id: uuid.UUID) -> Callable[[Any], Row]:
        del session, consultation_id
        return lambda row: {
            "id": str(row.id),
            "slug": row.slug,
            "kind": row.kind,
            "title": row.title,
            "position": row.position,
            "opens_at": written(row.opens_at),
            "closes_at": written(row.closes_at),
            "order_seed": row.order_seed,
        }
