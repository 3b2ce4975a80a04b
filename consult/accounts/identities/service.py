"""Linking an identity to an account, finding the account that it opens, and taking it away."""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from consult.accounts import policy
from consult.accounts.identities.policy import LINK_LIFE
from consult.accounts.models import Account, AccountStatus, FederatedIdentity, IdentityProvider
from consult.accounts.service import lock_active, mailing
from consult.db import insert_once
from consult.errors import ConflictError, GoneError, UnavailableError
from consult.mail import service as mail
from consult.organisations.models import Organisation
from consult.sealing import Keyring

TAKEN: Final = "Cette identité ouvre déjà un autre compte. Connectez-vous à celui-là, et retirez-la d’abord."
ONE_EACH: Final = "Ce compte a déjà une autre identité de ce fournisseur. Retirez-la d’abord."
ONLY_WAY_IN: Final = (
    "C’est le seul moyen d’entrer dans ce compte. Confirmez d’abord son adresse électronique, ou donnez-lui un mot de "
    "passe par «\u00a0Mot de passe oublié\u00a0»."
)
OVER: Final = "Ce lien a expiré, ou n’est pas de ce compte. Recommencez depuis «\u00a0Mes identités\u00a0»."


def holder(session: Session, subject: str) -> Account | None:
    """The account that an identity opens, by its digest."""
    return session.scalar(
        select(Account)
        .join(FederatedIdentity, FederatedIdentity.account_id == Account.id)
        .where(FederatedIdentity.subject_digest == subject, Account.status == AccountStatus.ACTIVE)
    )


def identities(session: Session, account_id: uuid.UUID) -> Sequence[FederatedIdentity]:
    """Those of an account, the oldest first."""
    mine = select(FederatedIdentity).where(FederatedIdentity.account_id == account_id)
    return session.scalars(mine.order_by(FederatedIdentity.linked_at, FederatedIdentity.id)).all()


def link(session: Session, account: Account, provider: IdentityProvider, subject: str, now: dt.datetime) -> bool:
    """Have an identity open that account; False when it already did.

    Raises ConflictError when it opens another one, or when the account has another of that provider.
    """
    lock_active(session, account.id)
    held = {each.provider: each.subject_digest for each in identities(session, account.id)}
    if held.get(provider) == subject:
        return False
    if provider in held:
        raise ConflictError(ONE_EACH)
    row = {"organisation_id": account.organisation_id, "subject_digest": subject, "account_id": account.id}
    known = ["organisation_id", "subject_digest"]
    if not insert_once(
        session, FederatedIdentity, conflict=known, id=uuid.uuid4(), provider=provider, linked_at=now, **row
    ):
        raise ConflictError(TAKEN)
    return True


def unlink(session: Session, account_id: uuid.UUID, identity_id: uuid.UUID) -> IdentityProvider | None:
    """Take an identity away from its account; None when it is not there. Raises ConflictError for the only way in."""
    account = lock_active(session, account_id)
    found = next((each for each in identities(session, account_id) if each.id == identity_id), None)
    if found is None:
        return None
    if account.password_hash is None and account.confirmed_at is None:
        raise ConflictError(ONLY_WAY_IN)
    session.delete(found)
    session.flush()
    return found.provider


def forget(session: Session, account_id: uuid.UUID) -> None:
    """Take every identity away: the account goes to the holder of its address, who may not be who linked them."""
    session.execute(delete(FederatedIdentity).where(FederatedIdentity.account_id == account_id))


# The mailed link by which staff link theirs ---------------------------------------------------------------------------


def keyring(secret: str) -> Keyring:
    """The key of the links."""
    return Keyring([secret], "link of an identity")


def ask_link(
    session: Session,
    organisation: Organisation,
    account: Account,
    provider: IdentityProvider,
    subject: str,
    *,
    label: str,
    keys: Keyring,
    address: Callable[[str], str],
    mailbox: policy.Mailbox,
    site: str,
    now: dt.datetime,
) -> None:
    """Mail to the account's own address the link by which the identity will open it; nothing is kept meanwhile."""
    until = now + LINK_LIFE
    told = {"provider": provider.value, "subject": subject, "until": until.isoformat()}
    token = base64.urlsafe_b64encode(keys.seal(json.dumps(told), account.id).encode()).decode().rstrip("=")
    context = {"organisation_name": organisation.name, "site_url": site, "pseudonym": account.pseudonym}
    with mailing(session, mailbox, now):
        mail.send(
            session,
            organisation_id=organisation.id,
            to=account.email or "",
            template="accounts_link_identity",
            context={**context, "label": label, "link": address(token), "until": until},
            now=now,
        )


def asked(account_id: uuid.UUID, token: str, *, keys: Keyring, now: dt.datetime) -> tuple[IdentityProvider, str]:
    """What a mailed link would link to that account: the provider, the digest. Raises GoneError."""
    try:
        sealed = base64.urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4)).decode()
        told = json.loads(keys.unseal_given(sealed, account_id))
        if now > dt.datetime.fromisoformat(told["until"]):
            raise GoneError(OVER)
        return IdentityProvider(told["provider"]), told["subject"]
    except (ValueError, KeyError, TypeError, UnavailableError):
        raise GoneError(OVER) from None
