"""Migrations of accounts, with people in them, on both databases, up and down."""

import datetime as dt

import pytest
from sqlalchemy import select, text

from consult.accounts.models import Account
from consult.accounts.pseudonyms import queries
from consult.accounts.pseudonyms.policy import skeleton
from consult.db import ALL_TENANTS, Database
from consult.migrations import commands
from tests import factories


@pytest.mark.slow
def test_keys_of_pseudonyms_are_made_again_and_nobody_loses_a_name(migrated_database_url, now):
    """0034: two names that only now look alike stay with those who wear them, and a third may take neither."""
    database = Database(migrated_database_url)
    names = {"Hélène": "helene", "Нelene": "нelene", "Ysolde": "helene2"}  # the second begins in Cyrillic
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(session)
        for minutes, (name, key) in enumerate(names.items()):
            since = now + dt.timedelta(minutes=minutes)
            factories.make_account(session, organisation, pseudonym=name, pseudonym_key=key, created_at=since)
    database.dispose()
    commands.downgrade(migrated_database_url, "0033")
    commands.upgrade(migrated_database_url, "0034")
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        kept = dict(session.execute(select(Account.pseudonym, Account.pseudonym_key)).all())
        assert session.scalar(text("SELECT protected_names FROM organisation")) == ""
    assert (kept["Hélène"], kept["Ysolde"]) == (skeleton("Hélène"), skeleton("Ysolde"))
    assert kept["Нelene"].startswith(skeleton("Hélène") + " ")
    database.dispose()


def test_a_name_worn_before_is_known_by_both_its_looks(migrated_database_url, now):
    """0051: a name whose capitals are those of another alphabet keeps ours from whoever comes next."""
    database = Database(migrated_database_url)
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        organisation = factories.make_organisation(session)
        account = factories.make_account(session, organisation, pseudonym="ΗΑΝΝΑ", created_at=now)
        factories.make_pseudonym(session, account, factories.make_consultation(session, organisation), "ВЕРА")
        erased = factories.make_account(session, organisation, pseudonym="Compte supprimé", pseudonym_key=None)
        erased.pseudonym_look = None
    database.dispose()
    commands.downgrade(migrated_database_url, "0050")
    commands.upgrade(migrated_database_url)
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        assert set(session.scalars(select(Account.pseudonym_look))) == {"hanna", None}
        for wanted, taken in (("Hanna", True), ("Bepa", True), ("Compte supprimé", False)):
            assert queries.worn(session, organisation.id, wanted) is taken
    database.dispose()


def test_who_had_asked_for_news_still_does_and_declines_nothing_else(migrated_database_url):
    """0039: what was chosen before stays; the other mails are sent as they were."""
    database = Database(migrated_database_url)
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(session)
        for wanted in (True, False):
            chosen = {"told_of_answers": wanted, "told_when_answered": False, "told_of_reports": False}
            factories.make_account(session, organisation, **chosen)
    database.dispose()
    commands.downgrade(migrated_database_url, "0038")
    commands.upgrade(migrated_database_url)
    choices = (Account.told_of_answers, Account.told_when_answered, Account.told_of_reports, Account.told_of_delays)
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        assert sorted(map(tuple, session.execute(select(*choices)))) == [
            (False, True, True, True), (True, True, True, True)
        ]  # fmt: skip
    database.dispose()
