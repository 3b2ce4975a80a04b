"""Staff enrol a second factor, then give it at each sign-in."""

import dataclasses
import datetime as dt
import re
import threading

import pyotp
import pytest
import time_machine

from consult.accounts.models import Account, LoginSession
from consult.accounts.second_factor import service
from consult.actor import Role
from consult.app import create_app
from consult.audit.models import AuditEntry
from consult.db import ALL_TENANTS
from consult.errors import UnavailableError
from consult.sealing import Keyring, second_factors
from tests import factories as f
from tests.integration.accounts.visits import hidden, post

PAGE = "/gestion/second-facteur"

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # judged before any query


@pytest.fixture
def enrolled(make, organisation):
    return make(f.make_account, organisation, Role.MODERATOR, email="agent@exemple.fr")


def code_of(account, when=None) -> str:
    return pyotp.TOTP(account.totp_secret).at(when or dt.datetime.now(dt.UTC))


def test_staff_without_second_factor_reach_only_its_enrolment(client, make, organisation, rows, mails):
    """AT-D.5, AT-18.7."""
    account = make(f.make_account, organisation, Role.MODERATOR, totp_enrolled_at=None, totp_secret=None)
    f.sign_in(client, account)
    for path in ("/gestion", "/gestion/moderation", "/mon-compte", "/mon-compte/sessions"):
        assert client.get(path).location.startswith(PAGE), path
    page = client.get(f"{PAGE}?suite=/gestion/moderation").text
    secret = re.search(r"Clé\s: <code>([A-Z2-7 ]+)</code>", page)[1].replace(" ", "")
    signed = hidden(page, "secret")
    form = {"page": PAGE, "secret": signed, "suite": "/gestion/moderation"}
    wrong = post(client, f"{PAGE}/enregistrer", code="000000", **form)
    assert wrong.status_code == 422
    assert secret in wrong.text.replace(" ", ""), "the same secret: the application has read it already"
    before = client.get_cookie("consult_session").value
    reply = post(client, f"{PAGE}/enregistrer", code=pyotp.TOTP(secret).now(), **form)
    assert reply.status_code == 200
    codes = re.findall(r"<code>([a-z2-7-]{19})</code>", reply.text)
    assert len(codes) == 10
    assert 'href="/gestion/moderation"' in reply.text
    assert client.get_cookie("consult_session").value != before, "a new session"
    assert client.get("/gestion/moderation").status_code == 200
    (kept,) = rows(Account)
    assert kept.totp_secret == secret
    assert not set(codes) & set(kept.recovery_codes), "only digests"
    assert len(mails("accounts_guard_changed")) == 1
    assert len(rows(LoginSession)) == 1


def test_the_secret_cannot_be_chosen_nor_carried_to_another_session(client, app, make, organisation):
    account = make(f.make_account, organisation, Role.MODERATOR, totp_enrolled_at=None)
    other = app.test_client()
    f.sign_in(client, account)
    f.sign_in(other, account)
    theirs = hidden(other.get(PAGE).text, "secret")
    mine = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    for secret in (mine, f"{mine}.{'0' * 64}", theirs, ""):
        code = pyotp.TOTP(mine).now()
        assert post(client, f"{PAGE}/enregistrer", page=PAGE, secret=secret, code=code).status_code == 400


def test_a_code_opens_the_staff_side_once(client, app, enrolled):
    """AT-D.4."""
    post(client, "/connexion", email="agent@exemple.fr", password=f.PASSWORD)
    assert client.get("/gestion/moderation").location.startswith(PAGE)
    now = dt.datetime.now(dt.UTC)
    with time_machine.travel(now, tick=False) as clock:
        code = code_of(enrolled, now)
        assert (
            post(client, PAGE, code=f"{code[:3]} {code[3:]}", suite="/gestion/moderation").location
            == "/gestion/moderation"
        )
        assert client.get("/gestion/moderation").status_code == 200
        thief = app.test_client()
        f.sign_in(thief, enrolled, second_factor=False)
        replayed = post(thief, PAGE, code=code)
        assert replayed.status_code == 422
        assert "déjà servi" in replayed.text
        clock.shift(dt.timedelta(seconds=30))
        assert post(thief, PAGE, code=code_of(enrolled, now + dt.timedelta(seconds=30))).status_code == 303


def test_one_code_given_twice_at_once_serves_once(app, enrolled):
    """AT-D.4."""
    now = dt.datetime.now(dt.UTC)
    code, statuses = code_of(enrolled, now), []
    clients = [app.test_client() for _ in range(3)]
    tokens = []
    for client in clients:
        f.sign_in(client, enrolled, second_factor=False)
        tokens.append(f.csrf_token(client, PAGE))

    def give(client, token):
        statuses.append(client.post(PAGE, data={"csrf_token": token, "code": code}).status_code)

    threads = [threading.Thread(target=give, args=pair) for pair in zip(clients, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [303, 422, 422]


def test_wrong_codes_are_slowed_and_never_lock(client, enrolled):
    """AT-19.6: six digits cannot be guessed."""
    with time_machine.travel(f.NOW + dt.timedelta(days=1), tick=False) as clock:
        f.sign_in(client, enrolled, second_factor=False)
        statuses = [post(client, PAGE, code="000000").status_code for _ in range(6)]
        assert statuses == [422] * 5 + [429]
        clock.shift(dt.timedelta(minutes=16))
        assert post(client, PAGE, code=code_of(enrolled)).status_code == 303


@one_database
@pytest.mark.parametrize("code", ["", "\0", "x" * 10_000, "<script>alert(1)</script>", "1' OR '1'='1", "１２３４５６"])
def test_hostile_codes_are_only_wrong(client, enrolled, code):
    f.sign_in(client, enrolled, second_factor=False)
    reply = post(client, PAGE, code=code)
    assert reply.status_code == 422
    assert "<script>alert" not in reply.text


def test_a_recovery_code_serves_once(client, app, make, organisation, rows):
    account = make(f.make_account, organisation, Role.MODERATOR, totp_enrolled_at=None)
    f.sign_in(client, account)
    page = client.get(PAGE).text
    secret = re.search(r"Clé\s: <code>([A-Z2-7 ]+)</code>", page)[1].replace(" ", "")
    reply = post(client, f"{PAGE}/enregistrer", page=PAGE, secret=hidden(page, "secret"), code=pyotp.TOTP(secret).now())
    spare = re.findall(r"<code>([a-z2-7-]{19})</code>", reply.text)[3]
    for expected in (303, 422):
        later = app.test_client()
        f.sign_in(later, rows(Account)[0], second_factor=False)
        assert post(later, PAGE, code=spare.upper()).status_code == expected
    assert len(rows(Account)[0].recovery_codes) == 9


def test_a_short_password_is_lengthened_first(client, make, organisation, rows):
    """AT-18.7: someone who took part before being given a role."""
    account = make(
        f.make_account, organisation, Role.READER, password="mirabelle-ok", totp_enrolled_at=None, email="a@exemple.fr"
    )
    assert not account.password_for_staff
    f.sign_in(client, account)
    assert client.get(PAGE).location == "/mon-compte/mot-de-passe"
    changed = post(client, "/mon-compte/mot-de-passe", current="mirabelle-ok", password="mirabelle-quetsche-coing")
    assert changed.status_code == 303
    assert rows(Account)[0].password_for_staff
    assert "Enregistrer un second facteur" in client.get(PAGE).text


def test_the_password_alone_cannot_change_the_password_of_enrolled_staff(client, enrolled, rows):
    f.sign_in(client, enrolled, second_factor=False)
    assert client.get("/mon-compte/mot-de-passe").location == PAGE
    reply = post(client, "/mon-compte/mot-de-passe", page=PAGE, current=f.PASSWORD, password="mirabelle-quetsche-coing")
    assert reply.location == PAGE
    assert rows(Account)[0].password_hash == enrolled.password_hash


def test_participants_have_no_second_factor_to_enrol(client, make, organisation):
    f.sign_in(client, make(f.make_account, organisation))
    assert client.get(PAGE).status_code == 404


def test_roles_ask_for_a_fresh_second_factor(client, make, organisation):
    account = make(f.make_account, organisation, Role.ADMINISTRATOR)
    with time_machine.travel(f.NOW + dt.timedelta(days=1), tick=False) as clock:
        f.sign_in(client, account)
        assert client.get("/gestion/acces").status_code == 200
        clock.shift(dt.timedelta(minutes=16))
        assert client.get("/gestion/organisation").status_code == 200
        assert client.get("/gestion/acces").location == f"{PAGE}?suite=/gestion/acces"
        assert post(client, PAGE, code=code_of(account), suite="/gestion/acces").location == "/gestion/acces"
        assert client.get("/gestion/acces").status_code == 200


def test_platform_staff_give_it_from_any_organisation(client, make, organisation):
    elsewhere = make(f.make_organisation)
    account = make(f.make_account, elsewhere, Role.DITP)
    f.sign_in(client, account, second_factor=False)
    assert client.get("/gestion").location.startswith(PAGE)
    assert post(client, PAGE, code=code_of(account)).status_code == 303
    assert client.get("/gestion").status_code == 200


def test_an_administrator_resets_a_lost_second_factor(client, app, make, organisation, enrolled, rows):
    administrator = make(f.make_account, organisation, Role.ADMINISTRATOR)
    ditp = make(f.make_account, organisation, Role.DITP, Role.READER)
    stranger = make(f.make_account, make(f.make_organisation), Role.READER)
    participant = make(f.make_account, organisation)
    agent = app.test_client()
    f.sign_in(agent, enrolled)
    f.sign_in(client, administrator)

    def reset(account, reason="téléphone perdu"):
        page = "/gestion/acces"
        return post(client, f"{page}/comptes/{account.id}/second-facteur", page=page, reason=reason).status_code

    assert reset(enrolled, reason="") == 422
    assert [reset(account) for account in (ditp, stranger, participant, administrator)] == [404, 404, 404, 403]
    assert reset(enrolled) == 303
    assert agent.get("/mon-compte").status_code == 303, "sessions are closed"
    kept = rows(Account, Account.id == enrolled.id)[0]
    assert (kept.totp_secret, kept.totp_enrolled_at, kept.recovery_codes) == (None, None, [])
    (entry,) = rows(AuditEntry, AuditEntry.action == "second_factor.reset")
    assert (entry.target_id, entry.reason) == (str(enrolled.id), "téléphone perdu")


@pytest.mark.slow
def test_a_sealed_second_factor_is_enrolled_given_and_sealed_again(settings, make, organisation, rows, database):
    """The secret is never in the database in clear; a new key takes over, then the old one is dropped."""
    old, new = "o" * 32, "n" * 32
    account = make(f.make_account, organisation, Role.MODERATOR, totp_enrolled_at=None, totp_secret=None)
    sealed = create_app(dataclasses.replace(settings, seal_keys=old))
    client = sealed.test_client()
    f.sign_in(client, account)
    signed = hidden(client.get(PAGE).text, "secret")
    secret = signed.partition(".")[0]
    now = dt.datetime.now(dt.UTC)
    with time_machine.travel(now, tick=False) as clock:
        enrolled = post(client, f"{PAGE}/enregistrer", page=PAGE, secret=signed, code=pyotp.TOTP(secret).at(now))
        assert enrolled.status_code == 200
        kept = rows(Account)[0].totp_secret
        assert secret not in kept
        assert second_factors(old).unseal(kept, account.id) == secret
        with database.transaction(tenant=ALL_TENANTS) as session:
            assert service.seal_again(session, second_factors(f"{new},{old}")) == 1
        with database.transaction(tenant=ALL_TENANTS) as session:
            assert service.seal_again(session, second_factors(f"{new},{old}")) == 0
        assert second_factors(new).unseal(rows(Account)[0].totp_secret, account.id) == secret
        clock.shift(30)
        code = pyotp.TOTP(secret).at(now + dt.timedelta(seconds=30))
        assert post(client, PAGE, code=code).status_code == 503, "the old key alone opens nothing any more"
        renewed = create_app(dataclasses.replace(settings, seal_keys=new))
        browser = renewed.test_client()
        f.sign_in(browser, rows(Account)[0], second_factor=False)
        assert post(browser, PAGE, code=code).status_code == 303
    for app in (sealed, renewed):
        app.extensions["database"].dispose()


def test_nothing_is_sealed_again_when_one_secret_does_not_open(make, organisation, database, rows):
    lost = Keyring(["l" * 32], "second factor").seal("JBSWY3DPEHPK3PXP", "row")
    make(f.make_account, organisation, Role.MODERATOR)
    make(f.make_account, organisation, Role.MODERATOR, totp_secret=lost)
    before = sorted(account.totp_secret for account in rows(Account))
    with pytest.raises(UnavailableError), database.transaction(tenant=ALL_TENANTS) as session:
        service.seal_again(session, second_factors("n" * 32))
    assert sorted(account.totp_secret for account in rows(Account)) == before
