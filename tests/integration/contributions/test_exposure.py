"""Displays are counted as pages are served, by every process, without a write of any GET, and published by the hour."""

import contextlib
import csv
import datetime as dt
import http.client
import io
import os
import re
import signal
import subprocess
import sys
import uuid
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from consult import displays
from consult.app import create_app
from consult.consultations.models import Consultation, Step
from consult.contributions.exposure import queries, service
from consult.contributions.exposure.models import Exposure
from consult.contributions.models import Proposal, Side, Theme
from consult.displays import Displays, Shown
from consult.settings import Settings
from tests import factories as f
from tests.plans import watched
from tests.servers import accepts, free_port, wait_until

ROOT = Path(__file__).parents[3]


@pytest.fixture
def listed(world, database_of):
    """Twenty-five proposals, and two arguments on one of them: the ids by kind."""
    with database_of() as session:
        step = session.get_one(Step, world.step)
        made = [f.make_proposal(session, step, created_at=world.now) for _ in range(24)]
        first = session.get_one(Proposal, world.proposal)
        arguments = [f.make_argument(session, first, side=side, created_at=world.now) for side in Side]
        return {"proposals": [first.id, *(each.id for each in made)], "arguments": [each.id for each in arguments]}


def kept(database_of, *, drawn=True):
    """The displays that the database holds, by id, the hour under way included."""
    with database_of() as session:
        rows = session.scalars(select(Exposure).where(Exposure.drawn.is_(drawn)))
        return Counter({row.item_id: row.past + row.latest for row in rows})


def shown_on(page):
    """The proposals of a page of a list, as a reader sees them."""
    return Counter(uuid.UUID(each) for each in re.findall(r'card-title"><a href="/contributions/([^"]+)', page))


@pytest.mark.parametrize("seconds", [0.0, 2.0])
def test_each_page_served_counts_what_it_shows_from_the_short_memory_too(
    settings, database, world, listed, database_of, seconds
):
    app = create_app(Settings(**{**asdict(settings), "page_cache_seconds": seconds}))
    seen = Counter()
    with watched(app.extensions["database"]) as sent:
        for path in (world.list, f"{world.list}?page=2", world.list, world.list):
            seen += shown_on(app.test_client(use_cookies=False).get(path).get_data(as_text=True))
        app.test_client(use_cookies=False).get(world.page)
    assert not [statement for statement, _ in sent if "exposure" in statement], "a GET writes nothing"
    assert kept(database_of) == Counter()
    app.extensions["displays"].write()
    found = kept(database_of)
    assert {each: found[each] for each in listed["proposals"]} == dict(seen)
    assert {each: found[each] for each in listed["arguments"]} == dict.fromkeys(listed["arguments"], 1)
    app.extensions["displays"].write()
    assert kept(database_of) == found, "written once"
    app.extensions["database"].dispose()


@pytest.mark.parametrize(
    ("query", "drawn"), [("", True), ("theme=inconnu", True), ("sort=recent", False), ("theme={theme}", False)]
)
def test_what_a_reader_asked_for_is_counted_apart(app, client, world, listed, database_of, query, drawn):
    with database_of() as session:
        theme = session.get_one(Theme, uuid.UUID(world.theme)).slug
    page = client.get(f"{world.list}?{query.format(theme=theme)}").get_data(as_text=True)
    app.extensions["displays"].write()
    assert kept(database_of, drawn=drawn) == shown_on(page)
    assert shown_on(page)
    assert kept(database_of, drawn=not drawn) == Counter()


def test_neither_a_head_nor_a_script_nor_a_draft_displays_anything(app, client, person, world, listed, database_of):
    client.head(world.list)
    client.get(world.list, headers={"Sec-Fetch-Dest": "empty"})
    with database_of() as session:
        whole = session.get_one(Consultation, world.consultation)
        whole.status, whole.opened_at = "draft", None
        agent = f.make_account(session, session.get_one(f.Organisation, world.organisation), f.Role.ORGANISER)
        session.flush()
        session.refresh(agent)
        session.expunge(agent)
    staff = app.test_client()
    f.sign_in(staff, agent)
    assert staff.get(world.list).status_code == 200
    app.extensions["displays"].write()
    assert kept(database_of) == Counter()


def test_what_cannot_be_written_waits():
    step, item, hour = uuid.uuid4(), uuid.uuid4(), 500_000
    told, away = [], [True]

    def keep(counted):
        if away[0]:
            raise OperationalError("INSERT", {}, Exception("the database is away"))
        told.append(dict(counted))

    def application(environ, _start_response):
        environ[displays.NOTES].append(step.bytes + bytes([True]) + item.bytes)
        return []

    counting = Displays(application, keep)
    with time_machine.travel(dt.datetime.fromtimestamp(hour * 3_600 + 60, dt.UTC), tick=False):
        for _ in range(3):
            counting({"REQUEST_METHOD": "GET"}, None)
            counting.write()
        assert told == []
        away[0] = False
        counting({"REQUEST_METHOD": "GET"}, None)
        counting.write()
    assert told == [{Shown(hour, step, item, drawn=True): 4}]


def test_hours_add_up_in_whatever_order_processes_tell_them(session, organisation_step):
    step, item = organisation_step
    hour = 500_000
    for shift, count in ((0, 3), (0, 2), (1, 7), (0, 4), (3, 1), (2, 5), (3, 1)):
        service.add(session, {Shown(hour + shift, step.id, item.id, True): count})
    row = session.scalars(select(Exposure)).one()
    assert (row.past, row.latest, row.hour) == (3 + 2 + 7 + 4 + 5, 2, hour + 3)
    at = dt.datetime.fromtimestamp((hour + 3) * 3_600 + 1_800, dt.UTC)
    assert [each.drawn for each in queries.of_texts(session, step, at)] == [21], "the hour under way is not told"
    assert [each.drawn for each in queries.of_texts(session, step, at + dt.timedelta(hours=1))] == [23]


def test_displays_of_a_step_that_is_gone_are_passed_over(session, organisation_step):
    step, item = organisation_step
    service.add(session, {Shown(1, uuid.uuid4(), uuid.uuid4(), True): 2, Shown(1, step.id, item.id, False): 1})
    assert [(row.item_id, row.drawn) for row in session.scalars(select(Exposure))] == [(item.id, False)]


@pytest.fixture
def organisation_step(session):
    organisation = f.make_organisation(session)
    session.info["tenant"] = organisation.id
    step = f.make_step(session, f.make_consultation(session, organisation))
    return step, f.make_proposal(session, step)


def test_the_page_and_the_file_tell_displays_until_the_hour_under_way(app, client, world, listed, database_of):
    page = f"{world.list}/affichages"
    opened = world.now.replace(minute=30) + dt.timedelta(hours=2)
    with time_machine.travel(opened, tick=False) as clock:
        for _ in range(4):
            client.get(world.list)
        app.extensions["displays"].write()
        assert "indice de Gini" not in client.get(page).get_data(as_text=True)
        clock.shift(3_600)
        told = client.get(page).get_data(as_text=True)
        assert "indice de Gini" in told
        assert '<span class="figure-value">80</span>' in told
        assert told.count('<th scope="row">') == 25
        lines = list(csv.DictReader(io.StringIO(client.get(f"{page}.csv").get_data(as_text=True))))
        assert Counter(line["type"] for line in lines) == {"propositions": 25, "arguments": 2}
        assert sum(int(line["drawn"]) for line in lines) == 80
        assert {line["hours"] for line in lines} == {"3"}
        assert {line["asked"] for line in lines} == {"0"}
        arguments = client.get(f"{page}?liste=arguments").get_data(as_text=True)
        assert arguments.count('<th scope="row">') == 2
        assert client.get(f"{page}?liste=%3Cscript%3E&page=999").status_code == 200


def test_what_is_not_published_is_not_listed(client, world, listed, database_of):
    with database_of() as session:
        hidden = session.get_one(Proposal, listed["proposals"][3])
        hidden.status, hidden.status_reason = "hidden", "insult"
    told = client.get(f"{world.list}/affichages").get_data(as_text=True)
    assert str(listed["proposals"][3]) not in told
    assert str(listed["proposals"][3]) not in client.get(f"{world.list}/affichages.csv").get_data(as_text=True)
    with database_of() as session:
        f.make_organisation(session, slug="ailleurs")
        whole = session.get_one(Consultation, world.consultation)
        whole.status, whole.opened_at = "draft", None
    for path in (f"{world.list}/affichages", f"{world.list}/affichages.csv"):
        assert client.get(path).status_code == 404
        assert client.get(f"/o/ailleurs{path}").status_code == 404


@contextlib.contextmanager
def served(url, folder, workers):
    """Gunicorn as production runs it: so many processes, forked from one that loaded the application."""
    port = free_port()
    own = {name: value for name, value in os.environ.items() if not name.startswith("CONSULT_")}
    environment = {**own, "DATABASE_URL": url, "CONSULT_DATA_DIR": str(folder), "CONSULT_RATE_LIMITS": "0"}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-m", "gunicorn", "consult.wsgi:app", "--worker-class", "gthread", "--preload"]
    command += ["--workers", str(workers), "--threads", "2", "--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    process = subprocess.Popen(command, env=environment, cwd=folder, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: process.poll() is not None or accepts(port), seconds=90, what="gunicorn")
        yield port
        process.send_signal(signal.SIGTERM)
        assert process.wait(90) == 0
    finally:
        process.kill()
        process.wait(20)


@pytest.mark.slow
def test_every_process_counts_and_none_is_lost_when_they_stop(database, database_of, world, listed, tmp_path):
    """From the database's own addresses: what pages showed is what is kept, by three processes, cache included."""
    seen = Counter()
    url = database.url.render_as_string(hide_password=False)
    with served(url, tmp_path, workers=3) as port:
        for number in range(40):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", f"{world.list}?page={1 + number % 2}")
            reply = connection.getresponse()
            assert reply.status == 200
            seen += shown_on(reply.read().decode())
            connection.close()
    assert kept(database_of) == seen
    assert sum(seen.values()) == 20 * 20 + 20 * 5
