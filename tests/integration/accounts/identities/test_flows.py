"""FranceConnect and ProConnect, against a real provider (npm oidc-provider)."""

import dataclasses
import datetime as dt
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from consult.accounts.identities import service
from consult.accounts.models import Account, FederatedIdentity, LoginSession
from consult.actor import Role
from consult.settings import Settings, UnsafeSettingsError
from tests import factories as f
from tests.integration.accounts.identities.visits import (
    AGENT,
    CITIZEN,
    NEW,
    at_provider,
    identify,
    press,
    proven,
    signed_in,
)
from tests.integration.accounts.visits import link, post

# Citizens -------------------------------------------------------------------------------------------------------------


def test_a_citizen_signs_up_by_franceconnect_then_in_and_out(client, organisation, rows, mails):
    """No identity data is kept; the account waits for its address as any other."""
    assert "S’identifier avec <strong>FranceConnect</strong>" in client.get("/inscription").text
    away = client.get(CITIZEN, query_string={"suite": "/consultations"})
    asked = {name: value[0] for name, value in parse_qs(urlsplit(away.location).query).items()}
    assert asked["scope"] == "openid"
    assert asked["acr_values"] == "eidas1"
    assert min(len(asked["state"]), len(asked["nonce"])) >= 32
    assert "code_challenge" not in asked
    back = client.get(at_provider(away.location, "citizen-1"))
    assert rows(Account) == [], "coming back changes nothing"
    page = client.get(back.location)
    assert "n’ouvre encore aucun compte" in page.text
    assert page.headers["Cache-Control"] == "no-store" or "no-cache" in page.headers["Cache-Control"]
    refused = press(client, f"{CITIZEN}/compte", pseudonym="", email="pas-une-adresse", terms="y")
    assert refused.status_code == 422
    assert "pas-une-adresse" in refused.text
    made = press(client, f"{CITIZEN}/compte", **NEW)
    assert made.location == "/inscription/envoyee?suite=/consultations"
    (account,) = rows(Account)
    (identity,) = rows(FederatedIdentity)
    assert (account.password_hash, account.confirmed_at, identity.account_id) == (None, None, account.id)
    assert "citizen-1" not in repr(vars(identity)), "a keyed digest alone"
    assert len(mails("accounts_confirm")) == 1

    out = post(client, "/deconnexion", page="/mon-compte")
    assert out.location == f"{CITIZEN}/fin"
    assert "Me déconnecter de FranceConnect" in client.get(out.location).text
    leaving = client.get(f"{CITIZEN}/sortie").location
    assert "/session/end?id_token_hint=" in leaving
    assert requests.get(leaving, timeout=10).status_code == 200, "the provider takes it"
    assert client.get(f"{CITIZEN}/sortie").location == "/", "once"

    page = proven(client, "citizen-1", suite="/aide")
    assert "Nouvelle venue" in page.text
    assert not signed_in(client)
    assert press(client, f"{CITIZEN}/entrer").location == "/aide"
    assert signed_in(client)
    assert press(client, f"{CITIZEN}/entrer").status_code == 403, "what was proven has served"


def test_an_account_is_linked_while_signed_in_and_unlinked(app, client, account, rows, mails):
    f.sign_in(client, account)
    assert "FranceConnect" in client.get("/mon-compte/identites").text
    assert "ProConnect" not in client.get("/mon-compte/identites").text, "for staff"
    assert "Relier cette identité" in proven(client, "citizen-2").text
    assert press(client, f"{CITIZEN}/relier").location == "/mon-compte/identites"
    assert len(mails("accounts_guard_changed")) == 1
    visitor = app.test_client()
    proven(visitor, "citizen-2")
    press(visitor, f"{CITIZEN}/entrer")
    assert signed_in(visitor)
    (identity,) = rows(FederatedIdentity)
    gone = post(client, f"/mon-compte/identites/{identity.id}/retirer", page="/mon-compte/identites")
    assert gone.location == "/mon-compte/identites"
    assert rows(FederatedIdentity) == []
    assert "n’ouvre encore aucun compte" in proven(app.test_client(), "citizen-2").text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_identity_opens_one_account_and_an_account_keeps_a_way_in(app, client, account, make, organisation, rows):
    f.sign_in(client, account)
    proven(client, "citizen-3")
    press(client, f"{CITIZEN}/relier")
    proven(client, "citizen-4")
    assert press(client, f"{CITIZEN}/relier").status_code == 409, "another identity of that provider"
    other = app.test_client()
    f.sign_in(other, make(f.make_account, organisation))
    proven(other, "citizen-3")
    assert press(other, f"{CITIZEN}/relier").status_code == 409, "somebody else's"
    (mine,) = rows(FederatedIdentity)
    assert post(other, f"/mon-compte/identites/{mine.id}/retirer", page="/mon-compte/identites").status_code == 404
    visitor = app.test_client()
    proven(visitor, "citizen-5")
    press(visitor, f"{CITIZEN}/compte", **NEW)
    (only,) = rows(FederatedIdentity, FederatedIdentity.account_id != account.id)
    kept = post(visitor, f"/mon-compte/identites/{only.id}/retirer", page="/mon-compte/identites")
    assert kept.status_code == 409
    assert "seul moyen" in kept.text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_whoever_takes_the_address_back_takes_the_account_without_its_identity(app, client, organisation, mails, rows):
    """Somebody signed up by their own FranceConnect with the address of another, who then confirms it."""
    proven(client, "thief")
    press(client, f"{CITIZEN}/compte", **NEW)
    owner = app.test_client()
    ((_, mail),) = mails("accounts_confirm")
    post(owner, link(mail), password="crayon wagon brume ocre vélo")
    assert rows(FederatedIdentity) == []
    assert "n’ouvre encore aucun compte" in proven(client, "thief").text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_another_organisation_does_not_know_the_person(app, client, make, organisation, account):
    make(f.make_organisation, slug="ailleurs")
    f.sign_in(client, account)
    proven(client, "citizen-6")
    press(client, f"{CITIZEN}/relier")
    page = client.get(f"/o/ailleurs{CITIZEN}/suite")
    assert page.status_code == 403, "the proof is of one organisation"
    visitor = app.test_client()
    away = visitor.get(f"/o/ailleurs{CITIZEN}").location
    back = visitor.get(at_provider(away, "citizen-6"))
    assert "n’ouvre encore aucun compte" in visitor.get(back.location).text


# Staff ----------------------------------------------------------------------------------------------------------------


def test_staff_link_proconnect_by_a_mail_to_their_address(app, client, agent, mails, rows):
    f.sign_in(client, agent)
    page = proven(client, "agent-1", AGENT)
    assert "un lien sera envoyé à son adresse" in page.text
    assert press(client, f"{AGENT}/relier").location == "/mon-compte/identites"
    assert rows(FederatedIdentity) == []
    ((recipient, mail),) = mails("accounts_link_identity")
    assert recipient == "agent@exemple.fr"
    path = link(mail)
    assert app.test_client().get(path).location.startswith("/connexion?suite=")
    assert post(client, path).location == "/mon-compte/identites"
    (identity,) = rows(FederatedIdentity)
    assert identity.account_id == agent.id

    for acr, asked in (("eidas1", True), ("eidas2", False)):
        browser = app.test_client()
        proven(browser, "agent-1", AGENT, acr=acr)
        assert press(browser, f"{AGENT}/entrer").status_code == 303
        gate = browser.get("/gestion")
        assert (gate.location or "").startswith("/gestion/second-facteur") is asked, acr


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_mailed_link_serves_its_account_for_a_quarter_of_an_hour(app, client, agent, make, organisation, mails):
    f.sign_in(client, agent)
    proven(client, "agent-2", AGENT)
    press(client, f"{AGENT}/relier")
    path = link(mails("accounts_link_identity")[0][1])
    colleague = app.test_client()
    f.sign_in(colleague, make(f.make_account, organisation, Role.ORGANISER, password_for_staff=True))
    assert colleague.get(path).status_code == 410, "another account's"
    assert client.get(path[:-4] + "AAAA").status_code == 410
    key = service.keyring(app.extensions["settings"].secret_key)
    token = path.rpartition("/")[2]
    now = dt.datetime.now(dt.UTC)
    assert service.asked(agent.id, token, keys=key, now=now)[0] == "proconnect"
    with pytest.raises(service.GoneError):
        service.asked(agent.id, token, keys=key, now=now + dt.timedelta(minutes=16))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_proconnect_makes_no_account_and_opens_none_of_a_citizen(client, account, rows):
    proven(client, "agent-3", AGENT)
    assert post(client, f"{AGENT}/compte", page="/connexion", **NEW).status_code == 403
    f.sign_in(client, account)
    proven(client, "agent-3", AGENT)
    assert press(client, f"{AGENT}/relier").status_code == 403
    assert rows(FederatedIdentity) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_pkce_is_used_where_it_is_set(client, organisation):
    asked = parse_qs(urlsplit(client.get(AGENT).location).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["acr_values"] == ["eidas2 eidas3"]


# What goes wrong ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_whoever_renounces_is_told_so(client, organisation):
    page = identify(client, "citizen-7", deny="1")
    assert page.status_code == 403
    assert "Vous avez renoncé" in page.text
    assert "page de connexion" in page.text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_answer_serves_once_in_the_browser_that_asked(app, client, organisation, rows):
    away = client.get(CITIZEN).location
    back = at_provider(away, "citizen-8")
    stranger = app.test_client()
    assert stranger.get(back).status_code == 403, "a browser that asked for nothing"
    stranger.get(CITIZEN)
    assert "ne correspond pas" in stranger.get(back).text, "another state"
    with client.session_transaction() as cookie:
        begun = dict(cookie["identity_begun"])
    assert client.get(back).status_code == 303
    assert client.get(back).status_code == 403, "twice"
    with client.session_transaction() as cookie:
        cookie["identity_begun"] = begun
    assert client.get(back).status_code == 403, "a code serves once, whatever the cookie says"
    assert rows(LoginSession) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_time_runs_out(client, account):
    away = client.get(CITIZEN).location
    with client.session_transaction() as cookie:
        cookie["identity_begun"]["begun"]["at"] -= 1000
        cookie.modified = True
    assert "Trop de temps" in client.get(at_provider(away, "citizen-9")).text
    proven(client, "citizen-9")
    with client.session_transaction() as cookie:
        cookie["identity_proven"]["at"] -= 1000
        cookie.modified = True
    assert client.get(f"{CITIZEN}/suite").status_code == 403


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_proof_is_of_its_provider_and_buttons_need_their_token(client, organisation):
    proven(client, "citizen-10")
    assert client.get(f"{AGENT}/suite").status_code == 403
    for button in ("entrer", "compte", "relier"):
        assert client.post(f"{CITIZEN}/{button}", data=NEW).status_code in {401, 403}
    for path in ("/connexion/avec/google", "/connexion/avec/google/retour?code=a&state=b", "/connexion/avec/x/fin"):
        assert client.get(path).status_code == 404
    suite = proven(client, "citizen-11", suite="https://ailleurs.example/")
    assert "ailleurs.example" not in suite.text
    assert press(client, f"{CITIZEN}/compte", **NEW).location == "/inscription/envoyee?suite=https://ailleurs.example/"
    assert "ailleurs.example" not in client.get("/inscription/envoyee?suite=https://ailleurs.example/").text


# Settings -------------------------------------------------------------------------------------------------------------


GIVEN = {
    "CONSULT_FRANCECONNECT_ISSUER": "https://fournisseur.example/api/v2",
    "CONSULT_FRANCECONNECT_CLIENT_ID": "a",
    "CONSULT_FRANCECONNECT_CLIENT_SECRET": "b",
}


def test_a_provider_is_set_whole_or_not_at_all():
    assert Settings.from_env(GIVEN).franceconnect_scopes == "openid"
    for name in GIVEN:
        with pytest.raises(UnsafeSettingsError, match="CONSULT_FRANCECONNECT_ISSUER"):
            Settings.from_env(GIVEN | {name: ""})
    with pytest.raises(UnsafeSettingsError, match="SCOPES"):
        Settings.from_env(GIVEN | {"CONSULT_FRANCECONNECT_SCOPES": "profile"})


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nothing_is_offered_where_no_provider_is_set(app, organisation, settings):
    app.extensions["settings"] = dataclasses.replace(settings, franceconnect_issuer="", proconnect_issuer="")
    client = app.test_client()
    assert "FranceConnect" not in client.get("/connexion").text + client.get("/inscription").text
    assert client.get(CITIZEN).status_code == 404
