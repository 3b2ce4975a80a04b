"""The application itself: the one commit point, what survives a refusal, tenants, headers, errors, page memory."""

import datetime as dt
import functools
import re

import pytest
from flask import Blueprint, g, redirect, render_template_string, request
from sqlalchemy import func, select
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from consult import security
from consult.actor import Role
from consult.app import create_app
from consult.db import ALL_TENANTS, survives
from consult.errors import ClosedError, InvalidError
from consult.logs import SECURITY_LOGGER
from consult.organisations.models import Organisation
from consult.pagecache import cached_for_visitors, purge
from consult.settings import Settings

probe = Blueprint("probe", __name__, url_prefix="/essai")


def add(slug: str) -> Organisation:
    return Organisation(slug=slug, name=slug, created_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))


@probe.get("/formulaire")
@security.anyone
def form() -> str:
    return render_template_string("{{ csrf_token() }}")


@probe.post("/ecrire/<slug>")
@security.anyone
def write(slug: str):
    g.session.add(add(slug))
    g.session.flush()
    match request.args.get("fin"):
        case "refus":
            raise InvalidError("Le titre est vide.", fields={"title": "Écrivez un titre."})
        case "clos":
            survives(g.session, lambda session: session.add(add(f"{slug}-survivor")))
            raise ClosedError("L’étape est close.")
        case "page-422":
            return "à corriger", 422
        case "panne":
            raise RuntimeError("boom")
        case _:
            survives(g.session, lambda session: session.add(add(f"{slug}-survivor")))
            return redirect("/essai/formulaire", 303)


@probe.get("/ecrire-en-lisant")
@security.anyone
def write_on_get() -> str:
    g.session.add(add("never"))
    g.session.flush()
    return "?"


@probe.get("/non-declaree")
def undeclared() -> str:
    return "?"


@probe.get("/agents")
@security.staff(Role.ORGANISER)
def staff_only() -> str:
    return "?"


@probe.get("/organisation")
@security.anyone_indexable
def which() -> str:
    return g.organisation.slug


@probe.get("/memoire")
@security.anyone
@cached_for_visitors
def remembered() -> str:
    return str(g.session.scalar(select(func.count()).select_from(Organisation)))


@pytest.fixture(scope="module")
def _probed():
    """The applications with the probe, one for each database."""

    @functools.cache
    def build(settings: Settings):
        app = create_app(settings)
        app.register_blueprint(probe)
        return app

    return build


@pytest.fixture
def make(organisation_id):
    """Build the application with the probe; its connections are closed at the end."""
    made = []

    def build(settings: Settings):
        app = create_app(settings)
        app.register_blueprint(probe)
        made.append(app)
        return app

    yield build
    for app in made:
        app.extensions["database"].dispose()


@pytest.fixture
def probed(settings, organisation_id, _probed):
    """The application with the probe, as new."""
    app = _probed(settings)
    app.extensions["organisations"].clear()
    yield app
    app.extensions["database"].dispose()


def post(client, path: str, **headers: str):
    token = client.get("/essai/formulaire").text
    return client.post(path, headers={"X-CSRF-Token": token, **headers})


def slugs(database) -> set[str]:
    with database.transaction(tenant=ALL_TENANTS, write=False) as session:
        return set(session.scalars(select(Organisation.slug))) - {"agence"}


def test_a_reply_below_400_commits_with_what_survives(probed, database):
    assert post(probed.test_client(), "/essai/ecrire/a").status_code == 303
    assert slugs(database) == {"a", "a-survivor"}


@pytest.mark.parametrize(("end", "status"), [("refus", 422), ("page-422", 422), ("panne", 500)])
def test_a_refusal_or_a_crash_rolls_everything_back(probed, database, end, status):
    assert post(probed.test_client(), f"/essai/ecrire/a?fin={end}").status_code == status
    assert slugs(database) == set()


def test_what_survives_is_kept_although_the_act_is_refused(probed, database):
    reply = post(probed.test_client(), "/essai/ecrire/a?fin=clos")
    assert reply.status_code == 403
    assert "L’étape est close." in reply.text
    assert slugs(database) == {"a-survivor"}


def test_a_get_cannot_write_on_either_database(probed, database):
    assert probed.test_client().get("/essai/ecrire-en-lisant").status_code >= 500
    assert slugs(database) == set()


def test_a_failing_commit_is_told_as_503_with_the_usual_headers(probed, database, monkeypatch):
    client = probed.test_client()
    token = client.get("/essai/formulaire").text

    def refuse(_session):
        from sqlalchemy.exc import OperationalError

        raise OperationalError("COMMIT", {}, Exception("disk is full"))

    monkeypatch.setattr("sqlalchemy.orm.Session.commit", refuse)
    reply = client.post("/essai/ecrire/a", headers={"X-CSRF-Token": token})
    assert reply.status_code == 503
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    monkeypatch.undo()
    assert "a" not in slugs(database)


def test_a_database_that_is_away_gives_503_in_french_and_recovers_alone(settings, make, monkeypatch):
    app = make(settings)
    client = app.test_client()
    assert client.get("/essai/organisation").status_code == 200
    app.extensions["database"].dispose()
    dialects = [engine.dialect for engine in app.extensions["database"].engines]

    def away(*_args, **_kwargs):
        raise dialects[0].dbapi.OperationalError("connection refused")

    with monkeypatch.context() as patched:
        for dialect in dialects:
            patched.setattr(dialect, "connect", away)
        _is_away(client)
    assert client.get("/essai/organisation").status_code == 200


def _is_away(client):
    reply = client.get("/essai/organisation")
    assert reply.status_code == 503
    assert "momentanément indisponible" in reply.text
    assert client.get("/api/v1/rien").get_json()["status"] == 503


def test_an_endpoint_that_declares_nobody_is_refused(probed):
    assert probed.test_client().get("/essai/non-declaree").status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "0" * 64},
        {"X-CSRF-Token": "é"},
        {"Origin": "https://ailleurs.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_an_act_that_another_site_could_make_is_refused(probed, database, headers):
    """AT-19.3."""
    assert post(probed.test_client(), "/essai/ecrire/a", **headers).status_code == 403
    assert slugs(database) == set()


@pytest.mark.parametrize(
    ("headers", "given_back"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "http://localhost"}, True),
        ({}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "https://ailleurs.example"}, False),
    ],
)
def test_a_form_of_ours_that_expired_gives_back_what_was_typed(probed, headers, given_back):
    words = "Un banc & un <abri> à chaque arrêt"
    page = probed.test_client().post("/essai/ecrire/a", data={"body": words, "csrf_token": "0"}, headers=headers)
    assert page.status_code == 403
    assert ("Un banc &amp; un &lt;abri&gt;" in page.text) is given_back
    assert ("Renvoyer le formulaire" in page.text) is given_back


def test_a_refused_form_with_a_password_is_never_shown_again(probed):
    typed = {"email": "zoe@exemple.fr", "password": "crayon wagon brume ocre"}
    page = probed.test_client().post("/essai/ecrire/a", data=typed, headers={"Sec-Fetch-Site": "same-origin"})
    assert page.status_code == 403
    assert "wagon" not in page.text


def test_the_organisation_comes_from_the_address_then_the_host_then_the_default(settings, database, make):
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.add(add("autre"))
    client = make(settings).test_client()
    assert client.get("/essai/organisation").text == "autre", "the first created serves /"
    assert client.get("/o/agence/essai/organisation").text == "agence"
    assert client.get("/o/inconnue/essai/organisation").status_code == 404
    hosts = make(Settings(**{**asdict(settings), "hosts": "consultation.example=agence"})).test_client()
    assert hosts.get("/essai/organisation", headers={"Host": "consultation.example"}).text == "agence"


def asdict(settings: Settings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}


@pytest.mark.parametrize("path", ["/essai/organisation", "/nulle-part", "/essai/non-declaree", "/api/v1/rien"])
def test_every_reply_carries_the_security_headers(probed, path):
    """AT-19.2."""
    headers = probed.test_client().get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy
    for part in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_https_brings_strict_transport_and_host_cookies(settings, make):
    client = make(Settings(**{**asdict(settings), "public_url": "https://consultation.example"})).test_client()
    reply = client.get("/essai/formulaire")
    assert "includeSubDomains" in reply.headers["Strict-Transport-Security"]
    cookie = reply.headers["Set-Cookie"]
    assert cookie.startswith("__Host-form=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))


def test_pages_are_hidden_from_search_engines_unless_they_say_otherwise(probed):
    """AT-8.1, AT-8.5."""
    client = probed.test_client()
    assert "noindex" in client.get("/essai/formulaire").headers["X-Robots-Tag"]
    assert "X-Robots-Tag" not in client.get("/essai/organisation").headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nulle-part", 404), ("DELETE", "/essai/formulaire", 405), ("TRACE", "/essai/formulaire", 405)],
)
def test_errors_are_french_pages_or_problem_documents(probed, method, path, status):
    """AT-1.1."""
    client = probed.test_client()
    reply = client.open(path, method=method)
    assert reply.status_code == status
    assert '<html lang="fr">' in reply.text
    assert re.search(r"<h1>(Page introuvable|Action impossible à cette adresse)</h1>", reply.text)
    document = client.get("/api/v1/nulle-part")
    assert document.mimetype == "application/problem+json"
    assert {"type", "title", "status", "detail", "instance"} <= set(document.get_json())


def test_a_request_that_is_too_large_is_refused_in_french(settings, make):
    client = make(Settings(**{**asdict(settings), "max_request_bytes": 1000})).test_client()
    token = client.get("/essai/formulaire").text
    reply = client.post("/essai/ecrire/a", data={"csrf_token": token, "body": "x" * 5000})
    assert reply.status_code == 413
    assert "trop volumineux" in reply.text


def test_anonymous_pages_are_kept_briefly_and_forgotten_on_purge(settings, database, make):
    app = make(Settings(**{**asdict(settings), "page_cache_seconds": 2.0}))
    assert app.test_client(use_cookies=False).get("/essai/memoire").text == "1"
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.add(add("nouvelle"))
    assert app.test_client(use_cookies=False).get("/essai/memoire").text == "1", "remembered"
    with_cookie = app.test_client(use_cookies=False).get("/essai/memoire", headers={"Cookie": "a=b"})
    assert with_cookie.text == "2", "any cookie goes past the memory"
    assert "public" not in with_cookie.headers["Cache-Control"], "a shared memory would keep somebody's message"
    with app.app_context():
        purge()
    assert app.test_client(use_cookies=False).get("/essai/memoire").text == "2"


@pytest.mark.parametrize("slashes", ["//", "///", "/\\"])
def test_the_way_back_from_a_refusal_never_leaves_the_site(slashes):
    headers = {"Referer": f"https://ici.example{slashes}pirate.example/x?y=1"}
    sent = Request(EnvironBuilder("/x", "https://ici.example", method="POST", headers=headers).get_environ())
    assert security.page_before(sent, "https://ici.example") == "/pirate.example/x?y=1"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_unsigned_visitor_of_a_staff_page_is_sent_to_sign_in_and_back(probed, method):
    reply = probed.test_client().open("/essai/agents", method=method)
    assert reply.status_code == 303
    assert reply.location == "/connexion?suite=/essai/agents"


def test_each_act_and_each_refused_access_is_in_the_security_journal(probed, caplog):
    client = probed.test_client()
    with caplog.at_level("INFO", logger=SECURITY_LOGGER):
        post(client, "/essai/ecrire/a")
        client.get("/essai/non-declaree")
        client.get("/essai/organisation")
    lines = [(record.getMessage(), record.fields) for record in caplog.records if record.name == SECURITY_LOGGER]
    assert [event for event, _ in lines] == ["probe.write", "probe.undeclared"], "reading leaves no line"
    assert lines[0][1]["address"] == "127.0.0.1"
    assert (lines[0][1]["status"], lines[1][1]["status"]) == (303, 403)
    assert "csrf" not in str(lines).lower()
