"""Migrations lead to exactly what the models say, on both databases, up, down and up again, whole or not at all."""

import re
import shutil
import threading

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from consult import clock
from consult.actor import SYSTEM, Role
from consult.audit import service as audit
from consult.contributions import votes
from consult.contributions.models import Argument, Proposal, VoteValue
from consult.db import ALL_TENANTS, Base, Database
from consult.errors import ConflictError
from consult.migrations import commands, load_models
from consult.opendata.models import Dump, DumpStatus
from consult.opendata.queries import is_served
from consult.questionnaires.models import ReplyDraft
from consult.registry import conservation
from consult.registry import service as registry
from consult.registry.models import EntryKind
from consult.sealing import second_factors
from tests import factories
from tests.registers import settle

SQLITE = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND name <> 'alembic_version'"
QUOTED = re.compile(r'^CREATE TABLE "(\w+)"')
SEPARATOR = r",?\s*\n\s*|, (?=[a-z_]+ [A-Z]+)"
POSTGRESQL = [
    (
        "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default, is_identity"
        " FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
    ),
    (
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'"
    ),
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
    "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
]


def schema(url):
    """All that the database says of its tables, constraints, indexes, triggers and functions, as a set."""
    database = Database(url)
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        if not database.is_sqlite:
            found = {tuple(row) for query in POSTGRESQL for row in session.execute(text(query))}
        else:
            # The order of columns and constraints does not count, nor how SQLite writes what a migration altered.
            found = {
                (kind, name, *sorted(re.split(SEPARATOR, QUOTED.sub(r"CREATE TABLE \1", (sql or "").strip()))))
                for kind, name, sql in session.execute(text(SQLITE))
            }
    database.dispose()
    return found


def fill(url):
    """Rows that refer to each other, and one of each append-only table."""
    database = Database(url)
    with database.transaction(tenant=ALL_TENANTS) as session:
        factories.make_account(session, factories.make_organisation(session))
        audit.record(
            session, actor=SYSTEM, organisation_id=None, action="a", target_type="b", target_id="c", now=clock.now()
        )
    database.dispose()


@pytest.fixture
def models_schema(empty_database_url):
    """What `create_all` makes on the same kind of database; the database is empty again afterwards."""
    database = Database(empty_database_url)
    load_models().create_all(database.engine)
    expected = schema(empty_database_url)
    Base.metadata.drop_all(database.engine)
    if not database.is_sqlite:
        with database.engine.begin() as connection:
            connection.execute(text("DROP FUNCTION consult_refuse_change()"))
    database.dispose()
    assert schema(empty_database_url) == set()
    return expected


def test_migrations_lead_to_exactly_what_the_models_say(empty_database_url, models_schema):
    commands.upgrade(empty_database_url)
    held = schema(empty_database_url)
    assert held - models_schema == set()
    assert models_schema - held == set()
    database = Database(empty_database_url)
    assert commands.differences(database) == []
    assert commands.is_current(database)
    database.dispose()


@pytest.mark.slow
def test_up_down_and_up_again_with_rows_on_each(empty_database_url):
    """AT-9.1: migrations run up, down and up again on seeded data."""
    commands.upgrade(empty_database_url)
    first = schema(empty_database_url)
    fill(empty_database_url)
    commands.upgrade(empty_database_url)
    commands.downgrade(empty_database_url, "base")
    assert schema(empty_database_url) == set()
    database = Database(empty_database_url)
    assert not commands.is_current(database)
    assert "add_table job" in commands.differences(database)
    database.dispose()
    commands.upgrade(empty_database_url)
    assert schema(empty_database_url) == first
    fill(empty_database_url)


def test_a_migrated_journal_is_append_only(migrated_database_url):
    fill(migrated_database_url)
    database = Database(migrated_database_url)
    for rewrite in ("UPDATE audit_entry SET reason = 'x'", "DELETE FROM audit_entry"):
        with pytest.raises(DBAPIError, match="append-only"), database.engine.begin() as connection:
            connection.execute(text(rewrite))
    database.dispose()


@pytest.mark.slow
def test_second_factors_kept_in_clear_are_sealed_and_drafts_weighed(migrated_database_url, monkeypatch):
    """0002, on rows that were there before; down again, the secret is as the older version reads it."""
    monkeypatch.setenv("CONSULT_SEAL_KEYS", "s" * 40)
    database = Database(migrated_database_url)
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(session)
        account = factories.make_account(session, organisation, Role.MODERATOR).id
        step = factories.make_step(session, factories.make_consultation(session, organisation), kind="questionnaire")
        draft = {"step_id": step.id, "organisation_id": organisation.id, "updated_at": clock.now(), "size": 0}
        session.add(ReplyDraft(holder_digest="b" * 64, answers={"question": "x" * 100}, **draft))
    clear = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

    def kept(*columns):
        with database.engine.connect() as connection:
            return [connection.scalar(text(f"SELECT {column}")) for column in columns]

    secret, size = "totp_secret FROM account WHERE totp_secret IS NOT NULL", "size FROM reply_draft"
    database.dispose()
    commands.downgrade(migrated_database_url, "0001")
    assert kept(secret) == [clear]
    database.dispose()
    commands.upgrade(migrated_database_url, "0002")
    sealed, weight = kept(secret, size)
    assert clear not in sealed
    assert second_factors("s" * 40).unseal(sealed, account) == clear
    assert weight >= 100
    database.dispose()
    commands.downgrade(migrated_database_url, "0001")
    assert kept(secret) == [clear]
    database.dispose()


@pytest.mark.slow
def test_rows_follow_when_removals_are_told_apart_and_back(migrated_database_url):
    """0003: an older version calls every decision « moderation », and does not know what its dumps show."""
    database = Database(migrated_database_url)
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(session)
        consultation = factories.make_consultation(session, organisation)
        for kind in (EntryKind.MODERATION_KEPT, EntryKind.MODERATION, EntryKind.TOMBSTONE):
            registry.append(
                session, organisation_id=organisation.id, consultation_id=consultation.id, kind=kind, content={},
                now=clock.now(),
            )  # fmt: skip
        dump = {"organisation_id": organisation.id, "consultation_id": consultation.id, "removals": 2}
        session.add(Dump(status=DumpStatus.DONE, requested_at=clock.now(), finished_at=clock.now(), **dump))
    database.dispose()

    def rows():
        with database.engine.begin() as connection:
            kinds = connection.scalars(text("SELECT kind FROM registry_entry ORDER BY id")).all()
            with pytest.raises(DBAPIError, match="append-only"), connection.begin_nested():
                connection.execute(text("UPDATE registry_entry SET kind = 'vote.cast'"))
        database.dispose()
        return kinds

    assert rows() == ["moderation.kept", "moderation", "tombstone"]
    commands.downgrade(migrated_database_url, "0002")
    assert rows() == ["moderation", "moderation", "tombstone"]
    commands.upgrade(migrated_database_url)
    assert rows() == ["moderation", "moderation", "tombstone"]
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        dump = session.scalars(select(Dump)).one()
        assert not is_served(session, dump), "another is made rather than guess"
    database.dispose()


@pytest.mark.slow
def test_dumps_that_tell_no_format_are_made_again(migrated_database_url):
    """0016: the catalogue and the API tell the format of each file; what was made before did not say it."""
    database = Database(migrated_database_url)
    file = {"name": "votes.csv", "dataset": "votes", "rows": 0, "bytes": 0, "sha256": "0" * 64}
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(session)
        made = {"organisation_id": organisation.id, "requested_at": clock.now(), "finished_at": clock.now()}
        for files in ([file], [file | {"format": "csv"}]):
            consultation = factories.make_consultation(session, organisation)
            session.add(Dump(status=DumpStatus.DONE, consultation_id=consultation.id, files=files, **made))
    database.dispose()
    commands.downgrade(migrated_database_url, "0015")
    commands.upgrade(migrated_database_url)
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        served = {"format" in dump.files[0]: is_served(session, dump) for dump in session.scalars(select(Dump))}
    database.dispose()
    assert served == {False: False, True: True}


@pytest.mark.slow
def test_what_waited_to_be_counted_is_counted_once_up_and_down(migrated_database_url):
    """0015: deltas are folded into the counters; back in time, what has no place yet waits again."""
    database = Database(migrated_database_url)
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(session)
        step = factories.make_step(session, factories.make_consultation(session, organisation))
        proposal = factories.make_proposal(session, step)
        argument = factories.make_argument(session, proposal)
        proposal_id, argument_id = proposal.id, argument.id
        voters = [factories.make_account(session, organisation) for _ in range(3)]
        for voter, value in zip(voters, ("for", "for", "against"), strict=True):
            act = {"step": step, "account_id": voter.id, "now": factories.NOW}
            votes.cast_vote(session, proposal, value=VoteValue(value), **act)
        votes.cast_vote(session, argument, value=VoteValue.FOR, **act)
    database.dispose()

    def counters():
        with database.session(write=False, tenant=ALL_TENANTS) as session:
            kept, argued = session.get_one(Proposal, proposal_id), session.get_one(Argument, argument_id)
            found = kept.votes_for, kept.votes_mixed, kept.votes_against, kept.votes_total, argued.votes_for
        database.dispose()
        return found

    assert counters() == (0, 0, 0, 0, 0), "nothing has its place"
    commands.downgrade(migrated_database_url, "0009")
    with database.engine.connect() as connection:
        waiting = connection.execute(text("SELECT value, sum(change) FROM vote_delta GROUP BY value ORDER BY value"))
        assert [tuple(row) for row in waiting] == [("against", 1), ("for", 3)]
    database.dispose()
    commands.upgrade(migrated_database_url)
    assert counters() == (2, 0, 1, 3, 1)
    with database.transaction(tenant=ALL_TENANTS) as session:
        settle(session)
        lines = [line for found in conservation.all_of(session).values() for line in found]
        assert {(line.type, line.logged, line.published) for line in lines} == {
            ("proposal", 1, 1), ("argument", 1, 1), ("vote", 4, 4)
        }  # fmt: skip
        assert all(line.balanced for line in lines)
    database.dispose()
    assert counters() == (2, 0, 1, 3, 1), "what was folded is not counted again"


@pytest.fixture
def own_migrations(tmp_path, monkeypatch):
    """Write migrations of the test's own, in order."""
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    for name in ("env.py", "script.py.mako"):
        shutil.copy(commands.FOLDER / name, folder)
    monkeypatch.setattr(commands, "FOLDER", folder)

    def write(*bodies):
        for number, body in enumerate(bodies):
            lines = "\n    ".join(body)
            (folder / "versions" / f"{number}.py").write_text(
                f"from alembic import op\nimport sqlalchemy as sa\nrevision = '{number}'\n"
                f"down_revision = {repr(str(number - 1)) if number else None}\n"
                f"def upgrade():\n    {lines}\ndef downgrade():\n    pass\n"
            )

    return write


def test_a_migration_that_fails_half_way_changes_nothing(empty_database_url, own_migrations):
    own_migrations(
        ["op.execute('CREATE TABLE first (id INTEGER PRIMARY KEY)')"],
        ["op.execute('CREATE TABLE second (id INTEGER PRIMARY KEY)')", "op.execute('SELECT nothing FROM nowhere')"],
    )
    with pytest.raises(DBAPIError):
        commands.upgrade(empty_database_url)
    assert schema(empty_database_url) == set()
    commands.upgrade(empty_database_url, "0")
    assert schema(empty_database_url) != set()


def test_rebuilding_a_table_deletes_no_row_that_refers_to_it(empty_database_url, own_migrations):
    """On SQLite, altering a table drops and recreates it: with references enforced, that would cascade."""
    own_migrations(
        [
            "op.execute('CREATE TABLE parent (id INTEGER PRIMARY KEY, name VARCHAR(9))')",
            "op.execute('CREATE TABLE child (parent_id INTEGER REFERENCES parent (id) ON DELETE CASCADE)')",
            "op.execute('INSERT INTO parent (id) VALUES (1)')",
            "op.execute('INSERT INTO child (parent_id) VALUES (1)')",
        ],
        [
            "with op.batch_alter_table('parent') as batch:",
            "    batch.alter_column('name', type_=sa.String(99), existing_type=sa.String(9))",
        ],
    )
    commands.upgrade(empty_database_url)
    database = Database(empty_database_url)
    with database.engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM child")) == 1
    database.dispose()


@pytest.mark.parametrize("empty_database_url", ["sqlite"], indirect=True)
def test_a_migration_that_would_break_references_is_undone(empty_database_url, own_migrations):
    own_migrations(
        [
            "op.execute('CREATE TABLE parent (id INTEGER PRIMARY KEY)')",
            "op.execute('CREATE TABLE child (parent_id INTEGER REFERENCES parent (id))')",
            "op.execute('INSERT INTO child (parent_id) VALUES (1)')",
        ]
    )
    with pytest.raises(ConflictError, match="références rompues dans la table child"):
        commands.upgrade(empty_database_url)
    assert schema(empty_database_url) == set()


@pytest.mark.slow
def test_two_upgrades_at_once_both_succeed(empty_database_url):
    """Two nodes of a deployment that start together."""
    faults = []

    def upgrade():
        try:
            commands.upgrade(empty_database_url)
        except Exception as error:  # noqa: BLE001  # told by the test
            faults.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    database = Database(empty_database_url)
    assert commands.is_current(database)
    database.dispose()


@pytest.mark.slow
def test_questions_of_new_kinds_become_those_that_older_versions_know(migrated_database_url):
    database = Database(migrated_database_url)
    with database.transaction(tenant=ALL_TENANTS) as session:
        consultation = factories.make_consultation(session, factories.make_organisation(session))
        step = factories.make_step(session, consultation, kind="questionnaire")
        for kind, options in (("matrix", [("Ligne", "row"), "Oui", "Non"]), ("date", []), ("single", ["Oui", "Non"])):
            factories.make_question(session, step, kind, options)
    commands.downgrade(migrated_database_url, "0030")
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        kinds = session.execute(text("SELECT kind FROM question ORDER BY position")).scalars().all()
        roles = session.execute(text("SELECT DISTINCT kind FROM question_option")).scalars().all()
    assert (kinds, roles) == (["multiple", "long_text", "single"], ["normal"])
    commands.upgrade(migrated_database_url)
    database.dispose()


def test_replies_without_an_account_stay_where_no_code_opens_them(migrated_database_url):
    database = Database(migrated_database_url)
    with database.transaction(tenant=ALL_TENANTS) as session:
        consultation = factories.make_consultation(session, factories.make_organisation(session))
        step = factories.make_step(session, consultation, kind="questionnaire")
        factories.make_reply(session, step, edit_key="a" * 64)
        factories.make_reply(session, step, edit_key="b" * 64, batch_ref="c" * 32)
    commands.downgrade(migrated_database_url, "0037")
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        assert session.execute(text("SELECT edit_key FROM reply ORDER BY batch_ref")).scalars().all().count(None) == 1
    commands.upgrade(migrated_database_url)
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        assert session.execute(text("SELECT count(*) FROM reply")).scalar() == 2
    database.dispose()
