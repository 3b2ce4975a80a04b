"""One-time codes and recovery codes of staff: enrolling, proving, removing; resetting every second factor."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session

from consult.accounts.models import Account, SecurityKey
from consult.accounts.second_factor.policy import (
    clean_code,
    matching_step,
    new_recovery_codes,
    recovery_digest,
)
from consult.accounts.service import close_sessions
from consult.actor import Actor
from consult.audit import service as audit
from consult.db import ALL_TENANTS, as_tenant
from consult.errors import ConflictError, InvalidError
from consult.sealing import Keyring

LAST_ONE = "C’est votre seul second facteur\u00a0: enregistrez-en un autre avant de le retirer."
WRONG = "Ce code n’est pas le bon, ou a déjà servi. Attendez le suivant, puis saisissez-le."


def enrol(
    session: Session,
    account: Account,
    *,
    secret: str,
    code: str,
    now: dt.datetime,
    keyring: Keyring,
    randbytes: Callable[[int], bytes] = secrets.token_bytes,
) -> list[str]:
    """Keep the secret once a code proves that the person's application holds it.

    Gives the recovery codes, once, to whoever had no second factor yet. Raises InvalidError for a wrong code,
    ConflictError when an application is already enrolled.
    """
    if account.totp_enrolled_at is not None:
        raise ConflictError("Une application de codes est déjà enregistrée pour ce compte.")
    step = matching_step(secret, clean_code(code), now=now, last_step=None)
    if step is None:
        raise InvalidError(WRONG, fields={"code": WRONG})
    account.totp_secret = keyring.seal(secret, account.id)
    account.totp_enrolled_at, account.totp_last_step = now, step
    journal(session, account, "second_factor.enrol", now)
    return first_recovery_codes(session, account, randbytes)


def first_recovery_codes(
    session: Session, account: Account, randbytes: Callable[[int], bytes] = secrets.token_bytes
) -> list[str]:
    """New recovery codes for whoever has none; nothing for the others, whose codes stay good."""
    return [] if account.recovery_codes else _new_recovery_codes(session, account, randbytes)


def renew_recovery_codes(session: Session, account: Account, *, now: dt.datetime) -> list[str]:
    """Other recovery codes, to be shown once; those of before open nothing any more."""
    journal(session, account, "second_factor.renew_codes", now)
    return _new_recovery_codes(session, account, secrets.token_bytes)


def _new_recovery_codes(session: Session, account: Account, randbytes: Callable[[int], bytes]) -> list[str]:
    codes = new_recovery_codes(randbytes)
    account.recovery_codes = [recovery_digest(recovery) for recovery in codes]
    session.flush()
    return codes


def remove_application(session: Session, account: Account, *, now: dt.datetime) -> None:
    """Forget the application of codes. Raises ConflictError when there is none, or no other second factor."""
    with as_tenant(session, ALL_TENANTS):
        session.refresh(account, with_for_update=True)
        has_key = session.scalar(select(exists().where(SecurityKey.account_id == account.id)))
    if account.totp_enrolled_at is None:
        raise ConflictError("L’application de codes est déjà retirée.")
    if not has_key:
        raise ConflictError(LAST_ONE)
    account.totp_secret = account.totp_enrolled_at = account.totp_last_step = None
    journal(session, account, "second_factor.remove", now)


def journal(session: Session, account: Account, action: str, now: dt.datetime, **detail: str) -> None:
    """Write in the journal of staff acts what the holder of an account did to its second factors."""
    audit.record(
        session,
        actor=Actor(account.id, account.pseudonym),
        organisation_id=account.organisation_id,
        action=action,
        target_type="account",
        target_id=account.id,
        detail=detail,
        now=now,
    )


def prove(session: Session, account: Account, *, code: str, now: dt.datetime, keyring: Keyring) -> None:
    """Accept a code of the application or a recovery code, each once even at the same instant. Raises InvalidError."""
    code = clean_code(code)
    right = _spend_step(session, account, code, now, keyring) or _spend_recovery(session, account, code)
    if not right:
        raise InvalidError(WRONG, fields={"code": WRONG})


def _spend_step(session: Session, account: Account, code: str, now: dt.datetime, keyring: Keyring) -> bool:
    if account.totp_secret is None:
        return False
    secret = keyring.unseal(account.totp_secret, account.id)
    step = matching_step(secret, code, now=now, last_step=account.totp_last_step)
    if step is None:
        return False
    with as_tenant(session, ALL_TENANTS):  # platform staff visit other organisations
        spent = session.scalars(
            update(Account)
            .where(Account.id == account.id, or_(Account.totp_last_step.is_(None), Account.totp_last_step < step))
            .values(totp_last_step=step)
            .returning(Account.id)
        ).all()
    return bool(spent)


def _spend_recovery(session: Session, account: Account, code: str) -> bool:
    with as_tenant(session, ALL_TENANTS):
        session.refresh(account, with_for_update=True)
    spent = recovery_digest(code)
    if spent not in account.recovery_codes:
        return False
    account.recovery_codes = [kept for kept in account.recovery_codes if kept != spent]
    session.flush()
    return True


def seal_again(session: Session, keyring: Keyring) -> int:
    """Seal with the first key the secrets that are in clear or under an older one; returns how many.

    Raises UnavailableError, and changes nothing, when one of them cannot be opened.
    """
    with as_tenant(session, ALL_TENANTS):
        held = select(Account).where(Account.totp_secret.is_not(None)).order_by(Account.id).with_for_update()
        due = [account for account in session.scalars(held) if not keyring.is_current(account.totp_secret or "")]
        for account in due:
            account.totp_secret = keyring.seal(keyring.unseal(account.totp_secret or "", account.id), account.id)
        session.flush()
    return len(due)


def reset(session: Session, account: Account, *, actor: Actor, reason: str, now: dt.datetime) -> None:
    """Forget lost second factors, keys included: the person enrols another at the next sign-in; sessions are closed."""
    if not reason.strip():
        raise InvalidError("Indiquez le motif.", fields={"reason": "Indiquez le motif."})
    account.totp_secret = account.totp_enrolled_at = account.totp_last_step = None
    account.recovery_codes = []
    session.execute(delete(SecurityKey).where(SecurityKey.account_id == account.id))
    close_sessions(session, account.id)
    audit.record(
        session,
        actor=actor,
        organisation_id=account.organisation_id,
        action="second_factor.reset",
        target_type="account",
        target_id=account.id,
        reason=reason.strip(),
        now=now,
    )
