"""What a bill hands to `app.py` through the protocols: its step and the open data of its parts."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult import clock
from consult.consultations.datasets import PublicRows
from consult.consultations.models import Step
from consult.contributions import bindings, policy
from consult.contributions.bill import policy as versions
from consult.contributions.bill import queries
from consult.contributions.bill.builder import service as builder
from consult.contributions.bill.numbering import outline
from consult.contributions.models import Article
from consult.errors import InvalidError
from consult.protocols import Row


class BillStep(bindings.ProposalsStep):
    """A bill is read article by article; citizens argue for and against each, and vote on it."""

    kind: ClassVar[str] = "bill"
    label: ClassVar[str] = "Texte de loi, article par article"
    staff_pages: ClassVar[tuple[tuple[str, str], ...]] = (
        ("texte", "Texte"),
        ("regles", "Règles"),
        ("moderation", "Modération"),
    )

    def duplicate(self, session: Session, source: Step, target: Step) -> None:
        """Copy the settings, the parts and the texts, never what citizens wrote."""
        target.introduction, target.settings = source.introduction, dict(source.settings)
        builder.duplicate(session, source, target, clock.now())

    def rules(self, session: Session, step: Step) -> Mapping[str, Any]:
        """As of proposals, and the whole bill. Raises InvalidError when it has no article."""
        texts = queries.texts(session, step.id)
        if not texts:
            raise InvalidError(f"Étape « {step.title} » : saisissez au moins un article avant d’ouvrir.")
        lines = outline(queries.parts(session, step.id))
        shared = {name: rule for name, rule in super().rules(session, step).items() if name != "themes"}
        return shared | {
            "versions": versions.RULES,
            "parts": [
                {
                    "id": str(line.id),
                    "parent": str(line.parent_id) if line.parent_id else None,
                    "level": line.level.value,
                    "name": line.name,
                    "heading": line.heading,
                }
                for line in lines
            ],
            "texts": [
                {"id": str(text.id), "article": str(line.id), "text_sha256": policy.text_digest(text.title, text.body)}
                for line in lines
                if (text := texts.get(line.id)) is not None
            ],
        }

    def census(self, session: Session, step: Step) -> Mapping[str, int]:
        """What citizens wrote and voted; the texts submitted to them are not theirs."""
        return queries.census(session, step)


class ArticlesDataset(PublicRows):
    """The parts of bills, in the order of ids; a reader puts them in order by parent and position."""

    model = Article
    name: ClassVar[str] = "articles"
    columns: ClassVar[Mapping[str, str]] = {
        "id": "Identifiant",
        "step": "Étape",
        "parent": "Division qui la contient, s’il y en a une",
        "position": "Rang dans ce qui la contient, à partir de 0",
        "level": "Nature : article, ou division (title : titre, chapter : chapitre, section…)",
        "name": "Nom numéroté, « Article 1er » ; vide pour un intertitre",
        "heading": "Intitulé, s’il y en a un",
    }

    def _select(self, consultation_id: uuid.UUID) -> Any:
        columns = (Article.id, Article.step_id, Article.parent_id, Article.position, Article.level, Article.heading)
        steps = select(Step.id).where(Step.consultation_id == consultation_id)
        return select(*columns).where(Article.step_id.in_(steps))

    def _writer(self, session: Session, consultation_id: uuid.UUID) -> Callable[[Any], Row]:
        steps = session.scalars(select(Step.id).where(Step.consultation_id == consultation_id, Step.kind == "bill"))
        names = {line.id: line.name for step in steps.all() for line in outline(queries.parts(session, step))}
        return lambda row: {
            "id": str(row.id),
            "step": str(row.step_id),
            "parent": str(row.parent_id) if row.parent_id else None,
            "position": row.position,
            "level": row.level.value,
            "name": names[row.id],
            "heading": row.heading,
        }
