"""Writing to an account what it wants to be told, and keeping what it wants.

The link of a mail names the account and the mails it declines, sealed: nothing is kept of the links that were sent.
"""

from __future__ import annotations

import base64
import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from consult.accounts.models import Account, AccountStatus
from consult.accounts.notices import policy
from consult.accounts.notices.policy import Notice
from consult.accounts.service import lock_active
from consult.errors import GoneError, UnavailableError
from consult.mail import service as mail
from consult.organisations import queries as organisations
from consult.organisations.models import Organisation
from consult.sealing import Keyring
from consult.settings import Settings

_PURPOSE: Final = "decline mails"


@dataclass(frozen=True, slots=True)
class Sender:
    """On whose behalf mails are written: the organisation, the address of its site, the secret of the links."""

    organisation: Organisation
    site: str
    secret: str

    @classmethod
    def at_work(cls, session: Session, organisation: Organisation, settings: Settings) -> Sender:
        """As a job writes, which serves no request."""
        return cls(organisation, organisations.address_of(session, organisation, settings), settings.secret_key)

    def send(
        self, session: Session, account: Account | None, template: str, context: Mapping[str, Any], now: dt.datetime
    ) -> bool:
        """Queue a mail that may be declined, unless it was; tells whether it leaves.

        It does not either to an account that is gone. Raises KeyError, a fault of the caller, for a template that
        cannot be declined: those are sent by `mail.send`.
        """
        notice = policy.chosen(template)
        if account is None or account.status is not AccountStatus.ACTIVE or account.email is None:
            return False
        if not policy.wants(account, notice):
            return False
        token = declining_token(self.secret, account.id, notice)
        shared = {"organisation_name": self.organisation.name, "site_url": self.site}
        mail.send(
            session,
            organisation_id=self.organisation.id,
            to=account.email,
            template=template,
            context={**context, **shared, "decline_url": f"{self.site}/mon-compte/courriels/{token}"},
            now=now,
        )
        return True


def choose(session: Session, account_id: uuid.UUID, notices: Collection[Notice], wanted: Collection[str]) -> None:
    """Keep, of these notices, which are wanted, by the names of their columns; the others stay as they are."""
    account = lock_active(session, account_id)
    for notice in notices:
        setattr(account, notice.column, notice.column in wanted)


def declining_token(secret: str, account_id: uuid.UUID, notice: Notice) -> str:
    """What the link that declines these mails holds: it opens nothing else, and lasts as long as they may be read."""
    sealed = _keys(secret).seal(f"{notice.column} {account_id}", _PURPOSE)
    return base64.urlsafe_b64encode(sealed.encode()).decode()


def declined_by(session: Session, secret: str, token: str) -> tuple[Account, Notice]:
    """The account and the notice of a link. Raises GoneError for one that is no such link, or of an erased account."""
    try:
        given = base64.urlsafe_b64decode(token.encode()).decode()
        column, _, account_id = _keys(secret).unseal_given(given, _PURPOSE).partition(" ")
        account, notice = session.get(Account, uuid.UUID(account_id)), policy.of_column(column)
    except (ValueError, UnavailableError):
        account = notice = None
    if account is None or notice is None or account.status is not AccountStatus.ACTIVE:
        raise GoneError(
            "Ce lien n’est pas valable. Vérifiez qu’il est complet, ou choisissez vos courriels dans « Mon compte »."
        )
    return account, notice


def _keys(secret: str) -> Keyring:
    return Keyring([secret], _PURPOSE)
