"""What this feature hands to `app.py` through the protocols: the personal data of its table."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import ClassVar, Final

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from consult.accounts.models import Account
from consult.personal import plain_row
from consult.privacy.rights.models import RightsRequest
from consult.protocols import PersonalData, Row


class RightsRequestData:
    """Requests of the account, and those made without signing in from the address that it proved to be its own."""

    table: ClassVar[str] = "rights_request"
    label: ClassVar[str] = "Demandes d’exercice de vos droits"
    purpose: ClassVar[str] = "Répondre à vos demandes dans le délai de la loi, et pouvoir le montrer."
    kept: ClassVar[str] = "Un an après la réponse, ou après la fin de ce qui a été accordé."

    def export(self, session: Session, account_id: uuid.UUID) -> Iterator[Row]:
        """Each request and its answer; who answered is not theirs to have."""
        mine = select(RightsRequest).where(_of(session, account_id)).order_by(RightsRequest.asked_at)
        for request in session.scalars(mine):
            yield {**plain_row(request), "answered_by_id": None}

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Delete them: what they asked is done with the account."""
        del now
        gone = delete(RightsRequest).where(_of(session, account_id)).returning(RightsRequest.id)
        return len(session.scalars(gone.execution_options(synchronize_session=False)).all())


def _of(session: Session, account_id: uuid.UUID) -> ColumnElement[bool]:
    account = session.get_one(Account, account_id)
    if account.email is None or account.confirmed_at is None:
        return RightsRequest.account_id == account_id
    proved = (RightsRequest.email == account.email) & RightsRequest.confirmed_at.is_not(None)
    here = RightsRequest.organisation_id == account.organisation_id
    return or_(RightsRequest.account_id == account_id, proved & here)


PERSONAL_DATA: Final[tuple[PersonalData, ...]] = (RightsRequestData(),)
