"""Creating an account, with a proof of work or without JavaScript, and confirming its address."""

import dataclasses
import datetime as dt
import html
import statistics
import threading
import time

import pytest
import time_machine

from consult.accounts.models import Account, LoginSession, SingleUseToken, SpentProof
from consult.accounts.sign_up import policy
from consult.app import create_app
from tests import factories as f
from tests.integration.accounts.visits import hidden, link, post, sign_up, solve

pytestmark = pytest.mark.usefixtures("organisation")

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # judged before any query


def test_a_newcomer_signs_up_confirms_and_signs_in(client, mails, rows):
    """AT-18.1, AT-18.4."""
    reply = sign_up(client, email="Zephyr@Exemple.fr", suite="/consultations/a")
    assert reply.status_code == 303
    assert "Renvoyer le lien" in client.get(reply.location).text
    (account,) = rows(Account)
    assert (account.pseudonym, account.confirmed_at, account.terms_version) == ("Zéphyr", None, policy.TERMS_VERSION)
    ((recipient, text),) = mails("accounts_confirm")
    assert recipient == "Zephyr@exemple.fr"
    path = link(text)
    assert "Zéphyr" in client.get(path).text
    assert rows(Account)[0].confirmed_at is None, "opening the link, as mail scanners do, changes nothing"
    assert post(client, path).location == "/mon-compte"
    assert rows(Account)[0].confirmed_at is not None
    assert client.get(path).status_code == 410
    assert client.post(path, data={"csrf_token": f.csrf_token(client, "/mon-compte")}).status_code == 410
    newcomer = client.application.test_client()
    assert post(newcomer, "/connexion", email="zephyr@exemple.fr", password=f.PASSWORD).status_code == 303


def test_confirming_calls_what_the_layers_above_asked_for(client, app, mails, rows):
    called = []
    hook = lambda _session, account_id, _now: called.append(account_id)  # noqa: E731
    app.extensions["on_account_confirmed"] = (*app.extensions["on_account_confirmed"], hook)
    sign_up(client)
    post(client, link(mails("accounts_confirm")[0][1]))
    assert called == [rows(Account)[0].id]


def test_a_confirmation_link_dies_within_a_day(client, mails, rows):
    """AT-18.4."""
    with time_machine.travel(f.NOW, tick=False) as clock:
        sign_up(client)
        path = link(mails("accounts_confirm")[0][1])
        clock.shift(dt.timedelta(hours=23, minutes=59))
        assert client.get(path).status_code == 200
        clock.shift(dt.timedelta(minutes=2))
        assert client.get(path).status_code == 410
    assert rows(Account)[0].confirmed_at is None


def test_asking_for_another_link_kills_the_first_and_is_bounded(client, mails):
    sign_up(client)
    first = link(mails("accounts_confirm")[0][1])
    replies = [post(client, "/inscription/renvoyer", page="/mon-compte") for _ in range(5)]
    assert [reply.status_code for reply in replies] == [303] * 5
    assert len(mails("accounts_confirm")) == 3
    assert client.get(first).status_code == 410
    assert client.get(link(mails("accounts_confirm")[-1][1])).status_code == 200


@one_database
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("pseudonym", "", "Choisissez un pseudonyme"),
        ("pseudonym", "Ministère des trajets", "service officiel"),
        ("pseudonym", "Agence des trajets", "service officiel"),
        ("pseudonym", "x" * 41, "40"),
        ("email", "pas-une-adresse", "adresse électronique complète"),
        ("email", "a@exemple.fr\r\nBcc: tous@exemple.fr", "adresse électronique complète"),
        ("password", "court", "12 caractères"),
        ("password", "motdepasse2024!", "trop facile"),
        ("password", "x" * 1_000_000, "128"),
        ("terms", "", "Cochez la case"),
    ],
)
def test_a_field_that_cannot_be_accepted_is_named_and_the_rest_is_kept(client, rows, mails, field, value, words):
    reply = sign_up(client, **{field: value})
    page = html.unescape(reply.text)
    assert reply.status_code == 422
    assert words in page
    kept = {"pseudonym": "Zéphyr", "email": "zephyr@exemple.fr"}
    kept.pop(field, None)
    assert all(f'value="{text}"' in page for text in kept.values())
    assert f.PASSWORD not in page
    assert rows(Account) == []
    assert mails("accounts_confirm") == []


@one_database
@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "javascript:alert(1)",
        "{{7*7}}${7*7}",
        "' OR 1=1 --",
    ],
)
def test_hostile_pseudonyms_are_refused_and_shown_escaped(client, rows, name):
    """AT-19.7."""
    reply = sign_up(client, pseudonym=name)
    assert reply.status_code == 422 or rows(Account)[0].pseudonym == name
    assert "<script>alert" not in reply.text
    assert "<img src=x" not in reply.text
    assert "49" not in html.unescape(reply.text).split('name="pseudonym"')[-1][:80]


def test_two_names_that_look_alike_cannot_both_exist(client, app, rows):
    """AT-18.2."""
    assert sign_up(client).status_code == 303
    reply = sign_up(app.test_client(), pseudonym="ZEPHYR", email="autre@exemple.fr")
    assert reply.status_code == 422
    assert "déjà pris" in reply.text
    assert len(rows(Account)) == 1


def test_fields_that_the_form_does_not_have_are_ignored(client, rows):
    """AT-19.4."""
    sign_up(client, role="administrator", confirmed_at="2026-01-01", status="blocked", organisation_id="0" * 32)
    (account,) = rows(Account)
    assert account.confirmed_at is None
    assert account.status.value == "active"


def test_the_proof_of_work_serves_once_even_when_the_form_is_refused(client, app, rows):
    """AT-18.3."""
    proof = solve(client)
    assert sign_up(client, proof=proof, terms="").status_code == 422
    reply = sign_up(client, proof=proof)
    assert reply.status_code == 422
    assert "déjà été envoyé" in html.unescape(reply.text)
    assert sign_up(client).status_code == 303
    assert len(rows(Account)) == 1
    assert len(rows(SpentProof)) == 2


@one_database
@pytest.mark.parametrize("proof", ["0", "e30=", "bnVsbA==", "W10=", "{}", "x" * 5000, "é", "eyJzYWx0IjoxfQ=="])
def test_what_is_no_proof_is_refused(client, rows, proof):
    """AT-18.3."""
    assert sign_up(client, proof=proof).status_code == 422
    assert rows(Account) == []


@one_database
def test_a_proof_made_for_another_platform_is_refused(client, settings, rows):
    other = create_app(dataclasses.replace(settings, secret_key="un-autre-secret-d-une-autre-plateforme"))
    proof = solve(other.test_client())
    other.extensions["database"].dispose()
    assert sign_up(client, proof=proof).status_code == 422
    assert rows(Account) == []


def test_an_expired_proof_is_refused(client):
    """AT-18.3."""
    with time_machine.travel(f.NOW, tick=False) as clock:
        proof = solve(client)
        clock.shift(policy.PROOF_LIFE + dt.timedelta(seconds=1))
        assert sign_up(client, proof=proof).status_code == 422


def without_script(client, **data):
    """Fill the form as a person without JavaScript does, from the page as it stands."""
    page = client.get("/inscription").text
    return {
        "csrf_token": hidden(page, "csrf_token"), "stamp": hidden(page, "stamp"), "pseudonym": "Zéphyr",
        "email": "zephyr@exemple.fr", "password": f.PASSWORD, "terms": "y",
    } | data  # fmt: skip


def test_without_javascript_a_few_seconds_are_asked_instead(client, rows):
    """AT-18.3."""
    with time_machine.travel(f.NOW, tick=False) as clock:
        form = without_script(client)
        reply = client.post("/inscription", data=form)
        assert reply.status_code == 422, "sent at once"
        assert "cinq secondes" in reply.text
        form["stamp"] = hidden(reply.text, "stamp")
        clock.shift(dt.timedelta(seconds=6))
        assert client.post("/inscription", data=form).status_code == 303
        other = client.application.test_client()
        again = without_script(other, stamp=form["stamp"], pseudonym="Autre", email="autre@exemple.fr")
        assert other.post("/inscription", data=again).status_code == 422, "a form serves once"
    assert len(rows(Account)) == 1


@one_database
@pytest.mark.parametrize("stamp", ["", "0", "1-2.3", "1772444487-aaaa." + "0" * 64, "é"])
def test_a_forged_time_of_display_is_refused(client, rows, stamp):
    """AT-18.3."""
    assert client.post("/inscription", data=without_script(client, stamp=stamp)).status_code == 422
    assert rows(Account) == []


def test_a_form_left_open_too_long_is_shown_again_filled(client):
    with time_machine.travel(f.NOW, tick=False) as clock:
        form = without_script(client)
        clock.shift(policy.SLOWEST_READER + dt.timedelta(minutes=1))
        reply = client.post("/inscription", data=form)
        assert reply.status_code == 422
        assert "Zéphyr" in html.unescape(reply.text)
        clock.shift(dt.timedelta(seconds=10))
        assert client.post("/inscription", data=form | {"stamp": hidden(reply.text, "stamp")}).status_code == 303


def test_a_double_click_makes_one_account(client, app, rows, mails):
    proof, token = solve(client), f.csrf_token(client, "/inscription")
    data = {
        "csrf_token": token, "pseudonym": "Zéphyr", "email": "zephyr@exemple.fr", "password": f.PASSWORD,
        "terms": "y", "proof": proof,
    }  # fmt: skip
    cookies = {"Cookie": f"form={client.get_cookie('form').value}"}
    replies = []

    def click():
        replies.append(app.test_client(use_cookies=False).post("/inscription", data=data, headers=cookies).status_code)

    threads = [threading.Thread(target=click) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(replies) == [303, 422, 422]
    assert len(rows(Account)) == len(mails("accounts_confirm")) == len(rows(SingleUseToken)) == 1


def test_a_known_address_gets_the_same_reply_and_its_owner_a_word(client, app, make, organisation, mails, rows):
    """AT-18.6."""
    owner = make(f.make_account, organisation, email="zephyr@exemple.fr", pseudonym="Aquilon")
    known = sign_up(client, pseudonym="Sirocco")
    new = sign_up(app.test_client(), pseudonym="Mistral", email="mistral@exemple.fr")
    assert (known.status_code, known.location) == (new.status_code, new.location)
    assert known.data == new.data
    assert [name for name, _ in known.headers] == [name for name, _ in new.headers]
    pages = [visitor.get("/mon-compte").text for visitor in (client, app.test_client())]
    assert "pas encore confirmée" in pages[0]
    ((recipient, text),) = mails("accounts_already_known")
    assert recipient == "zephyr@exemple.fr"
    assert "/mot-de-passe-oublie" in text
    assert len(mails("accounts_confirm")) == 1
    assert rows(Account, Account.id == owner.id)[0].password_hash == owner.password_hash
    assert post(app.test_client(), "/connexion", email="zephyr@exemple.fr", password=f.PASSWORD).status_code == 303


def test_an_address_belongs_to_who_confirms_it_first(client, app, mails, rows):
    sign_up(client)
    sign_up(app.test_client(), pseudonym="Sirocco")
    first, second = (link(text) for _, text in mails("accounts_confirm"))
    sirocco = app.test_client()
    assert post(sirocco, second, password=f"{f.PASSWORD}-encore").status_code == 303
    reply = post(sirocco, first, page="/connexion")
    assert reply.status_code == 409
    assert "déjà confirmé cette adresse" in reply.text
    assert {row.pseudonym for row in rows(Account, Account.confirmed_at.is_not(None))} == {"Sirocco"}


@one_database
def test_signing_up_takes_as_long_for_a_known_address(client, app, make, organisation):
    """AT-18.6: |Δ median| below 10 ms, of processor time since the machine is shared."""
    make(f.make_account, organisation, email="connue@exemple.fr")
    times = {True: [], False: []}
    for turn in range(24):
        known = bool(turn % 2)
        visitor = app.test_client()
        proof, token = solve(visitor), f.csrf_token(visitor, "/inscription")
        data = {
            "csrf_token": token, "proof": proof, "pseudonym": f"Vent {f._letters(turn)}", "password": f.PASSWORD,
            "email": "connue@exemple.fr" if known else f"inconnue{turn}@exemple.fr", "terms": "y",
        }  # fmt: skip
        start = time.process_time()
        assert visitor.post("/inscription", data=data).status_code == 303
        times[known].append(time.process_time() - start)
    medians = {known: statistics.median(values) for known, values in times.items()}
    assert abs(medians[True] - medians[False]) < 0.010


def test_unconfirmed_accounts_have_a_session_but_cannot_sign_in_again(client, app, rows):
    sign_up(client)
    assert len(rows(LoginSession)) == 1
    reply = post(app.test_client(), "/connexion", email="zephyr@exemple.fr", password=f.PASSWORD)
    assert reply.status_code == 422
    assert "pas encore confirmée" in reply.text


@one_database
def test_signing_up_too_often_is_slowed_in_french(settings, make):
    """AT-19.6."""
    app = create_app(dataclasses.replace(settings, rate_limits=True))
    replies = [app.test_client().post("/inscription", data={}).status_code for _ in range(3)]
    assert replies == [403, 403, 403], "no token: refused before being counted"
    client = app.test_client()
    token = f.csrf_token(client, "/inscription")
    replies = [client.post("/inscription", data={"csrf_token": token}) for _ in range(12)]
    assert [reply.status_code for reply in replies][:10] == [422] * 10
    last = replies[-1]
    assert last.status_code == 429
    assert 0 < int(last.headers["Retry-After"]) <= 3601  # the limiter rounds up
    assert "Trop de demandes" in last.text
    app.extensions["database"].dispose()
