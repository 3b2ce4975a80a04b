"""Reading batches and the rows that were refused."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.consultations.models import Consultation, Step
from consult.errors import NotFoundError
from consult.imports.models import ImportBatch, RejectedRow

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
