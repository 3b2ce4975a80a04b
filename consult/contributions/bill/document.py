"""A bill as one Word document: as it was submitted, or as the votes would have it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from consult.consultations.models import ConsultationStatus, Step
from consult.contributions import labels as vote_labels
from consult.contributions.bill import queries
from consult.contributions.bill.labels import RETAINED
from consult.contributions.bill.numbering import Line, outline
from consult.contributions.models import Level, Proposal, ProposalKind
from consult.contributions.voting import VoteRule, rule_of
from consult.errors import NotFoundError
from consult.labels import date, number
from consult.office import Document
from consult.registry import queries as registry

SUBMITTED: Final = "Texte soumis à la consultation"
CONSOLIDATED: Final = "Texte consolidé selon les votes"
_WIDTH: Final = 16.0  # centimetres
_FIGURE: Final = 2.2  # of a column of votes


@dataclass(frozen=True, slots=True)
class Source:
    """Whose document it is, and the address of the page that it comes from."""

    organisation: str
    address: str


def written(session: Session, step: Step, source: Source, *, consolidated: bool) -> bytes:
    """The file: the same bytes as long as the registry stands at the same position.

    `consolidated`: each article in the text that the votes support most; else all of them as submitted. Raises
    NotFoundError where the votes of the step do not tell one text of an article from another.
    """
    rule = rule_of(step.settings)
    if consolidated and rule.kind not in RETAINED:
        raise NotFoundError("Les votes de cette étape ne départagent pas les textes d’un article.")
    lines = outline(queries.parts(session, step.id))
    texts = (queries.retained if consolidated else queries.texts)(session, step.id)
    about = CONSOLIDATED if consolidated else SUBMITTED
    stands, made_at = _standing(session, step)
    document = Document(step.title, author=source.organisation, subject=about, made_at=made_at)
    document.paragraph(f"{step.consultation.title}\n{about}", "Subtitle")
    document.paragraph(f"{source.organisation}\n{stands}\n{source.address}")
    if consolidated:
        document.paragraph(RETAINED[rule.kind])
    for line in lines:
        document.heading(line.title, line.depth + 1)
        if line.level is Level.ARTICLE:
            _put_text(document, texts[line.id])
    if consolidated:
        _put_votes(document, rule, lines, texts)
    return document.content()


def _standing(session: Session, step: Step) -> tuple[str, dt.datetime]:
    """Where the text stands in the registry, in words, and since when."""
    position = registry.position(session)
    if step.consultation.status is ConsultationStatus.DRAFT:
        return "Brouillon\u00a0: la consultation n’est pas ouverte.", step.opens_at
    if position is None:
        return "Aucun acte n’est encore au registre public.", step.opens_at
    at = registry.recorded_at(session, position)
    return f"État au n°\u00a0{number(position)} du registre public, le {date(at)}", at


def _put_text(document: Document, text: Proposal) -> None:
    if text.kind is ProposalKind.VERSION:
        document.paragraph(f"Version retenue\u00a0: «\u00a0{text.title}\u00a0»", "Caption")
    document.prose(text.body)


def _put_votes(document: Document, rule: VoteRule, lines: Sequence[Line], texts: Mapping[Any, Proposal]) -> None:
    """The table of what was retained, and the votes on it."""
    words = (_WIDTH - _FIGURE * len(rule.values)) / 2
    columns = {"Article": words, "Texte retenu": words}
    columns |= {vote_labels.position(rule, value): _FIGURE for value in rule.values}
    document.heading("Textes retenus et votes", 1)
    document.table("Pour chaque article, le texte retenu et ses votes.", columns, _votes(rule, lines, texts))


def _votes(rule: VoteRule, lines: Sequence[Line], texts: Mapping[Any, Proposal]) -> Iterator[tuple[str, ...]]:
    for line in lines:
        if line.level is Level.ARTICLE:
            text = texts[line.id]
            kept = "Texte soumis" if text.kind is ProposalKind.ARTICLE else f"Version «\u00a0{text.title}\u00a0»"
            yield (line.title, kept, *(number(getattr(text, f"votes_{value.value}")) for value in rule.values))
