"""Accounts, their sessions, their mailed links, and the counting of failures."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Iterable, Iterator
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from consult.accounts import policy, queries
from consult.accounts.models import (
    Account,
    AccountStatus,
    AttemptCount,
    LoginSession,
    MailboxCount,
    SingleUseToken,
    TokenPurpose,
)
from consult.accounts.passwords.service import KeptPassword
from consult.accounts.pseudonyms import policy as pseudonyms
from consult.accounts.pseudonyms import queries as names
from consult.db import ALL_TENANTS, as_tenant, insert_once, one_at_a_time
from consult.errors import ConflictError, ForbiddenError, GoneError, InvalidError
from consult.mail import service as mail
from consult.organisations.models import Organisation
from consult.security import digest, new_token

ADDRESS_TAKEN: Final = (
    "Un autre compte a déjà confirmé cette adresse. Connectez-vous à ce compte, ou demandez un nouveau mot de passe."
)
LETTING_IN: Final = (TokenPurpose.RESET_PASSWORD, TokenPurpose.SIGN_IN)
LINK_LIFE: Final = {
    TokenPurpose.CONFIRM_EMAIL: dt.timedelta(hours=24),
    TokenPurpose.RESET_PASSWORD: dt.timedelta(hours=1),
    TokenPurpose.SIGN_IN: dt.timedelta(minutes=15),
}


def create_account(
    session: Session,
    *,
    organisation_id: uuid.UUID,
    email: str,
    pseudonym: str,
    password: KeptPassword | None,
    now: dt.datetime,
    confirmed: bool = False,
    terms_version: str = "",
    tags_differ: bool = False,
    reserved: Iterable[str] = (),
) -> Account:
    """Write one account; `confirmed` when whoever calls answers for the address (command line, demonstration).

    Raises InvalidError naming the field: address or pseudonym that cannot be accepted, or is taken.
    """
    account = Account(
        organisation_id=organisation_id,
        email=policy.clean_email(email),
        email_key=policy.email_key(email.strip(), tags_differ=tags_differ),
        **pseudonyms.columns(pseudonyms.clean(pseudonym, reserved=reserved)),
        password_hash=password.hash if password else None,
        password_for_staff=password is not None and password.for_staff,
        created_at=now,
        confirmed_at=now if confirmed else None,
        terms_version=terms_version,
        terms_accepted_at=now if terms_version else None,
    )
    claim_pseudonym(session, organisation_id, account.pseudonym)
    taken = select(Account.id).where(Account.organisation_id == organisation_id)
    if confirmed and session.scalar(
        taken.where(Account.email_key == account.email_key, Account.confirmed_at.is_not(None))
    ):
        reason = "Un compte utilise déjà cette adresse."
        raise InvalidError(reason, fields={"email": reason})
    session.add(account)
    session.flush()
    return account


def claim_pseudonym(
    session: Session, organisation_id: uuid.UUID, pseudonym: str, *, but: uuid.UUID | None = None
) -> None:
    """Keep a pseudonym and all that look like it, everywhere or in a consultation, for this transaction to take.

    Whoever wants one of them at the same instant waits, then finds it worn. Raises InvalidError naming the field when
    somebody else than `but` wears one.
    """
    one_at_a_time(session, (f"pseudonym:{organisation_id}:{look}" for look in pseudonyms.looks(pseudonym)))
    if not names.worn(session, organisation_id, pseudonym, but=but):
        return
    reason = (
        "Ce pseudonyme, ou un autre qui lui ressemble, est déjà pris. Ajoutez-y un mot, ou choisissez-en un "
        "autre\u00a0: changer une lettre, un accent ou une majuscule ne suffit pas."
    )
    raise InvalidError(reason, fields={"pseudonym": reason})


def confirm(session: Session, account: Account, now: dt.datetime) -> None:
    """Give the address to the account. Raises ConflictError when another account confirmed it first."""
    if account.confirmed_at is not None:
        return
    try:
        with session.begin_nested():
            account.confirmed_at = now
    except IntegrityError:
        raise ConflictError(ADDRESS_TAKEN) from None


def set_password(session: Session, account: Account, password: KeptPassword, *, keep: uuid.UUID | None = None) -> None:
    """Change the password and close every session but `keep`; pending links that let in die."""
    account.password_hash, account.password_for_staff = password.hash, password.for_staff
    close_sessions(session, account.id, keep=keep)
    session.execute(
        delete(SingleUseToken).where(SingleUseToken.account_id == account.id, SingleUseToken.purpose.in_(LETTING_IN))
    )


def enter(session: Session, known: queries.Credentials, *, renewed: str | None) -> Account | None:
    """The account whose password has just been compared, unless it changed or was blocked meanwhile."""
    account = session.get(Account, known.account_id)
    if account is None or account.status != AccountStatus.ACTIVE or account.password_hash != known.password_hash:
        return None
    account.password_hash = renewed or account.password_hash
    return account


def lock_active(session: Session, account_id: uuid.UUID) -> Account:
    """The account, its row locked until the end of the transaction: its acts come one after the other.

    Raises ForbiddenError when it was erased or blocked meanwhile.
    """
    account = session.scalar(
        select(Account)
        .where(Account.id == account_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if account is None or account.status is not AccountStatus.ACTIVE:
        raise ForbiddenError("Ce compte n’existe plus, ou n’est pas de cette organisation.")
    return account


def still_signed_in(session: Session, account_id: uuid.UUID, login_session_id: uuid.UUID) -> bool:
    """Whether that session is still open, the account's row locked: nobody else closes it until the transaction ends.

    Who gives an account to the holder of its address locks it too: an act that was under way comes before, as one of
    whoever signed up, or is refused.
    """
    with as_tenant(session, ALL_TENANTS):
        session.execute(select(Account.id).where(Account.id == account_id).with_for_update(key_share=True))
        return session.scalar(select(LoginSession.id).where(LoginSession.id == login_session_id)) is not None


# Sessions -----------------------------------------------------------------------------------------------------------


def open_session(
    session: Session,
    account: Account,
    *,
    now: dt.datetime,
    life: tuple[dt.timedelta, dt.timedelta],
    browser: str = "",
    second_factor_at: dt.datetime | None = None,
) -> tuple[str, LoginSession]:
    """A new session and the token for its cookie, never kept. `life`: idle and whole, see policy.session_life."""
    token = new_token()
    opened = LoginSession(
        organisation_id=account.organisation_id,
        token_digest=digest(token),
        account_id=account.id,
        browser=browser,
        created_at=now,
        last_seen_at=now,
        expires_at=now + life[1],
        idle_seconds=int(life[0].total_seconds()),
        second_factor_at=second_factor_at,
    )
    account.seen_on, account.warned_on = now.date(), None
    with as_tenant(session, ALL_TENANTS):  # platform staff renew theirs from other organisations
        session.add(opened)
        session.flush()
    return token, opened


def touch(session: Session, login_session_id: uuid.UUID, now: dt.datetime) -> None:
    """Note that the session was used."""
    with as_tenant(session, ALL_TENANTS):  # platform staff visit other organisations
        session.execute(update(LoginSession).where(LoginSession.id == login_session_id).values(last_seen_at=now))


def close_session(session: Session, account_id: uuid.UUID, login_session_id: uuid.UUID) -> bool:
    """End one session of that account; False when it is not theirs or is over."""
    with as_tenant(session, ALL_TENANTS):
        ended = session.scalars(
            delete(LoginSession)
            .where(LoginSession.id == login_session_id, LoginSession.account_id == account_id)
            .returning(LoginSession.id)
        ).all()
    return bool(ended)


def close_sessions(session: Session, account_id: uuid.UUID, *, keep: uuid.UUID | None = None) -> None:
    """End every session of the account, at once and everywhere, but `keep`."""
    with as_tenant(session, ALL_TENANTS):
        ended = delete(LoginSession).where(LoginSession.account_id == account_id)
        session.execute(ended if keep is None else ended.where(LoginSession.id != keep))


def notify(
    session: Session,
    account: Account,
    organisation: Organisation,
    *,
    what: str,
    site: str,
    now: dt.datetime,
    name: str = "",
) -> None:
    """Tell the holder that something that guards the account changed; `what` is of accounts_guard_changed.txt."""
    if account.email is None or account.organisation_id != organisation.id:
        return
    context = {"organisation_name": organisation.name, "site_url": site, "pseudonym": account.pseudonym}
    mail.send(
        session,
        organisation_id=organisation.id,
        to=account.email,
        template="accounts_guard_changed",
        context={**context, "what": what, "name": name, "at": now},
        now=now,
    )


# Mailed links -------------------------------------------------------------------------------------------------------


def issue_link(session: Session, account: Account, purpose: TokenPurpose, now: dt.datetime) -> str:
    """A token for a mailed link; earlier links of the same purpose die."""
    session.execute(
        delete(SingleUseToken).where(SingleUseToken.account_id == account.id, SingleUseToken.purpose == purpose)
    )
    token = new_token()
    session.add(
        SingleUseToken(
            organisation_id=account.organisation_id,
            account_id=account.id,
            purpose=purpose,
            digest=digest(token),
            expires_at=now + LINK_LIFE[purpose],
        )
    )
    session.flush()
    return token


def spend_link(session: Session, token: str, purpose: TokenPurpose, now: dt.datetime) -> Account:
    """Use a mailed link, once, whatever comes at the same time. Raises GoneError."""
    account = queries.token_account(session, token, purpose, now)
    spent = session.scalars(
        update(SingleUseToken)
        .where(SingleUseToken.digest == digest(token), SingleUseToken.used_at.is_(None))
        .values(used_at=now)
        .returning(SingleUseToken.id)
    ).all()
    if account is None or not spent:
        raise GoneError("Ce lien a déjà servi ou a expiré. Demandez-en un nouveau depuis la page de connexion.")
    return account


# Failures -----------------------------------------------------------------------------------------------------------


def record_failure(session: Session, key: str, throttle: policy.Throttle, now: dt.datetime) -> None:
    """Count one failure; run it through `db.survives`, since the request that fails is rolled back."""
    nothing_yet = now - throttle.forget  # even a request that began a little earlier, and waited, is not refused
    insert_once(session, AttemptCount, conflict=["key"], key=key, failures=0, next_at=nothing_yet, expires_at=now)
    count = session.get_one(AttemptCount, key, with_for_update=True, populate_existing=True)
    if count.expires_at <= now:
        count.failures = 0
    count.failures += 1
    if wait := throttle.wait(count.failures):
        count.next_at = now + wait
    count.expires_at = now + throttle.forget


def forget_failures(session: Session, key: str) -> None:
    """Start counting again from zero."""
    session.execute(delete(AttemptCount).where(AttemptCount.key == key))


# Mails that anyone may cause ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def mailing(session: Session, mailbox: policy.Mailbox, now: dt.datetime) -> Iterator[None]:
    """Undo the block, mail and link together, when the mailbox got its share: nobody floods it from many addresses.

    The work is the same either way, so that neither the reply nor its time tells; earlier links stay good. Requests
    about one mailbox come one after the other, on whatever node.
    """
    insert_once(session, MailboxCount, conflict=["key"], key=mailbox.key, sent=[], expires_at=now)
    count = session.get_one(MailboxCount, mailbox.key, with_for_update=True, populate_existing=True)
    day, full = mailbox.spared(count.sent, now)
    values = {"sent": day if full else [*day, now.isoformat()], "expires_at": now + policy.MAILBOX_DAY}
    session.execute(update(MailboxCount).where(MailboxCount.key == mailbox.key).values(values))
    with session.begin_nested() as attempt:
        yield
        session.flush()
        if full:
            attempt.rollback()
