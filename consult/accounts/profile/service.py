"""Another address, once its link was followed.

The link holds all that it changes, sealed: nothing is kept of an address that nobody confirmed.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from consult.accounts import policy
from consult.accounts.models import Account, SingleUseToken, TokenPurpose
from consult.accounts.service import ADDRESS_TAKEN, LINK_LIFE, lock_active, mailing
from consult.errors import ConflictError, GoneError, UnavailableError
from consult.mail import service as mail
from consult.organisations.models import Organisation
from consult.sealing import Keyring

OVER: Final = "Ce lien a déjà servi ou a expiré. Demandez-en un autre depuis «\u00a0Mon compte\u00a0»."


@dataclass(frozen=True, slots=True)
class Change:
    """What a mailed link changes, once."""

    email: str
    confirmed_at: str  # of the address it replaces: another change since, and the link is over
    expires_at: str


def keyring(secret: str) -> Keyring:
    """The key of the links."""
    return Keyring([secret], "change of address")


def ask_address(
    session: Session,
    organisation: Organisation,
    account_id: uuid.UUID,
    email: str,
    *,
    keys: Keyring,
    link: Callable[[str], str],
    mailbox: policy.Mailbox,
    site: str,
    now: dt.datetime,
) -> None:
    """Mail to another address the link that makes it the account's, whether or not an account has it already.

    Nothing leaves once the mailbox got its share. Raises InvalidError for an impossible address, ConflictError while
    the present one is not confirmed.
    """
    account = lock_active(session, account_id)
    if account.confirmed_at is None:
        raise ConflictError("Confirmez d’abord votre adresse actuelle, par le lien que vous avez reçu.")
    until = now + LINK_LIFE[TokenPurpose.CONFIRM_EMAIL]
    told = {"email": policy.clean_email(email), "confirmed_at": account.confirmed_at.isoformat()}
    sealed = keys.seal(json.dumps({**told, "expires_at": until.isoformat()}), account_id)
    token = base64.urlsafe_b64encode(sealed.encode()).decode()
    with mailing(session, mailbox, now):
        context = {"organisation_name": organisation.name, "site_url": site, "pseudonym": account.pseudonym}
        mail.send(
            session,
            organisation_id=organisation.id,
            to=told["email"],
            template="accounts_change_address",
            context={**context, "link": link(token), "until": until},
            now=now,
        )


def asked(session: Session, account_id: uuid.UUID, token: str, *, keys: Keyring, now: dt.datetime) -> Change:
    """What a link would change of that account. Raises GoneError."""
    try:
        sealed = base64.urlsafe_b64decode(token.encode()).decode()
        change = Change(**json.loads(keys.unseal_given(sealed, account_id)))
    except (ValueError, TypeError, UnavailableError):
        raise GoneError(OVER) from None
    account = session.get_one(Account, account_id)
    standing = account.confirmed_at is not None and account.confirmed_at.isoformat() == change.confirmed_at
    if not standing or now > dt.datetime.fromisoformat(change.expires_at):
        raise GoneError(OVER)
    return change


def change_address(
    session: Session,
    organisation: Organisation,
    account_id: uuid.UUID,
    token: str,
    *,
    keys: Keyring,
    tags_differ: bool,
    site: str,
    now: dt.datetime,
) -> None:
    """Make the address of a link the account's; the former one is told. Links sent to the former one are over.

    Raises GoneError, ConflictError when another account confirmed that address first.
    """
    account = lock_active(session, account_id)
    change, former = asked(session, account_id, token, keys=keys, now=now), str(account.email)
    try:
        with session.begin_nested():
            account.email, account.confirmed_at = change.email, now
            account.email_key = policy.email_key(change.email, tags_differ=tags_differ)
    except IntegrityError:
        raise ConflictError(ADDRESS_TAKEN) from None
    session.execute(delete(SingleUseToken).where(SingleUseToken.account_id == account_id))
    context = {"organisation_name": organisation.name, "site_url": site, "pseudonym": account.pseudonym, "at": now}
    template = "accounts_address_changed"
    mail.send(session, organisation_id=organisation.id, to=former, template=template, context=context, now=now)
