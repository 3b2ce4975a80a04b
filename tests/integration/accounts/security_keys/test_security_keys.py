"""Staff enrol security keys, give one as a second factor, and remove it (AT-D.5, AT-18.7)."""

import dataclasses
import datetime as dt
import re
import threading

import pytest
import time_machine

from consult.accounts.models import LoginSession, SecurityKey
from consult.accounts.security_keys import policy
from consult.actor import Role
from consult.app import create_app
from consult.audit.models import AuditEntry
from tests import factories as f
from tests.authenticator import USER_PRESENT, Authenticator, b64url
from tests.integration.accounts.security_keys.ceremonies import KEYS, MEANS, ORIGIN, PAGE, again, asked, enrol, prove
from tests.integration.accounts.visits import post

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # judged before any query


def test_a_key_is_a_first_second_factor_and_comes_with_recovery_codes(client, app, newcomer, rows, mails):
    f.sign_in(client, newcomer)
    assert client.get("/gestion/moderation").location.startswith(PAGE)
    before, key = client.get_cookie("consult_session").value, Authenticator()
    reply = enrol(client, key)
    assert reply.status_code == 200
    codes = re.findall(r"<code>([a-z2-7-]{19})</code>", reply.text)
    assert len(codes) == 10
    assert client.get_cookie("consult_session").value != before, "a new session"
    assert len(rows(LoginSession)) == 1
    assert client.get("/gestion/moderation").status_code == 200
    (kept,) = rows(SecurityKey)
    assert (kept.name, kept.relying_party, kept.account_id) == ("clé du bureau", "localhost", newcomer.id)
    assert kept.credential_id in key.pairs
    ((_, text),) = mails("accounts_guard_changed")
    assert "clé du bureau" in text
    (entry,) = rows(AuditEntry)
    assert (entry.action, entry.detail) == ("second_factor.enrol", {"key": str(kept.id)})
    spare = again(app, newcomer)
    assert post(spare, PAGE, code=codes[0]).status_code == 303, "a recovery code stands in for the key"


def test_a_key_opens_the_staff_side_at_the_next_sign_in(app, newcomer, key, rows):
    client = again(app, newcomer)
    assert client.get("/gestion/moderation").location.startswith(PAGE)
    reply = prove(client, key, suite="/gestion/moderation")
    assert reply.location == "/gestion/moderation"
    assert client.get("/gestion/moderation").status_code == 200
    (kept,) = rows(SecurityKey)
    assert kept.sign_count == 1
    assert kept.used_at is not None


def test_a_key_is_a_fresh_second_factor(client, make, organisation):
    account = make(f.make_account, organisation, Role.ADMINISTRATOR)
    with time_machine.travel(f.NOW + dt.timedelta(days=1), tick=False) as clock:
        f.sign_in(client, account)
        key = Authenticator()
        assert enrol(client, key, page=MEANS).status_code == 200
        clock.shift(dt.timedelta(minutes=16))
        assert client.get("/gestion/acces").location == f"{PAGE}?suite=/gestion/acces"
        assert prove(client, key, suite="/gestion/acces").location == "/gestion/acces"
        assert client.get("/gestion/acces").status_code == 200


def test_an_answer_serves_once(app, newcomer, key, rows):
    client = again(app, newcomer)
    options = asked(client, PAGE)
    answer = {"credential": key.get(options, origin=ORIGIN), "challenge": options["signed"], "page": PAGE}
    token = f.csrf_token(client, PAGE)
    cookies = {"Cookie": f"consult_session={client.get_cookie('consult_session').value}"}
    statuses = []

    def give():
        browser = app.test_client(use_cookies=False)
        statuses.append(
            browser.post(f"{KEYS}/preuve", data=answer | {"csrf_token": token}, headers=cookies).status_code
        )

    threads = [threading.Thread(target=give) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(303) == 1
    assert rows(SecurityKey)[0].sign_count == 1
    assert post(again(app, newcomer), f"{KEYS}/preuve", **answer).status_code == 422


def test_a_challenge_belongs_to_one_session_and_one_ceremony(app, client, newcomer, key, rows):
    one, other = again(app, newcomer), again(app, newcomer)
    theirs = asked(other, PAGE)
    stolen = key.get(theirs, origin=ORIGIN)
    reply = post(one, f"{KEYS}/preuve", page=PAGE, credential=stolen, challenge=theirs["signed"])
    assert reply.status_code == 422
    assert "a expiré ou a déjà servi" in reply.text
    mine = asked(client, MEANS)
    reply = post(
        client, KEYS, page=MEANS, name="autre", credential=key.create(mine, origin=ORIGIN), challenge=theirs["signed"]
    )
    assert reply.status_code == 422
    assert len(rows(SecurityKey)) == 1


def test_a_challenge_is_over_after_ten_minutes(app, newcomer, key):
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as clock:
        client = again(app, newcomer)
        options = asked(client, PAGE)
        answer = key.get(options, origin=ORIGIN)
        clock.shift(policy.CHALLENGE_LIFE + dt.timedelta(seconds=1))
        reply = post(client, f"{KEYS}/preuve", page=PAGE, credential=answer, challenge=options["signed"])
        assert reply.status_code == 422
        assert prove(client, key).status_code == 303, "the page asked again"


@one_database
@pytest.mark.parametrize(
    "change",
    [
        {"origin": "http://localhost:8000"},
        {"origin": "https://localhost"},
        {"origin": "http://consultation-officielle.example"},
        {"rpId": "example.fr"},
        {"challenge": "AAAA"},
        {"kind": "webauthn.create"},
        {"handle": bytes(16)},
    ],
)
def test_an_answer_to_another_site_or_question_is_refused(app, newcomer, key, change):
    client = again(app, newcomer)
    assert prove(client, key, **change).status_code == 422
    assert client.get("/gestion/moderation").location.startswith(PAGE)


@one_database
@pytest.mark.parametrize("change", [{"origin": "http://localhost:8000"}, {"challenge": "AAAA"}, {"rp": {"id": "a.fr"}}])
def test_a_key_of_another_site_is_not_enrolled(client, newcomer, rows, change):
    f.sign_in(client, newcomer)
    assert enrol(client, Authenticator(), **change).status_code == 422
    assert rows(SecurityKey) == []
    assert client.get("/gestion/moderation").location.startswith(PAGE)


@one_database
def test_nobody_present_is_nobody(app, newcomer, key):
    key.flags = 0
    assert prove(again(app, newcomer), key).status_code == 422
    key.flags = USER_PRESENT
    assert prove(again(app, newcomer), key).status_code == 303


def test_the_key_of_another_account_opens_nothing(client, app, make, organisation, newcomer, key):
    other = make(f.make_account, organisation, Role.MODERATOR)
    f.sign_in(client, other)
    theirs = Authenticator()
    assert enrol(client, theirs, page=MEANS).status_code == 200
    (foreign,), (mine,) = theirs.pairs, key.pairs
    thief = again(app, newcomer)
    listed = [{"id": b64url(foreign)}]
    assert prove(thief, theirs, allowCredentials=listed, handle=newcomer.id.bytes).status_code == 422, "not theirs"
    theirs.pairs[mine] = theirs.pairs[foreign]
    assert prove(thief, theirs, handle=newcomer.id.bytes).status_code == 422, "signed by another key"
    assert thief.get("/gestion/moderation").location.startswith(PAGE)


def test_a_key_that_another_account_holds_is_not_enrolled_twice(client, make, organisation, key, rows):
    """Whoever saw the public half of a key cannot register it as their own."""
    other = make(f.make_account, organisation, Role.MODERATOR)
    f.sign_in(client, other)
    (pair,) = key.pairs.items()
    copy = Authenticator(identities=[pair])
    reply = enrol(client, copy, page=MEANS)
    assert reply.status_code == 422
    assert "déjà enregistrée" in reply.text
    assert len(rows(SecurityKey)) == 1


@pytest.mark.parametrize("count", [0, 1])
def test_a_count_that_does_not_rise_is_refused_and_journalled(app, newcomer, key, rows, count):
    """Two hold the key, or an old answer is played again."""
    assert prove(again(app, newcomer), key).status_code == 303
    key.count = count - 1
    thief = again(app, newcomer)
    reply = prove(thief, key)
    assert reply.status_code == 422
    assert "peut-être été copiée" in reply.text
    assert thief.get("/gestion/moderation").location.startswith(PAGE)
    (kept,) = rows(SecurityKey)
    assert kept.sign_count == 1
    (entry,) = rows(AuditEntry, AuditEntry.action == "second_factor.suspect_copy")
    assert (entry.target_id, entry.detail) == (str(newcomer.id), {"key": str(kept.id)})


def test_a_key_that_does_not_count_serves_again_and_again(app, newcomer, key):
    for _ in range(2):
        key.count = -1
        assert prove(again(app, newcomer), key).status_code == 303


def test_wrong_answers_and_wrong_codes_are_slowed_together(app, newcomer, key):
    """AT-19.6."""
    with time_machine.travel(f.NOW + dt.timedelta(days=1), tick=False) as clock:
        client = again(app, newcomer)
        statuses = [post(client, PAGE, code="000000").status_code for _ in range(3)]
        statuses += [prove(client, key, origin="http://ailleurs").status_code for _ in range(3)]
        assert statuses == [422] * 5 + [429]
        clock.shift(dt.timedelta(minutes=16))
        assert prove(client, key).status_code == 303


@one_database
@pytest.mark.parametrize(
    "credential", ["", "\0", "{}", "[]", "null", "x" * 30_000, "[" * 5000, '{"id": 1}', "<script>alert(1)</script>"]
)
def test_hostile_answers_are_only_wrong(app, client, newcomer, key, credential, rows):
    thief = again(app, newcomer)
    signed = asked(thief, PAGE)["signed"]
    reply = post(thief, f"{KEYS}/preuve", page=PAGE, credential=credential, challenge=signed)
    assert reply.status_code == 422
    assert "<script>alert" not in reply.text
    signed = asked(client, MEANS)["signed"]
    reply = post(client, KEYS, page=MEANS, name="autre", credential=credential, challenge=signed)
    assert reply.status_code == 422
    assert len(rows(SecurityKey)) == 1


@one_database
@pytest.mark.parametrize("signed", ["", "\0", "1.2", f"9999999999~AAAA.{'0' * 64}", "~."])
def test_a_challenge_cannot_be_chosen(app, newcomer, key, signed):
    client = again(app, newcomer)
    options = asked(client, PAGE)
    credential = key.get(options, origin=ORIGIN, challenge="AAAA")
    assert post(client, f"{KEYS}/preuve", page=PAGE, credential=credential, challenge=signed).status_code == 422


@one_database
@pytest.mark.parametrize(
    ("name", "word"), [("", "Donnez un nom"), ("  ", "Donnez un nom"), ("x" * 61, "60 caractères")]
)
def test_a_key_has_a_name(client, newcomer, rows, name, word):
    f.sign_in(client, newcomer)
    reply = enrol(client, Authenticator(), name=name)
    assert reply.status_code == 422
    assert word in reply.text
    assert rows(SecurityKey) == []


def test_two_keys_of_a_person_have_two_names(client, newcomer, key, rows):
    reply = enrol(client, Authenticator(), page=MEANS, name="Clé du BUREAU")
    assert reply.status_code == 422
    assert "porte déjà ce nom" in reply.text
    assert 'value="Clé du BUREAU"' in reply.text, "kept"
    assert enrol(client, Authenticator(), page=MEANS, name="téléphone").location == MEANS
    assert len(rows(SecurityKey)) == 2
    page = client.get(MEANS).text
    assert "clé du bureau" in page
    assert "téléphone" in page


@one_database
def test_a_person_has_ten_keys_at_most(client, newcomer, key, make, rows):
    for number in range(2, policy.KEYS_MAX + 1):
        last = asked(client, MEANS)
        assert enrol(client, Authenticator(), page=MEANS, name=f"clé {number}").status_code == 303
    assert "data-options" not in client.get(MEANS).text
    credential = Authenticator().create(last, origin=ORIGIN)
    reply = post(client, KEYS, page=MEANS, name="de trop", credential=credential, challenge=last["signed"])
    assert reply.status_code == 422
    assert len(rows(SecurityKey)) == policy.KEYS_MAX


@one_database
@pytest.mark.parametrize(
    ("public_url", "hosts", "host", "expected"),
    [
        ("https://consultation.gouv.example", "", "consultation.gouv.example", "consultation.gouv.example"),
        ("https://consultation.gouv.example", "", "autre.example", None),
        ("https://consultation.gouv.example", "transports.example=agence", "transports.example", "transports.example"),
        ("http://localhost:8000", "", "localhost:8000", "localhost"),
        ("http://consultation.gouv.example", "", "consultation.gouv.example", None),
        ("http://127.0.0.1:8000", "", "127.0.0.1:8000", None),
        ("https://[::1]", "", "[::1]", None),
    ],
)
def test_keys_are_asked_for_on_the_hosts_of_the_settings_alone(settings, public_url, hosts, host, expected):
    changed = dataclasses.replace(settings, public_url=public_url, hosts=hosts)
    party = policy.relying_party(changed, host)
    assert (party and party.host) == expected


def test_a_key_made_for_another_host_is_not_asked_for(app, settings, newcomer, key):
    """The code page says nothing of keys, and recovery codes remain."""
    elsewhere = create_app(dataclasses.replace(settings, public_url="http://127.0.0.1"))
    client = elsewhere.test_client()
    client.set_cookie("consult_session", f.sign_in(client, newcomer, second_factor=False), domain="127.0.0.1")
    page = client.get(PAGE, base_url="http://127.0.0.1").text
    assert "data-security-key" not in page
    assert "codes de secours" in page
    elsewhere.extensions["database"].dispose()


def test_without_javascript_the_page_says_what_to_do(client, newcomer):
    f.sign_in(client, newcomer)
    page = client.get(PAGE).text
    form = re.search(r"<form[^>]*data-security-key[^>]*>", page)[0]
    assert " hidden" in form
    assert "demandent JavaScript" in re.search(r"<noscript>(.*?)</noscript>", page, re.DOTALL)[1]
