"""A restored backup brings nobody back: the erasures are done again, and a search of every byte finds nothing."""

import shutil
import subprocess
import uuid
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text

from consult.accounts.models import Account, AccountStatus
from consult.app import PERSONAL_DATA
from consult.app import bindings as bound
from consult.consultations.models import ContentStatus
from consult.contributions.models import Proposal, Vote
from consult.db import ALL_TENANTS, Database
from consult.errors import UnavailableError
from consult.jobs.worker import Worker
from consult.mail.models import OutgoingMail
from consult.privacy import queries, replay
from consult.privacy import service as privacy
from consult.privacy.erasures import ErasureJournal
from consult.privacy.jobs import RecordErasures
from consult.privacy.models import ErasureEntry, ErasureMode
from consult.protocols import Bindings
from consult.registry import publishing, restore
from consult.registry.publishing import Stores
from consult.registry.store import Store
from consult.settings import Settings
from tests import factories as f
from tests.integration.privacy.town import EMAIL, PSEUDONYM, WRITTEN, Town, found
from tests.integration.registry.scene import LATER, Scene, Seed
from tests.registers import features, sequencer
from tests.servers import postgresql_binaries

pytestmark = pytest.mark.slow  # many pages and processes: `make check` leaves it to `make test`

BINDINGS = Bindings(personal_data=PERSONAL_DATA)
MARKERS = (*(word for name, word in WRITTEN.items() if name != "reply"), EMAIL, PSEUDONYM)  # that one was replaced


class Backup:
    """A copy of the database, made and put back with the database's own tools."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.path = database, folder / "backup"
        self.url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)

    def make(self) -> bytes:
        self.path.unlink(missing_ok=True)
        if self.database.is_sqlite:
            with self.database.engine.connect() as connection:
                connection.connection.driver_connection.execute("VACUUM INTO ?", (str(self.path),))
        else:
            self._run("pg_dump", "--no-owner", f"--file={self.path}", self.url)
        return self.path.read_bytes()

    def put_back(self) -> None:
        self.database.dispose()
        if self.database.is_sqlite:
            for beside in ("-wal", "-shm"):
                Path(f"{self.database.url.database}{beside}").unlink(missing_ok=True)
            shutil.copy(self.path, self.database.url.database)
            return
        with self.database.transaction(tenant=ALL_TENANTS) as session:
            session.execute(text("DROP SCHEMA public CASCADE"))
            session.execute(text("CREATE SCHEMA public"))
        self.database.dispose()
        self._run("psql", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={self.path}", self.url)

    def _run(self, program: str, *arguments: str) -> None:
        binaries = postgresql_binaries()
        command = str(binaries / program) if binaries and (binaries / program).exists() else shutil.which(program)
        assert command, f"{program} is missing"
        subprocess.run([command, *arguments], check=True, capture_output=True)


def bytes_of(database: Database, backup: Backup, *folders: Path) -> bytes:
    """All that the disk holds: database with its free pages and log (of PostgreSQL, a dump), and files beside."""
    held = backup.make()
    if database.is_sqlite:
        name = database.url.database
        held += b"".join(Path(f"{name}{end}").read_bytes() for end in ("", "-wal") if Path(f"{name}{end}").exists())
    return held + b"".join(path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file())


def not_theirs(session) -> None:
    """Take away the mail to another person, whose address ends as theirs does."""
    session.execute(delete(OutgoingMail).where(OutgoingMail.recipient == f"x{EMAIL}"))


def told(held: bytes, *words: str) -> list[str]:
    held = held.decode("utf-8", errors="replace").casefold()
    return [word for word in words if word.casefold() in held]


def test_nothing_is_found_after_an_erasure_a_restore_and_a_replay(database, tmp_path):
    """AT-B.4, AT-6.2, AT-21.5: database, free pages, log, queue of mails, files, and a restored backup."""
    settings = Settings(
        data_dir=str(tmp_path / "data"), database_url=database.url.render_as_string(hide_password=False),
        erasures_file=str(tmp_path / "elsewhere/erasures.ndjson"),
    )  # fmt: skip
    worker = Worker(database, bound(settings).job_handlers)
    with database.transaction(tenant=ALL_TENANTS) as session:
        town = Town(session)
        town.live()
        not_theirs(session)
        person_id, claimant_id, slug = town.person.id, town.claimant.id, town.consultation.slug
    placing = sequencer(database, tmp_path, on_placed=features().on_placed)
    placing.run_until_settled()
    backup = Backup(database, tmp_path)
    assert told(backup.make(), *MARKERS) == list(MARKERS), "the backup was made before"
    assert slug.encode() in backup.path.read_bytes()
    kept = backup.path.read_bytes()

    with database.transaction(tenant=ALL_TENANTS) as session:
        privacy.erase_account(session, BINDINGS, session.get_one(Account, person_id), now=f.NOW)
    while worker.run_once():
        pass
    placing.run_until_settled()
    here = bytes_of(database, backup, tmp_path / "data", tmp_path / "first", tmp_path / "elsewhere")
    assert told(here, *MARKERS) == [], "right after the erasure"
    journal = ErasureJournal(settings.erasures_path).read()
    assert journal.modes.keys() == {journal.name(person_id), journal.name(claimant_id)}
    assert str(person_id) not in settings.erasures_path.read_text()
    assert person_id.hex not in settings.erasures_path.read_text()

    backup.path.write_bytes(kept)
    backup.put_back()
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        assert found(session, EMAIL), "the restored backup brings the person back"
    stores = Stores(Store(tmp_path / "first"), Store(tmp_path / "second"))
    restore.restore(database, stores, placing._features, now=f.NOW)
    waiting = replay.waiting(database, ErasureJournal(settings.erasures_path).read())
    assert waiting.keys() == {person_id, claimant_id}
    for account_id, mode in waiting.items():
        replay.erase_again(database, BINDINGS, account_id, mode, now=f.NOW)
    assert replay.waiting(database, ErasureJournal(settings.erasures_path).read()) == {}
    while worker.run_once():
        pass
    queries.give_up_log(database)
    placing.run_until_settled()
    again = bytes_of(database, backup, tmp_path / "data", tmp_path / "first", tmp_path / "elsewhere")
    assert told(again, *MARKERS) == []
    assert [log.slug for log in publishing.check(database, stores)] == ["agence"], "the log still verifies"


@pytest.mark.parametrize("mode", list(ErasureMode))
def test_a_third_party_still_verifies_the_log_after_a_replay(tmp_path, request, mode):
    """AT-B.4, AT-20.2: the verifier names no fraud, in both modes."""
    shutil.copy(request.getfixturevalue("_sqlite_template"), tmp_path / "consult.db")
    scene = Scene(tmp_path)
    with scene.database.transaction(tenant=ALL_TENANTS) as session:
        seed = Seed(session, scene)
        seed.live()
        ann = seed.people[0].id
    scene.place()
    backup = Backup(scene.database, tmp_path)
    backup.make()
    with scene.database.transaction(tenant=ALL_TENANTS) as session:
        privacy.erase_account(session, scene.bindings, session.get_one(Account, ann), mode=mode, now=LATER)
    scene.place()
    code, frauds, said = scene.verify()
    assert (code, frauds) == (0, []), said
    backup.put_back()
    stores = Stores(Store(tmp_path / "first"), Store(tmp_path / "second"))
    restore.restore(scene.database, stores, sequencer(scene.database, tmp_path)._features, now=LATER)
    replay.erase_again(scene.database, scene.bindings, ann, mode, now=LATER)
    scene.place()
    code, frauds, said = scene.verify()
    assert (code, frauds) == (0, []), said
    scene.database.dispose()


def test_what_is_published_stays_under_no_name(town):
    """The mode ACCOUNT: texts, votes and replies that count stay; nothing tells whose they were."""
    session, person = town.session, town.person
    not_theirs(session)
    votes = session.scalars(select(Vote.id).where(Vote.counted)).all()
    privacy.erase_account(session, BINDINGS, person, mode=ErasureMode.ACCOUNT, now=town.later)
    session.expire_all()
    assert found(session, EMAIL, PSEUDONYM) == set()
    assert (town.mine.status, WRITTEN["edited"] in town.mine.body) == (ContentStatus.PUBLISHED, True)
    assert found(session, WRITTEN["reply edited"]) == {"answer.text"}
    gone = ("hidden", "withdrawn", "reply draft", "comment", "contest", "pending")
    assert found(session, *(WRITTEN[each] for each in gone)) == set()
    assert [item.status for item in (town.hidden, town.withdrawn)] == [ContentStatus.ERASED] * 2
    assert session.scalar(select(Proposal.submission_key).where(Proposal.id == town.mine.id)) is None
    still = set(session.scalars(select(Vote.id)))
    assert len(set(votes) - still) == 0
    assert person.status is AccountStatus.ERASED
    modes = dict(session.execute(select(ErasureEntry.account_id, ErasureEntry.mode)).all())
    assert modes == {person.id: ErasureMode.ACCOUNT, town.claimant.id: ErasureMode.EVERYTHING}


def test_the_file_outlives_a_torn_line_and_says_each_erasure_once(tmp_path):
    journal = ErasureJournal(tmp_path / "away/erasures.ndjson")
    one, two = uuid.uuid4(), uuid.uuid4()
    assert journal.record([(one, ErasureMode.ACCOUNT, f.NOW)]) == 1
    assert journal.record([(one, ErasureMode.ACCOUNT, f.NOW)]) == 0
    assert journal.path.stat().st_mode & 0o777 == 0o600
    with journal.path.open("ab") as file:
        file.write(b'{"on": "2026-03-02", "mode": "every')
    assert journal.record([(one, ErasureMode.ACCOUNT, f.NOW), (two, ErasureMode.EVERYTHING, f.NOW)]) == 1
    read = journal.read()
    assert read.modes == {read.name(one): ErasureMode.ACCOUNT, read.name(two): ErasureMode.EVERYTHING}
    journal.path.write_text("autre chose\n")
    with pytest.raises(UnavailableError, match="n’est pas un journal"):
        journal.read()


@pytest.mark.parametrize("length", [0, 1, 20, 45, 90])
def test_a_first_line_cut_by_a_crash_is_written_again(tmp_path, length, caplog):
    whole = ErasureJournal(tmp_path / "whole.ndjson")
    one = uuid.uuid4()
    whole.record([(one, ErasureMode.ACCOUNT, f.NOW)])
    journal = ErasureJournal(tmp_path / "erasures.ndjson")
    journal.path.write_bytes(whole.path.read_bytes()[:length])
    assert (journal.read().salt, journal.read().modes) == (b"", {})
    assert ("cut short" in caplog.text) is (length > 0)
    assert journal.record([(one, ErasureMode.ACCOUNT, f.NOW)]) == 1
    read = journal.read()
    assert read.modes == {read.name(one): ErasureMode.ACCOUNT}
    assert len(read.salt) == 32


def test_a_short_file_that_is_no_journal_is_never_written_over(tmp_path):
    journal = ErasureJournal(tmp_path / "erasures.ndjson")
    journal.path.write_text('{"format": "autre')
    with pytest.raises(UnavailableError, match="n’est pas un journal"):
        journal.record([(uuid.uuid4(), ErasureMode.ACCOUNT, f.NOW)])
    assert journal.path.read_text() == '{"format": "autre'


def test_a_journal_that_is_away_is_tried_again(database, organisation_id, tmp_path):
    (tmp_path / "file").write_text("")
    settings = Settings(data_dir=str(tmp_path), erasures_file=str(tmp_path / "file/erasures.ndjson"))
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.add(ErasureEntry(organisation_id=organisation_id, account_id=uuid.uuid4(), erased_at=f.NOW))
        session.flush()
        with pytest.raises(UnavailableError, match="ne s’ouvre pas"):
            list(RecordErasures(settings).run(session, {}, {}))
