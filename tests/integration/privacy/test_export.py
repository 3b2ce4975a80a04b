"""A person has all that is held about them, and nothing of anybody else (AT-6.1)."""

import json

from sqlalchemy import func, select

from consult.db import NEVER
from consult.migrations import load_models
from consult.privacy import service as privacy
from tests import factories as f
from tests.integration.privacy.town import EMAIL, PSEUDONYM, WRITTEN, naming

# Rows that name the account and are not about its person, or that the journal of erasures alone may hold.
NOT_THEIRS = {"membership.granted_by_id", "membership.revoked_by_id"}


def export(town, bindings, account):
    return privacy.export_account(town.session, bindings, account.id, town.later)["tables"]


def test_every_row_that_names_the_account_is_in_the_export(town, bindings):
    """AT-6.1: whichever table holds the account's key, the export has as many rows of it."""
    for account in (town.person, town.admin):
        tables = export(town, bindings, account)
        counts = {name: n for name, n in naming(town.session, account.id).items() if name not in NOT_THEIRS}
        assert counts
        for name, expected in counts.items():
            assert len(tables[name.partition(".")[0]]["rows"]) >= expected, name


def test_the_rows_are_whole(town, bindings):
    """AT-6.1: every column but those that nobody may see, and those only where the person is whom they hide it from."""
    rows = {name: each["rows"] for name, each in export(town, bindings, town.person).items()}
    for name, found in rows.items():
        shown = {column.name for column in load_models().tables[name].columns if column.info != NEVER}
        assert all(shown <= set(row) for row in found), name
    assert {name: len(found) for name, found in rows.items() if found} == {
        "account": 1, "proposal": 3, "argument": 1, "content_version": 2, "vote": 3, "reply": 1, "answer": 3,
        "reply_draft": 1, "contribution_draft": 1, "report": 1, "moderation_decision": 1, "moderation_contest": 1,
        "outgoing_mail": 2, "login_session": 1, "single_use_token": 1, "consultation_pseudonym": 1,
        "security_key": 1, "subscription": 2,
    }  # fmt: skip


def test_what_was_written_is_there_word_for_word(town, bindings):
    told = json.dumps(export(town, bindings, town.person), ensure_ascii=False)
    gone = {WRITTEN["reply"], WRITTEN["pending"]}  # replaced by an edit; of another account
    assert [word for word in WRITTEN.values() if word not in told and word not in gone] == []
    assert EMAIL in told
    assert PSEUDONYM in told


def test_no_secret_and_nobody_else(town, bindings):
    told = json.dumps(export(town, bindings, town.person), ensure_ascii=False)
    person = town.person
    secrets = [person.password_hash, person.email_key, *town.session.scalars(select(digests()))]
    assert [secret for secret in secrets if f'"{secret}"' in told] == []
    for account in (town.other, town.admin, town.moderator, town.claimant):
        assert str(account.id) not in told
        assert account.pseudonym not in told
    assert "parle de" not in told, "what another person said in a report is theirs"


def digests():
    return load_models().tables["login_session"].c.token_digest


def test_an_account_without_any_act_has_its_account_alone(town, bindings):
    newcomer = f.make_account(town.session, town.organisation)
    tables = export(town, bindings, newcomer)
    assert [name for name, each in tables.items() if each["rows"]] == ["account"]
    assert all(
        each["label"] and each["purpose"].endswith(".") and each["kept"].endswith(".") for each in tables.values()
    )


def test_exporting_writes_nothing(town, bindings, database):
    """A GET never writes."""
    town.session.commit()
    account_id = town.person.id
    town.session.commit()
    with database.session(write=False, tenant=town.organisation.id) as session:
        tables = privacy.export_account(session, bindings, account_id, f.NOW)["tables"]
        session.commit()
    assert len(tables["proposal"]["rows"]) == 3
    assert town.session.scalar(select(func.count()).select_from(load_models().tables["erasure_entry"])) == 0
