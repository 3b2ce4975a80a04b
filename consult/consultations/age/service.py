"""Declaring one's age, and letting nobody take part who did not where it is asked for."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Final, Protocol

from sqlalchemy.orm import Session

from consult.accounts.models import Account
from consult.accounts.service import lock_active
from consult.consultations.age import policy
from consult.consultations.age.policy import AgeRule, Declared
from consult.consultations.models import Consultation
from consult.consultations.policy import is_public
from consult.errors import AgeUndeclaredError, ForbiddenError, InvalidError

FROZEN: Final = "L’âge demandé est figé depuis l’ouverture de la consultation."


def set_rule(consultation: Consultation, rule: AgeRule | None) -> None:
    """Have a draft ask for that age, or leave it as it is for None. Raises InvalidError, once opened for any change."""
    if rule is None or rule == policy.rule_of(consultation):
        return
    policy.check(rule)
    if is_public(consultation):
        raise InvalidError(FROZEN, fields={"minimum_age": FROZEN})
    consultation.minimum_age, consultation.parental_consent = rule.minimum, rule.with_consent


def lock_participant(session: Session, consultation: Consultation, account_id: uuid.UUID) -> Account:
    """The account, locked as `lock_active` does, of somebody of the age that the consultation asks for.

    Raises AgeUndeclaredError, and ForbiddenError when the account was erased or blocked meanwhile.
    """
    account = lock_active(session, account_id)
    check_declared(policy.rule_of(consultation), account, consultation.slug)
    return account


class _Declared(Protocol):
    @property
    def declared_age(self) -> int | None: ...

    @property
    def declared_consent(self) -> bool: ...


def check_declared(rule: AgeRule, declared: _Declared, slug: str) -> None:
    """Raise AgeUndeclaredError unless what was declared lets take part in the consultation of that address."""
    if not rule.allows(declared.declared_age, consent=declared.declared_consent):
        raise AgeUndeclaredError(
            f"Cette consultation demande d’avoir {rule.minimum} ans ou plus\u00a0: dites-le avant d’envoyer.", slug=slug
        )


def declare(
    session: Session, consultation: Consultation, account_id: uuid.UUID, said: Declared, now: dt.datetime
) -> None:
    """Keep what somebody says of their age, and when; it takes the place of what they said before.

    Raises ForbiddenError for whoever is too young, of whom nothing is kept.
    """
    rule = policy.rule_of(consultation)
    if rule.minimum is None or said is Declared.UNDER or (said is Declared.CONSENT and not rule.with_consent):
        raise ForbiddenError
    account = lock_active(session, account_id)
    account.declared_age, account.declared_consent = rule.minimum, said is Declared.CONSENT
    account.age_declared_at = now
    session.flush()
