"""Giving an account another pseudonym, everywhere or in one consultation."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from consult.accounts.models import Account, ConsultationPseudonym
from consult.accounts.pseudonyms import policy
from consult.accounts.service import claim_pseudonym, lock_active


def rename(session: Session, account_id: uuid.UUID, pseudonym: str, *, reserved: Iterable[str]) -> Account:
    """Give the account another pseudonym, shown everywhere at once but where it chose one apart.

    Raises InvalidError naming the field.
    """
    account = lock_active(session, account_id)
    pseudonym = _free(session, account, pseudonym, reserved)
    for column, value in policy.columns(pseudonym).items():
        setattr(account, column, value)
    session.flush()
    return account


def choose(
    session: Session,
    account_id: uuid.UUID,
    consultation_id: uuid.UUID,
    pseudonym: str,
    *,
    reserved: Iterable[str],
    now: dt.datetime,
) -> None:
    """Show the account under another name in that consultation, also on what it wrote there.

    Raises InvalidError naming the field.
    """
    account = lock_active(session, account_id)
    pseudonym = _free(session, account, pseudonym, reserved)
    held = select(ConsultationPseudonym).where(
        ConsultationPseudonym.account_id == account_id, ConsultationPseudonym.consultation_id == consultation_id
    )
    row = session.scalar(held) or ConsultationPseudonym(
        organisation_id=account.organisation_id, account_id=account_id, consultation_id=consultation_id
    )
    for column, value in {**policy.columns(pseudonym), "chosen_at": now}.items():
        setattr(row, column, value)
    session.add(row)
    session.flush()


def give_up(session: Session, account_id: uuid.UUID, consultation_id: uuid.UUID) -> None:
    """Show the account under the name it has everywhere, in that consultation too."""
    lock_active(session, account_id)
    session.execute(
        delete(ConsultationPseudonym).where(
            ConsultationPseudonym.account_id == account_id, ConsultationPseudonym.consultation_id == consultation_id
        )
    )


def _free(session: Session, account: Account, pseudonym: str, reserved: Iterable[str]) -> str:
    """The pseudonym as it will be shown, that nobody else wears."""
    pseudonym = policy.clean(pseudonym, reserved=reserved)
    claim_pseudonym(session, account.organisation_id, pseudonym, but=account.id)
    return pseudonym
