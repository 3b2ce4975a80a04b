"""Who wears which name."""

from __future__ import annotations

import uuid
from typing import Any, cast

from sqlalchemy import ColumnElement, SQLColumnExpression, Table, func, select
from sqlalchemy.orm import Session

from consult.accounts.models import Account, ConsultationPseudonym
from consult.accounts.pseudonyms import policy

_A, _C = (cast("Table", each.__table__).c for each in (Account, ConsultationPseudonym))


def shown(account_id: SQLColumnExpression[Any], consultation_id: SQLColumnExpression[Any]) -> ColumnElement[str]:
    """The name under which an account is shown in a consultation, for a query that reads their ids; empty without one.

    On tables, which the filter of organisations leaves alone: both ids come from a row found under it.
    """
    there = select(_C.pseudonym).where(_C.account_id == account_id, _C.consultation_id == consultation_id)
    everywhere = select(_A.pseudonym).where(_A.id == account_id)
    return func.coalesce(there.scalar_subquery(), everywhere.scalar_subquery(), "")


def chosen(session: Session, account_id: uuid.UUID, consultation_id: uuid.UUID) -> str:
    """The name that the account chose for that consultation; empty when it is shown under its own."""
    found = select(_C.pseudonym).where(_C.account_id == account_id, _C.consultation_id == consultation_id)
    return session.scalar(found) or ""


def worn(session: Session, organisation_id: uuid.UUID, pseudonym: str, *, but: uuid.UUID | None = None) -> bool:
    """Whether somebody else than `but` wears that pseudonym in the organisation, or one that looks like it.

    Everywhere or in one consultation: names of several consultations are read side by side.
    """
    looks = policy.looks(pseudonym)
    for model, wearer in ((Account, Account.id), (ConsultationPseudonym, ConsultationPseudonym.account_id)):
        for look in (model.pseudonym_key, model.pseudonym_look):  # apart: each has its index
            found = select(wearer).where(model.organisation_id == organisation_id, look.in_(looks))
            if session.scalar(found.where(wearer != but).limit(1) if but else found.limit(1)) is not None:
                return True
    return False
