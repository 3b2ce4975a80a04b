"""What both databases must agree on: tenants, instants, enumerations, one writer, what survives (AT-5.3)."""

import datetime as dt
import threading
import uuid

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from consult.accounts.models import Account, AccountStatus
from consult.db import ALL_TENANTS, TenantMissingError, as_tenant, survives
from consult.organisations.models import Organisation


@pytest.fixture
def two(database, now) -> tuple[uuid.UUID, uuid.UUID]:
    """Two organisations, each with one account called like it."""
    ids = []
    with database.transaction(tenant=ALL_TENANTS) as session:
        for slug in ("a", "b"):
            organisation = Organisation(slug=slug, name=slug, created_at=now)
            session.add(organisation)
            session.flush()
            session.add(Account(organisation_id=organisation.id, pseudonym=slug, created_at=now))
            ids.append(organisation.id)
    return ids[0], ids[1]


def names(session) -> list[str]:
    return sorted(session.scalars(select(Account.pseudonym)))


def test_a_session_sees_its_organisation_alone(database, two):
    with database.transaction(tenant=two[0], write=False) as session:
        assert names(session) == ["a"]
        assert session.scalar(select(func.count()).select_from(Account)) == 1
        joined = select(Organisation.slug).join(Account, Account.organisation_id == Organisation.id)
        assert session.scalars(joined).all() == ["a"]
        assert session.scalar(select(select(Account.id).exists())) is True
        with as_tenant(session, two[1]):
            assert names(session) == ["b"]
        with as_tenant(session, ALL_TENANTS):
            assert names(session) == ["a", "b"]


def test_another_organisation_s_row_is_not_found_by_its_id(database, two):
    with database.transaction(tenant=two[0]) as session:
        with as_tenant(session, ALL_TENANTS):
            other = session.scalars(select(Account.id).where(Account.pseudonym == "b")).one()
        session.expunge_all()
        assert session.get(Account, other) is None
        assert session.execute(update(Account).values(pseudonym="x")).rowcount == 1
        assert session.execute(delete(Account).where(Account.id == other)).rowcount == 0


@pytest.mark.parametrize(
    "statement",
    [
        lambda: select(Account),
        lambda: select(func.count()).select_from(Account),
        lambda: select(Organisation).join(Account, Account.organisation_id == Organisation.id),
        lambda: select(Organisation).where(select(Account.id).exists()),
        lambda: update(Account).values(pseudonym="x"),
        lambda: delete(Account),
    ],
)
def test_a_query_without_organisation_is_refused(database, two, statement):
    with (
        pytest.raises(TenantMissingError, match="account"),
        database.transaction(tenant=None) as session,
    ):
        session.execute(statement())


def test_a_row_of_another_organisation_is_not_written(database, two, now):
    with pytest.raises(TenantMissingError), database.transaction(tenant=two[0]) as session:
        session.add(Account(organisation_id=two[1], pseudonym="x", created_at=now))
    with pytest.raises(TenantMissingError), database.transaction(tenant=None) as session:
        session.add(Account(pseudonym="x", created_at=now))


def test_instants_are_utc_and_never_naive(database, two):
    paris = dt.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    with database.transaction(tenant=two[0]) as session:
        account = session.scalars(select(Account)).one()
        account.created_at = paris
        session.flush()
        session.expire(account)
        assert account.created_at == paris
        assert account.created_at.utcoffset() == dt.timedelta(0)
    with pytest.raises(StatementError, match="time zone"), database.transaction(tenant=two[0]) as session:
        session.scalars(select(Account)).one().created_at = dt.datetime(2026, 1, 1)  # noqa: DTZ001
        session.flush()


def test_enumerations_are_stored_by_value_and_checked(database, two):
    with database.transaction(tenant=two[0]) as session:
        session.scalars(select(Account)).one().status = AccountStatus.BLOCKED
        session.flush()
        assert session.execute(text("SELECT status FROM account WHERE pseudonym = 'a'")).scalar_one() == "blocked"
    with pytest.raises(IntegrityError), database.transaction(tenant=two[0]) as session:
        session.execute(text("UPDATE account SET status = 'BLOCKED'"))


def test_a_reading_transaction_cannot_write_and_the_next_one_can(database, two):
    with pytest.raises(DBAPIError), database.transaction(tenant=two[0], write=False) as session:
        session.execute(update(Account).values(pseudonym="x"))
    with database.transaction(tenant=two[0]) as session:
        session.execute(update(Account).values(pseudonym="x"))


def test_what_survives_runs_after_a_rollback_and_once(database, two, now):
    with pytest.raises(ValueError, match="refus"), database.transaction(tenant=two[0]) as session:
        session.add(Account(pseudonym="perdu", created_at=now))
        session.flush()
        survives(session, lambda after: after.add(Account(pseudonym="gardé", created_at=now)))
        raise ValueError("refus")
    with database.transaction(tenant=two[0], write=False) as session:
        assert names(session) == ["a", "gardé"]


def test_writers_wait_for_each_other_and_lose_nothing(database, two):
    """Twenty threads read a number and write it back one higher: on SQLite one at a time, on PostgreSQL under lock."""

    def increment() -> None:
        for _ in range(5):
            with database.transaction(tenant=two[0]) as session:
                account = session.scalars(select(Account).with_for_update()).one()
                account.totp_last_step = (account.totp_last_step or 0) + 1

    threads = [threading.Thread(target=increment) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.transaction(tenant=two[0], write=False) as session:
        assert session.scalars(select(Account.totp_last_step)).one() == 100


def test_readers_do_not_wait_for_a_writer(database, two):
    with database.transaction(tenant=two[0]) as writer:
        writer.execute(update(Account).values(pseudonym="plus tard"))
        with database.transaction(tenant=two[0], write=False) as reader:
            assert names(reader) == ["a"]
