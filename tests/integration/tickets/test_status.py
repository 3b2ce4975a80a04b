"""The probe, what its samples come to, and the public page (AT-14.1, AT-14.3)."""

import datetime as dt
import http.server
import threading

import pytest
from click.testing import CliRunner

from consult.cli import cli
from consult.errors import ConflictError
from consult.seam import service_levels as levels
from consult.settings import Settings
from consult.tickets import service as tickets
from consult.tickets.status import queries, samples, service
from consult.tickets.status.jobs import MeasureAvailability
from consult.tickets.status.models import ServiceMonth
from tests import factories as f
from tests.integration.tickets.test_pages import ROOT, Site

MINUTE = dt.timedelta(minutes=1)
JUNE, JULY = levels.month(2026, 6)


@pytest.fixture
def site(app) -> Site:
    return Site(app)


@pytest.fixture
def answering():
    """A server that answers what its `status` says; gives it and its address."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(self.server.status)
            self.end_headers()

        def log_message(self, *_args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.status = 200
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


def probed(folder, start, end, *, down=(), silent=(), name="sonde"):
    """A sample a minute; `down` and `silent` are pairs of minutes from the start, the second excluded."""
    for minute in range(int((end - start) / MINUTE)):
        if not any(a <= minute < b for a, b in silent):
            up = not any(a <= minute < b for a, b in down)
            samples.keep(folder, name, levels.Sample(start + minute * MINUTE, up))


@pytest.mark.parametrize(("status", "up"), [(200, True), (302, True), (404, False), (500, False), (503, False)])
def test_a_page_is_there_when_it_answers_below_400(answering, status, up):
    server, address = answering
    server.status = status
    assert samples.look(address) is up


def test_a_server_that_is_not_there_is_down():
    assert samples.look("http://127.0.0.1:9/") is False


def test_the_probe_keeps_what_it_saw_without_any_database(answering, tmp_path):
    server, address = answering
    environment = {"CONSULT_PROBE_DIR": str(tmp_path / "probe"), "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}
    run = CliRunner(env=environment).invoke
    assert run(cli, ["probe", "--once", "--url", address]).exit_code == 0
    server.status = 503
    refused = run(cli, ["probe", "--once", "--url", address, "--name", "lyon"])
    assert isinstance(refused.exception, ConflictError)
    (first,) = (tmp_path / "probe").glob("sonde-*.log")
    (second,) = (tmp_path / "probe").glob("lyon-*.log")
    assert first.read_text().endswith("Z up\n")
    assert second.read_text().endswith("Z down\n")


def test_the_probe_looks_again_and_again_until_it_is_told_to_stop(answering, tmp_path):
    _, address = answering
    stop, seen = threading.Event(), []

    def now():
        seen.append(dt.datetime.now(dt.UTC))
        if len(seen) > 6:
            stop.set()
        return seen[-1]

    samples.watch(address, tmp_path, "sonde", every=dt.timedelta(seconds=0.1), stop=stop, now=now)
    found = list(samples.read(tmp_path, seen[0], seen[-1]))
    assert len(found) == 3
    assert all(each.up for each in found)


def test_samples_of_several_probes_and_months_are_read_and_broken_lines_are_not(tmp_path):
    samples.keep(tmp_path, "lyon", levels.Sample(dt.datetime(2026, 5, 31, 23, 59, tzinfo=dt.UTC), up=True))
    samples.keep(tmp_path, "sonde", levels.Sample(dt.datetime(2026, 6, 1, 0, 0, 7, tzinfo=dt.UTC), up=False))
    with (tmp_path / "sonde-2026-06.log").open("ab") as file:
        file.write(b"2026-06-01T00:01:00Z u\n\xff\xfe\n2026-06-01T00:02")
    found = list(samples.read(tmp_path, JUNE, JUNE + MINUTE))
    assert [(each.at.isoformat(), each.up) for each in found] == [
        ("2026-05-31T23:59:00+00:00", True), ("2026-06-01T00:00:07+00:00", False)
    ]  # fmt: skip
    assert samples.first(tmp_path) == dt.datetime(2026, 5, 31, 23, 59, tzinfo=dt.UTC)
    assert samples.first(tmp_path / "nothing") is None


def test_a_month_is_measured_from_the_first_sample_there_ever_was(tmp_path):
    start = JUNE + dt.timedelta(days=10)
    probed(tmp_path, start, start + dt.timedelta(hours=2), down=((30, 40),), silent=((60, 70),))
    found = service.measured(tmp_path, 2026, 6, start + dt.timedelta(hours=2))
    assert (found.start, found.end) == (start, start + dt.timedelta(hours=2))
    assert found.down == (10 + 9) * MINUTE, "ten minutes seen down, nine when nobody looked"
    assert [each.seen for each in found.outages] == [True, False]
    assert service.measured(tmp_path, 2026, 5, start) is None
    assert service.measured(tmp_path / "none", 2026, 6, start) is None


def run_job(session, folder, now):
    job = MeasureAvailability(Settings(probe_dir=str(folder)), now=lambda: now)
    return [step.done for step in job.run(session, {}, {})]


def test_the_job_keeps_this_month_and_ends_the_one_before(session, tmp_path):
    end = JULY
    probed(tmp_path, end - dt.timedelta(hours=3), end + dt.timedelta(hours=1), down=((170, 190),))
    assert run_job(session, tmp_path, end - MINUTE) == [1]
    assert run_job(session, tmp_path, end + dt.timedelta(hours=1)) == [2]
    assert run_job(session, tmp_path, end + dt.timedelta(hours=1)) == [1], "June is whole and stays as it is"
    july, june = queries.months(session)
    assert [each.row.down_ms for each in (june, july)] == [600_000, 600_000]
    assert june.row.measured_to == end
    assert june.allowed == dt.timedelta(minutes=43, seconds=12)
    assert june.left == dt.timedelta(minutes=33, seconds=12)
    assert july.allowed == dt.timedelta(minutes=44, seconds=38.4)
    assert (july.row.up, june.breached, july.breached) == (True, False, False)


@pytest.mark.parametrize(("ms", "percentage", "breached"), [(2_592_000, "99,9", False), (2_592_001, "99,899", True)])
def test_at_14_3_the_page_says_that_a_month_was_not_kept_from_one_millisecond_too_many(site, ms, percentage, breached):
    with site.writing() as session:
        session.add(
            ServiceMonth(
                first_day=dt.date(2026, 6, 1), measured_from=JUNE, measured_to=JULY, down_ms=ms, up=True,
                outages={"count": 1, "last": []},
            )
        )  # fmt: skip
    page = site.app.test_client().get("/statut").text
    assert f"{percentage}\u202f%" in page
    assert ("Non tenu" in page) is breached
    told = site.app.test_client().get("/statut.json").json["months"][0]
    assert (told["breached"], told["down_seconds"], told["month"]) == (breached, ms / 1_000, "2026-06")
    assert told["percentage"] < 99.9 or not breached


def test_without_a_probe_the_page_says_so(site):
    page = site.app.test_client().get("/statut").text
    assert "n’est pas encore mesurée" in page
    assert "Aucun incident signalé" in page
    assert site.app.test_client().get("/statut.json").json == {"promised": 99.9, "months": [], "incidents": []}


def test_the_public_is_told_what_staff_say_of_an_anomaly_and_nothing_else(site):
    path, public = site.opened(title="Secret de la baie 4"), site.app.test_client()
    assert "Aucun incident signalé" in public.get("/statut").text
    words = "Le vote est ralenti. Nous y travaillons."
    assert site.post(site.operator, f"{path}/statut", words=words).status_code == 303
    page = public.get("/statut").text
    assert words in page
    assert "En cours" in page
    assert "Secret" not in page + public.get("/statut.json").text
    assert site.post(site.operator, f"{path}/etapes", milestone="resolved").status_code == 303
    (told,) = public.get("/statut.json").json["incidents"]
    assert (told["text"], told["severity"], told["ended_at"] is not None) == (words, "blocking", True)
    assert "Aucun incident signalé" in public.get("/statut").text
    assert site.post(site.admin, f"{path}/statut", words="court").status_code == 422
    assert site.post(site.admin, f"{path}/statut", words="").status_code == 303
    assert public.get("/statut.json").json["incidents"] == []
    assert "Page de statut" in site.admin.get(ROOT + path).text


def test_words_of_the_status_page_are_shown_as_text_and_stay_in_their_organisation(site):
    path = site.opened()
    site.post(site.admin, f"{path}/statut", words="<script>alert(1)</script> **gras** du vote")
    with site.writing() as session:
        session.expire_on_commit = False
        other = f.make_organisation(session)
    page = site.app.test_client().get("/statut").text
    assert "<script>alert" not in page
    assert "<strong>gras</strong>" in page
    assert "gras" not in site.app.test_client().get(f"/o/{other.slug}/statut").text


def test_only_an_anomaly_is_told_of(world):
    ticket = world.report(None, kind="accessibility")
    with pytest.raises(ConflictError):
        tickets.publish(world.session, ticket, "Un texte assez long.", actor=world.admin, now=world.now)
