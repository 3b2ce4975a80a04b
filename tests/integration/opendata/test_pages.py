"""The open data page, its files, what makes them stale, and the commands that make them."""

import dataclasses
import datetime as dt
import hashlib
import json

import pytest
import time_machine
from click.testing import CliRunner
from sqlalchemy import select

from consult.actor import Role
from consult.app import bindings
from consult.audit.models import AuditEntry
from consult.console import Served
from consult.consultations.models import Consultation
from consult.contributions import service as contributions
from consult.contributions.models import Proposal
from consult.db import ALL_TENANTS
from consult.errors import ConflictError, NotFoundError
from consult.jobs.models import Job, JobState
from consult.jobs.worker import Worker
from consult.opendata.cli import export
from consult.opendata.models import Dump, DumpStatus
from consult.registry import service as registry
from consult.registry.models import EntryKind
from tests import factories

pytestmark = pytest.mark.slow  # many pages and processes: `make check` leaves it to `make test`


@pytest.fixture
def town(database, settings):
    """An open consultation with two proposals in the log, its organiser, and a worker."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        organisation = factories.make_organisation(session, slug="agence")
        consultation = factories.make_consultation(session, organisation, slug="essai", title="Un essai")
        step = factories.make_step(session, consultation)
        author = factories.make_account(session, organisation)
        proposals = [
            factories.make_proposal(session, step, author, title=title, body=f"Texte de {title}")
            for title in ("Gardée", "Retirée ensuite")
        ]
        organiser = factories.make_account(session, organisation, Role.ORGANISER)
        make_town = type("Town", (), {})()
        make_town.organisation, make_town.consultation, make_town.author = organisation, consultation, author
        make_town.proposals, make_town.organiser = proposals, organiser
    return make_town


@pytest.fixture
def work(database, settings):
    """Run what waits of the exports, as a worker would at that instant."""

    def run():
        handlers = {kind: each for kind, each in bindings(settings).job_handlers.items() if kind.startswith("opendata")}
        worker = Worker(database, handlers)
        while worker.run_once():
            pass

    return run


def refresh(database, work):
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.add(
            Job(kind="opendata.refresh", payload={}, run_after=dt.datetime.now(dt.UTC), created_at=factories.NOW)
        )
    work()


def fetch(client, address):
    """A file, read to its end: status, bytes, headers."""
    with client.get(address) as reply:
        return reply.status_code, reply.data, reply.headers


def dumps(database):
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        each = select(Dump).where(Dump.consultation_id.is_not(None))
        return session.scalars(each.order_by(Dump.requested_at)).all()


def whole_dump(database):
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        return session.scalars(select(Dump).where(Dump.consultation_id.is_(None))).one()


def happen(database, town, kind=EntryKind.VOTE_CAST):
    with database.transaction(tenant=town.organisation.id) as session:
        registry.append(
            session,
            organisation_id=town.organisation.id,
            consultation_id=town.consultation.id,
            kind=kind,
            content={"a": 1},
            now=factories.NOW,
        )


def test_the_page_lists_files_whose_bytes_and_digests_are_true(client, database, town, work):
    assert "en préparation" in client.get("/donnees-ouvertes").text
    refresh(database, work)
    page = client.get("/donnees-ouvertes").text
    (dump,) = dumps(database)
    for file in dump.files:
        assert file["sha256"] in page
        status, content, headers = fetch(client, f"/donnees-ouvertes/essai/{file['name']}")
        assert status == 200
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        assert headers["X-Robots-Tag"].startswith("noindex")
    listed = client.get("/api/v1/consultations/essai/exports").json["data"]
    assert [file["sha256"] for file in listed[0]["files"]] == [file["sha256"] for file in dump.files]
    assert all(file["url"].startswith("http://127.0.0.1:8000/donnees-ouvertes/essai/") for file in listed[0]["files"])
    for word in ("Licence Ouverte", "Identifiant", "apostrophe"):
        assert word in page


def test_dump_and_api_hold_the_same_rows(client, database, town, work):
    """AT-20.10."""
    refresh(database, work)
    for name in ("steps", "contributions", "arguments", "votes", "questions", "replies", "answers"):
        lines = fetch(client, f"/donnees-ouvertes/essai/{name}.ndjson")[1].decode().splitlines()
        rows = client.get(f"/api/v1/consultations/essai/{name}?limit=500").json["data"]
        assert [json.loads(line) for line in lines] == rows


@pytest.mark.parametrize("name", ["..%2Fmanifest.json", "absent.csv", "%2e%2e", "manifest.json%00", "essai.partial"])
def test_no_other_file_can_be_reached(client, database, town, work, name):
    refresh(database, work)
    assert client.get(f"/donnees-ouvertes/essai/{name}").status_code == 404


def test_an_export_is_no_longer_served_once_a_text_is_taken_back_and_a_new_one_comes(client, database, town, work):
    """AT-21.5: what a person takes back is not served from an older file."""
    refresh(database, work)
    assert "Retirée ensuite" in fetch(client, "/donnees-ouvertes/essai/contributions.ndjson")[1].decode()
    with database.transaction(tenant=town.organisation.id) as session:
        item = session.get_one(Proposal, town.proposals[1].id)
        contributions.withdraw(session, item, account_id=town.author.id, now=factories.NOW)
    assert fetch(client, "/donnees-ouvertes/essai/contributions.ndjson")[0] == 410
    assert client.get("/api/v1/consultations/essai/exports").json["data"] == []
    refresh(database, work)
    text = fetch(client, "/donnees-ouvertes/essai/contributions.ndjson")[1].decode()
    assert "Gardée" in text
    assert "Retirée ensuite" not in text
    assert [dump.status for dump in dumps(database)] == [DumpStatus.DONE], "the older one is gone"


def test_a_dismissed_report_leaves_the_export_served(client, database, town, work):
    refresh(database, work)
    happen(database, town, EntryKind.MODERATION_KEPT)
    assert fetch(client, "/donnees-ouvertes/essai/contributions.ndjson")[0] == 200
    happen(database, town, EntryKind.MODERATION)
    assert fetch(client, "/donnees-ouvertes/essai/contributions.ndjson")[0] == 410


def test_exports_are_made_again_every_hour_when_something_happened(database, settings, town, work):
    start = dt.datetime.now(dt.UTC)
    with time_machine.travel(start, tick=False) as clock:
        refresh(database, work)
        first = dumps(database)[0].id
        clock.shift(dt.timedelta(hours=3))
        refresh(database, work)
        assert [dump.id for dump in dumps(database)] == [first], "nothing happened"
        happen(database, town)
        refresh(database, work)
        second = dumps(database)[0].id
        assert second != first
        happen(database, town)
        refresh(database, work)
        assert [dump.id for dump in dumps(database)] == [second], "too soon"
        happen(database, town, EntryKind.MODERATION)
        refresh(database, work)
        assert dumps(database)[0].id != second, "a moderation does not wait"
    folders = {path.name for path in (settings.data_path / "dumps").iterdir()}
    assert folders == {str(dumps(database)[0].id), str(whole_dump(database).id)}


def test_an_organiser_asks_for_an_export_and_sees_it_come(client, database, town, work):
    factories.sign_in(client, town.organiser)
    page = client.get("/gestion/donnees-ouvertes").text
    assert "Aucun fichier servi" in page
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    for _ in range(2):
        reply = client.post("/gestion/donnees-ouvertes/essai", data={"csrf_token": token})
        assert (reply.status_code, reply.headers["Location"]) == (303, "/gestion/donnees-ouvertes")
    assert len(dumps(database)) == 1, "a double click asks once"
    assert "En préparation" in client.get("/gestion/donnees-ouvertes").text
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        assert "opendata.request" in session.scalars(select(AuditEntry.action)).all()
    work()
    assert "Téléchargeable" in client.get("/gestion/donnees-ouvertes").text


def test_a_failed_export_is_told_to_staff_and_the_former_one_still_served(client, database, town, work):
    refresh(database, work)
    factories.sign_in(client, town.organiser)
    token = client.get("/gestion/donnees-ouvertes").text.split('name="csrf_token" value="')[1].split('"')[0]
    client.post("/gestion/donnees-ouvertes/essai", data={"csrf_token": token})
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.scalars(
            select(Job).where(Job.kind == "opendata.dump", Job.state == JobState.WAITING)
        ).one().state = JobState.FAILED
    page = client.get("/gestion/donnees-ouvertes").text
    assert "Dernier export en échec" in page
    assert "Téléchargeable" in page
    assert fetch(client, "/donnees-ouvertes/essai/manifest.json")[0] == 200


def test_a_draft_and_another_organisation_have_no_export(client, database, town, work):
    with database.transaction(tenant=ALL_TENANTS) as session:
        other = factories.make_organisation(session, slug="autre")
        factories.make_consultation(session, other, slug="ailleurs")
        draft = session.get_one(Consultation, town.consultation.id)
        factories.make_consultation(session, town.organisation, slug="brouillon", status="draft", opened_at=None)
        assert draft.slug == "essai"
    refresh(database, work)
    assert len(dumps(database)) == 2
    assert fetch(client, "/donnees-ouvertes/brouillon/manifest.json")[0] == 404
    assert fetch(client, "/donnees-ouvertes/ailleurs/manifest.json")[0] == 404
    assert fetch(client, "/o/autre/donnees-ouvertes/ailleurs/manifest.json")[0] == 200
    page = client.get("/donnees-ouvertes").text
    assert "ailleurs" not in page
    assert "brouillon" not in page


def test_the_command_writes_a_folder_that_appears_whole(database, settings, town, tmp_path):
    told = []

    def serve(_slug):
        return Served(settings, database, bindings(settings), town.organisation.id, told.append)

    def run(*arguments):
        done = CliRunner().invoke(export, [str(argument) for argument in arguments], obj=serve)
        if done.exception:
            raise done.exception
        return done.stdout

    out = tmp_path / "sortie"
    assert run("essai", "--out", out) == f"{out}\n"
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["source"] == "http://127.0.0.1:8000/consultations/essai"
    assert (out / "contributions.csv").read_text(encoding="utf-8").count("Texte de") == 2
    assert told
    assert not (tmp_path / "sortie.partial").exists()
    with pytest.raises(ConflictError, match="existe déjà"):
        run("essai", "--out", out)
    with pytest.raises(NotFoundError):
        run("absent", "--out", tmp_path / "autre")
    assert dataclasses.is_dataclass(serve(""))
