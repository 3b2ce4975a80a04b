"""The `consult` command, as a process: exit codes, French one-line refusals, and a server that really serves."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from sqlalchemy import select

from consult import cli, logs
from consult.accounts.models import Account, Membership, PlatformRole
from consult.actor import Role
from consult.clock import now as real_now
from consult.db import ALL_TENANTS, Database
from consult.jobs import service as jobs
from consult.jobs.models import JobState
from consult.mail.models import OutgoingMail
from consult.mail.service import JOB_KIND
from consult.organisations.models import Organisation
from tests import factories
from tests.servers import accepts, free_port, wait_until

COMMAND = [sys.executable, "-m", "consult.cli"]
PASSWORD = "crayon-wagon-brume-ocre"


@pytest.fixture
def environment(tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONSULT_")}
    return kept | {"CONSULT_DATA_DIR": str(tmp_path / "data"), "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def process(environment):
    """Run the command as a process of its own."""

    def process(*arguments, **variables):
        given = environment | variables
        return subprocess.run(
            [*COMMAND, *arguments], env=given, capture_output=True, text=True, timeout=120, check=False
        )

    return process


@pytest.fixture
def consult(environment, monkeypatch, capfd):
    """Run the command's entry point in this process: quicker, with the same outcome."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers[:] = []  # `logs.configure` closes those it replaces

    def consult(*arguments, **variables):
        for name, value in (environment | variables).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["consult", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        said = capfd.readouterr()
        return subprocess.CompletedProcess(arguments, left.value.code, said.out, said.err)

    yield consult
    for logger in (root, logging.getLogger(logs.SECURITY_LOGGER)):
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
            handler.close()
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


def refusal(outcome):
    """The one line of a refusal."""
    assert (outcome.returncode, outcome.stdout) == (1, "")
    (line,) = outcome.stderr.splitlines()
    return line


def rows(database, model):
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        return list(session.scalars(select(model)))


def test_help_is_in_french(consult):
    outcome = consult("--help")
    assert outcome.returncode == 0
    for word in (
        "Usage\u00a0:",
        "Options\u00a0:",
        "Commandes\u00a0:",
        "Afficher cette aide.",
        "serve",
        "worker",
        "account",
    ):
        assert word in outcome.stdout
    assert "Commands" not in outcome.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nope"], "Commande inconnue\u00a0: nope. Aide\u00a0: consult --help"),
        (["db", "upgrad"], "Commande inconnue\u00a0: upgrad (peut-être\u00a0: upgrade). Aide\u00a0: consult db --help"),
        (["serve", "--nope"], "Option inconnue\u00a0: --nope. Aide\u00a0: consult serve --help"),
        (["db", "downgrade"], "Il manque\u00a0: REVISION. Aide\u00a0: consult db downgrade --help"),
        (["serve", "encore"], "Commande incomplète ou mal écrite. Aide\u00a0: consult serve --help"),
        (["import"], "Il manque\u00a0: FICHIER. Aide\u00a0: consult import --help"),
        (["import", "--undo", "lot"], "Valeur refusée pour --undo\u00a0: un identifiant est attendu."),
        (["import", "--mapping"], "L’option --mapping attend une valeur."),
        (["worker", "--once=2"], "L’option --once n’attend pas de valeur."),
        (["db"], "Usage\u00a0: consult db [OPTIONS] COMMANDE [ARGUMENTS]..."),
    ],
)
def test_wrong_use_exits_2_and_points_to_the_help(consult, arguments, words):
    outcome = consult(*arguments)
    assert outcome.returncode == 2
    assert words in outcome.stderr


def test_a_setting_that_must_not_run_is_refused_by_name(consult):
    line = refusal(consult("worker", CONSULT_WORKERS="deux"))
    assert line == "Réglage refusé : CONSULT_WORKERS attend un nombre, pas « deux »."


def test_a_database_that_is_away_is_told_in_one_line(consult):
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    assert "La base de données ne répond pas" in refusal(consult("db", "check", DATABASE_URL=url))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("base", "DATABASE_URL n'est pas l'adresse d'une base"),
        ("postgresql://hote:port/base", "DATABASE_URL n'est pas l'adresse d'une base"),
        ("mysql://hote/base", "DATABASE_URL ne peut pas commencer par mysql:"),
        ("postgresql+asyncpg://hote/base", "DATABASE_URL ne peut pas commencer par postgresql+asyncpg:"),
        ("sqlite://", "DATABASE_URL doit donner le fichier de SQLite"),
        ("postgresql://hote/base?nope=1", "La base de données ne répond pas"),
        ("sqlite:////proc/nulle-part/c.db", "est introuvable"),
        (f"sqlite:///{__file__}", "La base de données ne répond pas"),
    ],
)
def test_an_address_of_no_database_is_told_in_one_line(consult, url, words):
    assert words in refusal(consult("db", "upgrade", DATABASE_URL=url))


def test_a_file_that_cannot_be_read_or_written_is_told_in_one_line(consult, tmp_path):
    assert refusal(consult("journal", "read", "--key", str(tmp_path), str(tmp_path))) == (
        f"«\u202f{tmp_path}\u202f» est un dossier\u00a0: donnez un fichier."
    )
    assert "est introuvable" in refusal(consult("journal", "key", str(tmp_path / "absent" / "key.pem")))
    assert "passe par un fichier comme par un dossier" in refusal(consult("journal", "key", f"{__file__}/key.pem"))


def test_a_dump_that_cannot_be_written_is_told_in_one_line(consult, database, database_url, now):
    with database.transaction(tenant=ALL_TENANTS) as session:
        factories.make_consultation(session, factories.make_organisation(session), slug="essai", now=now)
    out = refusal(consult("export", "essai", "--out", "/proc/nulle-part/dump", DATABASE_URL=database_url))
    assert "«\u202f/proc/nulle-part" in out


def test_nothing_runs_on_a_database_that_was_not_migrated(consult, empty_database_url):
    for command in (["serve"], ["worker", "--once"], ["db", "check"]):
        line = refusal(consult(*command, DATABASE_URL=empty_database_url, PORT=str(free_port())))
        assert line == "La base de données n’est pas à jour : lancez d’abord « consult db upgrade »."


@pytest.mark.slow
def test_db_upgrade_check_and_downgrade(consult, empty_database_url):
    given = {"DATABASE_URL": empty_database_url}
    assert consult("db", "upgrade", **given).returncode == 0
    assert consult("db", "check", **given).stderr == "Base de données conforme.\n"
    database = Database(empty_database_url)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX ix_job_due")
    database.dispose()
    outcome = consult("db", "check", **given)
    assert outcome.returncode == 1
    assert outcome.stderr.splitlines() == [
        "add_index job.ix_job_due",
        "La base de données diffère du schéma attendu en 1 point(s).",
    ]
    assert "confirmez par --yes" in refusal(consult("db", "downgrade", "base", **given))
    assert consult("db", "upgrade", **given).returncode == 0


@pytest.mark.slow
def test_a_revision_that_does_not_exist_is_told_in_one_line(consult, empty_database_url):
    given = {"DATABASE_URL": empty_database_url}
    for command in (["upgrade", "nope"], ["downgrade", "nope", "--yes"], ["downgrade", "-1", "--yes"]):
        assert "ne désigne aucune migration" in refusal(consult("db", *command, **given))
    assert consult("db", "upgrade", **given).returncode == 0


@pytest.mark.slow
def test_a_database_of_a_newer_version_is_left_alone(consult, empty_database_url):
    given = {"DATABASE_URL": empty_database_url}
    consult("db", "upgrade", **given)
    database = Database(empty_database_url)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'plus-tard'")
    database.dispose()
    assert "installez la version qui l’a faite" in refusal(consult("db", "upgrade", **given))


@pytest.mark.slow
def test_db_downgrade_once_confirmed(consult, empty_database_url):
    given = {"DATABASE_URL": empty_database_url}
    consult("db", "upgrade", **given)
    assert consult("db", "downgrade", "base", "--yes", **given).returncode == 0
    assert consult("db", "check", **given).returncode == 1


def queue_mail(database, organisation_id):
    """A mail that waits for a worker."""
    with database.transaction(tenant=organisation_id) as session:
        mail = OutgoingMail(
            template="essai", recipient="zoe@exemple.fr", subject="Essai", text="Bonjour", message_id="abc",
            created_at=real_now(),
        )  # fmt: skip
        session.add(mail)
        session.flush()
        jobs.enqueue(session, JOB_KIND, {"mail": str(mail.id)}, organisation_id=organisation_id, now=real_now())


@pytest.mark.slow
def test_worker_once_does_what_waits_and_says_how_much(process, database, database_url, organisation_id, tmp_path):
    queue_mail(database, organisation_id)
    outcome = process("worker", "--once", DATABASE_URL=database_url, CONSULT_LOG_FILE=str(tmp_path / "log"))
    assert (outcome.returncode, outcome.stderr) == (0, "1 travail exécuté.\n")
    assert len(list((tmp_path / "data" / "mail").glob("*.eml"))) == 1
    logged = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert {line["message"] for line in logged} == {"job started", "job done"}
    assert "zoe" not in (tmp_path / "log").read_text()


def test_worker_list_shows_what_failed_and_exits_1(consult, database, database_url, now):
    given = {"DATABASE_URL": database_url}
    assert consult("worker", "--list", **given).returncode == 0
    with database.transaction(tenant=ALL_TENANTS) as session:
        job = jobs.enqueue(session, "import", {}, organisation_id=None, now=now)
        job.state, job.error, job.attempts = JobState.FAILED, "La colonne « date » manque.", 1
    outcome = consult("worker", "--list", **given)
    assert (outcome.returncode, outcome.stderr) == (1, "1 travail en échec.\n")
    assert outcome.stdout.split("\t")[:2] == ["en échec", "import"]
    assert outcome.stdout.rstrip().endswith("La colonne « date » manque.")


@pytest.fixture
def serve(environment, database_url):
    """Start `consult serve`; it is killed at the end if it did not stop."""
    started = []

    def serve(*arguments, **variables):
        port = free_port()
        given = environment | {"DATABASE_URL": database_url, "PORT": str(port), "CONSULT_WORKERS": "1"} | variables
        process = subprocess.Popen([*COMMAND, "serve", *arguments], env=given, stderr=subprocess.PIPE, text=True)
        started.append(process)
        wait_until(lambda: accepts(port) or process.poll() is not None, seconds=60, what="the server")
        return process, port

    yield serve
    for process in started:
        process.terminate()
        process.wait(40)
        process.stderr.close()


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_text()


@pytest.mark.slow
def test_serve_answers_delivers_mails_and_stops_when_asked(serve, database, organisation_id, tmp_path):
    process, port = serve()
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/nulle-part", timeout=10)
    assert answer.value.code == 404
    assert "text/html" in answer.value.headers["Content-Type"]
    answer.value.close()
    queue_mail(database, organisation_id)
    wait_until(lambda: list((tmp_path / "data" / "mail").glob("*.eml")), seconds=30, what="the mail")
    before = children(process.pid)
    assert len(before) == 3
    process.send_signal(signal.SIGTERM)
    assert process.wait(40) == 0
    said = process.stderr.read()
    assert f"Consult répond sur http://127.0.0.1:{port}" in said
    assert str(tmp_path / "data" / "mail") in said
    assert not any(Path(f"/proc/{pid}").exists() for pid in before)


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_serve_starts_a_dead_worker_again(serve, database):
    process, _ = serve()

    def worker():
        return next((pid for pid in children(process.pid) if "worker" in command_of(pid).split("\0")), None)

    first = wait_until(worker, what="the worker")
    os.kill(first, signal.SIGKILL)
    second = wait_until(lambda: (found := worker()) != first and found, seconds=20, what="another worker")
    assert second not in {None, first}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_serve_refuses_a_busy_port(consult, database_url, database):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = refusal(consult("serve", DATABASE_URL=database_url, PORT=port))
    assert line.startswith(f"Le port {port} de 127.0.0.1 est déjà pris")


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_serve_without_a_worker_leaves_the_jobs_to_others(serve, database):
    process, _ = serve("--no-worker")
    assert [("gunicorn" in command_of(pid)) for pid in children(process.pid)] == [True]


@pytest.mark.slow
@pytest.mark.sqlite_first
def test_an_organisation_and_its_first_administrator(consult, process, database, database_url):
    given = {"DATABASE_URL": database_url, "CONSULT_NEW_PASSWORD": PASSWORD}
    assert consult("organisation", "create", "mairie", "Mairie des essais", **given).returncode == 0
    assert [organisation.name for organisation in rows(database, Organisation)] == ["Mairie des essais"]
    who = ["--organisation", "mairie", "--email", "zoe@exemple.fr", "--pseudonym", "Zoé"]
    outcome = process("account", "create", *who, "--role", "administrator", "--role", "operator", **given)
    assert outcome.returncode == 0, outcome.stderr
    (account,) = rows(database, Account)
    assert (account.pseudonym, account.confirmed_at is not None) == ("Zoé", True)
    assert PASSWORD not in account.password_hash
    assert [held.role for held in rows(database, Membership)] == [Role.ADMINISTRATOR]
    assert [held.role for held in rows(database, PlatformRole)] == [Role.OPERATOR]
    there = ["--organisation", "mairie"]
    assert consult("account", "grant", *there, "ZOE@exemple.fr", "moderator", **given).returncode == 0
    assert {held.role for held in rows(database, Membership)} == {Role.ADMINISTRATOR, Role.MODERATOR}
    assert consult("account", "revoke", *there, "zoe@exemple.fr", "operator", **given).returncode == 0
    assert rows(database, PlatformRole)[0].revoked_at is not None


@pytest.mark.parametrize(
    ("arguments", "password", "words"),
    [
        (["--organisation", "nulle-part"], PASSWORD, "Aucune organisation n’a l’identifiant « nulle-part »"),
        (["--role", "chef"], PASSWORD, "Le rôle « chef » n’existe pas"),
        (["--role", "administrator"], "motdepasse", "mot de passe"),
        (["--email", "zoe"], PASSWORD, "adresse"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_account_that_cannot_be_made_is_refused_and_leaves_nothing(
    consult, database, database_url, organisation_id, arguments, password, words
):
    who = ["--organisation", "agence", "--email", "zoe@exemple.fr", "--pseudonym", "Zoé"]
    given = {"DATABASE_URL": database_url, "CONSULT_NEW_PASSWORD": password}
    assert words in refusal(consult("account", "create", *who, *arguments, **given))
    assert rows(database, Account) == []


@pytest.mark.slow
def test_the_security_journal_is_sealed_for_a_reader_elsewhere(consult, tmp_path):
    key, other = tmp_path / "journal.pem", tmp_path / "other.pem"
    made = consult("journal", "key", str(key))
    assert made.returncode == 0
    given = {"CONSULT_SECURITY_LOG_KEY": made.stdout.strip().partition("=")[2]}
    assert consult("db", "upgrade", DATABASE_URL=f"sqlite:///{tmp_path}/c.db", **given).returncode == 0
    logs.security_event("sign_in", address="192.0.2.7")
    (file,) = (tmp_path / "data" / "security").iterdir()
    assert "192.0.2.7" not in file.read_text()
    read = consult("journal", "read", "--key", str(key), str(file))
    assert (read.returncode, json.loads(read.stdout)["address"]) == (0, "192.0.2.7")
    consult("journal", "key", str(other))
    assert "Lignes illisibles avec cette clé : 1" in refusal(consult("journal", "read", "--key", str(other), str(file)))
    assert f"« {key} » existe déjà" in refusal(consult("journal", "key", str(key)))


@pytest.mark.slow
def test_second_factors_are_sealed_again_with_the_first_key(consult, tmp_path):
    where = {"DATABASE_URL": f"sqlite:///{tmp_path}/c.db"}
    for arguments in (("db", "upgrade"), ("organisation", "create", "agence", "Agence des essais")):
        assert consult(*arguments, **where).returncode == 0
    done = consult("account", "seal", CONSULT_SEAL_KEYS="s" * 40, **where)
    assert (done.returncode, done.stdout) == (0, "")
    assert "Secrets chiffrés de nouveau\u00a0: 0." in done.stderr
