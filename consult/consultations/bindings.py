"""What this feature hands to `app.py` through the protocols: the presentation step and two public datasets."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.clock import written
from consult.consultations.models import Consultation, ConsultationStatus, Step
from consult.protocols import Row

Page = Callable[[Session, Any, Actor, dt.datetime, Mapping[str, str]], str]


class PageStep:
    """A step that is read: nobody acts in it. Its kinds differ by what their page shows."""

    kind: ClassVar[str]
    label: ClassVar[str]

    def __init__(self, page: Page) -> None:
        self._page = page

    def create(self, session: Session, step: Step) -> None:
        """Need nothing more than the step itself."""

    def duplicate(self, session: Session, source: Step, target: Step) -> None:
        """Copy the text."""
        target.introduction, target.settings = source.introduction, dict(source.settings)
        session.flush()

    def rules(self, session: Session, step: Step) -> Mapping[str, Any]:  # noqa: ARG002  # the protocol's signature
        """Nothing but the step itself is frozen."""
        return {}

    def purge_test_traces(self, session: Session, step: Step) -> int:  # noqa: ARG002
        """There are no acts here."""
        return 0

    def render(self, session: Session, step: Step, actor: Actor, now: dt.datetime, arguments: Mapping[str, str]) -> str:
        """The page."""
        return self._page(session, step, actor, now, arguments)

    def census(self, session: Session, step: Step) -> Mapping[str, int]:  # noqa: ARG002
        """There is nothing to count."""
        return {}


class PresentationStep(PageStep):
    """A page of the organiser: context, documents, contradictory viewpoints."""

    kind: ClassVar[str] = "presentation"
    label: ClassVar[str] = "Présentation"


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
    }


class ConsultationDataset:
    """The consultation itself, one row."""

    name: ClassVar[str] = "consultation"
    columns: ClassVar[Mapping[str, str]] = {
        "id": "Identifiant",
        "slug": "Identifiant dans les adresses",
        "title": "Titre",
        "summary": "Résumé",
        "opens_at": "Ouverture (UTC)",
        "closes_at": "Clôture prévue ou faite (UTC)",
        "sample": "Qui a répondu : « volunteers » pour des participants volontaires",
    }

    def rows(
        self,
        session: Session,
        consultation_id: uuid.UUID,
        *,
        after: str | None = None,
        limit: int | None = None,
        among: Collection[uuid.UUID] | None = None,
    ) -> Iterator[Row]:
        """The row, unless the consultation is a draft."""
        consultation = session.scalar(_public(consultation_id))
        if consultation is None or limit == 0 or (after is not None and after >= str(consultation_id)):
            return
        if among is not None and consultation_id not in among:
            return
        yield consultation_row(consultation)


class StepsDataset:
    """The steps of a consultation."""

    name: ClassVar[str] = "steps"
    columns: ClassVar[Mapping[str, str]] = {
        "id": "Identifiant",
        "slug": "Identifiant dans les adresses",
        "kind": "Type : « proposals », « questionnaire », « presentation »…",
        "title": "Titre",
        "position": "Rang dans la consultation",
        "opens_at": "Ouverture (UTC)",
        "closes_at": "Clôture (UTC)",
    }

    def rows(
        self,
        session: Session,
        consultation_id: uuid.UUID,
        *,
        after: str | None = None,
        limit: int | None = None,
        among: Collection[uuid.UUID] | None = None,
    ) -> Iterator[Row]:
        """Rows in the order of their id."""
        if session.scalar(_public(consultation_id)) is None:
            return
        query = select(Step).where(Step.consultation_id == consultation_id).order_by(Step.id).limit(limit)
        if after is not None:
            query = query.where(Step.id > uuid.UUID(after))
        if among is not None:
            query = query.where(Step.id.in_(among))
        for step in session.scalars(query):
            yield {
                "id": str(step.id),
                "slug": step.slug,
                "kind": step.kind,
                "title": step.title,
                "position": step.position,
                "opens_at": written(step.opens_at),
                "closes_at": written(step.closes_at),
            }


def _public(consultation_id: uuid.UUID) -> Any:
    return select(Consultation).where(
        Consultation.id == consultation_id, Consultation.status != ConsultationStatus.DRAFT
    )
