"""Slowing whoever tries second factors: codes and keys of one account are counted together (AT-19.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import g

from consult.accounts import policy, queries
from consult.accounts import service as accounts
from consult.accounts.models import Account
from consult.accounts.second_factor.pages import settings
from consult.db import survives
from consult.errors import TooManyError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def _key(account: Account) -> str:
    return policy.attempt_key(settings().secret_key, "second-factor", str(account.id))


def refuse_while_waiting(account: Account) -> None:
    """Raise TooManyError while the next attempt is to wait."""
    wait = queries.seconds_to_wait(g.session, [_key(account)], g.now)
    if wait:
        raise TooManyError("Trop de seconds facteurs refusés. Patientez avant de recommencer.", retry_after=wait)


def count_failure(account: Account, *also: Callable[[Session], None]) -> None:
    """Count a refused attempt once its request is rolled back, and do what else must outlive it."""
    key, now = _key(account), g.now

    def record(session: Session) -> None:
        accounts.record_failure(session, key, policy.SECOND_FACTOR, now)
        for each in also:
            each(session)

    survives(g.session, record)


def forget_failures(account: Account) -> None:
    """Start counting again from zero."""
    accounts.forget_failures(g.session, _key(account))
