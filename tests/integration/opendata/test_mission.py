"""The end-of-mission package asked for on the staff side: who obtains it, when, and how long it is kept (AT-U5.1)."""

import dataclasses
import datetime as dt
import io
import shutil
import zipfile

import pytest
from sqlalchemy import select, update

from consult.accounts.models import Account
from consult.actor import Role
from consult.app import create_app
from consult.audit.models import AuditEntry
from consult.consultations.models import Consultation, ConsultationStatus
from consult.contributions.models import Proposal
from consult.db import ALL_TENANTS
from consult.jobs.models import Job, JobState
from consult.opendata import library
from consult.opendata.mission import service
from consult.opendata.mission.jobs import CleanMissions, MakeMission
from consult.opendata.mission.models import MissionPackage, MissionStatus
from consult.privacy.service import erase_account
from tests import factories as f
from tests.integration.registry.scene import SLUG, Scene, Seed

pytestmark = [pytest.mark.slow, pytest.mark.sqlite_first]  # every format
PAGE = f"/gestion/consultations/{SLUG}/dossier"


class Office:
    """A consultation that is over, all of it signed, and its administrator."""

    def __init__(self, app, client, folder) -> None:
        self.app, self.client, self.database = app, client, app.extensions["database"]
        self.settings, self.bindings = app.extensions["settings"], app.extensions["bindings"]
        self.scene = Scene(folder, self.database)
        with self.database.transaction(tenant=ALL_TENANTS) as session:
            session.expire_on_commit = False
            seed = Seed(session, self.scene)
            seed.live()
            self.organisation = seed.organisation
            self.admin = f.make_account(session, seed.organisation, Role.ADMINISTRATOR)
        self.close(dt.datetime.now(dt.UTC))
        self.sign()
        f.sign_in(client, self.admin)

    def close(self, at) -> None:
        with self.database.transaction(tenant=ALL_TENANTS) as session:
            session.execute(update(Consultation).values(status=ConsultationStatus.CLOSED, closed_at=at))

    def sign(self) -> None:
        self.scene.place()
        shutil.copytree(self.scene.folder / "first", self.settings.registry_path, dirs_exist_ok=True)

    def ask(self, client=None, page=PAGE):
        client = client or self.client
        return client.post(page, data={"csrf_token": f.csrf_token(client, page)})

    def work(self) -> None:
        """Run what waits, as a worker does."""
        with self.database.transaction(tenant=ALL_TENANTS) as session:
            for job in session.scalars(
                select(Job).where(Job.kind == service.MISSION_JOB, Job.state == JobState.WAITING)
            ):
                for _ in MakeMission(self.settings, self.bindings.public_datasets).run(session, job.payload, {}):
                    session.commit()
                job.state, job.finished_at = JobState.DONE, dt.datetime.now(dt.UTC)

    def packages(self) -> list[MissionPackage]:
        with self.database.session(write=False, tenant=ALL_TENANTS) as session:
            session.expire_on_commit = False
            return list(session.scalars(select(MissionPackage).order_by(MissionPackage.requested_at)))

    def path(self, package):
        return service.file_of(self.settings.data_path, package.id)

    def download(self, package, client=None, page=PAGE):
        client = client or self.client
        return client.post(f"{page}/{package.id}/archive", data={"csrf_token": f.csrf_token(client, page)})

    def remove(self, package, client=None, page=PAGE):
        client = client or self.client
        return client.post(f"{page}/{package.id}/supprimer", data={"csrf_token": f.csrf_token(client, page)})

    def clean(self) -> None:
        with self.database.transaction(tenant=ALL_TENANTS) as session:
            for _ in CleanMissions(self.settings).run(session, {}, {}):
                session.commit()


@pytest.fixture
def office(app, client, tmp_path) -> Office:
    return Office(app, client, tmp_path / "scene")


def test_AT_U5_1_the_administrator_asks_and_a_job_makes_what_the_command_makes(office, tmp_path):
    assert "Demander le dossier" in office.client.get(PAGE).text
    assert office.ask().status_code == 303
    assert "En préparation" in office.client.get(PAGE).text
    again = office.ask()
    assert (again.status_code, "déjà en préparation" in again.text) == (409, True)
    office.work()
    (package,) = office.packages()
    assert package.status is MissionStatus.READY
    with office.download(package) as reply:
        assert (reply.status_code, reply.headers["Cache-Control"]) == (200, "no-store")
        sent = reply.data
    with zipfile.ZipFile(io.BytesIO(sent)) as archive:
        assert {"LISEZ-MOI.md", "SHA256SUMS", "moderation.json"} <= set(archive.namelist())
    inside = tmp_path / "dossier"
    inside.mkdir()
    with office.database.session(write=False, tenant=office.organisation.id) as reading:
        found = reading.scalars(select(Consultation)).one()
        now = dt.datetime.now(dt.UTC)
        list(library.write(reading, office.settings, office.bindings.public_datasets, found, inside, now=now))
    library.archive(inside, tmp_path / "made.zip")
    assert sent == (tmp_path / "made.zip").read_bytes(), "byte for byte"
    assert sorted(path.name for path in office.path(package).parent.iterdir()) == [f"{package.id}.zip"]


def test_each_request_download_and_removal_is_in_the_journal_of_staff_acts(office):
    """AT-7.4."""
    office.ask()
    office.work()
    (package,) = office.packages()
    office.download(package).close()
    assert office.remove(package).status_code == 303
    assert (office.packages(), office.path(package).exists()) == ([], False)
    assert "Dossier supprimé" in office.client.get(PAGE).text
    assert office.remove(package).status_code == 404, "once"
    with office.database.session(write=False, tenant=ALL_TENANTS) as session:
        told = session.execute(select(AuditEntry.action, AuditEntry.account_id, AuditEntry.target_id)).all()
    assert [tuple(each) for each in told if each.action.startswith("mission.")] == [
        (f"mission.{act}", office.admin.id, str(package.id)) for act in ("request", "download", "remove")
    ]


def test_what_a_killed_worker_left_is_made_again_whole(office):
    """A crash at each step of progress: nothing is ready, and the next try starts over and leaves the archive alone."""
    office.ask()
    for steps in (1, 2, 5):
        with office.database.transaction(tenant=ALL_TENANTS) as session:
            payload = session.scalars(select(Job.payload).where(Job.kind == service.MISSION_JOB)).one()
            work = MakeMission(office.settings, office.bindings.public_datasets).run(session, payload, {})
            for _ in range(steps):
                next(work)
        (package,) = office.packages()
        assert package.status is MissionStatus.WAITING
        office.path(package).with_suffix(".folder").mkdir(parents=True, exist_ok=True)  # what a kill leaves
        office.path(package).with_suffix(".folder").joinpath("reste").write_text("à moitié", encoding="utf-8")
        office.path(package).with_suffix(".partial").write_bytes(b"PK")
    office.work()
    (package,) = office.packages()
    assert sorted(path.name for path in office.path(package).parent.iterdir()) == [f"{package.id}.zip"]
    with zipfile.ZipFile(office.path(package)) as archive:
        assert archive.testzip() is None
        assert not [name for name in archive.namelist() if "reste" in name]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_ten_requests_an_hour_are_enough(settings, database, tmp_path):
    """AT-19.2: each one is a heavy job."""
    app = create_app(dataclasses.replace(settings, rate_limits=True))
    office = Office(app, app.test_client(), tmp_path / "scene")
    assert [office.ask().status_code for _ in range(11)] == [303, *[409] * 9, 429]
    app.extensions["database"].dispose()


def test_nothing_is_made_before_the_end_nor_before_all_is_signed(office):
    office.ask()
    with office.database.transaction(tenant=ALL_TENANTS) as session:
        proposal = session.scalars(select(Proposal).where(Proposal.author_id.is_not(None)).limit(1)).one()
        session.info["tenant"] = office.organisation.id
        author = session.get_one(Account, proposal.author_id)
        erase_account(session, office.bindings, author, now=dt.datetime.now(dt.UTC))  # placed nowhere yet
    office.work()
    (package,) = office.packages()
    assert (package.status, package.error) == (MissionStatus.FAILED, library.NOT_SIGNED)
    page = office.client.get(PAGE).text
    assert "En échec" in page
    assert "n’a pas encore signé" in page
    with office.database.transaction(tenant=ALL_TENANTS) as session:
        later = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        values = {"status": ConsultationStatus.OPEN, "closed_at": None, "closes_at": later}
        session.execute(update(Consultation).values(**values))
    assert "Demander le dossier" not in office.client.get(PAGE).text
    early = office.client.post(PAGE, data={"csrf_token": f.csrf_token(office.client, "/gestion")})
    assert (early.status_code, "pas terminée" in early.text) == (409, True)


def test_a_package_does_not_outlive_what_was_taken_away_and_the_next_one_replaces_it(office):
    """AT-21.5: it is refused at once, its file goes, and another one is made without what is gone."""
    office.ask()
    office.work()
    (first,) = office.packages()
    with office.database.transaction(tenant=ALL_TENANTS) as session:
        author_id = session.scalars(select(Proposal.author_id).where(Proposal.author_id.is_not(None)).limit(1)).one()
        session.info["tenant"] = office.organisation.id
        erase_account(session, office.bindings, session.get_one(Account, author_id), now=dt.datetime.now(dt.UTC))
    assert "masqué, retiré ou effacé depuis" in office.client.get(PAGE).text
    office.sign()
    assert office.path(first).exists()
    office.clean()
    assert not office.path(first).exists()
    refused = office.download(first)
    assert (refused.status_code, service.OUTDATED in refused.text) == (410, True)
    assert office.ask().status_code == 303
    office.work()
    (second,) = office.packages()
    assert second.id != first.id
    office.clean()
    assert office.path(second).exists()
    with office.download(second) as reply:
        assert reply.status_code == 200


@pytest.mark.parametrize("role", [None, Role.ORGANISER, Role.ANALYST, Role.MODERATOR, Role.DECISION_MAKER, Role.READER])
def test_nobody_else_obtains_it(office, role):
    """AT-4.1: other staff, and participants."""
    office.ask()
    office.work()
    (package,) = office.packages()
    with office.database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        other = f.make_account(session, office.organisation, *([role] if role else []))
    client = office.app.test_client()
    f.sign_in(client, other)
    token = f.csrf_token(client, "/mon-compte")
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, data={"csrf_token": token}).status_code == 403
    for act in ("archive", "supprimer"):
        assert client.post(f"{PAGE}/{package.id}/{act}", data={"csrf_token": token}).status_code == 403
        assert office.client.post(f"{PAGE}/{package.id}/{act}").status_code == 403, "without the token of the form"
    assert office.client.post(PAGE).status_code == 403, "without the token of the form"
    assert len(office.packages()) == 1


def test_a_package_of_another_organisation_or_consultation_is_nowhere(office):
    """AT-4.2."""
    office.ask()
    office.work()
    (package,) = office.packages()
    with office.database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        elsewhere = f.make_organisation(session, slug="ailleurs")
        stranger = f.make_account(session, elsewhere, Role.ADMINISTRATOR)
        theirs = f.make_consultation(session, elsewhere)
        mine = f.make_consultation(session, office.organisation)
    client = office.app.test_client()
    f.sign_in(client, stranger)
    page = f"/o/ailleurs/gestion/consultations/{theirs.slug}/dossier"
    assert office.download(package, client, page).status_code == 404
    assert office.remove(package, client, page).status_code == 404
    assert client.get(f"/o/ailleurs{PAGE}").status_code == 404
    assert office.download(package, page=f"/gestion/consultations/{mine.slug}/dossier").status_code == 404
    assert office.path(package).exists()
