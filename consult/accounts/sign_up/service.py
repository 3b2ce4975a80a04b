"""Creating an account without telling anyone whether its address was known."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from consult.accounts import policy, queries
from consult.accounts import service as accounts
from consult.accounts.identities.service import forget
from consult.accounts.models import Account, SpentProof, TokenPurpose
from consult.accounts.notices.policy import forget_choices
from consult.accounts.passwords.service import KeptPassword
from consult.accounts.service import create_account, issue_link, mailing
from consult.accounts.sign_up.policy import TERMS_VERSION, Spent
from consult.db import insert_once
from consult.errors import ConflictError, GoneError, InvalidError
from consult.mail import service as mail
from consult.organisations.models import Organisation
from consult.organisations.policy import protected_names

_TEMPLATES: Final = {TokenPurpose.RESET_PASSWORD: "accounts_reset", TokenPurpose.SIGN_IN: "accounts_sign_in"}


@dataclass(frozen=True, slots=True)
class Addresses:
    """Absolute addresses that mails name."""

    site: str
    sign_in: str
    forgotten: str
    confirm: Callable[[str], str]
    way_back: Mapping[TokenPurpose, Callable[[str], str]]


def spend(session: Session, spent: Spent) -> None:
    """Use the proof up. Raises InvalidError when it served before, even at the same instant."""
    if not remember_spent(session, spent):
        raise InvalidError("Ce formulaire a déjà été envoyé. Vérifiez votre messagerie, ou renvoyez-le.")


def remember_spent(session: Session, spent: Spent) -> bool:
    """Use the proof up; False when it served before. Through `db.survives`, although the form is refused."""
    return insert_once(session, SpentProof, conflict=["digest"], digest=spent.digest, expires_at=spent.expires_at)


def sign_up(
    session: Session,
    organisation: Organisation,
    *,
    email: str,
    pseudonym: str,
    password: KeptPassword | None,
    addresses: Addresses,
    mailbox: policy.Mailbox,
    tags_differ: bool,
    now: dt.datetime,
) -> Account:
    """Create the account and queue its mail, with the same work and the same reply whether the address is known.

    A known address gets a mail that says so, and this account can never be confirmed. It has no password when an
    identity provider vouches for its person. Raises InvalidError.
    """
    account = create_account(
        session,
        organisation_id=organisation.id,
        email=email,
        pseudonym=pseudonym,
        password=password,
        now=now,
        terms_version=TERMS_VERSION,
        tags_differ=tags_differ,
        reserved=protected_names(organisation),
    )
    known = queries.confirmed_account(session, account.email_key or "") is not None
    send_confirmation(session, organisation, account, addresses=addresses, mailbox=mailbox, known=known, now=now)
    return account


def send_confirmation(
    session: Session,
    organisation: Organisation,
    account: Account,
    *,
    addresses: Addresses,
    mailbox: policy.Mailbox,
    known: bool,
    now: dt.datetime,
) -> None:
    """Queue the mail whose link confirms the address; a `known` one, confirmed elsewhere, is told so instead.

    Nothing is queued once the mailbox got its share.
    """
    with mailing(session, mailbox, now):
        _send_confirmation(session, organisation, account, addresses=addresses, known=known, now=now)


def _send_confirmation(
    session: Session,
    organisation: Organisation,
    account: Account,
    *,
    addresses: Addresses,
    known: bool,
    now: dt.datetime,
) -> None:
    token = issue_link(session, account, TokenPurpose.CONFIRM_EMAIL, now)
    mail.send(
        session,
        organisation_id=organisation.id,
        to=account.email or "",
        template="accounts_already_known" if known else "accounts_confirm",
        context={
            "organisation_name": organisation.name,
            "site_url": addresses.site,
            "pseudonym": account.pseudonym,
            "confirm_url": addresses.confirm(token),
            "sign_in_url": addresses.sign_in,
            "forgotten_url": addresses.forgotten,
        },
        now=now,
    )


def waiting(session: Session, token: str, now: dt.datetime) -> Account:
    """The account that a mailed link would confirm.

    Raises GoneError, also when it is confirmed already; ConflictError when another account confirmed the address.
    """
    account = queries.token_account(session, token, TokenPurpose.CONFIRM_EMAIL, now)
    if account is None or account.confirmed_at is not None:
        raise GoneError("Ce lien a déjà servi ou a expiré. Demandez-en un nouveau depuis la page de connexion.")
    if queries.confirmed_account(session, account.email_key or "") is not None:
        raise ConflictError(accounts.ADDRESS_TAKEN)
    return account


def confirm(session: Session, token: str, now: dt.datetime) -> Account:
    """Confirm the address of the account whose own browser opened the link. Raises GoneError, ConflictError."""
    waiting(session, token, now)
    account = accounts.spend_link(session, token, TokenPurpose.CONFIRM_EMAIL, now)
    accounts.confirm(session, account, now)
    return account


def take_over(
    session: Session,
    token: str,
    *,
    password: KeptPassword,
    erasures: Iterable[Callable[[Session, uuid.UUID, dt.datetime], object]],
    now: dt.datetime,
) -> Account:
    """Give an account to the holder of its address, who may not be who signed up: nothing of the latter stays valid.

    Its sessions end, its identities leave it, its password and its choices of mails are replaced, and `erasures` take
    away what it did. Raises GoneError, ConflictError.
    """
    # The account is locked before anything else, as each of its acts does: those under way end first.
    account = accounts.lock_active(session, waiting(session, token, now).id)
    accounts.spend_link(session, token, TokenPurpose.CONFIRM_EMAIL, now)
    accounts.set_password(session, account, password)
    forget_choices(account)
    forget(session, account.id)
    for erase in erasures:
        erase(session, account.id, now)
    accounts.confirm(session, account, now)
    return account


def send_way_back(
    session: Session,
    organisation: Organisation,
    *,
    email: str,
    addresses: Addresses,
    purpose: TokenPurpose,
    mailbox: policy.Mailbox,
    tags_differ: bool,
    now: dt.datetime,
) -> None:
    """Mail to an address what lets its holder in: the link of that purpose, a new confirmation, or word of no account.

    Nothing leaves once the mailbox got its share. The reply on the page is the same, and so is nearly all the work.
    Raises InvalidError for an impossible address.
    """
    email = policy.clean_email(email)
    key = policy.email_key(email, tags_differ=tags_differ)
    account = queries.confirmed_account(session, key)
    unconfirmed = None if account else queries.unconfirmed_account(session, key)
    with mailing(session, mailbox, now):
        if unconfirmed is not None:
            _send_confirmation(session, organisation, unconfirmed, addresses=addresses, known=False, now=now)
        else:
            _send_link(session, organisation, account, purpose, email=email, addresses=addresses, now=now)


def _send_link(
    session: Session,
    organisation: Organisation,
    account: Account | None,
    purpose: TokenPurpose,
    *,
    email: str,
    addresses: Addresses,
    now: dt.datetime,
) -> None:
    token = issue_link(session, account, purpose, now) if account else ""
    mail.send(
        session,
        organisation_id=organisation.id,
        to=account.email if account and account.email else email,
        template=_TEMPLATES[purpose] if account else "accounts_unknown",
        context={
            "organisation_name": organisation.name,
            "site_url": addresses.site,
            "pseudonym": account.pseudonym if account else "",
            "link": addresses.way_back[purpose](token),
        },
        now=now,
    )
