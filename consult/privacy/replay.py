"""Doing erasures again in a database that a restored backup brought back before them."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import select

from consult.accounts.models import Account, AccountStatus
from consult.db import ALL_TENANTS, Database
from consult.privacy import service
from consult.privacy.erasures import Recorded
from consult.privacy.models import ErasureEntry, ErasureMode
from consult.protocols import Bindings

CHUNK = 5_000


def waiting(database: Database, journal: Recorded) -> dict[uuid.UUID, ErasureMode]:
    """The accounts that the journal says erased and that the database still holds.

    Some two microseconds an account, and none when the database tells every erasure of the journal.
    """
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        told = {journal.name(account_id) for account_id in session.scalars(select(ErasureEntry.account_id))}
        missing = journal.modes.keys() - told
        if not missing:
            return {}
        living = select(Account.id).where(Account.status != AccountStatus.ERASED)
        ids = session.scalars(living, execution_options={"yield_per": CHUNK})
        return {each: journal.modes[name] for each in ids if (name := journal.name(each)) in missing}


def erase_again(
    database: Database, bindings: Bindings, account_id: uuid.UUID, mode: ErasureMode, *, now: dt.datetime
) -> None:
    """Erase one account in a transaction of its own, even the last administrator of an organisation."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        account = session.get_one(Account, account_id)
        service.erase_account(session, bindings, account, mode=mode, now=now, again=True)
