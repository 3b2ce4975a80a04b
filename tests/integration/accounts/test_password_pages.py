"""Losing, resetting and changing a password."""

import datetime as dt
import html
import threading

import pytest
import time_machine

from consult.accounts.models import Account, LoginSession
from consult.actor import Role
from tests import factories as f
from tests.integration.accounts.visits import link, post, race, sign_up

pytestmark = pytest.mark.slow  # many pages and processes: `make check` leaves it to `make test`

OTHER = "lanterne-cumin-voile-grès"

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # judged before any query


@pytest.fixture
def account(make, organisation):
    return make(f.make_account, organisation, email="zephyr@exemple.fr", pseudonym="Zéphyr")


def ask(client, email="zephyr@exemple.fr"):
    return post(client, "/mot-de-passe-oublie", email=email)


def test_a_lost_password_is_replaced_by_a_mailed_link(client, app, account, mails):
    f.sign_in(app.test_client(), account)
    thief = app.test_client()
    f.sign_in(thief, account)
    assert ask(client).status_code == 303
    ((recipient, text),) = mails("accounts_reset")
    assert recipient == "zephyr@exemple.fr"
    path = link(text)
    assert client.get(path).status_code == 200
    assert post(client, path, password="court").status_code == 422
    assert post(client, path, password=OTHER).location == "/connexion"
    assert client.get(path).status_code == 410
    assert thief.get("/mon-compte").status_code == 303, "every session is closed"
    assert post(client, "/connexion", email="zephyr@exemple.fr", password=f.PASSWORD).status_code == 422
    assert post(client, "/connexion", email="zephyr@exemple.fr", password=OTHER).status_code == 303
    assert len(mails("accounts_guard_changed")) == 1


def test_the_reply_is_the_same_for_an_unknown_address(client, app, account, mails):
    """AT-18.6."""
    known, unknown = ask(client), ask(app.test_client(), "inconnue@exemple.fr")
    assert (known.status_code, known.location, known.data) == (unknown.status_code, unknown.location, unknown.data)
    assert client.get("/connexion").status_code == 200
    ((recipient, text),) = mails("accounts_unknown")
    assert recipient == "inconnue@exemple.fr"
    assert "aucun compte" in text
    assert "mot-de-passe/" not in text


def test_an_unconfirmed_person_gets_a_new_confirmation_link(client, app, mails, organisation):
    sign_up(client)
    ask(app.test_client())
    texts = [text for _, text in mails("accounts_confirm")]
    assert len(texts) == 2
    assert client.get(link(texts[0])).status_code == 410
    assert client.get(link(texts[1])).status_code == 200
    assert mails("accounts_reset") == mails("accounts_unknown") == []


@pytest.mark.parametrize("email", ["zephyr@exemple.fr", "inconnue@exemple.fr"])
def test_mails_to_one_address_are_bounded_known_or_not(client, account, email, mails):
    """AT-19.6."""
    replies = [ask(client, email) for _ in range(5)]
    assert {reply.status_code for reply in replies} == {303}
    assert len({(reply.location, reply.data) for reply in replies}) == 1
    assert len(mails("accounts_reset")) + len(mails("accounts_unknown")) == 3


@one_database
@pytest.mark.parametrize("email", ["", "pas-une-adresse", "a@exemple.fr\r\nBcc: b@exemple.fr"])
def test_an_impossible_address_is_named(client, account, email):
    reply = ask(client, email)
    assert reply.status_code == 422
    assert "adresse électronique" in html.unescape(reply.text)


def test_a_reset_link_lives_an_hour_and_only_the_last_counts(client, account, mails):
    with time_machine.travel(f.NOW, tick=False) as clock:
        ask(client)
        ask(client)
        first, second = (link(text) for _, text in mails("accounts_reset"))
        assert client.get(first).status_code == 410
        clock.shift(dt.timedelta(minutes=59))
        assert client.get(second).status_code == 200
        clock.shift(dt.timedelta(minutes=2))
        assert client.get(second).status_code == 410
        assert post(client, second, page="/connexion", password=OTHER).status_code == 410


def test_a_reset_link_sent_twice_at_once_serves_once(app, client, account, mails):
    ask(client)
    path, token = link(mails("accounts_reset")[0][1]), f.csrf_token(client, "/connexion")
    assert race(app, client, path, token, (OTHER, f"{OTHER}-encore")) == [303, 410]


def test_a_reset_does_not_replace_the_second_factor(client, make, organisation, mails):
    make(f.make_account, organisation, Role.MODERATOR, email="zephyr@exemple.fr")
    ask(client)
    path = link(mails("accounts_reset")[0][1])
    assert "15 caractères" in client.get(path).text
    assert post(client, path, password="mirabelle-ok").status_code == 422, "12 characters: not for staff"
    assert post(client, path, password=OTHER).status_code == 303
    post(client, "/connexion", email="zephyr@exemple.fr", password=OTHER)
    assert client.get("/mon-compte").location.startswith("/gestion/second-facteur")


def test_changing_the_password_asks_for_the_current_one_and_closes_other_sessions(client, app, account, rows, mails):
    other = app.test_client()
    f.sign_in(client, account)
    f.sign_in(other, account)
    before = rows(Account)[0].password_hash
    wrong = post(client, "/mon-compte/mot-de-passe", current="faux-mot-de-passe", password=OTHER)
    assert wrong.status_code == 422
    assert "mot de passe actuel" in wrong.text
    weak = post(client, "/mon-compte/mot-de-passe", current=f.PASSWORD, password="zephyrzephyrzephyr")
    assert weak.status_code == 422
    assert rows(Account)[0].password_hash == before
    assert post(client, "/mon-compte/mot-de-passe", current=f.PASSWORD, password=OTHER).location == "/mon-compte"
    assert client.get("/mon-compte").status_code == 200
    assert other.get("/mon-compte").status_code == 303
    assert len(rows(LoginSession)) == 1
    assert [recipient for recipient, _ in mails("accounts_guard_changed")] == ["zephyr@exemple.fr"]


def test_a_link_of_one_organisation_is_nothing_in_another(client, account, make, mails):
    make(f.make_organisation, slug="ailleurs")
    ask(client)
    path = link(mails("accounts_reset")[0][1])
    assert client.get(f"/o/ailleurs{path}").status_code == 410
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("known", [True, False])
def test_a_mailbox_is_not_flooded_whatever_the_page_the_spelling_and_the_organisation(client, app, make, mails, known):
    """AT-19.6: three an hour, ten a day, from however many addresses and pages; the pages do not tell."""
    make(f.make_organisation, slug="autre", name="Autre agence")
    address = "zephyr@exemple.fr" if known else "inconnue@exemple.fr"
    make_known = [sign_up(client, email=address)] if known else []
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as clock:
        seen = set()
        for hour in range(6):
            for number, spelling in enumerate((address, address.upper(), address.replace("@", f"+{hour}@"), address)):
                browser = app.test_client()
                browser.environ_base["REMOTE_ADDR"] = f"192.0.2.{10 * hour + number}"
                path = "/o/autre/mot-de-passe-oublie" if number == 3 else "/mot-de-passe-oublie"
                reply = post(browser, path, email=spelling)
                newcomer = app.test_client()
                joined = sign_up(newcomer, email=spelling, pseudonym=f"Passant {'abcdef'[hour]} {'uvwx'[number]}")
                seen |= {(reply.status_code, joined.status_code)}
            clock.shift(dt.timedelta(minutes=61))
        assert seen == {(303, 303)}
        sent = [text for name in ("confirm", "reset", "unknown", "already_known") for text in mails(f"accounts_{name}")]
        assert len(sent) == 10, len(make_known)
        clock.shift(dt.timedelta(hours=24))
        post(app.test_client(), "/mot-de-passe-oublie", email=address)
        sent = [text for name in ("confirm", "reset", "unknown", "already_known") for text in mails(f"accounts_{name}")]
        assert len(sent) == 11


def test_a_withheld_mail_leaves_the_links_that_left_before(client, app, account, mails):
    for _ in range(6):
        ask(app.test_client())
    sent = mails("accounts_reset")
    assert len(sent) == 3
    assert client.get(link(sent[-1][1])).status_code == 200


def test_nodes_that_are_asked_at_once_send_three_mails(app, account, mails):
    """The count is in the database, taken under a lock."""
    barrier = threading.Barrier(8)
    browsers = [app.test_client() for _ in range(8)]
    tokens = [f.csrf_token(browser, "/mot-de-passe-oublie") for browser in browsers]

    def go(browser, token):
        barrier.wait()
        browser.post("/mot-de-passe-oublie", data={"csrf_token": token, "email": "zephyr@exemple.fr"})

    threads = [threading.Thread(target=go, args=pair) for pair in zip(browsers, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(mails("accounts_reset")) == 3
