"""What expires is purged; what a person may ask for is exported and erased; both databases hold the rules."""

import datetime as dt

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from consult.accounts import policy, service
from consult.accounts.bindings import PERSONAL_DATA
from consult.accounts.jobs import PurgeExpired
from consult.accounts.models import (
    Account,
    AccountStatus,
    AttemptCount,
    LoginSession,
    Membership,
    PlatformRole,
    SingleUseToken,
    SpentProof,
    TokenPurpose,
)
from consult.actor import Role
from consult.db import ALL_TENANTS
from consult.errors import InvalidError
from tests import factories as f

LIFE = (dt.timedelta(hours=1), dt.timedelta(hours=2))


def count(session, model) -> int:
    return session.scalar(select(func.count()).select_from(model))


def test_what_has_expired_is_forgotten_and_the_rest_stays(database):
    with database.transaction(tenant=ALL_TENANTS) as session:
        account = f.make_account(session, f.make_organisation(session))
        for when in (f.NOW - dt.timedelta(days=40), f.NOW):
            service.open_session(session, account, now=when, life=LIFE)
            session.add(SpentProof(digest=str(when), expires_at=when + dt.timedelta(hours=1)))
            service.record_failure(session, str(when), policy.SECOND_FACTOR, when)
        service.issue_link(session, account, TokenPurpose.RESET_PASSWORD, f.NOW - dt.timedelta(days=40))
        service.issue_link(session, account, TokenPurpose.CONFIRM_EMAIL, f.NOW)
    with database.transaction(tenant=ALL_TENANTS) as session:
        progress = list(PurgeExpired(now=lambda: f.NOW).run(session, {}, {}))
        assert progress[-1].done == 4
        assert [count(session, model) for model in (LoginSession, SpentProof, AttemptCount, SingleUseToken)] == [1] * 4
        assert count(session, Account) == 1


def test_failures_are_counted_again_from_zero_after_a_day(session):
    for _ in range(7):
        service.record_failure(session, "k", policy.LOGIN_FROM_ADDRESS, f.NOW)
    session.flush()
    count = session.get(AttemptCount, "k")
    assert count.next_at == f.NOW + dt.timedelta(seconds=4)
    service.record_failure(session, "k", policy.LOGIN_FROM_ADDRESS, f.NOW + dt.timedelta(hours=25))
    assert count.failures == 1


def test_a_persons_data_is_exported_without_secrets_then_erased(session):
    organisation = f.make_organisation(session)
    account = f.make_account(session, organisation, Role.READER, email="zephyr@exemple.fr", pseudonym="Zéphyr")
    stranger = f.make_account(session, organisation)
    for person in (account, stranger):
        service.open_session(session, person, now=f.NOW, life=LIFE, browser="Firefox sous Linux")
        service.issue_link(session, person, TokenPurpose.RESET_PASSWORD, f.NOW)
    exported = {data.table: list(data.export(session, account.id)) for data in PERSONAL_DATA}
    assert exported["account"][0]["email"] == "zephyr@exemple.fr"
    assert exported["login_session"][0]["browser"] == "Firefox sous Linux"
    assert exported["membership"][0]["role"] == "reader"
    assert len(exported["single_use_token"]) == 1
    told = str(exported)
    secrets = (account.password_hash, account.totp_secret, *session.scalars(select(LoginSession.token_digest)))
    assert not any(secret in told for secret in secrets)
    for data in PERSONAL_DATA:
        data.erase(session, account.id, f.NOW)
    session.expire_all()
    emptied = session.get(Account, account.id)
    assert emptied.status is AccountStatus.ERASED
    assert (emptied.email, emptied.email_key, emptied.pseudonym_key, emptied.password_hash) == (None,) * 4
    assert [count(session, model) for model in (LoginSession, SingleUseToken, Membership)] == [1, 1, 1]
    again = f.make_account(session, organisation, email="zephyr@exemple.fr", pseudonym="Zéphyr")
    assert again.id != account.id, "the name and the address are free again"


def test_creating_a_confirmed_account_refuses_a_taken_address_or_name(session):
    organisation = f.make_organisation(session)
    values = {"organisation_id": organisation.id, "password": f.kept_password(), "now": f.NOW, "confirmed": True}
    service.create_account(session, email="a@exemple.fr", pseudonym="Zéphyr", **values)
    with pytest.raises(InvalidError) as taken:
        service.create_account(session, email="A+mot@exemple.fr", pseudonym="Mistral", **values)
    assert set(taken.value.fields) == {"email"}
    with pytest.raises(InvalidError) as taken:
        service.create_account(session, email="b@exemple.fr", pseudonym="zephyr", **values)
    assert set(taken.value.fields) == {"pseudonym"}
    other = values | {"organisation_id": f.make_organisation(session).id}
    service.create_account(session, email="a@exemple.fr", pseudonym="Zéphyr", **other)
    service.create_account(session, email="a+b@exemple.fr", pseudonym="Mistral", tags_differ=True, **values)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda o, a: Account(organisation_id=o.id, pseudonym="x", pseudonym_key=a.pseudonym_key, created_at=f.NOW),
        lambda o, a: Account(
            organisation_id=o.id, pseudonym="x", email_key=a.email_key, created_at=f.NOW, confirmed_at=f.NOW
        ),
        lambda o, a: Membership(organisation_id=o.id, account_id=a.id, role=Role.READER, granted_at=f.NOW),
        lambda o, a: Membership(
            organisation_id=o.id, account_id=a.id, role=Role.MODERATOR, granted_at=f.NOW, revoked_at=f.NOW
        ),
        lambda _, a: PlatformRole(account_id=a.id, role=Role.ADMINISTRATOR, granted_at=f.NOW),
        lambda _, a: PlatformRole(account_id=a.id, role=Role.DITP, granted_at=f.NOW),
    ],
)
def test_the_database_itself_refuses_what_must_never_be(session, wrong):
    organisation = f.make_organisation(session)
    account = f.make_account(session, organisation, Role.READER, Role.DITP)
    session.add(wrong(organisation, account))
    with pytest.raises(IntegrityError):
        session.flush()


def test_two_unconfirmed_accounts_may_name_one_address(session):
    organisation = f.make_organisation(session)
    for _ in range(2):
        f.make_account(session, organisation, email="a@exemple.fr", confirmed_at=None)
    f.make_account(session, organisation, email="a@exemple.fr")
    held = session.scalars(select(Account.confirmed_at).where(Account.email == "a@exemple.fr")).all()
    assert [moment is None for moment in held].count(True) == 2
    assert len(held) == 3


def test_dates_come_back_as_they_were(session):
    organisation = f.make_organisation(session)
    winter = dt.datetime(2026, 1, 15, 23, 30, 0, 123456, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    account = f.make_account(session, organisation, created_at=winter)
    session.expire(account)
    assert account.created_at == winter
    assert account.created_at.tzinfo is dt.UTC
