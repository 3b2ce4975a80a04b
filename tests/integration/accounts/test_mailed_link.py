"""Signing in by a mailed link: once, for a quarter of an hour, after a button, telling nobody's address (AT-18.6)."""

import datetime as dt

import pytest
import time_machine

from consult.accounts.models import LoginSession, SingleUseToken
from consult.actor import Role
from tests import factories as f
from tests.integration.accounts.visits import link, post

ASK, EMAIL = "/connexion/lien", "zephyr@exemple.fr"


@pytest.fixture
def person(organisation, make):
    return make(f.make_account, organisation, email=EMAIL, pseudonym="Zéphyr")


def ask(client, mails, email=EMAIL, **data):
    assert post(client, ASK, email=email, **data).status_code == 303
    sent = mails("accounts_sign_in")
    return link(sent[-1][1]) if sent else None


def test_a_link_signs_in_once_after_its_button(client, person, mails, rows):
    path = ask(client, mails)
    for _ in range(2):
        page = client.get(path)
        assert (page.status_code, "Zéphyr" in page.text) == (200, True)
    assert rows(LoginSession) == [], "a program that reads mails signs nobody in"
    reply = post(client, path)
    assert reply.status_code == 303
    assert "Zéphyr" in client.get("/mon-compte").text
    assert client.get(path).status_code == 410
    assert post(client, path, page="/contact").status_code == 410


def test_it_leads_where_the_person_was_going_and_never_elsewhere(client, person, mails):
    path = ask(client, mails, suite="/consultations?page=2")
    query = mails("accounts_sign_in")[-1][1].partition(path)[2].split()[0]
    page = client.get(path + query).text
    assert 'value="/consultations?page=2"' in page
    assert post(client, path, suite="https://ailleurs.example/").location == "/"


def test_it_is_over_after_a_quarter_of_an_hour_and_when_another_is_asked(client, person, mails):
    first = ask(client, mails)
    second = ask(client, mails)
    assert client.get(first).status_code == 410
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=16), tick=True):
        assert client.get(second).status_code == 410
        assert post(client, second, page="/connexion").status_code == 410


def test_the_reply_is_the_same_whether_the_address_is_known(app, organisation, person, make, mails):
    make(f.make_account, organisation, email="attente@exemple.fr", confirmed_at=None)
    make(f.make_account, organisation, email="bloque@exemple.fr", status="blocked")
    replies = set()
    for email in (EMAIL, "attente@exemple.fr", "bloque@exemple.fr", "inconnue@exemple.fr"):
        client = app.test_client()
        reply = post(client, ASK, email=email)
        page = client.get(reply.location).text
        replies.add((reply.status_code, reply.location, page.count("Un message part vers cette adresse")))
    assert replies == {(303, "/connexion", 1)}
    sent = {template: [to for to, _ in mails(template)] for template in
            ("accounts_sign_in", "accounts_confirm", "accounts_unknown")}  # fmt: skip
    assert sent == {
        "accounts_sign_in": [EMAIL],
        "accounts_confirm": ["attente@exemple.fr"],
        "accounts_unknown": ["bloque@exemple.fr", "inconnue@exemple.fr"],
    }


def test_a_mailbox_is_not_flooded(client, person, mails):
    for _ in range(5):
        ask(client, mails)
    assert len(mails("accounts_sign_in")) == 3


def test_a_new_password_ends_the_links_that_let_in(client, person, mails, rows):
    path = ask(client, mails)
    f.sign_in(client, person)
    changed = {"current": f.PASSWORD, "password": "un tout autre mot bien long"}
    assert post(client, "/mon-compte/mot-de-passe", **changed).status_code == 303
    assert rows(SingleUseToken) == []
    assert client.get(path).status_code == 410


def test_staff_still_give_their_second_factor(client, organisation, make, mails):
    make(f.make_account, organisation, Role.MODERATOR, email=EMAIL)
    post(client, ask(client, mails))
    assert client.get("/gestion").location.startswith("/gestion/second-facteur")


@pytest.mark.parametrize("typed", ["", "pas une adresse", "a@exemple.fr\r\nBcc: b@exemple.fr"])
def test_what_is_no_address_is_refused_and_kept(client, organisation, typed):
    reply = post(client, ASK, email=typed)
    assert reply.status_code == 422
    assert "adresse électronique" in reply.text


def test_a_link_of_another_kind_signs_nobody_in(client, person, mails):
    post(client, "/mot-de-passe-oublie", email=EMAIL)
    token = link(mails("accounts_reset")[-1][1]).rpartition("/")[2]
    assert client.get(f"{ASK}/{token}").status_code == 410
    assert post(client, f"{ASK}/{token}", page="/connexion").status_code == 410


def test_the_form_needs_its_token(client, person, mails):
    assert client.post(ASK, data={"email": EMAIL}).status_code == 403
    path = ask(client, mails)
    assert client.post(path, data={}).status_code == 403
