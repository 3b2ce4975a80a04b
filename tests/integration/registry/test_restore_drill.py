"""The runbook's restoration, command by command: an old backup comes back, and the platform serves what was signed."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import urllib.request

import pytest
from sqlalchemy import func, select

from consult.accounts.models import Account, AccountStatus
from consult.consultations.models import Step
from consult.contributions import service as contributions
from consult.contributions.models import Proposal
from consult.db import ALL_TENANTS, Database
from consult.privacy.models import ErasureMode
from consult.privacy.service import erase_account
from consult.registry import queries
from tests.conftest import missing
from tests.integration.registry.scene import LATER, Scene, Seed, verify
from tests.registers import SEED
from tests.servers import accepts, free_port, postgresql_binaries, wait_until

pytestmark = [pytest.mark.audit, pytest.mark.timeout(600)]


@pytest.fixture
def lived(database, tmp_path):
    """A platform on which everything happened, signed; with its data, and its second store elsewhere."""
    scene = Scene(tmp_path / "live", database)
    (scene.folder / "data/media").mkdir(parents=True)
    (scene.folder / "data/media/plan.png").write_bytes(b"\x89PNG")
    with database.transaction(tenant=ALL_TENANTS) as session:
        seed = Seed(session, scene)
        seed.live()
        scene.people = [person.id for person in seed.people]
    scene.place()
    return scene


@pytest.fixture
def back_up(tmp_path):
    """Save a database as the runbook says."""

    def back_up(database):
        if database.is_sqlite:
            paths = database.url.database, tmp_path / "saved.db"
            with contextlib.ExitStack() as stack:
                live, saved = (stack.enter_context(contextlib.closing(sqlite3.connect(path))) for path in paths)
                live.backup(saved)
            return
        run("pg_dump", "--format=custom", f"--file={tmp_path}/saved.dump", plain(database))

    return back_up


@pytest.fixture
def restored(request, tmp_path):
    """Put the saved database in a new one, and give its address."""
    with contextlib.ExitStack() as stack:

        def restored(database):
            if database.is_sqlite:
                shutil.copy(tmp_path / "saved.db", tmp_path / "restored.db")
                return f"sqlite:///{tmp_path}/restored.db"
            url = stack.enter_context(request.getfixturevalue("fresh_postgres")())
            run("pg_restore", "--no-owner", f"--dbname={url}", f"{tmp_path}/saved.dump")
            return url

        yield restored


def plain(database):
    return database.url.set(drivername="postgresql").render_as_string(hide_password=False)


def run(program, *arguments):
    binaries = postgresql_binaries()
    path = binaries / program if binaries and (binaries / program).exists() else shutil.which(program)
    if path is None:
        missing(f"no {program}: install PostgreSQL's client programs")
    subprocess.run([str(path), *arguments], check=True, capture_output=True, timeout=120)


@pytest.fixture
def consult(tmp_path):
    """Run a command of the restored platform; gives its exit code and what it said."""
    (tmp_path / "seed").write_bytes(SEED)
    (tmp_path / "seed").chmod(0o600)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONSULT_")} | {
        "CONSULT_DATA_DIR": str(tmp_path / "restored"),
        "CONSULT_REGISTRY_DIR": str(tmp_path / "restored/first"),
        "CONSULT_REGISTRY_SECOND_DIR": str(tmp_path / "live/second"),
        "CONSULT_REGISTRY_SEED_FILE": str(tmp_path / "seed"),
        "CONSULT_ERASURES_FILE": str(tmp_path / "erasures.ndjson"),
        "CONSULT_RATE_LIMITS": "0",
    }

    def consult(*arguments, **variables):
        command = [sys.executable, "-m", "consult", *arguments]
        if arguments[0] == "serve":
            return subprocess.Popen(command, env=environment | variables, stderr=subprocess.PIPE, text=True)
        done = subprocess.run(
            command, env=environment | variables, capture_output=True, text=True, timeout=120, check=False
        )
        return done.returncode, done.stderr

    return consult


@contextlib.contextmanager
def served(consult, **variables):
    port = free_port()
    process = consult("serve", "--no-worker", PORT=str(port), CONSULT_WORKERS="1", **variables)
    try:
        wait_until(lambda: accepts(port) or process.poll() is not None, seconds=60, what="the site")
        assert process.poll() is None, process.stderr.read()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(40)
        process.stderr.close()


def page(address):
    with urllib.request.urlopen(address, timeout=30) as reply:
        return reply.status, reply.read().decode()


def lives_on(lived):
    """After the backup: a proposal, an erasure, and both signed."""
    with lived.database.transaction(tenant=ALL_TENANTS) as session:
        bob = session.get_one(Account, lived.people[1])
        session.info["tenant"] = bob.organisation_id
        step = session.get_one(Step, session.scalars(select(Proposal.step_id).limit(1)).one())
        contributions.submit_proposal(
            session, step=step, account_id=lived.people[0], title="Après la sauvegarde", theme_id=None, now=LATER,
            submission_key="after", body="Un texte que la sauvegarde n’a pas.",
        )  # fmt: skip
        erase_account(session, lived.bindings, bob, mode=ErasureMode.EVERYTHING, now=LATER)
    lived.place()


def test_a_backup_of_this_instant_comes_back_whole(lived, back_up, restored, consult, tmp_path):
    """Nothing was lost: the checks pass at once, and a stranger finds nothing to report."""
    back_up(lived.database)
    shutil.copytree(lived.folder, tmp_path / "restored")
    where = {"DATABASE_URL": restored(lived.database)}
    assert consult("db", "check", **where) == (0, "Base de données conforme.\n")
    code, said = consult("registry", "check", **where)
    assert (code, "base et dépôts conformes" in said) == (0, True), said
    check_served(consult, where, tmp_path)
    assert (tmp_path / "restored/data/media/plan.png").read_bytes() == b"\x89PNG"


def test_an_older_backup_follows_what_was_signed_since(lived, back_up, restored, consult, tmp_path):
    """What was lost is said, who was erased stays erased, and a stranger finds nothing to report."""
    back_up(lived.database)
    shutil.copytree(lived.folder, tmp_path / "restored")
    lives_on(lived)
    with lived.database.session(write=False, tenant=ALL_TENANTS) as session:
        size = queries.log_named(session, "agence").size
    assert consult("worker", "--once", DATABASE_URL=lived.database.url.render_as_string(hide_password=False))[0] == 0
    where = {"DATABASE_URL": restored(lived.database)}
    assert consult("db", "check", **where)[0] == 0
    code, said = consult("registry", "check", **where)
    assert (code, "s’arrête à" in said) == (1, True), said
    with consult("serve", "--no-worker", PORT=str(free_port()), **where) as refused:
        assert refused.wait(60) == 1  # not before the erasures were done again
        assert "consult privacy replay" in refused.stderr.read()
    code, said = consult("registry", "restore", "--yes", **where)
    assert (code, f"agence : {size} entrées signées" in said.replace("\u00a0", " ")) == (0, True), said
    code, said = consult("privacy", "replay", **where)
    assert (code, "1 à refaire" in said) == (0, True), said
    assert consult("registry", "sequence", "--once", **where)[0] == 0
    code, said = consult("registry", "check", **where)
    assert code == 0, said
    database = Database(where["DATABASE_URL"])
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        erased = select(func.count()).select_from(Account).where(Account.status == AccountStatus.ERASED)
        assert session.scalar(erased) == 2
    database.dispose()
    check_served(consult, where, tmp_path)


def check_served(consult, where, tmp_path):
    with served(consult, **where) as site:
        for path in ("/", "/consultations/nos-trajets", "/consultations/nos-trajets/proposals", "/healthz"):
            assert page(f"{site}{path}")[0] == 200
        assert "Des trains le soir et la nuit" in page(f"{site}/consultations/nos-trajets/proposals")[1]
        code, frauds, said = verify(site, tmp_path)
        assert (code, frauds) == (0, []), said
