"""The texts that an analysis read, as they are public now: a run keeps ids, never texts."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.consultations.models import ContentStatus, Step
from consult.protocols import ContentType
from consult.questionnaires.models import Answer, AnswerVisibility, Question, Reply

CONTENT_TYPES = {"contribution": "proposal", "argument": "argument"}  # unit of a corpus -> moderable content


@dataclass(frozen=True, slots=True)
class Verbatim:
    """One contribution behind a figure."""

    id: uuid.UUID
    title: str
    text: str
    address: str


def verbatims(
    session: Session,
    consultation_id: uuid.UUID,
    corpus: str,
    unit: str,
    ids: Sequence[uuid.UUID],
    content_types: Mapping[str, ContentType],
) -> list[Verbatim]:
    """The texts of these ids that are public now, in the order given; those withdrawn or hidden since are left out."""
    if unit == "reply":
        found = _answers(session, consultation_id, corpus, ids)
    else:
        items = content_types[CONTENT_TYPES[unit]].items(session, ids)
        found = {
            item.id: Verbatim(item.id, item.title, item.body, item.address)
            for item in items.values()
            if item.status == ContentStatus.PUBLISHED
        }
    return [found[each] for each in ids if each in found]


def _answers(
    session: Session, consultation_id: uuid.UUID, corpus: str, ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, Verbatim]:
    step_slug, _, position = corpus.rpartition(":q")
    rows = session.execute(
        select(Reply.id, Answer.text)
        .join(Answer, Answer.reply_id == Reply.id)
        .join(Question, Question.id == Answer.question_id)
        .join(Step, Step.id == Question.step_id)
        .where(
            Step.consultation_id == consultation_id,
            Step.slug == step_slug,
            Question.position == int(position),
            Question.visibility == AnswerVisibility.ROWS,
            Reply.status == ContentStatus.PUBLISHED,
            Reply.id.in_(ids),
        )
    )
    return {row.id: Verbatim(row.id, "", row.text or "", "") for row in rows}
