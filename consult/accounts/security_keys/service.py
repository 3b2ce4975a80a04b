"""Enrolling, proving and removing the security keys of staff."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from consult.accounts.models import Account, SecurityKey, SpentProof
from consult.accounts.second_factor import service as second_factor
from consult.accounts.security_keys import policy, queries
from consult.accounts.security_keys.policy import Challenge, RelyingParty
from consult.db import ALL_TENANTS, as_tenant, insert_once
from consult.errors import ConflictError, InvalidError, NotFoundError

ALREADY = "Cette clé est déjà enregistrée."
TOO_MANY = f"Un compte a {policy.KEYS_MAX} clés au plus\u00a0: retirez-en une d’abord."
NAME_TAKEN = "Une de vos clés porte déjà ce nom\u00a0: donnez-en un autre."
COPIED = (
    "Cette clé a peut-être été copiée\u00a0: son compteur d’usages n’a pas avancé. Donnez un code, retirez cette clé, "
    "puis prévenez l’exploitant de la plateforme."
)


class CopiedKeyError(InvalidError):
    """The count of a key did not rise: two hold it, or somebody plays an old answer again."""

    def __init__(self, key_id: uuid.UUID) -> None:
        super().__init__(COPIED)
        self.key_id = key_id


def enrol(
    session: Session,
    account: Account,
    *,
    name: str,
    credential: str,
    party: RelyingParty,
    challenge: Challenge,
    now: dt.datetime,
) -> list[str]:
    """Keep a key that answers the challenge; gives the recovery codes, once, to whoever had no second factor yet.

    Raises InvalidError, naming the field where it is one: an answer that proves nothing, a name taken, too many keys.
    """
    _spend(session, challenge)
    new = policy.enrolled(credential, party=party, challenge=challenge.value)
    with as_tenant(session, ALL_TENANTS):  # platform staff visit other organisations
        session.refresh(account, with_for_update=True)
        held = queries.keys_of(session, account.id)
        if len(held) >= policy.KEYS_MAX:
            raise InvalidError(TOO_MANY)
        if name.casefold() in {key.name.casefold() for key in held}:
            raise InvalidError(NAME_TAKEN, fields={"name": NAME_TAKEN})
        key = SecurityKey(
            organisation_id=account.organisation_id,
            account_id=account.id,
            name=name,
            relying_party=party.host,
            credential_id=new.credential_id,
            public_key=new.public_key,
            sign_count=new.sign_count,
            added_at=now,
        )
        try:
            with session.begin_nested():
                session.add(key)
        except IntegrityError:
            raise InvalidError(ALREADY) from None
    second_factor.journal(session, account, "second_factor.enrol", now, key=str(key.id))
    return second_factor.first_recovery_codes(session, account)


def prove(
    session: Session,
    account: Account,
    *,
    credential: str,
    party: RelyingParty,
    challenge: Challenge,
    now: dt.datetime,
) -> None:
    """Accept the answer of one of the account's keys, once.

    Raises InvalidError; CopiedKeyError when the answer is good and the count of the key is not.
    """
    _spend(session, challenge)
    mine = select(SecurityKey).where(
        SecurityKey.account_id == account.id,
        SecurityKey.relying_party == party.host,
        SecurityKey.credential_id == policy.credential_id(credential, account.id),
    )
    with as_tenant(session, ALL_TENANTS):  # platform staff visit other organisations
        key = session.scalar(mine.with_for_update())
        if key is None:
            raise InvalidError(policy.REFUSED)
        said = policy.proven_count(credential, party=party, challenge=challenge.value, public_key=key.public_key)
        if policy.may_be_a_copy(kept=key.sign_count, said=said):
            raise CopiedKeyError(key.id)
        key.sign_count, key.used_at = said, now
        session.flush()


def remove(session: Session, account: Account, key_id: uuid.UUID, *, now: dt.datetime) -> SecurityKey:
    """Forget a key. Raises NotFoundError for one that is not theirs, ConflictError for the last second factor."""
    with as_tenant(session, ALL_TENANTS):
        session.refresh(account, with_for_update=True)
        held = queries.keys_of(session, account.id)
        key = next((each for each in held if each.id == key_id), None)
        if key is None:
            raise NotFoundError("Cette clé est déjà retirée.")
        if len(held) == 1 and account.totp_enrolled_at is None:
            raise ConflictError(second_factor.LAST_ONE)
        session.delete(key)
        session.flush()
    second_factor.journal(session, account, "second_factor.remove", now, key=str(key_id))
    return key


def suspect_copy(session: Session, account_id: uuid.UUID, key_id: uuid.UUID, now: dt.datetime) -> None:
    """Journal that a key may have a copy; run it through `db.survives`, since the proof is refused."""
    with as_tenant(session, ALL_TENANTS):
        account = session.get_one(Account, account_id)
    second_factor.journal(session, account, "second_factor.suspect_copy", now, key=str(key_id))


def remember_spent(session: Session, challenge: Challenge) -> None:
    """Keep a challenge used up although the answer was refused; run it through `db.survives`."""
    spent = challenge.spent
    insert_once(session, SpentProof, conflict=["digest"], digest=spent.digest, expires_at=spent.expires_at)


def _spend(session: Session, challenge: Challenge) -> None:
    spent = challenge.spent
    if not insert_once(session, SpentProof, conflict=["digest"], digest=spent.digest, expires_at=spent.expires_at):
        raise InvalidError(policy.EXPIRED)
