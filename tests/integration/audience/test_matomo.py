"""Matomo behind one adapter: what it answers is what the report says, and what it refuses is told in French."""

import datetime as dt
import os
import subprocess
import sys
from dataclasses import asdict

import pytest

from consult.app import create_app
from consult.audience import policy
from consult.audience.audit import audit
from consult.audience.figures import Span
from consult.audience.matomo import SILENT, UNGIVEN, Matomo
from consult.audience.models import Period
from consult.errors import UnavailableError
from consult.security import CONTENT_SECURITY_POLICY
from consult.settings import Settings, UnsafeSettingsError
from tests import factories as f
from tests.integration.audience.matomo_server import TOKEN, serving

pytestmark = pytest.mark.slow  # each asks a server that answers as Matomo does

ON = {"audience": "matomo", "matomo_url": "https://mesure.exemple.fr/stats", "matomo_sites": "ville=3"}
WEEK = Span(Period.WEEK, dt.date(2026, 3, 23))


@pytest.fixture
def matomo():
    with serving() as server:
        yield server


def settings_of(address, **values):
    values = {"audience": "matomo", "matomo_url": address, "matomo_sites": "ville=3", "matomo_token": TOKEN} | values
    return Settings(**values)


def meter(matomo, **values):
    return Matomo(settings_of(matomo.address, **values), pause=lambda _: None)


def test_AT_U4_1_the_figures_are_those_that_matomo_answers(matomo):
    found = meter(matomo).read(None, "ville", WEEK)
    assert (found.visits, found.views) == (42, 100)
    assert found.pages == (("/", 60), ("/consultations/velo", 40))
    assert dict(found.sources) == {"": 25, "exemple.fr": 8, "Moteurs de recherche": 7, policy.OTHERS: 2}
    assert found.devices == (("téléphone", 25), ("ordinateur", 17))
    assert (found.hours[9], found.hours[20], sum(found.hours)) == (30, 12, 42)
    assert [count for _, count in found.days] == [30, 0, 0, 0, 0, 0, 12]


def test_the_token_is_in_no_address_and_everything_is_posted(matomo):
    meter(matomo).read(None, "ville", WEEK)
    assert {(command, path) for command, path, _ in matomo.asked} == {("POST", "/index.php")}
    assert all(body["token_auth"] == TOKEN and body["format"] == "JSON" for _, _, body in matomo.asked)


def test_an_empty_week_is_zeros(matomo):
    found = meter(matomo).read(None, "ville", Span(Period.WEEK, dt.date(2026, 2, 2)))
    assert (found.visits, found.views, found.pages, found.sources, sum(found.hours)) == (0, 0, (), (), 0)
    assert [count for _, count in found.days] == [0] * 7


@pytest.mark.parametrize(
    ("failing", "said", "sent"),
    [
        ([(500, b"")] * 3, SILENT, 3),
        ([(429, b"")] * 3, SILENT, 3),
        ([(403, b"")], "refuse le jeton", 1),
        ([(302, b"http://127.0.0.1:9/")], "répond 302", 1),
        ([(404, b"")], "répond 404", 1),
        ([(200, b"<html>")], "ne répond pas en JSON", 1),
        ([(200, b'{"result":"error","message":"No access\\n <b>x</b>"}')], "«\u00a0No access <b>x</b>\u00a0»", 1),
        ([(200, b'[{"a": 1}]'), (200, b'"x"'), (200, b'"x"')], "forme inattendue", 3),
    ],
)
def test_what_fails_is_told_in_french_without_the_token(matomo, failing, said, sent):
    matomo.failing = list(failing)
    with pytest.raises(UnavailableError) as refused:
        meter(matomo).read(None, "ville", WEEK)
    assert said in refused.value.message
    assert TOKEN not in refused.value.message
    assert len(matomo.asked) == sent


def test_what_fails_once_is_asked_again(matomo):
    matomo.failing = [(503, b""), (502, b"")]
    assert meter(matomo).read(None, "ville", WEEK).visits == 42


@pytest.mark.parametrize(
    ("values", "organisation", "said"),
    [
        ({"matomo_token": ""}, "ville", UNGIVEN),
        ({"matomo_token": "faux"}, "ville", "Matomo a refusé la demande"),
        ({}, "autre", "CONSULT_MATOMO_SITES"),
        ({"matomo_url": "http://127.0.0.1:9"}, "ville", SILENT),
    ],
)
def test_what_is_set_wrong_is_named(matomo, values, organisation, said):
    with pytest.raises(UnavailableError) as refused:
        meter(matomo, **values).read(None, organisation, WEEK)
    assert said in refused.value.message


def test_AT_22_2_a_matomo_set_as_the_profile_has_no_deviation(matomo):
    found = list(audit(meter(matomo), "ville"))
    assert [each.name for each in found if each.deviates] == []
    assert [each.name for each in found if each.deviates is None] == ["Refus de la mesure"]
    assert len(found) == 9


@pytest.mark.parametrize(
    ("method", "answer", "named"),
    [
        ("API.getMatomoVersion", {"value": "4.16.1"}, "Version de Matomo"),
        (
            "PrivacyManager.getComplianceStatus",
            {"result": "error", "message": "Feature not available"},
            "Politique CNIL",
        ),
        ("PrivacyManager.getComplianceStatus", {"complianceModeEnforced": True}, "Exigences de la politique CNIL"),
        (
            "PrivacyManager.getComplianceStatus",
            {
                "complianceModeEnforced": False,
                "complianceRequirements": [{"name": "x", "value": "compliant", "notes": ""}],
            },
            "Politique CNIL imposée",
        ),
        (
            "PrivacyManager.getComplianceStatus",
            {
                "complianceModeEnforced": True,
                "complianceRequirements": [{"name": "Anonymisation", "value": "non_compliant", "notes": "2 octets"}],
            },
            "Anonymisation",
        ),
        *(
            ("SitesManager.getSiteFromId", changed, named)
            for changed, named in (
                ({"timezone": "UTC"}, "Fuseau horaire"),
                ({"ecommerce": 1}, "Suivi de commerce"),
                ({"sitesearch": 1}, "Recherches internes"),
                ({"keep_url_fragment": "1"}, "Fragments"),
            )
        ),
    ],
)
def test_AT_22_2_each_deviation_is_named(matomo, method, answer, named):
    there = matomo.answers[method, ""]
    matomo.answers[method, ""] = {**there, **answer} if method.startswith("Sites") else answer
    deviations = [each.name for each in audit(meter(matomo), "ville") if each.deviates]
    assert len(deviations) == 1
    assert deviations[0].startswith(named)


def test_AT_22_2_the_command_tells_and_fails_on_a_deviation(matomo, tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONSULT_")}
    environ = kept | {
        "CONSULT_AUDIENCE": "matomo", "CONSULT_MATOMO_URL": matomo.address, "CONSULT_MATOMO_SITES": "ville=3",
        "CONSULT_MATOMO_TOKEN": TOKEN, "CONSULT_DATA_DIR": str(tmp_path),
    }  # fmt: skip

    def command(*arguments):
        words = [sys.executable, "-m", "consult.cli", "matomo", "audit", *arguments]
        return subprocess.run(words, env=environ, capture_output=True, text=True, timeout=60, check=False)

    good = command()
    assert (good.returncode, "Aucun écart" in good.stdout) == (0, True)
    matomo.answers["SitesManager.getSiteFromId", ""] |= {"timezone": "UTC"}
    bad = command("ville")
    assert bad.returncode == 1
    assert "ÉCART – Fuseau horaire du site" in bad.stdout
    assert "1 écart(s) avec le profil" in bad.stderr
    assert TOKEN not in good.stdout + bad.stdout + good.stderr + bad.stderr


@pytest.mark.parametrize(
    "values",
    [
        {"audience": "google"},
        {"matomo_url": ""},
        {"matomo_sites": ""},
        {"matomo_sites": "ville"},
        {"matomo_sites": "ville=x"},
        {"matomo_url": "ftp://mesure.exemple.fr"},
        {"matomo_url": "https://mesure.exemple.fr;script-src *"},
        {"matomo_url": "https://moi:secret@mesure.exemple.fr"},
        {"matomo_url": "https://mesure.exemple.fr:x"},
    ],
)
def test_settings_that_would_not_measure_are_refused(values):
    with pytest.raises(UnsafeSettingsError, match=r"CONSULT_(AUDIENCE|MATOMO)"):
        Settings(**{**ON, **values}).check()


@pytest.fixture
def pages(settings, database):
    """A browser on an application of these settings, with its organisation, whose Matomo site is 3."""
    with database.transaction(tenant="all tenants") as session:
        organisation = f.make_organisation(session, slug="ville")
        proposal = f.make_proposal(session, f.make_step(session, f.make_consultation(session, organisation)))
        page = f"/contributions/{proposal.id}"
    made = []

    def browse(**values):
        made.append(create_app(Settings(**{**asdict(settings), **values})))
        return made[-1].test_client()

    browse.page = page
    yield browse
    for app in made:
        app.extensions["database"].dispose()


def test_AT_22_3_a_page_tells_neither_identifier_nor_search_nor_token(pages):
    browser = pages(**ON)
    reply = browser.get(f"{pages.page}?q=mots&jeton=secret")
    page = reply.get_data(as_text=True)
    assert (
        'data-tracker="https://mesure.exemple.fr/stats/matomo.php" data-site="3" data-page="/contributions/*"' in page
    )
    opened = "connect-src 'self' https://mesure.exemple.fr;"
    assert opened in reply.headers["Content-Security-Policy"]
    assert reply.headers["Content-Security-Policy"].replace(opened, "connect-src 'self';") == CONTENT_SECURITY_POLICY
    assert "audience.js" not in browser.get("/inconnu").get_data(as_text=True)
    said = browser.get("/cookies").get_data(as_text=True)
    assert "<code>mesure.exemple.fr</code>" in said
    assert "visits" not in browser.application.extensions, "counted once, by one of them"


@pytest.mark.parametrize("audience", ["counters", "off"])
def test_AT_22_4_one_switch_turns_the_tracker_off(pages, audience):
    browser = pages(**{**ON, "audience": audience})
    reply = browser.get("/")
    assert "audience.js" not in reply.get_data(as_text=True)
    assert reply.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert "mesure.exemple.fr" not in browser.get("/cookies").get_data(as_text=True)


def test_AT_22_1_who_refuses_is_counted_no_more_until_they_say_so(pages):
    browser = pages(audience="counters")
    agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Firefox/130.0"}
    visits = browser.application.extensions["visits"]
    address = "/cookies/mesure-audience"
    token = f.csrf_token_on(browser, address)
    assert browser.post(address, data={"counted": "non"}).status_code == 403, "without its token"
    assert browser.post(address, data={"csrf_token": token, "counted": "non"}).status_code == 303
    cookie = browser.get_cookie(policy.OBJECTION)
    assert (cookie.value, cookie.max_age, cookie.http_only) == ("1", 395 * 86_400, False)
    visits.forget()
    assert "ne sont plus comptées" in browser.get(address, headers=agent).get_data(as_text=True)
    browser.get("/", headers=agent)
    assert not visits._served
    browser.post(address, data={"csrf_token": token, "counted": "oui"})
    assert browser.get_cookie(policy.OBJECTION) is None
    browser.get("/", headers=agent)
    assert visits._served
