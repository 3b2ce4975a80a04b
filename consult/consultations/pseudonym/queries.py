"""Where a person is shown under another name."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.accounts.models import ConsultationPseudonym
from consult.consultations.models import Consultation, ConsultationStatus
from consult.paging import Paged, paged


def apart(
    session: Session, account_id: uuid.UUID, *, page: int, size: int
) -> tuple[Paged[Consultation], Mapping[uuid.UUID, str]]:
    """A page of the consultations where the account chose a name, the latest first, and that name by their id."""
    name, mine = ConsultationPseudonym, ConsultationPseudonym.account_id == account_id
    where = (
        select(Consultation)
        .join(name, name.consultation_id == Consultation.id)
        .where(mine, Consultation.status != ConsultationStatus.DRAFT)
        .order_by(name.chosen_at.desc(), name.id)
    )
    found = paged(session, where, number=page, size=size)
    listed = select(name.consultation_id, name.pseudonym).where(
        mine, name.consultation_id.in_([each.id for each in found.rows])
    )
    return found, {row.consultation_id: row.pseudonym for row in session.execute(listed)}
