"""Help, legal pages, probes, and what machines ask for."""

import datetime as dt
import xml.etree.ElementTree as ET
from dataclasses import asdict

import pytest
from sqlalchemy import select

from consult.consultations.models import Consultation
from consult.db import ALL_TENANTS, Database
from consult.jobs.models import Job, JobState
from consult.registry.conservation import Line
from consult.registry.models import RegistryCensus
from tests import factories

PAGES = [
    "/", "/consultations", "/aide", "/contact", "/plan-du-site", "/mentions-legales", "/conditions", "/charte",
    "/donnees-personnelles", "/cookies", "/accessibilite", "/registre",
]  # fmt: skip


@pytest.fixture
def proposal(app):
    now = dt.datetime.now(dt.UTC)
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(session, contact_email="contact@agence.example", slug="agence")
        consultation = factories.make_consultation(session, organisation, now=now, slug="trajets")
        factories.make_consultation(session, organisation, opened=False, slug="secrete")
        return factories.make_proposal(session, factories.make_step(session, consultation, slug="idees")).id


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_open_indexable_and_without_cookie(client, proposal, path):  # AT-8.5
    response = client.get(path)
    assert response.status_code == 200
    assert "X-Robots-Tag" not in response.headers
    assert "Set-Cookie" not in response.headers
    assert response.get_data(as_text=True).count("<h1") == 1


def test_robots_are_not_kept_out_and_the_map_holds_no_contribution(client, proposal):  # AT-8.2, AT-8.3
    robots = client.get("/robots.txt").get_data(as_text=True)
    assert "Disallow:\n" in robots
    assert "Disallow: /" not in robots
    places = [loc.text for loc in ET.fromstring(client.get("/sitemap.xml").data).findall(".//{*}loc")]
    assert "http://127.0.0.1:8000/consultations/trajets" in places
    assert not any(word in place for place in places for word in ("contributions", "idees", "secrete", str(proposal)))
    for place in places:
        assert client.get(place.removeprefix("http://127.0.0.1:8000")).status_code == 200


def test_the_census_is_public_and_says_nothing_of_a_draft(app, client, proposal):
    """An import may fill a consultation that is not open yet: its entries are logged, its title is not told."""
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        for consultation in session.scalars(select(Consultation)):
            consultation.title = f"Titre de {consultation.slug}"
            session.add(
                RegistryCensus(
                    organisation_id=consultation.organisation_id,
                    consultation_id=consultation.id,
                    lines=[asdict(Line("proposal", "imported", logged=12_345, published=12_344, hidden=1))],
                )
            )
    page = client.get("/registre").get_data(as_text=True)
    assert "Titre de trajets" in page
    assert "Juste" in page
    assert "Titre de secrete" not in page


def test_the_host_of_a_request_never_reaches_an_address(client, proposal):
    for path in ("/robots.txt", "/sitemap.xml", "/.well-known/security.txt"):
        assert b"pirate" not in client.get(path, headers={"Host": "pirate.example"}).data


def test_security_txt_follows_rfc_9116(client, proposal):
    lines = dict(
        line.split(": ", 1)
        for line in reversed(client.get("/.well-known/security.txt").get_data(as_text=True).splitlines())
    )
    assert lines["Contact"] == "mailto:contact@agence.example"
    life = dt.datetime.fromisoformat(lines["Expires"]) - dt.datetime.now(dt.UTC)
    assert dt.timedelta(days=90) < life < dt.timedelta(days=365)


def test_an_unknown_guide_is_not_found(client, proposal):
    assert client.get("/aide/../settings.py").status_code == 404
    assert client.get("/aide/rien").status_code == 404


def test_probes_answer_before_any_organisation_exists(client):
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").status_code == 200


def test_a_failed_or_late_job_is_seen_by_the_probe(app, client):
    now = dt.datetime.now(dt.UTC)
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        session.add(Job(kind="a", run_after=now - dt.timedelta(hours=1), created_at=now))
    late = client.get("/readyz")
    assert late.status_code == 503
    assert late.json["jobs_late_seconds"] >= 3_599
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        session.query(Job).update({"state": JobState.FAILED})
    failed = client.get("/readyz")
    assert (failed.status_code, failed.json["jobs_failed"]) == (200, 1), "told, and no reason to take the site away"


def test_a_database_that_is_away_is_503_for_the_probe_and_not_for_the_process(app, client, tmp_path):
    there = app.extensions["database"]
    away = Database(f"sqlite:///{tmp_path}/away.db")
    away.dispose()
    app.extensions["database"] = away
    try:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
    finally:
        app.extensions["database"] = there
