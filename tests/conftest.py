"""Shared fixtures: both databases for real, Redis, SMTP, the real data, the application and a browser.

What a machine lacks is skipped with its reason, counted at the end, and is a failure under CI=true.
"""

# Over 400 lines: what the tests share stands where pytest looks for it.

import contextlib
import datetime as dt
import functools
import gc
import os
import shutil
import subprocess
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import argon2
import hypothesis
import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from werkzeug.serving import make_server

from consult.accounts.passwords import service as passwords
from consult.db import ALL_TENANTS, Base, Database
from consult.migrations import commands, load_models
from consult.organisations.models import Organisation
from consult.settings import Settings
from tests import factories
from tests.servers import SmtpServer, postgresql_binaries, postgresql_cluster, redis_server

if TYPE_CHECKING:
    from consult.app import ConsultApp

ROOT = Path(__file__).parent.parent
RESTART_SEQUENCES = "SELECT setval(format('%I.%I', schemaname, sequencename), start_value, false) FROM pg_sequences"
QUICK_HASHER = argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
# What is imported stays: to look for cycles in it at the usual rate takes a twentieth of the time.
gc.set_threshold(100_000, 50, 100)
LONG = {"browser": 3, "real_data": 2, "slow": 1}  # how long the files are that hold such tests
# What an example takes by the clock hangs on who else is at work on the machine.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}


def pytest_terminal_summary(terminalreporter, exitstatus):
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        terminalreporter.write_line("0 skipped")
        return
    verdict = "a failure, since CI=true" if IN_CI else "would be a failure under CI=true"
    terminalreporter.write_line(f"{len(skipped)} skipped (reasons above): {verdict}", red=IN_CI, yellow=not IN_CI)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Before tests are chosen by their marks. Long files come first, so that no process works alone at the end."""
    for item in items:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        if item.get_closest_marker("sqlite_first") and params.get("database") == "postgresql":
            item.add_marker(pytest.mark.audit)
    length = defaultdict(int)
    for item in items:
        length[item.path] = max(
            length[item.path], *(bool(item.get_closest_marker(mark)) * n for mark, n in LONG.items())
        )
    items.sort(key=lambda item: -length[item.path])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if IN_CI and reporter is not None and reporter.stats.get("skipped") and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def missing(reason: str) -> None:
    """Skip, or fail in CI, because this machine lacks something."""
    if IN_CI:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def _quick_hashes(request, monkeypatch):
    """Argon2id with light parameters, in this process: whoever is to meet the true ones asks for `true_hashes`."""
    if "true_hashes" not in request.fixturenames:
        monkeypatch.setattr(passwords, "HASHER", QUICK_HASHER)


@pytest.fixture
def true_hashes():
    """Passwords hashed as they are in production, at 64 MiB each; what others made once is made again."""
    for made_once in (factories.kept_password, passwords._decoy):
        made_once.cache_clear()
    yield
    for made_once in (factories.kept_password, passwords._decoy):
        made_once.cache_clear()


@pytest.fixture
def now() -> dt.datetime:
    """A fixed instant for services, which take the clock as an argument."""
    return dt.datetime(2026, 3, 2, 9, 41, 27, tzinfo=dt.UTC)


def _create_schema(database: Database) -> None:
    """Every table at once, told to be what the migrations lead to (tests/migrations proves it)."""
    with database.engine.begin() as connection:
        load_models().create_all(connection)
        scripts = ScriptDirectory(str(commands.FOLDER))
        MigrationContext.configure(connection).stamp(scripts, "head")


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    database = Database(f"sqlite:///{path}")
    _create_schema(database)
    database.dispose()  # the last connection folds the write-ahead log into the file
    return path


@pytest.fixture(scope="session")
def _sqlite_database(tmp_path_factory) -> Database:
    """One engine for all the tests of a process: each statement is compiled once. `database` renews its file."""
    return Database(f"sqlite:///{tmp_path_factory.mktemp('database')}/consult.db")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server on which databases may be created."""
    given = os.environ.get("CONSULT_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    binaries = postgresql_binaries()
    if binaries is None:
        missing("no PostgreSQL: install it, or give CONSULT_TEST_POSTGRES_URL")
    with postgresql_cluster(binaries) as url:
        yield url


@pytest.fixture(scope="session")
def _postgres_database(postgres_server) -> Iterator[Database]:
    with _fresh_postgres(postgres_server) as url:
        database = Database(url)
        _create_schema(database)
        yield database
        database.dispose()


class _fresh_postgres:  # noqa: N801  # reads as the function it stands for
    """A database of its own on that server, empty or a copy of another, dropped at the end."""

    def __init__(self, server: str, template: str = "template0") -> None:
        self.server = server.replace("+psycopg", "", 1)
        self.template = template
        self.name = f"consult_test_{uuid.uuid4().hex[:12]}"

    def __enter__(self) -> str:
        self._run(f"CREATE DATABASE {self.name} ENCODING 'UTF8' TEMPLATE {self.template}")
        base, _, query = self.server.partition("?")
        return base.rsplit("/", 1)[0] + f"/{self.name}" + (f"?{query}" if query else "")

    def __exit__(self, *_error: object) -> None:
        self._run(f"DROP DATABASE {self.name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def fresh_postgres(postgres_server) -> "Callable[..., contextlib.AbstractContextManager[str]]":
    """Makes PostgreSQL databases, empty or copied from `template`, each dropped at the end of its block."""
    return functools.partial(_fresh_postgres, postgres_server)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request, tmp_path) -> Iterator[str]:
    """The address of a database without any table: for migrations and commands."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    with _fresh_postgres(request.getfixturevalue("postgres_server")) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request) -> Iterator[Database]:
    """The whole schema, empty, on each database; `parametrize("database", ["sqlite"], indirect=True)` picks one."""
    if request.param == "sqlite":
        database = request.getfixturevalue("_sqlite_database")
        _renew(database, request.getfixturevalue("_sqlite_template"))
        yield database
        database.dispose()
        return
    database = request.getfixturevalue("_postgres_database")
    yield database
    _empty(database)


@pytest.fixture
def both_databases(_sqlite_database, _sqlite_template, _postgres_database) -> Iterator[tuple[Database, Database]]:
    """The whole schema, empty, on SQLite and on PostgreSQL at once: for a test that compares them."""
    _renew(_sqlite_database, _sqlite_template)
    yield _sqlite_database, _postgres_database
    _sqlite_database.dispose()
    _empty(_postgres_database)


@pytest.fixture
def empty_again(request, database) -> Callable[[], None]:
    """Empties `database` in the middle of a test."""
    if not database.is_sqlite:
        return functools.partial(_empty, database)
    template = request.getfixturevalue("_sqlite_template")

    def renew() -> None:
        database.dispose()
        _renew(database, template)

    return renew


def _renew(database: Database, template: Path) -> None:
    """Put a copy of the template in the place of the file."""
    path = Path(str(database.url.database))
    for old in path.parent.glob(f"{path.name}*"):  # with its log, its shared memory and its lock
        old.unlink()
    shutil.copy(template, path)


def _empty(database: Database) -> None:
    """Delete every row, as quickly as one may: to truncate a table makes new files of it, of its indexes, and of all
    that refer to it. As a replica, PostgreSQL minds neither references nor the triggers of append-only tables."""
    with database.engine.begin() as connection:
        superuser = connection.scalar(text("SELECT current_setting('is_superuser')::bool"))
        filled = connection.scalars(text(_filled_tables())).all()
        if filled and superuser:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text(";".join(f"DELETE FROM {table}" for table in filled)))
            connection.execute(text(RESTART_SEQUENCES))
        elif filled:
            connection.execute(text(f"TRUNCATE {', '.join(filled)} RESTART IDENTITY CASCADE"))


@functools.cache
def _filled_tables() -> str:
    names = [postgresql.dialect().identifier_preparer.quote(table.name) for table in Base.metadata.sorted_tables]
    return " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in names)


@pytest.fixture(scope="session")
def convert(tmp_path_factory):
    """Open a file with LibreOffice and save it in another format; for the tests of `make audit`."""
    office = os.environ.get("CONSULT_TEST_OFFICE") or shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        missing("no LibreOffice: run `deploy/system-packages audit`, or give CONSULT_TEST_OFFICE")
    profile = tmp_path_factory.mktemp("profile").as_uri()

    def convert(path, extension):
        folder = tmp_path_factory.mktemp(extension)
        arguments = [f"-env:UserInstallation={profile}", "--convert-to", extension, "--outdir", folder, path]
        done = subprocess.run(
            [office, "--headless", *arguments], capture_output=True, text=True, timeout=300, check=True
        )
        assert "Error" not in done.stdout + done.stderr, done.stderr
        return folder / f"{path.stem}.{extension}"

    return convert


@pytest.fixture
def organisation_id(database, now) -> uuid.UUID:
    """An organisation, committed."""
    organisation = Organisation(slug="agence", name="Agence des essais", created_at=now)
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.add(organisation)
        session.flush()
        return organisation.id


@pytest.fixture
def session(database):
    """A write session on every organisation, rolled back at the end unless the test commits."""
    with database.session(write=True, tenant=ALL_TENANTS) as session:
        yield session


@pytest.fixture
def database_url(database) -> str:
    """The address of `database`, for a process of its own."""
    return database.url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of a real Redis."""
    given = os.environ.get("CONSULT_TEST_REDIS_URL")
    if given:
        yield given
        return
    program = shutil.which("redis-server")
    if program is None:
        missing("no Redis: install redis-server, or give CONSULT_TEST_REDIS_URL")
    with redis_server(program) as url:
        yield url


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    """A real SMTP server; see `.messages`, `.to(address)` and `.replies`."""
    with SmtpServer().running() as server:
        yield server


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real data sets (CONSULT_REAL_DATA); no row of it is ever committed."""
    folder = Path(os.environ.get("CONSULT_REAL_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        missing(f"no real data in {folder}: give CONSULT_REAL_DATA")
    return folder


@pytest.fixture(scope="session")
def _data_folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("data") / "data"


@pytest.fixture
def settings(database_url, _data_folder) -> Settings:
    """Settings of a test platform: no rate limit, no page cache, mails in files; its folder is not there yet."""
    shutil.rmtree(_data_folder, ignore_errors=True)
    kept = {"database_url": database_url, "data_dir": str(_data_folder)}
    return Settings(**kept, rate_limits=False, page_cache_seconds=0.0, altcha_max_number=50)


@pytest.fixture(scope="session")
def _applications() -> "Callable[[Settings], ConsultApp]":
    """The application of each database, made once: its routes, its templates and its statements are compiled once."""
    from consult.app import create_app  # the tests of one package need not import them all

    return functools.cache(create_app)


@pytest.fixture
def app(settings, _applications, monkeypatch) -> "Iterator[ConsultApp]":
    """The application on `database`, as new; a test that adds addresses to it makes its own (`create_app`)."""
    from consult import security

    app = _applications(settings)
    monkeypatch.setattr(security.limiter, "enabled", settings.rate_limits)  # another application may have set it
    parts = dict(app.extensions)
    app.extensions["organisations"] = {}
    for counted in ("displays", "visits"):
        if counted in app.extensions:
            app.extensions[counted].forget()
    yield app
    app.extensions.clear()
    app.extensions.update(parts)
    app.extensions["database"].dispose()


@pytest.fixture
def client(app):
    """A browser without JavaScript that keeps its cookies."""
    return app.test_client()  # entered as a context, it would share flask.g with every other browser of the test


@pytest.fixture
def live_server(app) -> Iterator[str]:
    """The address of `app` served on a free port, its threads sharing the database with the test."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium, without a window."""
    program = os.environ.get("CONSULT_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        missing("no Chromium: install it, or give CONSULT_TEST_CHROMIUM")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, live_server) -> Iterator[Page]:
    """A French visitor's tab on `live_server`, 1280 px wide; console errors and remote requests fail the test."""
    context = browser.new_context(
        base_url=live_server, locale="fr-FR", timezone_id="Europe/Paris", viewport={"width": 1280, "height": 900}
    )
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: None if _local(request.url, live_server) else faults.append(request.url))
    page.faults = faults  # a test that provokes an error empties it
    yield page
    context.close()
    assert faults == []


def _local(url: str, live_server: str) -> bool:
    return url.startswith((live_server, "data:", "blob:", "about:"))
