"""Signing in and out: no enumeration, throttling, sessions on the server."""

import dataclasses
import datetime as dt
import html
import re
import statistics
import time

import argon2
import pytest
import time_machine

from consult.accounts import policy
from consult.accounts.models import Account, AccountStatus, AttemptCount, LoginSession
from consult.accounts.passwords import service as passwords
from consult.app import create_app
from consult.db import ALL_TENANTS
from tests import factories as f
from tests.integration.accounts.visits import post

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # judged before any query


@pytest.fixture
def account(make, organisation):
    return make(f.make_account, organisation, email="zephyr@exemple.fr", pseudonym="Zéphyr")


def enter(client, **data):
    return post(client, "/connexion", **({"email": "zephyr@exemple.fr", "password": f.PASSWORD} | data))


def test_signing_in_gives_a_new_session_and_keeps_the_way_back(client, account, rows):
    """AT-19.5."""
    reply = enter(client, email=" ZEPHYR+mot@Exemple.fr ", suite="/consultations/a?page=2")
    assert (reply.status_code, reply.location) == (303, "/consultations/a?page=2")
    cookie = reply.headers["Set-Cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    first = client.get_cookie("consult_session").value
    assert "Zéphyr" in client.get("/mon-compte").text
    assert client.get("/connexion").location == "/mon-compte"
    assert enter(client, page="/mon-compte").status_code == 303
    assert client.get_cookie("consult_session").value != first
    assert [row.account_id for row in rows(LoginSession)] == [account.id], "the former session of this browser is over"
    assert first not in str([row.token_digest for row in rows(LoginSession)])


@one_database
@pytest.mark.parametrize("wanted", ["https://ailleurs.example", "//ailleurs.example", "/\\ailleurs.example", ""])
def test_the_way_back_never_leaves_the_site(client, account, wanted):
    assert enter(client, suite=wanted).location == "/"


def test_the_way_back_keeps_the_organisation_of_the_address(client, make, database):
    with database.transaction(tenant=ALL_TENANTS) as session:
        f.make_organisation(session, created_at=f.NOW - dt.timedelta(days=1))
        elsewhere = f.make_organisation(session, slug="ailleurs")
        f.make_account(session, elsewhere, email="zephyr@exemple.fr")
    reply = client.get("/o/ailleurs/mon-compte")
    assert reply.location == "/o/ailleurs/connexion?suite=/mon-compte"
    token = f.csrf_token(client, "/o/ailleurs/connexion")
    data = {"csrf_token": token, "email": "zephyr@exemple.fr", "password": f.PASSWORD, "suite": "/mon-compte"}
    assert client.post("/o/ailleurs/connexion", data=data).location == "/o/ailleurs/mon-compte"
    assert client.get("/o/ailleurs/mon-compte").status_code == 200
    assert client.get("/mon-compte").status_code == 303, "signed in there, not here"


def test_the_same_reply_whether_the_address_or_the_password_is_wrong(client, app, account, make, organisation):
    """AT-18.6."""
    make(f.make_account, organisation, email="bloque@exemple.fr", status=AccountStatus.BLOCKED)
    make(f.make_account, organisation, email="attente@exemple.fr", confirmed_at=None)
    replies = [
        enter(app.test_client(), **data)
        for data in (
            {"password": "un-autre-mot-de-passe"},
            {"email": "inconnue@exemple.fr"},
            {"email": "bloque@exemple.fr"},
            {"email": "attente@exemple.fr"},
            {"email": "pas-une-adresse"},
            {"email": "a@exemple.fr\r\nBcc: b@exemple.fr"},
            {"email": "zephyr@exemple.fr\0x"},
            {"email": "x" * 5000},
        )
    ]
    assert {reply.status_code for reply in replies} == {422}
    pages = {without_what_was_typed(reply.text) for reply in replies}
    assert len(pages) == 1
    assert len({tuple(name for name, _ in reply.headers) for reply in replies}) == 1
    assert f.PASSWORD not in replies[1].text


def without_what_was_typed(text: str) -> str:
    text = re.sub(r'name="csrf_token" value="[^"]*"', "", text)
    return re.sub(r'<input[^>]*name="email"[^>]*>', "", text)


@one_database
@pytest.mark.slow
def test_an_unknown_address_takes_as_long_as_a_wrong_password(true_hashes, client, account):
    """AT-18.6, in processor time since the machine is shared; hashing, the bulk of it, is done either way."""
    token = f.csrf_token(client, "/connexion")
    times = {"zephyr@exemple.fr": [], "inconnue@exemple.fr": []}
    for turn in range(16):
        email = sorted(times)[turn % 2]
        visitor = {"REMOTE_ADDR": f"192.0.2.{turn}"}
        start = time.process_time()
        data = {"csrf_token": token, "email": email, "password": "faux-mot-de-passe"}
        assert client.post("/connexion", data=data, environ_base=visitor).status_code == 422
        times[email].append(time.process_time() - start)
    medians = [statistics.median(values) for values in times.values()]
    assert abs(medians[0] - medians[1]) < 0.15 * max(medians)
    assert min(medians) > 0.02, "a hash was computed"


@pytest.mark.parametrize("email", ["zephyr@exemple.fr", "inconnue@exemple.fr"])
def test_failures_slow_the_next_attempt_and_never_lock(client, account, rows, email):
    """AT-19.6: known or not, each refusal is counted although its request is rolled back."""
    with time_machine.travel(f.NOW, tick=False) as clock:
        replies = [enter(client, email=email, password="faux-mot-de-passe") for _ in range(6)]
        assert [reply.status_code for reply in replies] == [422, 422, 422, 422, 422, 429]
        assert replies[-1].headers["Retry-After"] == "1"
        assert "Trop d’essais" in html.unescape(replies[-1].text)
        assert enter(client, email=email).status_code == 429, "even the right password waits"
        clock.shift(dt.timedelta(seconds=2))
        assert enter(client, email=email, password="faux-mot-de-passe").status_code == 422
        assert enter(client, email=email).headers["Retry-After"] == "2"
        clock.shift(dt.timedelta(minutes=15))
        assert enter(client, email=email).status_code == (303 if email.startswith("zephyr") else 422)
    assert all("exemple" not in row.key for row in rows(AttemptCount))


def test_a_success_forgets_the_failures_of_that_browser(client, app, account):
    for _ in range(4):
        enter(client, password="faux-mot-de-passe")
    assert enter(client).status_code == 303
    other = app.test_client()
    assert [enter(other, password="faux-mot-de-passe").status_code for _ in range(4)] == [422] * 4


def test_guessing_from_many_addresses_is_slowed_too_for_a_short_while(client, account, organisation):
    """AT-19.6."""
    with time_machine.travel(f.NOW, tick=False) as clock:
        token = f.csrf_token(client, "/connexion")
        data = {"csrf_token": token, "email": "zephyr@exemple.fr", "password": "faux-mot-de-passe"}
        seen = [
            client.post("/connexion", data=data, environ_base={"REMOTE_ADDR": f"192.0.2.{n}"}).status_code
            for n in range(26)
        ]
        assert seen == [422] * 25 + [429]
        clock.shift(policy.LOGIN_OF_ACCOUNT.longest + dt.timedelta(seconds=1))
        assert enter(client).status_code == 303, "the holder is never kept out for long"


@one_database
def test_too_many_requests_are_refused_in_french_with_the_time_to_wait(settings, organisation):
    """AT-19.6."""
    app = create_app(dataclasses.replace(settings, rate_limits=True))
    client = app.test_client()
    token = f.csrf_token(client, "/connexion")
    replies = [client.post("/connexion", data={"csrf_token": token}) for _ in range(61)]
    assert {reply.status_code for reply in replies[:60]} == {422}
    assert replies[-1].status_code == 429
    assert 0 < int(replies[-1].headers["Retry-After"]) <= 61, "rounded up to a whole second"
    assert "Trop de demandes" in replies[-1].text
    app.extensions["database"].dispose()


@pytest.mark.slow
@one_database
def test_the_limit_is_shared_by_nodes_through_redis(settings, organisation, redis_url):
    """AT-19.6."""
    apps = [create_app(dataclasses.replace(settings, rate_limits=True, redis_url=redis_url)) for _ in range(2)]
    statuses = []
    for turn in range(61):
        client = apps[turn % 2].test_client()
        address = {"REMOTE_ADDR": "198.51.100.77"}
        html_page = client.get("/connexion", environ_base=address).text
        token = html_page.split('name="csrf_token" value="')[1].split('"')[0]
        statuses.append(client.post("/connexion", data={"csrf_token": token}, environ_base=address).status_code)
    assert statuses == [422] * 60 + [429]
    for app in apps:
        app.extensions["database"].dispose()


def test_a_hash_made_with_weaker_parameters_is_renewed_at_sign_in(client, make, organisation, rows):
    """AT-D.3."""
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(f.PASSWORD)
    make(f.make_account, organisation, email="zephyr@exemple.fr", password_hash=weak)
    assert enter(client).status_code == 303
    (account,) = rows(Account)
    assert argon2.extract_parameters(account.password_hash).memory_cost == passwords.HASHER.memory_cost
    assert enter(client.application.test_client()).status_code == 303


def test_a_huge_password_is_refused_without_being_hashed(client, account, monkeypatch):
    monkeypatch.setattr(argon2.PasswordHasher, "verify", lambda *_: pytest.fail("hashed"))
    assert enter(client, password="x" * 1_000_000).status_code == 422


@one_database
@pytest.mark.parametrize("field", ["email", "password"])
def test_an_empty_field_is_named_and_counts_for_nothing(client, account, rows, field):
    reply = enter(client, **{field: ""})
    assert reply.status_code == 422
    assert "Saisissez votre" in reply.text
    assert rows(AttemptCount) == []


def test_signing_out_ends_the_session_on_the_server(client, account, rows):
    """AT-19.5."""
    enter(client)
    stolen = client.get_cookie("consult_session").value
    reply = post(client, "/deconnexion", page="/mon-compte")
    assert reply.status_code == 303
    assert client.get_cookie("consult_session") is None
    assert rows(LoginSession) == []
    client.set_cookie("consult_session", stolen)
    assert client.get("/mon-compte").location.startswith("/connexion")


def test_https_gives_a_host_cookie(settings, account):
    """AT-19.2."""
    app = create_app(dataclasses.replace(settings, public_url="https://consultation.example"))
    with app.test_client() as client:
        page = client.get("/connexion", base_url="https://localhost").text
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        data = {"csrf_token": token, "email": "zephyr@exemple.fr", "password": f.PASSWORD}
        reply = client.post("/connexion", data=data, base_url="https://localhost")
    cookie = next(value for value in reply.headers.getlist("Set-Cookie") if value.startswith("__Host-consult="))
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    app.extensions["database"].dispose()


def test_pages_of_a_signed_in_person_are_not_stored(client, account):
    """AT-19.2."""
    f.sign_in(client, account)
    assert client.get("/mon-compte").headers["Cache-Control"] == "no-store"
