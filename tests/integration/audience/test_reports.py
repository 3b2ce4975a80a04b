"""Reports of traffic: made by the worker, read by staff, the same on page and in files."""

import datetime as dt
import io
import uuid
from types import SimpleNamespace

import docx
import pytest
from openpyxl import load_workbook
from pypdf import PdfReader
from sqlalchemy import select

from consult.actor import Role
from consult.audience import counters, jobs, queries, service
from consult.audience.figures import Acts, Span
from consult.audience.models import Measure, Period, TrafficReport
from consult.audience.visits import Counted
from consult.audit.models import AuditEntry
from consult.clock import hour_number
from consult.contributions.models import VoteValue
from consult.db import ALL_TENANTS
from consult.errors import UnavailableError
from consult.jobs import service as jobs_service
from consult.jobs.models import Job, JobState
from consult.jobs.worker import Worker
from consult.mail.models import OutgoingMail
from consult.settings import Settings
from tests import factories as f

MONDAY = dt.date(2026, 3, 23)  # the week of the change to summer time: its Sunday has 23 hours
NOW = dt.datetime(2026, 3, 30, 6, tzinfo=dt.UTC)
WEEK, DAY = Span(Period.WEEK, MONDAY), Span(Period.DAY, dt.date(2026, 3, 29))
HOSTILE = "=1+1 <script>alert(1)</script> « é »"


def at(day, hour):
    """An hour of a day of March 2026, in Paris."""
    return hour_number(
        dt.datetime(2026, 3, day, hour, 30, tzinfo=dt.timezone(dt.timedelta(hours=1 if day < 29 else 2)))
    )


@pytest.fixture
def world(database):
    """Two weeks of traffic and acts of an open consultation, one agent a role, and another organisation."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        here, elsewhere = f.make_organisation(session), f.make_organisation(session)
        opened = dt.datetime(2026, 3, 10, 8, tzinfo=dt.UTC)
        consultation = f.make_consultation(
            session, here, opens_at=opened, opened_at=opened, closes_at=NOW.replace(month=5)
        )
        step = f.make_step(session, consultation)
        agents = {role: f.make_account(session, here, role, now=opened) for role in (Role.ANALYST, Role.DECISION_MAKER)}
        stranger = f.make_account(session, elsewhere, Role.ADMINISTRATOR)
        week = dt.datetime(2026, 3, 24, 12, tzinfo=dt.UTC)
        people = [f.make_account(session, here, now=week) for _ in range(3)]
        f.make_account(session, here, now=week - dt.timedelta(days=7))
        proposal = f.make_proposal(session, step, people[0], created_at=week)
        f.make_argument(session, proposal, people[1], created_at=week)
        for person in people[1:]:
            f.make_vote(session, proposal, person, VoteValue.FOR, cast_at=week)
        f.make_vote(session, proposal, people[0], VoteValue.AGAINST, cast_at=week - dt.timedelta(days=7))
        counted = {
            Counted(here.id, Measure.VISIT, at(23, 9), ""): 30,
            Counted(here.id, Measure.VISIT, at(29, 9), ""): 12,
            Counted(here.id, Measure.VISIT, at(17, 9), ""): 20,
            Counted(here.id, Measure.PAGE, at(23, 0), "/"): 60,
            Counted(here.id, Measure.PAGE, at(23, 0), "/consultations/velo"): 40,
            Counted(here.id, Measure.PAGE, at(17, 0), "/"): 50,
            Counted(here.id, Measure.SOURCE, at(23, 0), ""): 35,
            Counted(here.id, Measure.SOURCE, at(23, 0), "exemple.fr"): 7,
            Counted(here.id, Measure.DEVICE, at(23, 0), "téléphone"): 25,
            Counted(here.id, Measure.DEVICE, at(23, 0), "ordinateur"): 17,
            Counted(elsewhere.id, Measure.VISIT, at(23, 9), ""): 999,
        }
        counters.add(session, counted)
    return SimpleNamespace(here=here, elsewhere=elsewhere, agents=agents, stranger=stranger, consultation=consultation)


def work(database, settings, *, now=NOW, meter=None):
    """Run every job that is due."""
    make = jobs.MakeReport(settings, now=lambda: now)
    if meter is not None:
        make._meter = meter
    handlers = {each.kind: each for each in (make, jobs.DueReports(now=lambda: now))}
    worker = Worker(database, handlers, now=lambda: now)
    while worker.run_once():
        pass


def enqueue_due(database):
    with database.transaction(tenant=ALL_TENANTS) as session:
        jobs_service.enqueue(session, jobs.DueReports.kind, {}, organisation_id=None, now=NOW)


@pytest.fixture
def reported(database, settings, world):
    """The report of the week, made; its id."""
    with database.transaction(tenant=world.here.id) as session:
        report = service.plan(session, world.here.id, WEEK, now=NOW, tell=False)
        found = report.id
    work(database, settings)
    return found


@pytest.fixture
def analyst(app, world):
    browser = app.test_client()
    f.sign_in(browser, world.agents[Role.ANALYST])
    return browser


def reading(database, world):
    return database.transaction(tenant=world.here.id, write=False)


def test_AT_U4_1_the_figures_of_a_week_are_those_that_were_counted(database, world):
    with reading(database, world) as session:
        found, before = queries.counted(session, WEEK), queries.counted(session, WEEK.previous)
        acts = queries.acts(session, world.here.id, WEEK), queries.acts(session, world.here.id, WEEK.previous)
    assert (found.visits, found.views, before.visits, before.views) == (42, 100, 20, 50)
    assert found.pages == (("/", 60), ("/consultations/velo", 40))
    assert found.sources == (("", 35), ("exemple.fr", 7))
    assert found.devices == (("téléphone", 25), ("ordinateur", 17))
    assert found.hours[9] == 42 == sum(found.hours)
    assert dict(found.days) == {f"2026-03-{day}": {23: 30, 29: 12}.get(day, 0) for day in range(23, 30)}
    assert acts == (Acts(accounts=3, contributions=2, votes=2), Acts(accounts=1, contributions=0, votes=1))


def test_AT_U4_1_page_and_files_say_the_same_figures_twice_the_same_bytes(analyst, reported):
    page = analyst.get(f"/gestion/audience/{reported}").get_data(as_text=True)
    files = {kind: analyst.get(f"/gestion/audience/{reported}/bilan.{kind}") for kind in ("docx", "pdf", "xlsx")}
    for kind, reply in files.items():
        assert reply.status_code == 200
        again = analyst.get(f"/gestion/audience/{reported}/bilan.{kind}")
        assert reply.data == again.data, kind
        assert f'filename="frequentation-week-2026-03-23.{kind}"' in reply.headers["Content-Disposition"]
    document = docx.Document(io.BytesIO(files["docx"].data))
    rows = [[cell.text for cell in row.cells] for row in document.tables[0].rows]
    assert rows[1] == ["Visites", "42", "20", "+110\u202f%"]
    assert rows[3:] == [
        ["Comptes confirmés", "3", "1", "+200\u202f%"],
        ["Contributions", "2", "0", "rien la période précédente"],
        ["Votes", "2", "1", "+100\u202f%"],
    ]
    text = "".join(each.extract_text() for each in PdfReader(io.BytesIO(files["pdf"].data)).pages)
    for said in ("Semaine du 23 mars 2026 au 29 mars 2026", "+110", "exemple.fr", "/consultations/velo", "Méthode"):
        assert said in page
        assert said in text
    book = load_workbook(io.BytesIO(files["xlsx"].data))
    assert book.sheetnames == ["Synthèse", "Jour", "Heure", "Page", "Origine", "Appareil"]
    assert [tuple(each.value for each in row) for row in book["Page"].rows][1:] == [
        ("Accueil", 60),
        ("/consultations/velo", 40),
    ]
    assert book["Heure"]["B11"].value == 42
    assert len(book["Heure"]._charts) == 1


def test_AT_U4_1_an_empty_week_says_that_its_zeros_were_measured(database, settings, world, analyst):
    empty = Span(Period.WEEK, dt.date(2026, 2, 2))
    with database.transaction(tenant=world.here.id) as session:
        report = service.plan(session, world.here.id, empty, now=NOW, tell=False).id
    work(database, settings)
    page = analyst.get(f"/gestion/audience/{report}").get_data(as_text=True)
    assert "les zéros de ce bilan sont des zéros mesurés" in page
    assert "comme la période précédente" in page
    for kind in ("docx", "pdf", "xlsx"):
        assert analyst.get(f"/gestion/audience/{report}/bilan.{kind}").status_code == 200


class Away:
    """A meter that does not answer."""

    source = "counters"

    def read(self, *_):
        raise UnavailableError("Le serveur de mesure n’a pas répondu.")


def test_AT_U4_1_an_outage_gives_a_report_that_says_so_and_is_mended_later(database, settings, world, analyst):
    with database.transaction(tenant=world.here.id) as session:
        report = service.plan(session, world.here.id, WEEK, now=NOW, tell=False).id
    work(database, settings, meter=Away())
    page = analyst.get(f"/gestion/audience/{report}").get_data(as_text=True)
    assert "Le serveur de mesure n’a pas répondu." in page
    assert "non mesuré" in page
    assert "Pages les plus vues" not in page
    for kind in ("docx", "pdf", "xlsx"):
        assert analyst.get(f"/gestion/audience/{report}/bilan.{kind}").status_code == 200
    enqueue_due(database)
    work(database, settings)
    with reading(database, world) as session:
        mended = session.get_one(TrafficReport, report)
        assert (mended.outage, mended.traffic["visits"]) == ("", 42)
    with database.transaction(tenant=world.here.id) as session:
        assert service.plan(session, world.here.id, WEEK, now=NOW, tell=False)
    work(database, settings, meter=Away())
    with reading(database, world) as session:
        kept = session.get_one(TrafficReport, report)
        assert (kept.outage, kept.traffic["visits"]) == ("", 42), "a later outage undoes nothing"


def test_reports_of_weeks_and_first_days_are_made_once_and_mailed_to_who_wants_them(database, settings, world):
    for _ in range(2):
        enqueue_due(database)
        work(database, settings)
    with reading(database, world) as session:
        made = {(each.period.value, each.first_day.isoformat()) for each in session.scalars(select(TrafficReport))}
        mails = [(each.recipient, each.subject, each.text) for each in session.scalars(select(OutgoingMail))]
    # opened on the 10th: its fourteenth day is the 23rd
    assert made == {("week", "2026-03-23"), ("day", "2026-03-23")}
    assert {recipient for recipient, *_ in mails} == {each.email for each in world.agents.values()}
    assert len(mails) == 4
    weekly = next(text for _, subject, text in mails if "hebdomadaire" in subject)
    assert "- Visites\u00a0: 42 (période précédente\u00a0: 20\u00a0; évolution\u00a0: +110\u202f%)" in weekly
    assert "/gestion/audience/" in weekly
    with database.transaction(tenant=world.elsewhere.id, write=False) as session:
        assert session.scalars(select(TrafficReport)).all() == []


def test_who_declines_the_mails_gets_none(database, settings, world):
    with database.transaction(tenant=world.here.id) as session:
        session.get_one(f.Account, world.agents[Role.ANALYST].id).told_of_traffic = False
    enqueue_due(database)
    work(database, settings)
    with reading(database, world) as session:
        assert {each.recipient for each in session.scalars(select(OutgoingMail))} == {
            world.agents[Role.DECISION_MAKER].email
        }


def test_a_report_is_asked_for_from_the_page(app, analyst, database, settings, world):
    token = f.csrf_token_on(analyst, "/gestion/audience")
    reply = analyst.post("/gestion/audience", data={"csrf_token": token, "period": "week", "day": "2026-03-25"})
    assert reply.status_code == 303
    page = analyst.get(reply.location).get_data(as_text=True)
    assert "en préparation" in page
    again = analyst.post("/gestion/audience", data={"csrf_token": token, "period": "week", "day": "2026-03-25"})
    assert again.status_code == 422
    assert "déjà en préparation" in again.get_data(as_text=True)
    with reading(database, world) as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "audience.request"))
        assert entry.detail == {"period": "week", "first_day": "2026-03-23"}


@pytest.mark.parametrize(
    ("period", "day", "said"),
    [
        ("week", "2200-01-01", "pas finie"),
        ("day", "1999-12-31", "vingt-cinq mois"),
        ("day", "0001-01-01", "vingt-cinq mois"),
        ("week", "9999-12-31", "pas finie"),
        ("week", "hier", "Donnez une date"),
        ("week", "", "Donnez un jour"),
        ("year", "2026-03-25", "Demander le bilan"),
    ],
)
def test_a_period_that_cannot_be_told_is_refused_with_its_reason(analyst, database, world, period, day, said):
    token = f.csrf_token_on(analyst, "/gestion/audience")
    reply = analyst.post("/gestion/audience", data={"csrf_token": token, "period": period, "day": day})
    assert reply.status_code == 422
    assert said in reply.get_data(as_text=True)
    with reading(database, world) as session:
        assert session.scalars(select(TrafficReport)).all() == []
        assert session.scalars(select(Job)).all() == []


def test_recommendations_are_kept_shown_and_never_overwritten_unread(analyst, database, world, reported):
    address = f"/gestion/audience/{reported}"
    token = f.csrf_token_on(analyst, address)
    words = f"Relancer les mairies.\n\n- {HOSTILE}"
    send = {"csrf_token": token, "recommendations": words, "edits": "0"}
    assert analyst.post(f"{address}/recommandations", data=send).status_code == 303
    page = analyst.get(address).get_data(as_text=True)
    assert "Relancer les mairies." in page
    assert "<script>alert" not in page
    stale = analyst.post(f"{address}/recommandations", data={**send, "recommendations": "Autre"})
    assert stale.status_code == 409
    assert "entre-temps" in stale.get_data(as_text=True)
    assert "Autre" in stale.get_data(as_text=True), "what was typed is kept"
    for edits in ("", "-1", "a", "9" * 40, "²"):
        assert analyst.post(f"{address}/recommandations", data={**send, "edits": edits}).status_code == 409
    long = analyst.post(f"{address}/recommandations", data={**send, "edits": "1", "recommendations": "é" * 20_001})
    assert long.status_code == 422
    with reading(database, world) as session:
        kept = session.get_one(TrafficReport, reported)
        assert (kept.recommendations, kept.edits) == (words.replace("\n", "\n"), 1)
    document = docx.Document(io.BytesIO(analyst.get(f"{address}/bilan.docx").data))
    assert any(HOSTILE in each.text for each in document.paragraphs)
    cells = [
        cell
        for row in load_workbook(io.BytesIO(analyst.get(f"{address}/bilan.xlsx").data))["Synthèse"].rows
        for cell in row
    ]
    assert all(cell.data_type != "f" for cell in cells)
    assert "alert(1)" in "".join(
        each.extract_text() for each in PdfReader(io.BytesIO(analyst.get(f"{address}/bilan.pdf").data)).pages
    )


def test_another_organisation_reaches_no_report(app, world, reported, database):
    browser = app.test_client()
    f.sign_in(browser, world.stranger)
    root = f"/o/{world.elsewhere.slug}/gestion/audience"
    token = f.csrf_token_on(browser, root)
    assert str(reported) not in browser.get(root).get_data(as_text=True)
    for path in ("", "/bilan.docx", "/bilan.pdf", "/bilan.xlsx"):
        assert browser.get(f"{root}/{reported}{path}").status_code == 404
    data = {"csrf_token": token, "recommendations": "x", "edits": "0"}
    assert browser.post(f"{root}/{reported}/recommandations", data=data).status_code == 404


def test_who_decides_reads_and_writes_nothing(app, world, reported):
    browser = app.test_client()
    f.sign_in(browser, world.agents[Role.DECISION_MAKER])
    address = f"/gestion/audience/{reported}"
    page = browser.get(address).get_data(as_text=True)
    assert "Aucune recommandation" in page
    assert "<textarea" not in page
    assert 'name="day"' not in browser.get("/gestion/audience").get_data(as_text=True)


def test_a_report_that_is_not_made_has_no_file(analyst, database, world):
    with database.transaction(tenant=world.here.id) as session:
        report = service.plan(session, world.here.id, DAY, now=NOW, tell=False).id
    assert analyst.get(f"/gestion/audience/{report}").status_code == 200
    for address in (f"{report}/bilan.pdf", f"{uuid.uuid4()}/bilan.pdf", f"{report}/bilan.exe"):
        assert analyst.get(f"/gestion/audience/{address}").status_code == 404


def test_where_nothing_is_measured_the_report_says_so_and_is_not_tried_again(database, settings, world):
    off = Settings(database_url=settings.database_url, audience="off")
    enqueue_due(database)
    work(database, off)
    enqueue_due(database)
    work(database, off)
    with reading(database, world) as session:
        reports = session.scalars(select(TrafficReport)).all()
        assert {each.outage for each in reports} == {jobs.labels.METHODS["off"]}
        done = session.scalars(select(Job).where(Job.kind == service.REPORT_JOB, Job.state == JobState.DONE)).all()
        assert len(done) == len(reports) == 2
