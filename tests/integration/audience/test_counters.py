"""The built-in counters: sums of what was opened, written after the pages, which say nothing of anyone."""

import datetime as dt
import uuid
from dataclasses import asdict
from types import SimpleNamespace

import pytest
import time_machine
from sqlalchemy import select

from consult.actor import Role
from consult.app import create_app
from consult.audience import counters, policy
from consult.audience.models import AudienceCount, Measure
from consult.audience.visits import Counted
from consult.clock import hour_number
from consult.db import ALL_TENANTS
from consult.privacy import retention
from consult.settings import Settings
from tests import factories as f
from tests.plans import watched

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"


def kept(database):
    """The sums of the database, by measure and value."""
    with database.transaction(tenant=ALL_TENANTS, write=False) as session:
        found = {}
        for row in session.scalars(select(AudienceCount)):
            found[row.measure.value, row.value] = found.get((row.measure.value, row.value), 0) + row.count
        return found


@pytest.fixture
def world(database):
    """A published proposal, and an agent of its administration."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = f.make_organisation(session)
        proposal = f.make_proposal(session, f.make_step(session, f.make_consultation(session, organisation)))
        agent = f.make_account(session, organisation, Role.ANALYST)
        session.flush()
        session.refresh(agent)
        session.expunge(agent)
        return SimpleNamespace(page=f"/contributions/{proposal.id}", agent=agent)


@pytest.mark.parametrize("seconds", [0.0, 2.0])
def test_what_people_open_is_added_up_without_a_write_of_any_page(settings, world, database, seconds):
    app = create_app(Settings(**{**asdict(settings), "page_cache_seconds": seconds}))
    browser = app.test_client(use_cookies=False)
    with watched(app.extensions["database"]) as sent:
        for headers in (
            {"User-Agent": FIREFOX},
            {"User-Agent": FIREFOX, "Referer": "https://www.exemple.fr/?q=secret"},
            {"User-Agent": PHONE, "Referer": "http://localhost/consultations"},
            {"User-Agent": PHONE, "Referer": "https://exemple.fr/"},
        ):
            assert browser.get("/?utm_id=secret&q=mots", headers=headers).status_code == 200
        browser.get(world.page, headers={"User-Agent": PHONE, "Sec-Fetch-Site": "same-origin"})
    assert not [statement for statement, _ in sent if "audience" in statement], "a GET writes nothing"
    assert kept(database) == {}
    app.extensions["visits"].write()
    expected = {
        ("visit", ""): 3,
        ("page", "/"): 4,
        ("page", "/contributions/*"): 1,
        ("source", ""): 1,
        ("source", "exemple.fr"): 2,
        ("device", "ordinateur"): 2,
        ("device", "téléphone"): 1,
    }
    assert kept(database) == expected
    app.extensions["visits"].write()
    assert kept(database) == expected, "written once"
    app.extensions["database"].dispose()


@pytest.mark.parametrize(
    "headers",
    [
        {"DNT": "1"},
        {"Sec-GPC": "1"},
        {"Cookie": f"{policy.OBJECTION}=1"},
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
        {"User-Agent": ""},
        {"Sec-Fetch-Dest": "empty"},
        {"Sec-Purpose": "prefetch"},
    ],
)
def test_who_objects_robots_and_scripts_are_not_counted(app, world, database, headers):
    browser = app.test_client(use_cookies=False)
    assert browser.get("/", headers={"User-Agent": FIREFOX, **headers}).status_code == 200
    app.extensions["visits"].write()
    assert kept(database) == {}


def test_neither_refusals_nor_files_nor_staff_are_counted(app, world, database):
    browser = app.test_client()
    for path in ("/inconnu", "/api/v1/version", "/robots.txt", "/gestion"):
        browser.get(path, headers={"User-Agent": FIREFOX})
    browser.head("/", headers={"User-Agent": FIREFOX})
    staff = app.test_client()
    f.sign_in(staff, world.agent)
    assert staff.get("/", headers={"User-Agent": FIREFOX}).status_code == 200
    app.extensions["visits"].write()
    assert kept(database) == {}


def test_AT_22_4_one_switch_turns_the_counters_off(settings, world, database):
    app = create_app(Settings(**{**asdict(settings), "audience": "off"}))
    page = app.test_client().get("/cookies", headers={"User-Agent": FIREFOX}).get_data(as_text=True)
    assert "visits" not in app.extensions
    assert "Aucun outil de mesure d’audience n’est en service." in page
    app.extensions["database"].dispose()


def test_the_page_of_cookies_says_that_visits_are_counted(client, world):
    page = client.get("/cookies").get_data(as_text=True)
    assert "ce site compte lui-même les pages" in page
    assert "Aucun outil de mesure d’audience" not in page


@pytest.fixture
def organisation(session):
    return f.make_organisation(session)


def test_made_up_sources_fill_no_table(session, organisation):
    hour = 500_000
    first = {Counted(organisation.id, Measure.SOURCE, hour, f"site{n}.fr"): 1 for n in range(counters.MOST_SOURCES)}
    counters.add(session, first)
    counters.add(session, {Counted(organisation.id, Measure.SOURCE, hour, "site3.fr"): 4})
    counters.add(session, {Counted(organisation.id, Measure.SOURCE, hour, f"faux{n}.fr"): 1 for n in range(1_000)})
    counters.add(session, {Counted(organisation.id, Measure.SOURCE, hour + 24, "faux1.fr"): 1})
    rows = {(row.hour, row.value): row.count for row in session.scalars(select(AudienceCount))}
    there = {value: count for (at, value), count in rows.items() if at == hour}
    assert len(there) < counters.MOST_SOURCES
    assert there["site3.fr"] == 5
    assert sum(there.values()) == counters.MOST_SOURCES + 4 + 1_000, "none is lost"
    assert rows[hour + 24, "faux1.fr"] == 1


def test_each_organisation_has_its_own_sums(session, organisation):
    other = f.make_organisation(session)
    gone = uuid.uuid4()
    counted = {Counted(each, Measure.VISIT, 9, ""): n for n, each in enumerate((organisation.id, other.id, gone), 1)}
    counters.add(session, counted)
    counters.add(session, counted)
    session.info["tenant"] = organisation.id
    assert [row.count for row in session.scalars(select(AudienceCount))] == [2]


def test_AT_6_5_sums_are_forgotten_after_twenty_five_months(session, organisation):
    now = dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)
    for days in (1, 750, 770, 900):
        hour = hour_number(now - dt.timedelta(days=days))
        counters.add(session, {Counted(organisation.id, Measure.VISIT, hour, ""): days})
    with time_machine.travel(now):
        gone = {rule.tables: count for rule, count in retention.sweep_all(session, now)}
    assert gone["audience_count", "traffic_report"] == 2
    assert {row.count for row in session.scalars(select(AudienceCount))} == {1, 750}
