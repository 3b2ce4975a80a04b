"""The page where staff add, remove and renew their second factors (AT-D.5)."""

import datetime as dt
import re

import pyotp
import time_machine

from consult.accounts.models import Account, SecurityKey
from consult.actor import Role
from consult.audit.models import AuditEntry
from tests import factories as f
from tests.authenticator import Authenticator, b64url
from tests.integration.accounts.security_keys.ceremonies import KEYS, MEANS, ORIGIN, PAGE, again, asked, enrol, prove
from tests.integration.accounts.visits import hidden, post


def test_the_password_alone_enrols_nothing_beside_a_key(app, newcomer, key, rows):
    """AT-D.5: who stole the password cannot add a second factor of their own."""
    thief = again(app, newcomer)
    assert thief.get(MEANS).location.startswith(PAGE)
    assert thief.get(f"{PAGE}/enregistrer").location.startswith(PAGE)
    options = asked(thief, PAGE)
    credential = Authenticator().create({**options, "rp": {"id": "localhost"}, "user": {"id": "AAAA"}}, origin=ORIGIN)
    reply = post(thief, KEYS, page=PAGE, name="à moi", credential=credential, challenge=options["signed"])
    assert reply.location.startswith(PAGE)
    reply = post(thief, f"{PAGE}/enregistrer", page=PAGE, code="000000", secret="JBSWY3DPEHPK3PXP")
    assert reply.location.startswith(PAGE)
    for path in (
        f"{PAGE}/codes-de-secours",
        f"{PAGE}/application/retirer",
        f"{KEYS}/{rows(SecurityKey)[0].id}/retirer",
    ):
        assert post(thief, path, page=PAGE).location.startswith(PAGE)
    assert (len(rows(SecurityKey)), rows(Account)[0].totp_enrolled_at) == (1, None)


def test_a_stale_second_factor_enrols_nothing_more(client, newcomer, rows):
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as clock:
        f.sign_in(client, newcomer)
        assert enrol(client, Authenticator()).status_code == 200
        options = asked(client, MEANS)
        for _ in range(2):
            clock.shift(dt.timedelta(minutes=31))
            assert client.get(PAGE).status_code == 200, "the session is in use"
        # What the page asked is over by then; another page of the session might still ask.
        options = options | {"signed": asked(client, PAGE)["signed"]}
        credential = Authenticator().create(options, origin=ORIGIN)
        reply = post(client, KEYS, page=PAGE, name="autre", credential=credential, challenge=options["signed"])
        assert reply.location.startswith(PAGE)
        assert len(rows(SecurityKey)) == 1


def test_an_application_is_added_beside_a_key_then_removed(client, newcomer, key, rows, mails):
    page = f"{PAGE}/enregistrer"
    secret = hidden(client.get(page).text, "secret")
    code = pyotp.TOTP(secret.partition(".")[0]).now()
    codes = rows(Account)[0].recovery_codes
    assert post(client, page, code=code, secret=secret).location == MEANS
    assert rows(Account)[0].recovery_codes == codes, "those noted before stay good"
    assert client.get(page).location == MEANS
    assert post(client, f"{PAGE}/application/retirer", page=MEANS).location == MEANS
    kept = rows(Account)[0]
    assert (kept.totp_secret, kept.totp_enrolled_at, kept.totp_last_step) == (None, None, None)
    assert post(client, f"{PAGE}/application/retirer", page=MEANS).status_code == 409
    assert [entry.action for entry in rows(AuditEntry)] == ["second_factor.enrol"] * 2 + ["second_factor.remove"]
    assert len(mails("accounts_guard_changed")) == 3


def test_the_last_second_factor_stays(client, app, make, organisation, newcomer, key, rows):
    (kept,) = rows(SecurityKey)
    assert "votre seul second facteur" in client.get(MEANS).text
    assert post(client, f"{KEYS}/{kept.id}/retirer", page=MEANS).status_code == 409
    with_codes = make(f.make_account, organisation, Role.MODERATOR)
    other = app.test_client()
    f.sign_in(other, with_codes)
    assert post(other, f"{PAGE}/application/retirer", page=MEANS).status_code == 409
    assert rows(Account, Account.id == with_codes.id)[0].totp_enrolled_at is not None


def test_a_removed_key_opens_nothing_any_more(client, app, newcomer, key, rows, mails):
    spare = Authenticator()
    assert enrol(client, spare, page=MEANS, name="téléphone").status_code == 303
    (first,) = rows(SecurityKey, SecurityKey.name == "clé du bureau")
    assert post(client, f"{KEYS}/{first.id}/retirer", page=MEANS).location == MEANS
    assert "est retirée" in client.get(MEANS).text
    assert post(client, f"{KEYS}/{first.id}/retirer", page=MEANS).status_code == 404
    thief = again(app, newcomer)
    (identity,) = key.pairs
    assert prove(thief, key, allowCredentials=[{"id": b64url(identity)}]).status_code == 422
    assert prove(thief, spare).status_code == 303
    assert any(
        "« clé du bureau » a été retirée" in text.replace("\xa0", " ") for _, text in mails("accounts_guard_changed")
    )


def test_the_key_of_somebody_else_is_not_removed(client, app, make, organisation, newcomer, key, rows):
    colleague = make(f.make_account, organisation, Role.ADMINISTRATOR)
    other = app.test_client()
    f.sign_in(other, colleague)
    assert post(other, f"{KEYS}/{rows(SecurityKey)[0].id}/retirer", page=MEANS).status_code == 404
    assert len(rows(SecurityKey)) == 1


def test_other_recovery_codes_replace_the_first(client, app, newcomer, key, mails):
    reply = post(client, f"{PAGE}/codes-de-secours", page=MEANS)
    codes = re.findall(r"<code>([a-z2-7-]{19})</code>", reply.text)
    assert len(codes) == 10
    reply = post(client, f"{PAGE}/codes-de-secours", page=MEANS)
    assert post(again(app, newcomer), PAGE, code=codes[0]).status_code == 422
    codes = re.findall(r"<code>([a-z2-7-]{19})</code>", reply.text)
    assert post(again(app, newcomer), PAGE, code=codes[0]).status_code == 303
    assert sum("codes de secours" in text for _, text in mails("accounts_guard_changed")) == 2


def test_an_administrator_who_resets_a_lost_factor_forgets_its_keys(
    client, app, make, organisation, newcomer, key, rows
):
    office = app.test_client()
    f.sign_in(office, make(f.make_account, organisation, Role.ADMINISTRATOR))
    assert "enregistré" in office.get("/gestion/acces").text
    page = f"/gestion/acces/comptes/{newcomer.id}/second-facteur"
    assert post(office, page, reason="clé perdue").status_code == 303
    assert rows(SecurityKey) == []
    assert rows(Account, Account.id == newcomer.id)[0].recovery_codes == []
    assert client.get("/mon-compte").status_code == 303, "sessions are closed"
    assert "Enregistrer un second facteur" in again(app, newcomer).get(PAGE).text


def test_platform_staff_enrol_and_give_a_key_from_any_organisation(client, app, make, organisation, rows):
    elsewhere = make(f.make_organisation)
    account = make(f.make_account, elsewhere, Role.DITP)
    f.sign_in(client, account)
    key = Authenticator()
    assert enrol(client, key, page=MEANS).status_code == 200
    assert rows(SecurityKey)[0].organisation_id == elsewhere.id
    later = again(app, account)
    assert prove(later, key).status_code == 303
    assert later.get("/gestion").status_code == 200
    spare = Authenticator()
    assert enrol(later, spare, page=MEANS, name="autre").status_code == 303
    first = rows(SecurityKey, SecurityKey.name == "clé du bureau")[0]
    assert post(later, f"{KEYS}/{first.id}/retirer", page=MEANS).status_code == 303
