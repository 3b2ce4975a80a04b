"""Exporting what is held about a person, and erasing it (Regulation (EU) 2016/679, articles 15, 17 and 20)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.accounts.access import queries as access
from consult.accounts.models import Account, AccountStatus
from consult.db import ALL_TENANTS, as_tenant
from consult.errors import ConflictError
from consult.jobs import service as jobs
from consult.mail import service as mail
from consult.organisations.models import Organisation
from consult.personal import plain
from consult.privacy.models import ErasureEntry, ErasureMode
from consult.protocols import Bindings, KeepsPublished

RECORD_JOB: Final = "privacy.record"
LAST_ADMINISTRATOR = (
    "Vous êtes la seule personne à administrer cette organisation\u00a0: votre compte ne peut pas être supprimé. "
    "Donnez d’abord le rôle d’administrateur à une autre personne."
)


def export_account(session: Session, bindings: Bindings, account_id: uuid.UUID, now: dt.datetime) -> dict[str, Any]:
    """All that is held about an account, in every organisation, by table: JSON-able, no secret, nobody else's data.

    Raises NoResultFound, a fault of the caller, for an unknown account.
    """
    with as_tenant(session, ALL_TENANTS):  # platform staff act in several organisations
        return {
            "exported_at": plain(now),
            "account": str(account_id),
            "tables": {
                data.table: {
                    "label": data.label,
                    "purpose": data.purpose,
                    "kept": data.kept,
                    "rows": list(data.export(session, account_id)),
                }
                for data in bindings.personal_data
            },
        }


def erase_account(
    session: Session,
    bindings: Bindings,
    account: Account,
    *,
    now: dt.datetime,
    mode: ErasureMode = ErasureMode.EVERYTHING,
    again: bool = False,
) -> Mapping[str, int]:
    """Leave nothing that tells of the person, in every organisation; returns how many rows changed, by table.

    In the mode ACCOUNT what is published stays, under the name of an account that says nothing. The accounts that
    merely claim the same address, which they never confirmed, go whole with the one that owns it. An account erased
    already is left as it is. Raises ConflictError for the last administrator of an organisation, unless the erasure
    is done `again`, after a restore.
    """
    with as_tenant(session, ALL_TENANTS):
        session.refresh(account, with_for_update=True)
        if account.status is AccountStatus.ERASED:
            return {}
        if not again:
            _check_administrators(session, account)
        counts: dict[str, int] = {}
        for each in (*_claiming(session, account), account):
            kept = mode if each is account else ErasureMode.EVERYTHING
            for data in bindings.personal_data:
                erase = data.erase
                if kept is ErasureMode.ACCOUNT and isinstance(data, KeepsPublished):
                    erase = data.erase_unpublished
                counts[data.table] = counts.get(data.table, 0) + erase(session, each.id, now)
            session.add(
                ErasureEntry(organisation_id=each.organisation_id, account_id=each.id, mode=kept, erased_at=now)
            )
        session.flush()
        jobs.enqueue(session, RECORD_JOB, {}, organisation_id=None, now=now)
        return counts


def tell_erased(
    session: Session, organisation: Organisation, address: str, mode: ErasureMode, *, site: str, now: dt.datetime
) -> None:
    """Write a last time to whoever held the account: somebody else may have erased it."""
    context = {"organisation_name": organisation.name, "site_url": site, "at": now}
    mail.send(
        session,
        organisation_id=organisation.id,
        to=address,
        template="privacy_erased",
        context=context | {"everything": mode is ErasureMode.EVERYTHING},
        now=now,
    )


def _check_administrators(session: Session, account: Account) -> None:
    administrators = access.administrators(session, account.organisation_id)
    if account.id not in administrators:
        return
    # Two administrators who leave at once: the second waits, and finds itself alone.
    session.get_one(Organisation, account.organisation_id, with_for_update={"key_share": True})
    if access.administrators(session, account.organisation_id) <= {account.id}:
        raise ConflictError(LAST_ADMINISTRATOR)


def _claiming(session: Session, account: Account) -> list[Account]:
    """The accounts, still to confirm, that name the address this account proved to be its own."""
    if account.confirmed_at is None:
        return []
    claims = select(Account).where(
        Account.organisation_id == account.organisation_id,
        Account.email_key == account.email_key,
        Account.confirmed_at.is_(None),
        Account.id != account.id,
    )
    return list(session.scalars(claims.with_for_update()))
