"""The administration's raw data: who obtains it, how, and that the archive is what the database says."""

import csv
import datetime as dt
import io
import json
import shutil
import subprocess
import zipfile

import pytest
import pyzipper
from sqlalchemy import Uuid, select

from consult.accounts.models import Account
from consult.actor import Actor, Role
from consult.audit.models import AuditEntry
from consult.db import ALL_TENANTS, Base
from consult.jobs.models import Job, JobState
from consult.migrations import load_models
from consult.opendata.raw import queries, service
from consult.opendata.raw.jobs import ExpireRaw, MakeRaw
from consult.opendata.raw.models import RawExport, RawStatus
from consult.privacy.models import ErasureMode
from consult.privacy.rights.setting_aside import set_aside
from consult.privacy.service import erase_account
from tests import factories as f
from tests.conftest import missing

PAGE = "/gestion/donnees-brutes"


@pytest.fixture
def town(app, database):
    """An administration with a participant who wrote, voted and replied; another administration beside."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        here, other = f.make_organisation(session, created_at=f.NOW.replace(year=2020)), f.make_organisation(session)
        admin = f.make_account(session, here, Role.ADMINISTRATOR)
        person = f.make_account(session, here, email="vraie@exemple.fr", pseudonym="Vraie Personne")
        f.make_account(session, other, email="ailleurs@exemple.fr", pseudonym="Ailleurs")
        step = f.make_step(session, f.make_consultation(session, here))
        proposal = f.make_proposal(session, step, person, title="=Titre", body="Un texte\nà deux lignes ; « ici »")
        f.make_vote(session, proposal, person)
        asked = f.make_step(session, step.consultation, kind="questionnaire")
        question = f.make_question(session, asked, "single", ["Oui", "Non"], visibility="administration")
        f.make_reply(session, asked, person, {question: [question.options[1]]})
    return here, other, admin, person


def ask(client, account):
    """Ask for an archive; gives the page that answers."""
    f.sign_in(client, account)
    return client.post(PAGE, data={"csrf_token": f.csrf_token(client, PAGE)})


def passphrase_in(reply) -> str:
    return reply.text.split("<code>")[1].split("</code>")[0]


def work(app, database):
    """Run the waiting job, as a worker does."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        for job in session.scalars(select(Job).where(Job.kind == service.RAW_JOB)):
            for _ in MakeRaw(app.extensions["settings"]).run(session, job.payload, {}):
                session.commit()


def only(database):
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        return session.scalars(select(RawExport)).one()


def test_the_archive_holds_what_the_administration_may_see_and_nothing_more(app, client, database, town):
    """AT-21.4: encrypted, watermarked, equal to the database; the passphrase is shown once."""
    here, _, admin, person = town
    phrase = passphrase_in(ask(client, admin))
    work(app, database)
    export = only(database)
    assert (export.status, export.passphrase) == (RawStatus.READY, None)
    assert phrase not in client.get(PAGE).text
    with client.post(f"{PAGE}/{export.id}/archive", data={"csrf_token": f.csrf_token(client, PAGE)}) as reply:
        assert (reply.status_code, reply.headers["Cache-Control"]) == (200, "no-store")
        sent = reply.data
    with pyzipper.AESZipFile(io.BytesIO(sent)) as archive:
        assert all(each.flag_bits & 1 for each in archive.infolist()), "every file is encrypted"
        with pytest.raises(RuntimeError):
            archive.read("account.csv")
        archive.setpassword(phrase.encode())
        files = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}
    assert str(export.id) in files["LISEZ-MOI.txt"]
    counts = json.loads(files["manifeste.json"])["rows"]
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        for name, table in queries.tables().items():
            rows = list(csv.DictReader(io.StringIO(files[f"{name}.csv"]), delimiter=";"))
            expected = [dict(row) for _, row in queries.rows(session, table, here.id)]
            assert len(rows) == len(expected) == counts[name], name
            assert {row["export"] for row in rows} <= {str(export.id)}
    (account,) = [
        row for row in csv.DictReader(io.StringIO(files["account.csv"]), delimiter=";")
        if row["pseudonym"] == "Vraie Personne"
    ]  # fmt: skip
    assert (account["email"], account["id"]) == ("vraie@exemple.fr", str(person.id))
    assert "'=Titre" in files["proposal.csv"], "no cell becomes a formula"
    assert "ailleurs@exemple.fr" not in "".join(files.values())
    for name in ("vote", "reply", "answer"):
        assert str(person.id) not in files[f"{name}.csv"], "who voted or replied is not told"
    assert "password_hash" not in files["account.csv"]
    assert "$argon2" not in "".join(files.values())


def test_every_table_is_read_in_the_order_of_random_ids():
    load_models()
    assert all(isinstance(table.columns["id"].type, Uuid) for table in queries.tables().values())
    assert {"account", "proposal", "argument", "vote", "reply", "answer", "report"} <= queries.tables().keys()


def test_requests_to_exercise_a_right_are_in_no_archive():
    """AT-21.4: who asked for what is for those who answer, and for nobody else."""
    load_models()
    about = {each.local_table.name for each in Base.registry.mappers if "consult.privacy" in each.class_.__module__}
    assert {"rights_request", "erasure_entry"} <= about
    assert not about & queries.tables().keys()


def test_a_common_program_opens_the_archive(app, client, database, town, tmp_path):
    program = shutil.which("7zz") or shutil.which("7z")
    if program is None:
        missing("no 7-Zip")
    phrase = passphrase_in(ask(client, town[2]))
    work(app, database)
    path = service.file_of(app.extensions["settings"].data_path, only(database).id)
    command = [program, "x", f"-p{phrase}", f"-o{tmp_path}", str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert "vraie@exemple.fr" in (tmp_path / "account.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("role", [Role.ORGANISER, Role.ANALYST, Role.MODERATOR, Role.READER])
def test_other_staff_obtain_nothing(client, database, town, role):
    """AT-21.4."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        other = f.make_account(session, town[0], role)
    f.sign_in(client, other)
    assert client.get(PAGE).status_code == 403


def test_a_second_factor_given_long_ago_is_asked_again(client, database, town):
    """AT-21.4."""
    f.sign_in(client, town[2], now=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=16))
    reply = client.get(PAGE)
    assert (reply.status_code, reply.location.split("?")[0]) == (303, "/gestion/second-facteur")


def test_an_archive_of_another_organisation_is_nowhere(app, client, database, town):
    """AT-4.2: tenant isolation, by the address of the export itself."""
    _, other, admin, _ = town
    ask(client, admin)
    work(app, database)
    export = only(database)
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        stranger = f.make_account(session, other, Role.ADMINISTRATOR)
    elsewhere = app.test_client()
    f.sign_in(elsewhere, stranger)
    prefix = f"/o/{other.slug}"
    token = f.csrf_token(elsewhere, f"{prefix}{PAGE}")
    for act in ("archive", "supprimer"):
        reply = elsewhere.post(f"{prefix}{PAGE}/{export.id}/{act}", data={"csrf_token": token})
        assert reply.status_code == 404
    assert only(database).status is RawStatus.READY


def test_each_request_and_each_download_is_journalled(app, client, database, town):
    """AT-21.4, AT-7.4."""
    ask(client, town[2])
    work(app, database)
    export = only(database)
    token = f.csrf_token(client, PAGE)
    client.post(f"{PAGE}/{export.id}/archive", data={"csrf_token": token}).close()
    client.post(f"{PAGE}/{export.id}/supprimer", data={"csrf_token": token})
    assert client.post(f"{PAGE}/{export.id}/archive", data={"csrf_token": token}).status_code == 410
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        told = session.execute(select(AuditEntry.action, AuditEntry.account_id, AuditEntry.target_id)).all()
    assert [tuple(each) for each in told if each.action.startswith("raw.")] == [
        (f"raw.{act}", town[2].id, str(export.id)) for act in ("request", "download", "remove")
    ]
    assert not service.file_of(app.extensions["settings"].data_path, export.id).exists()


def test_one_archive_at_a_time(client, town):
    assert ask(client, town[2]).status_code == 200
    again = client.post(PAGE, data={"csrf_token": f.csrf_token(client, PAGE)})
    assert again.status_code == 409
    assert "déjà en préparation" in again.text


def test_a_crash_in_the_middle_leaves_no_archive_and_starts_over(app, client, database, town):
    ask(client, town[2])
    settings = app.extensions["settings"]
    export = only(database)
    with database.session(write=True, tenant=ALL_TENANTS) as session:
        steps = MakeRaw(settings).run(session, {"export": str(export.id)}, {})
        next(steps)
        session.commit()
        next(steps)
        session.commit()
        steps.close()
    assert not service.file_of(settings.data_path, export.id).exists()
    assert only(database).status is RawStatus.WAITING
    work(app, database)
    path = service.file_of(settings.data_path, export.id)
    assert zipfile.is_zipfile(path)
    assert path.stat().st_mode & 0o077 == 0


def test_the_passphrase_of_an_archive_that_nobody_makes_any_more_is_forgotten(app, client, database, town):
    ask(client, town[2])
    path = service.file_of(app.extensions["settings"].data_path, only(database).id).with_suffix(".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"half")

    def expire():
        with database.transaction(tenant=ALL_TENANTS) as session:
            for _ in ExpireRaw(app.extensions["settings"]).run(session, {}, {}):
                session.commit()

    expire()
    assert only(database).passphrase
    assert path.exists(), "it is being made"
    with database.transaction(tenant=ALL_TENANTS) as session:
        (job,) = session.scalars(select(Job).where(Job.kind == service.RAW_JOB))
        job.state, job.finished_at = JobState.FAILED, dt.datetime.now(dt.UTC)
    expire()
    assert (only(database).status, only(database).passphrase) == (RawStatus.FAILED, None)
    assert not path.exists()
    assert "En échec" in client.get(PAGE).text
    assert ask(client, town[2]).status_code == 200


def test_an_archive_is_deleted_when_its_time_is_over(app, client, database, town):
    """AT-21.4."""
    ask(client, town[2])
    work(app, database)
    export, settings = only(database), app.extensions["settings"]
    path = service.file_of(settings.data_path, export.id)
    stray = path.with_name("stray.partial")
    stray.write_bytes(b"")
    with database.transaction(tenant=ALL_TENANTS) as session:
        list(ExpireRaw(settings).run(session, {}, {}))
        assert path.exists()
        session.get_one(RawExport, export.id).expires_at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    with database.transaction(tenant=ALL_TENANTS) as session:
        for _ in ExpireRaw(settings).run(session, {}, {}):
            session.commit()
    assert not path.exists()
    assert not stray.exists()
    assert "Supprimée" in client.get(PAGE).text


def limited(session, bindings, town):
    set_aside(session, bindings.content_types, session.get_one(Account, town[3].id), "objection", f.NOW)


def erased(session, bindings, town):
    erase_account(session, bindings, session.get_one(Account, town[3].id), mode=ErasureMode.EVERYTHING, now=f.NOW)


def erased_without_a_trace(session, bindings, town):
    """Nothing of this account was ever public."""
    account = f.make_account(session, town[0])
    erase_account(session, bindings, account, mode=ErasureMode.EVERYTHING, now=f.NOW)


@pytest.mark.parametrize("asked", [limited, erased, erased_without_a_trace])
def test_an_archive_does_not_outlive_a_limitation_or_an_erasure(app, client, database, town, asked):
    """AT-21.4: it is refused at once, in French, and its file goes."""
    ask(client, town[2])
    work(app, database)
    export, settings = only(database), app.extensions["settings"]
    path = service.file_of(settings.data_path, export.id)
    with database.transaction(tenant=town[0].id) as session:
        asked(session, app.extensions["bindings"], town)
    assert "masqué, retiré ou effacé depuis" in client.get(PAGE).text
    reply = client.post(f"{PAGE}/{export.id}/archive", data={"csrf_token": f.csrf_token(client, PAGE)})
    assert reply.status_code == 410
    assert service.OUTDATED in reply.text
    assert not path.exists()


def test_an_archive_that_nobody_downloads_is_deleted_too_once_a_person_is_erased(app, client, database, town):
    """AT-21.4."""
    ask(client, town[2])
    work(app, database)
    export, settings = only(database), app.extensions["settings"]
    path = service.file_of(settings.data_path, export.id)
    with database.transaction(tenant=town[1].id) as session:  # a removal elsewhere is none here
        stranger = session.scalars(select(Account).where(Account.pseudonym == "Ailleurs")).one()
        erase_account(session, app.extensions["bindings"], stranger, mode=ErasureMode.EVERYTHING, now=f.NOW)
    expire(database, settings)
    assert path.exists()
    with database.transaction(tenant=town[0].id) as session:
        erased(session, app.extensions["bindings"], town)
    expire(database, settings)
    assert not path.exists()
    assert only(database).status is RawStatus.EXPIRED


def expire(database, settings):
    with database.transaction(tenant=ALL_TENANTS) as session:
        for _ in ExpireRaw(settings).run(session, {}, {}):
            session.commit()


def test_the_passphrase_is_sealed_while_it_waits(settings, database, town):
    keys = service.keyring("une clé de trente-deux caractères !")
    with database.transaction(tenant=town[0].id) as session:
        actor = Actor(town[2].id, "administratrice", roles=frozenset({Role.ADMINISTRATOR}))
        export, phrase = service.request(session, town[0].id, actor=actor, keys=keys, now=f.NOW)
        assert phrase not in export.passphrase
        assert keys.unseal(export.passphrase, export.id) == phrase
        assert len(phrase.replace("-", "")) == 32, "160 bits"
