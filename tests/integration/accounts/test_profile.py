"""Rectifying one's own pseudonym and address (AT-6.3)."""

import base64
import datetime as dt
import json
import re

import pytest
from sqlalchemy import select

from consult.accounts.models import Account
from consult.accounts.profile import service
from consult.db import ALL_TENANTS
from consult.errors import GoneError
from consult.mail.models import OutgoingMail
from tests import factories as f

# Many pages and processes: `make check` leaves it to `make test`.
pytestmark = [pytest.mark.slow, pytest.mark.sqlite_first]

NAME, ADDRESS = "/mon-compte/pseudonyme", "/mon-compte/adresse"
OLD, NEW = "ancienne@exemple.fr", "nouvelle@exemple.fr"


class Person:
    """Somebody signed in, and what the database says of them."""

    def __init__(self, app, **values) -> None:
        self.app, self.client, self.database = app, app.test_client(), app.extensions["database"]
        with self.database.transaction(tenant=ALL_TENANTS) as session:
            session.expire_on_commit = False
            self.organisation = f.make_organisation(session, slug="agence")
            self.account = f.make_account(session, self.organisation, email=OLD, pseudonym="Ysolde Quartz", **values)
            self.other = f.make_account(session, self.organisation, pseudonym="Basalte")
        f.sign_in(self.client, self.account)

    def post(self, path, *, seen="", **values):
        return self.client.post(path, data={"csrf_token": f.csrf_token(self.client, seen or path), **values})

    def now(self) -> Account:
        with self.database.session(write=False, tenant=ALL_TENANTS) as session:
            session.expire_on_commit = False
            return session.get_one(Account, self.account.id)

    def mails(self, to) -> list[OutgoingMail]:
        with self.database.session(write=False, tenant=ALL_TENANTS) as session:
            return list(session.scalars(select(OutgoingMail).where(OutgoingMail.recipient == to)))

    def ask(self, email=NEW, password=f.PASSWORD):
        return self.post(ADDRESS, email=email, password=password)

    def link(self, to=NEW) -> str:
        return re.search(rf"{ADDRESS}/[\w=-]+", self.mails(to)[-1].text)[0]


@pytest.fixture
def person(app) -> Person:
    return Person(app)


def test_a_pseudonym_changes_at_once(person):
    assert person.post(NAME, pseudonym="  Ysolde  Onyx ").status_code == 303
    assert person.now().pseudonym == "Ysolde Onyx"
    assert "Ysolde Onyx" in person.client.get("/mon-compte").text
    assert person.post(NAME, pseudonym="ysolde onyx").status_code == 303, "its own, in another case"


@pytest.mark.parametrize(
    ("typed", "said"),
    [("", "Choisissez un pseudonyme"), ("Basalte", "déjà pris"), ("basa1te", "déjà pris"), ("Ministère", "officiel")],
)
def test_a_pseudonym_that_cannot_be_worn_is_refused_and_kept_in_the_form(person, typed, said):
    reply = person.post(NAME, pseudonym=typed)
    assert reply.status_code == 422
    assert said in reply.text
    assert f'value="{typed}"' in reply.text
    assert person.now().pseudonym == "Ysolde Quartz"


def test_an_address_changes_once_its_link_is_followed_and_the_former_is_told(person):
    assert person.ask().status_code == 303
    assert person.now().email == OLD, "not before"
    assert NEW not in person.link(), "no address where addresses of pages are written down"
    assert NEW in person.client.get(person.link()).text
    assert person.now().email == OLD, "a page that is read writes nothing"
    assert person.post(person.link()).status_code == 303
    assert (person.now().email, person.now().email_key) == (NEW, NEW)
    assert [mail.template for mail in person.mails(OLD)] == ["accounts_address_changed"]
    again = person.client.get(person.link())
    assert (again.status_code, "déjà servi" in again.text) == (410, True)


def test_the_link_is_of_one_account_alone_and_of_one_day(person):
    person.ask()
    path = person.link()
    other = person.app.test_client()
    f.sign_in(other, person.other)
    assert other.get(path).status_code == 410
    assert person.app.test_client().get(path).location.startswith("/connexion")
    assert person.client.get(f"{ADDRESS}/rien").status_code == 410
    keys = service.keyring(person.app.extensions["settings"].secret_key)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=25)
    with (
        person.database.session(write=False, tenant=person.organisation.id) as session,
        pytest.raises(GoneError),
    ):
        service.asked(session, person.account.id, path.rpartition("/")[2], keys=keys, now=later)


def test_a_link_that_nobody_sealed_proves_no_address(person):
    """AT-19.3: its holder knows all that it would say, and may write it."""
    told = {
        "email": "a-une-autre@exemple.fr",
        "confirmed_at": person.now().confirmed_at.isoformat(),
        "expires_at": (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).isoformat(),
    }
    path = f"{ADDRESS}/{base64.urlsafe_b64encode(json.dumps(told).encode()).decode()}"
    assert person.client.get(path).status_code == 410
    assert person.post(path, seen=ADDRESS).status_code == 410
    assert person.now().email == OLD


def test_the_address_of_another_account_is_neither_told_nor_taken(person):
    assert person.ask(person.other.email).status_code == 303
    refused = person.post(person.link(person.other.email))
    assert refused.status_code == 409
    assert person.now().email == OLD


@pytest.mark.parametrize(
    ("email", "password", "said"),
    [("nouvelle", f.PASSWORD, "adresse électronique complète"), (NEW, "faux", "pas votre mot de passe")],
)
def test_an_impossible_address_and_a_wrong_password_send_nothing(person, email, password, said):
    reply = person.ask(email, password)
    assert reply.status_code == 422
    assert said in reply.text
    assert email in reply.text
    assert person.mails(NEW) == []


def test_an_address_is_confirmed_before_it_is_changed(app):
    person = Person(app, confirmed_at=None)
    reply = person.ask()
    assert reply.status_code == 409
    assert "Confirmez d’abord" in reply.text
