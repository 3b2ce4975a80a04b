"""Reading batches and the rows that were refused."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.consultations.models import Consultation, Step
from consult.errors import NotFoundError
from consult.imports.mapping import Target
from consult.imports.models import ImportBatch, RejectedRow
from consult.imports.undo import CONTENTS, TYPES
from consult.questionnaires.models import Answer, AnswerVisibility, Question, Reply

CHUNK = 1000


def batch_or_404(session: Session, batch_id: uuid.UUID) -> ImportBatch:
    """The batch of that id. Raises NotFoundError."""
    batch = session.scalar(select(ImportBatch).where(ImportBatch.id == batch_id))
    if batch is None:
        raise NotFoundError(f"Aucun lot d’import ne porte l’identifiant {batch_id}.")
    return batch


def where(session: Session, batch: ImportBatch) -> str:
    """The consultation and the step that received a batch, in words."""
    consultation, step = session.get_one(Consultation, batch.consultation_id), session.get_one(Step, batch.step_id)
    return f"« {consultation.title} » ({consultation.slug}), étape « {step.title} » ({step.slug})"


def refused_rows(session: Session, batch_id: uuid.UUID) -> Iterator[tuple[int, str, str]]:
    """Line, reason and raw row of every refused row, in the order of the file, streamed."""
    query = select(RejectedRow.line, RejectedRow.reason, RejectedRow.raw).where(RejectedRow.batch_id == batch_id)
    streamed = query.order_by(RejectedRow.id).execution_options(yield_per=CHUNK)
    yield from ((line, reason, raw) for line, reason, raw in session.execute(streamed))


def texts(session: Session, batch: ImportBatch, *, after: uuid.UUID) -> list[tuple[str, uuid.UUID, list[str]]]:
    """Type, id and texts that everybody reads of the next contents that a batch brought, in the order of ids."""
    target = Target(batch.target)
    if target is not Target.REPLIES:
        model: Any = CONTENTS[target]
        brought = select(model.id, model.title, model.body).where(model.import_batch_id == batch.id, model.id > after)
        rows = session.execute(brought.order_by(model.id).limit(CHUNK)).all()
        return [(TYPES[target], row.id, [row.title or "", row.body]) for row in rows]
    replies = select(Reply.id).where(Reply.import_batch_id == batch.id, Reply.id > after)
    ids = session.scalars(replies.order_by(Reply.id).limit(CHUNK)).all()
    said: dict[uuid.UUID, list[str]] = {reply_id: [] for reply_id in ids}
    shown = select(Answer.reply_id, Answer.text, Answer.other).join(Question, Question.id == Answer.question_id)
    shown = shown.where(Answer.reply_id.in_(ids), Question.visibility == AnswerVisibility.ROWS)
    for row in session.execute(shown):
        said[row.reply_id] += [row.text or "", row.other or ""]
    return [(TYPES[target], reply_id, words) for reply_id, words in said.items()]
