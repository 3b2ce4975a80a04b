"""The administration's API keys: who makes them, what they open, and how they stop."""

import dataclasses
import datetime as dt
import hmac
import json
import re

import pytest
from sqlalchemy import select

from consult.accounts.access import queries as access
from consult.accounts.models import Account, AccountStatus
from consult.actor import Role
from consult.app import PERSONAL_DATA, create_app
from consult.audit.models import AuditEntry
from consult.consultations.models import Consultation
from consult.db import ALL_TENANTS
from consult.opendata.keys import service
from consult.opendata.keys.models import ApiKey
from consult.privacy.service import erase_account
from consult.protocols import Bindings
from tests import factories as f

# Many pages and processes: `make check` leaves it to `make test`.
pytestmark = [pytest.mark.slow, pytest.mark.sqlite_first]

PAGE = "/gestion/cles-api"
FIGURES, TABLES = "/api/private/figures", "/api/private/tables"


@pytest.fixture
def town(app, database):
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        here, other = f.make_organisation(session, created_at=f.NOW.replace(year=2020)), f.make_organisation(session)
        admin = f.make_account(session, here, Role.ADMINISTRATOR)
        person = f.make_account(session, here, email="vraie@exemple.fr", pseudonym="Vraie Personne")
        stranger = f.make_account(session, other, Role.ADMINISTRATOR, email="ailleurs@exemple.fr")
        step = f.make_step(session, f.make_consultation(session, here, slug="ici"))
        f.make_proposal(session, step, person)
    return here, other, admin, stranger


@pytest.fixture
def create(client, town):
    """Create a key as the administrator; gives its text."""
    f.sign_in(client, town[2])

    def created(*scopes, days=90, name="Tableau de bord") -> str:
        token = f.csrf_token(client, PAGE)
        reply = client.post(PAGE, data={"csrf_token": token, "name": name, "scopes": list(scopes), "days": days})
        assert reply.status_code == 200, reply.text
        return re.search(r"<code>(consult_[\w-]+)</code>", reply.text)[1]

    return created


def bearing(key) -> dict:
    return {"Authorization": f"Bearer {key}"}


def only(database) -> ApiKey:
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        return session.scalars(select(ApiKey).order_by(ApiKey.created_at.desc()).limit(1)).one()


def test_a_key_is_shown_once_and_kept_as_a_digest(client, database, create):
    key = create("figures")
    page = client.get(PAGE).text
    assert "Tableau de bord" in page
    assert "Jamais employée" in page
    assert key not in page
    assert key.split("_", 2)[2] not in repr(vars(only(database)))


def test_a_program_reads_the_figures_with_its_key(app, create, database):
    reader = app.test_client()
    reply = reader.get(FIGURES, headers=bearing(create("figures")))
    assert reply.status_code == 200
    (consultation,) = reply.json["consultations"]
    assert consultation["slug"] == "ici"
    assert consultation["steps"][0]["counts"]["contributions"] == 1
    assert reply.json["accounts"] == {"confirmed": 2, "waiting": 0}
    assert reply.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in reply.headers
    assert "Set-Cookie" not in reply.headers
    used = only(database).last_used_at
    assert (used.minute, used.second) == (0, 0)
    assert dt.datetime.now(dt.UTC) - used < dt.timedelta(hours=1)


@pytest.mark.parametrize("change", ["role", "blocked", "erased"])
def test_a_key_opens_nothing_once_its_maker_administers_no_more(app, create, database, town, change):
    """AT-4.2: another administrator sees it suspended, and replaces it."""
    key, reader, admin = create("figures"), app.test_client(), town[2]
    assert reader.get(FIGURES, headers=bearing(key)).status_code == 200
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        other = f.make_account(session, town[0], Role.ADMINISTRATOR)
        account = session.get_one(Account, admin.id)
        if change == "role":
            held = access.held(session, admin.id, Role.ADMINISTRATOR, None)
            held.revoked_at, held.revocation_reason = f.NOW, "Départ."
        elif change == "blocked":
            account.status = AccountStatus.BLOCKED
        else:
            erase_account(session, Bindings(personal_data=PERSONAL_DATA), account, now=f.NOW)
    assert reader.get(FIGURES, headers=bearing(key)).status_code == 401
    agent = app.test_client()
    f.sign_in(agent, other)
    assert "Suspendue" in agent.get(PAGE).text
    path = f"{PAGE}/{only(database).id}/remplacer"
    page = agent.post(path, data={"csrf_token": f.csrf_token(agent, PAGE)}).text
    renewed = re.search(r"<code>(consult_[\w-]+)</code>", page)[1]
    assert reader.get(FIGURES, headers=bearing(renewed)).status_code == 200


def test_a_step_of_a_kind_that_is_not_installed_any_more_hides_no_figure(app, create, database, town):
    with database.transaction(tenant=ALL_TENANTS) as session:
        f.make_step(session, session.scalars(select(Consultation)).one(), kind="agenda")
    reply = app.test_client().get(FIGURES, headers=bearing(create("figures")))
    assert [step["kind"] for step in reply.json["consultations"][0]["steps"]] == ["proposals"]


def test_a_program_reads_the_raw_data_page_by_page_and_the_journal_says_so(app, create, database, town, monkeypatch):
    """AT-21.4: equal to the database, and of this organisation alone."""
    monkeypatch.setattr("consult.opendata.keys.api.LIMIT", 1)
    reader, key = app.test_client(), create("raw", name="Entrepôt")
    names = {each["name"] for each in reader.get(TABLES, headers=bearing(key)).json["data"]}
    statuses = {name: reader.get(f"{TABLES}/{name}", headers=bearing(key)).status_code for name in names - {"account"}}
    assert set(statuses.values()) == {200}, statuses
    assert {"account", "proposal", "vote", "reply", "answer"} <= names
    assert not names & {"api_key", "login_session", "step_secret", "raw_export", "outgoing_mail"}
    rows, after = [], ""
    while after is not None:
        body = reader.get(f"{TABLES}/account", query_string={"after": after}, headers=bearing(key)).json
        rows, after = rows + body["data"], body["next"]
    assert "vraie@exemple.fr" in {row["email"] for row in rows}
    assert "ailleurs@exemple.fr" not in json.dumps(rows)
    assert all("password_hash" not in row for row in rows)
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        told = session.scalars(select(AuditEntry).where(AuditEntry.action == "key.read")).all()
    accounts = [each.pseudonym for each in told if each.detail == {"table": "account"}]
    assert accounts == ["clé « Entrepôt »"]


def test_a_key_opens_its_scopes_alone(app, create):
    key = create("figures")
    reply = app.test_client().get(f"{TABLES}/account", headers=bearing(key))
    assert (reply.status_code, reply.mimetype) == (403, "application/problem+json")


def test_a_key_opens_its_organisation_alone(app, create, town):
    """AT-4.2: tenant isolation."""
    key, other = create("figures", "raw"), f"/o/{town[1].slug}"
    assert app.test_client().get(f"{other}{FIGURES}", headers=bearing(key)).status_code == 401
    assert app.test_client().get(f"{other}{TABLES}/account", headers=bearing(key)).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "", "Bearer", "Bearer ", "Bearer x", "Basic {key}", "Bearer {key}x", "{key}", "Bearer consult_é_é",
        "Bearer consult__", "Bearer {prefix}_" + "A" * 43, "Bearer " + "consult_" * 500,
    ],
)  # fmt: skip
def test_whatever_is_wrong_the_refusal_is_the_same(app, create, header):
    key = create("figures")
    text = header.format(key=key, prefix="_".join(key.split("_")[:2]))
    reply = app.test_client().get(FIGURES, headers={"Authorization": text})
    assert (reply.status_code, reply.mimetype) == (401, "application/problem+json")
    assert reply.json["detail"] == service.REFUSED
    assert reply.headers["WWW-Authenticate"] == 'Bearer realm="api/private"'


def test_a_session_opens_nothing_without_a_key(client, create):
    create("figures")
    assert client.get(FIGURES).status_code == 401


def test_a_revoked_key_stops_at_once(app, client, create, database):
    key = create("figures")
    token = f.csrf_token(client, PAGE)
    for _ in range(2):
        assert client.post(f"{PAGE}/{only(database).id}/revoquer", data={"csrf_token": token}).status_code == 303
    assert app.test_client().get(FIGURES, headers=bearing(key)).status_code == 401
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        told = session.scalars(select(AuditEntry.action).where(AuditEntry.action.startswith("key."))).all()
    assert told == ["key.create", "key.revoke"]


def test_a_replaced_key_stops_and_the_new_one_opens_the_same(app, client, create, database):
    old = create("figures", days=30)
    token = f.csrf_token(client, PAGE)
    reply = client.post(f"{PAGE}/{only(database).id}/remplacer", data={"csrf_token": token})
    new = re.search(r"<code>(consult_[\w-]+)</code>", reply.text)[1]
    reader = app.test_client()
    assert reader.get(FIGURES, headers=bearing(old)).status_code == 401
    assert reader.get(FIGURES, headers=bearing(new)).status_code == 200
    assert reader.get(TABLES, headers=bearing(new)).status_code == 403
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        lives = {each.expires_at - each.created_at for each in session.scalars(select(ApiKey))}
    assert lives == {dt.timedelta(days=30)}


def test_a_key_expires(app, create, database):
    key = create("figures")
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.get_one(ApiKey, only(database).id).expires_at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    assert app.test_client().get(FIGURES, headers=bearing(key)).status_code == 401


def test_digests_are_compared_whether_or_not_the_key_is_known(app, create, monkeypatch):
    """In constant time, and as much work for a key that does not exist."""
    key, compared = create("figures"), []

    def compare(left, right):
        compared.append((left, right))
        return hmac.compare_digest(left, right)

    monkeypatch.setattr(service, "hmac", type("Spy", (), {"compare_digest": staticmethod(compare)}))
    for text in (key, f"consult_{'0' * 32}_{'A' * 43}", "x"):
        app.test_client().get(FIGURES, headers=bearing(text))
    assert len(compared) == 3
    assert all(len(left) == len(right) == 64 for left, right in compared)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"name": "", "scopes": ["figures"], "days": 90}, "Dites à quoi servira la clé."),
        ({"name": "\0 ", "scopes": ["figures"], "days": 90}, "Donnez un nom"),
        ({"name": "n" * 81, "scopes": ["figures"], "days": 90}, "80 caractères au plus"),
        ({"name": "Une clé", "scopes": [], "days": 90}, "Cochez au moins un usage."),
        ({"name": "Une clé", "scopes": ["tout"], "days": 90}, "Erreur"),
        ({"name": "Une clé", "scopes": ["figures"], "days": 9999}, "Erreur"),
    ],
)
def test_a_bad_form_is_told_in_french_and_creates_nothing(client, database, town, data, words):
    f.sign_in(client, town[2])
    reply = client.post(PAGE, data={"csrf_token": f.csrf_token(client, PAGE), **data})
    assert reply.status_code == 422
    assert words in reply.text
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        assert session.scalars(select(ApiKey)).all() == []


def test_an_organisation_has_a_bounded_number_of_keys(client, database, create, town):
    for _ in range(service.MOST):
        create("figures")
    data = {"csrf_token": f.csrf_token(client, PAGE), "name": "De trop", "scopes": ["figures"], "days": 90}
    reply = client.post(PAGE, data=data)
    assert reply.status_code == 422
    assert "révoquez-en une" in reply.text


def test_a_key_in_force_is_listed_however_many_are_revoked(client, database, create, town):
    """Or nobody could revoke it, and it would not count among those that an organisation may have."""
    create("figures", name="Ancienne")
    with database.transaction(tenant=ALL_TENANTS) as session:
        now = dt.datetime.now(dt.UTC)
        session.add_all(
            ApiKey(
                organisation_id=town[0].id, name=f"Révoquée {number}", digest=f"{number:064}", scopes=["figures"],
                created_at=now, expires_at=now + dt.timedelta(days=365), revoked_at=now,
            )
            for number in range(service.LISTED)
        )  # fmt: skip
    page = client.get(PAGE).text
    assert "Révoquer la clé Ancienne" in page
    assert page.count("Révoquer la clé") == 1


def test_the_keys_of_another_organisation_are_nowhere(app, create, database, town):
    """AT-4.2."""
    create("figures")
    elsewhere, prefix = app.test_client(), f"/o/{town[1].slug}"
    f.sign_in(elsewhere, town[3])
    assert "Tableau de bord" not in elsewhere.get(f"{prefix}{PAGE}").text
    token = f.csrf_token(elsewhere, f"{prefix}{PAGE}")
    for act in ("revoquer", "remplacer"):
        assert (
            elsewhere.post(f"{prefix}{PAGE}/{only(database).id}/{act}", data={"csrf_token": token}).status_code == 404
        )
    assert only(database).revoked_at is None


def test_an_old_second_factor_is_asked_again(client, town):
    f.sign_in(client, town[2], now=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=16))
    assert client.get(PAGE).location.startswith("/gestion/second-facteur")


def test_a_table_is_not_gone_on_with_before_it_was_begun(app, create, database, monkeypatch):
    """What follows a page is signed for one key and one table: each reading has left its line in the journal."""
    monkeypatch.setattr("consult.opendata.keys.api.LIMIT", 1)
    reader, key = app.test_client(), create("raw")
    begun = reader.get(f"{TABLES}/account", headers=bearing(key)).json["next"]
    for table, bearer in (("proposal", key), ("account", create("raw"))):
        page = reader.get(f"{TABLES}/{table}", query_string={"after": begun}, headers=bearing(bearer))
        assert page.status_code == 422
    assert reader.get(f"{TABLES}/account", query_string={"after": begun}, headers=bearing(key)).json["data"]


@pytest.mark.parametrize("after", ["x", "%00", "1" * 5000, "' OR 1=1 --", "00000000-0000-4000-8000-000000000000"])
def test_a_bad_page_or_table_is_refused_as_a_problem(app, create, after):
    reader, key = app.test_client(), create("raw")
    reply = reader.get(f"{TABLES}/account", query_string={"after": after}, headers=bearing(key))
    assert (reply.status_code, reply.json["errors"][0]["field"]) == (422, "after")
    for name in ("login_session", "sqlite_master", "account;", "..%2f"):
        assert reader.get(f"{TABLES}/{name}", headers=bearing(key)).status_code == 404


def test_whoever_tries_keys_is_slowed_down(settings, town):
    app = create_app(dataclasses.replace(settings, rate_limits=True))
    with app.test_client() as client:
        statuses = [client.get(FIGURES, headers=bearing("x")).status_code for _ in range(121)]
    app.extensions["database"].dispose()
    assert statuses == [401] * 120 + [429]
