"""The person's own pages: reading what is held, having it as a file, leaving (AT-6.1, AT-6.2)."""

import dataclasses
import json

import pytest
from sqlalchemy import select

from consult.accounts.models import Account, AccountStatus, LoginSession
from consult.actor import Role
from consult.app import create_app
from consult.db import ALL_TENANTS
from consult.mail.models import OutgoingMail
from consult.privacy.models import ErasureEntry
from tests import factories as f
from tests.integration.privacy.town import EMAIL, PSEUDONYM, WRITTEN, Town

# Many pages and processes: `make check` leaves it to `make test`.
pytestmark = [pytest.mark.slow, pytest.mark.sqlite_first]

DATA, FILE, LEAVE, LEFT = "/mon-compte/donnees", "/mon-compte/donnees.json", "/mon-compte/supprimer", "/compte-supprime"


class Place:
    """The town, committed, with a browser for each person."""

    def __init__(self, app):
        self.app, self.database = app, app.extensions["database"]
        with self.database.transaction(tenant=ALL_TENANTS) as session:
            session.expire_on_commit = False
            self.town = Town(session)
            self.town.live()

    def browser(self, account):
        client = self.app.test_client()
        f.sign_in(client, account)
        return client

    def leave(self, client, password=f.PASSWORD, *, mode="everything", **values):
        data = {"csrf_token": f.csrf_token(client, LEAVE), "password": password, "mode": mode}
        return client.post(LEAVE, data=data, **values)

    def rows(self, model, *criteria):
        with self.database.transaction(tenant=ALL_TENANTS, write=False) as session:
            session.expire_on_commit = False
            return session.scalars(select(model).where(*criteria)).all()

    def account(self, account) -> Account:
        return self.rows(Account, Account.id == account.id)[0]


@pytest.fixture
def place(app):
    return Place(app)


def test_the_page_says_what_is_held_why_and_how_long(place):
    page = place.browser(place.town.person).get(DATA)
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    for words in ("Propositions", "Votes", "Réponses aux questionnaires", "Tant que la consultation est publiée", FILE):
        assert words in page.text
    assert '<td class="numeric" data-label="Lignes">3</td>' in page.text
    account = place.browser(place.town.person).get("/mon-compte").text
    assert f'href="{DATA}"' in account
    assert f'href="{LEAVE}"' in account
    notice = place.app.test_client().get("/donnees-personnelles").text
    assert f'href="{DATA}"' in notice
    assert f'href="{LEAVE}"' in notice


def test_the_file_is_an_attachment_that_nothing_keeps(place):
    """AT-6.1."""
    reply = place.browser(place.town.person).get(FILE)
    assert (reply.status_code, reply.mimetype, reply.headers["Cache-Control"]) == (200, "application/json", "no-store")
    assert reply.headers["Content-Disposition"].startswith('attachment; filename="mes-donnees-20')
    document = json.loads(reply.text)
    assert document["account"] == str(place.town.person.id)
    assert document["tables"]["account"]["rows"][0]["email"] == EMAIL
    assert len(document["tables"]["proposal"]["rows"]) == 3


def test_the_page_tells_what_will_happen_before(place):
    page = place.browser(place.town.person).get(LEAVE).text
    for words in (
        "3 propositions",
        "1 argument",
        "1 réponse à un questionnaire",
        "3 votes",
        "y compris sur les étapes",
    ):
        assert words in page
    assert "Vos actes d’agent" not in page
    assert "Vos actes d’agent" in place.browser(place.town.admin).get(LEAVE).text


def test_leaving_erases_signs_out_and_confirms(place):
    """AT-6.2, as a person sees it."""
    town, client, elsewhere = place.town, place.browser(place.town.person), place.browser(place.town.person)
    reply = place.leave(client)
    assert (reply.status_code, reply.location) == (303, LEFT)
    assert client.get_cookie("consult_session") is None
    assert "Votre compte est supprimé" in client.get(LEFT).text
    assert elsewhere.get("/mon-compte").status_code == 303, "every browser is signed out"
    assert place.account(town.person).status is AccountStatus.ERASED
    assert place.rows(LoginSession, LoginSession.account_id == town.person.id) == []
    assert {entry.account_id for entry in place.rows(ErasureEntry)} == {town.person.id, town.claimant.id}
    again = place.app.test_client()
    token = f.csrf_token(again)
    refused = again.post("/connexion", data={"csrf_token": token, "email": EMAIL, "password": f.PASSWORD})
    assert refused.status_code == 422


def test_the_public_reads_a_tombstone_and_no_text(place):
    town, visitor = place.town, place.app.test_client()
    here = f"/consultations/{town.consultation.slug}/{town.step.slug}"
    assert WRITTEN["edited"] in visitor.get(f"/contributions/{town.mine.id}").text
    place.leave(place.browser(town.person))
    pages = {
        f"/contributions/{town.mine.id}": 410,
        f"/contributions/{town.mine.id}/versions": 410,
        f"/arguments/{town.argument.id}/versions": 404,
        f"/contributions/{town.theirs.id}": 200,
        f"{here}?q={WRITTEN['edited']}": 200,
        here: 200,
        "/corbeille": 200,
        f"/reponses/{town.replied.id}": None,
        f"/api/v1/consultations/{town.consultation.slug}/contributions": 200,
        f"/api/v1/consultations/{town.consultation.slug}/arguments": 200,
        f"/api/v1/consultations/{town.consultation.slug}/answers": 200,
    }
    for address, status in pages.items():
        page = visitor.get(address)
        assert status in {page.status_code, None}, address
        told = page.text.replace(f"?q={WRITTEN['edited']}", "").replace(f'value="{WRITTEN["edited"]}"', "")
        told = told.replace(f"«\u00a0{WRITTEN['edited']}\u00a0»", "")
        assert [word for word in (*WRITTEN.values(), PSEUDONYM) if word in told] == [], address
    assert "Contribution effacée" in visitor.get(f"/contributions/{town.mine.id}").text


@pytest.mark.parametrize("password", ["", "ce-n-est-pas-celui-la"])
def test_without_the_password_nothing_happens(place, password):
    client = place.browser(place.town.person)
    reply = place.leave(client, password)
    assert reply.status_code == 422
    assert "Votre compte n’est pas supprimé" in reply.text
    assert ("Saisissez votre mot de passe." if not password else "Ce n’est pas votre mot de passe.") in reply.text
    assert place.account(place.town.person).email == EMAIL
    assert client.get("/mon-compte").status_code == 200


def test_a_form_from_elsewhere_is_refused(place):
    """AT-19.3."""
    client = place.browser(place.town.person)
    assert client.post(LEAVE, data={"password": f.PASSWORD}).status_code == 403
    assert place.leave(client, headers={"Origin": "https://ailleurs.exemple"}).status_code == 403
    assert place.account(place.town.person).status is AccountStatus.ACTIVE


def test_the_same_form_sent_twice_erases_once(place):
    client, double = place.browser(place.town.person), place.app.test_client()
    held = client.get_cookie("consult_session").value
    data = {"csrf_token": f.csrf_token(client, LEAVE), "password": f.PASSWORD, "mode": "everything"}
    double.set_cookie("consult_session", held)
    assert [client.post(LEAVE, data=data).status_code, double.post(LEAVE, data=data).status_code] == [303, 401]
    assert len(place.rows(ErasureEntry, ErasureEntry.account_id == place.town.person.id)) == 1


def test_visitors_and_people_of_elsewhere_reach_nothing(place):
    """AT-4.2: tenant isolation."""
    with place.database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        stranger = f.make_account(session, f.make_organisation(session, slug="voisine"))
    for client in (place.app.test_client(), place.browser(stranger)):
        for address in (DATA, FILE, LEAVE):
            assert client.get(address).status_code == 303
        with client.session_transaction() as form_cookie:
            form_cookie["csrf"] = "x"
        assert client.post(LEAVE, data={"password": f.PASSWORD}).status_code in {401, 403}
    assert place.account(stranger).status is AccountStatus.ACTIVE


def test_the_last_administrator_is_told_what_to_do_first(place):
    client = place.browser(place.town.admin)
    reply = place.leave(client)
    assert reply.status_code == 409
    assert "Donnez d’abord le rôle d’administrateur à une autre personne." in reply.text
    assert place.account(place.town.admin).status is AccountStatus.ACTIVE
    assert client.get("/mon-compte").status_code == 200


def test_an_administrator_who_leaves_leaves_the_register_in_order(place):
    """AT-4.3: the register goes to the administration, without the name of who left."""
    town = place.town
    with place.database.transaction(tenant=ALL_TENANTS) as session:
        f.make_account(session, town.organisation, Role.ADMINISTRATOR)
    assert place.leave(place.browser(town.admin)).status_code == 303
    (register,) = place.rows(
        OutgoingMail, OutgoingMail.recipient == "rssi@exemple.fr", OutgoingMail.text.contains("Compte supprimé")
    )
    assert town.admin.pseudonym not in register.text
    assert town.admin.email not in register.text


def test_an_agent_without_second_factor_gives_it_first(place):
    """AT-D.5: a stolen password alone does not erase an agent."""
    client = place.app.test_client()
    f.sign_in(client, place.town.moderator, second_factor=False)
    assert client.get(LEAVE).location.startswith("/gestion/second-facteur")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_passwords_cannot_be_tried_for_ever(settings, database):
    app = create_app(dataclasses.replace(settings, rate_limits=True))
    place = Place(app)
    client = place.browser(place.town.person)
    codes = [place.leave(client, f"essai-{n}").status_code for n in range(11)]
    assert codes == [422] * 10 + [429]
    app.extensions["database"].dispose()


def test_the_account_alone_goes_and_what_is_published_stays(place):
    """The other mode: under no name, and a last mail says so."""
    town, visitor = place.town, place.app.test_client()
    assert place.leave(place.browser(town.person), mode="account").status_code == 303
    page = visitor.get(f"/contributions/{town.mine.id}")
    assert (page.status_code, WRITTEN["edited"] in page.text, "Compte supprimé" in page.text) == (200, True, True)
    assert PSEUDONYM not in page.text
    assert visitor.get(f"/contributions/{town.hidden.id}").status_code == 410
    (last,) = place.rows(OutgoingMail, OutgoingMail.recipient == EMAIL)
    assert (last.template, "Compte supprimé" in last.text) == ("privacy_erased", True)


def test_what_to_erase_must_be_chosen(place):
    reply = place.leave(place.browser(place.town.person), mode="")
    assert (reply.status_code, "Choisissez ce qui doit être effacé." in reply.text) == (422, True)
    assert place.account(place.town.person).status is AccountStatus.ACTIVE
