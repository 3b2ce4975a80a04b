"""The pages by which rights are asked, followed and answered (AT-6.3)."""

import dataclasses
import datetime as dt
import re

import pytest
from sqlalchemy import select

from consult.actor import Role
from consult.app import create_app
from consult.consultations.models import ContentStatus
from consult.contributions.models import Proposal
from consult.db import ALL_TENANTS
from consult.mail.models import OutgoingMail
from consult.privacy.rights.models import RightsRequest
from tests import factories as f
from tests.integration.privacy.town import EMAIL, WRITTEN, Town

# Many pages and processes: `make check` leaves it to `make test`.
pytestmark = [pytest.mark.slow, pytest.mark.sqlite_first]

MINE, VISITOR, STAFF = "/mon-compte/droits", "/droits", "/gestion/droits"
WHY = "Je conteste ce qui est écrit de moi, merci de le geler."
WORDS = "Votre demande est fondée, nous y faisons droit."


class Place:
    """The town, committed, with a browser for each person."""

    def __init__(self, app):
        self.app, self.database = app, app.extensions["database"]
        with self.database.transaction(tenant=ALL_TENANTS) as session:
            session.expire_on_commit = False
            self.town = Town(session)
            self.town.live()
        self.person, self.admin, self.visitor = (app.test_client() for _ in range(3))
        f.sign_in(self.person, self.town.person)
        f.sign_in(self.admin, self.town.admin)

    def rows(self, model, *criteria):
        with self.database.transaction(tenant=ALL_TENANTS, write=False) as session:
            session.expire_on_commit = False
            return session.scalars(select(model).where(*criteria)).all()

    def post(self, client, path, *, seen="", **values):
        data = {"csrf_token": f.csrf_token(client, seen or path), **values}
        return client.post(path, data=data)

    def ask(self, right="limitation", statement=WHY):
        return self.post(self.person, MINE, right=right, statement=statement)

    def request(self) -> RightsRequest:
        return self.rows(RightsRequest)[-1]

    def decide(self, act, **values):
        path = f"{STAFF}/{self.request().id}"
        return self.post(self.admin, path, act=act, **{f"{act}-{name}": value for name, value in values.items()})

    def write_in(self, **values):
        page = self.visitor.get(VISITOR).text
        stamp = re.search(r'name="stamp"[^>]*value="([^"]+)"', page)[1]
        typed = {"right": "erasure", "statement": WHY, "email": "nommee@exemple.fr", "stamp": stamp} | values
        return self.post(self.visitor, VISITOR, **typed)


@pytest.fixture
def place(app):
    return Place(app)


@pytest.fixture
def patient(monkeypatch):
    """Forms are shown long ago enough for a person without JavaScript."""
    monkeypatch.setattr("consult.accounts.sign_up.policy.QUICKEST_READER", dt.timedelta(seconds=-1))


def test_a_request_is_sent_followed_answered_and_lifted(place):
    """AT-6.3."""
    page = place.person.get(MINE).text
    for words in ("Rectification (article 16)", "Limitation du traitement", "Opposition au traitement", "un mois"):
        assert words in page
    assert f'href="{MINE}"' in place.person.get("/mon-compte").text
    sent = place.ask()
    assert (sent.status_code, sent.location) == (303, MINE)
    followed = place.person.get(MINE).text
    assert "En attente de réponse" in followed
    assert WHY in followed
    assert "Demande\u00a0: limitation du traitement" in place.admin.get(STAFF).text
    assert EMAIL in place.admin.get(f"{STAFF}/{place.request().id}").text
    assert place.decide("answer", outcome="granted", words=WORDS).status_code == 303
    followed = place.person.get(MINE).text
    assert WORDS in followed
    assert "ni affichés, ni analysés, ni exportés" in followed
    public = place.visitor.get(f"/contributions/{place.town.mine.id}")
    assert public.status_code == 410
    assert "À la demande de son auteur" in public.text
    assert "décision de modération" not in public.text
    assert WRITTEN["edited"] not in public.text
    reply = place.visitor.get(f"/reponses/{place.town.replied.id}")
    assert reply.status_code == 410
    assert "À la demande de son auteur" in reply.text
    lifted = place.post(place.person, f"{MINE}/{place.request().id}/lever", seen=MINE)
    assert lifted.status_code == 303
    assert place.rows(Proposal, Proposal.id == place.town.mine.id)[0].status is ContentStatus.PUBLISHED
    assert place.visitor.get(f"/contributions/{place.town.mine.id}").status_code == 200


@pytest.mark.parametrize(
    ("right", "statement", "said"),
    [
        ("", WHY, "Choisissez le droit"),
        ("erasure", WHY, "pas un choix valide"),
        ("limitation", "", "Dites ce que vous demandez"),
        ("limitation", "court", "20 caractères au moins"),
        ("limitation", "x" * 3001, "3000 caractères au plus"),
    ],
)
def test_a_bad_request_says_what_to_mend_and_keeps_what_was_typed(place, right, statement, said):
    reply = place.ask(right, statement)
    assert reply.status_code == 422
    assert said in reply.text
    assert statement in reply.text
    assert place.rows(RightsRequest) == []


def test_hostile_words_are_shown_as_words(place):
    """AT-19.3."""
    place.ask(statement="<script>alert(1)</script>\0 et ' OR 1=1 --")
    for page in (place.person.get(MINE), place.admin.get(STAFF), place.admin.get(f"{STAFF}/{place.request().id}")):
        assert page.status_code == 200
        assert "<script>alert(1)" not in page.text
        assert "&lt;script&gt;alert(1)" in page.text


def test_staff_extend_once_and_a_second_answer_is_refused_with_what_was_typed(place):
    place.ask()
    assert "Prolonger le délai" in place.admin.get(f"{STAFF}/{place.request().id}").text
    assert place.decide("extend", words="La recherche porte sur trois consultations.").status_code == 303
    again = place.decide("extend", words="Encore deux mois de plus, s’il vous plaît.")
    assert again.status_code == 409
    assert "une fois" in again.text
    assert place.decide("answer", outcome="refused", words="court").status_code == 422
    assert place.decide("answer", outcome="refused", words=WORDS).status_code == 303
    assert "saisir la CNIL" in place.person.get(MINE).text
    assert place.decide("answer", outcome="granted", words=WORDS).status_code == 409
    assert place.decide("n’importe quoi", words=WORDS).status_code == 422


def test_no_request_is_lost_beyond_the_first_page(place, monkeypatch):
    monkeypatch.setattr("consult.privacy.rights.queries.PAGE_SIZE", 2)
    with place.database.transaction(tenant=ALL_TENANTS) as session:
        for n in range(3):
            for answered in (None, f.NOW):
                session.add(RightsRequest(
                    organisation_id=place.town.organisation.id, account_id=place.town.person.id,
                    right="rectification", statement=f"Demande de la personne, la {n}e.", asked_at=f.NOW,
                    confirmed_at=f.NOW, due_on=f.NOW.date() + dt.timedelta(days=n), outcome=answered and "refused",
                    answer=(answered and WORDS) or "", answered_at=answered,
                ))  # fmt: skip
    texts = [place.admin.get(f"{STAFF}?page={page}").text for page in (1, 2)]
    assert [text.count("Demande\u00a0: rectification") for text in texts] == [2, 1]
    assert f'href="{STAFF}?page=2"' in texts[0]
    texts = [place.admin.get(f"{STAFF}?etat=traitees&page={page}").text for page in (1, 2)]
    assert [text.count("rectification (article 16)</a>") for text in texts] == [2, 1]
    assert f'href="{STAFF}?etat=traitees&amp;page=2"' in texts[0]
    texts = [place.person.get(f"{MINE}?page={page}").text for page in (1, 2, 3)]
    assert [text.count("Demande\u00a0: rectification") for text in texts] == [2, 2, 2]
    last = place.rows(RightsRequest, RightsRequest.outcome.is_(None))
    assert place.post(place.person, f"{MINE}/{last[0].id}/lever", seen=MINE).status_code == 409, (
        "one's own, of any page"
    )


def test_one_organisation_knows_nothing_of_the_requests_of_another(place):
    place.ask()
    with place.database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        elsewhere = f.make_organisation(session, slug="ailleurs")
        agent = f.make_account(session, elsewhere, Role.ADMINISTRATOR)
    client = place.app.test_client()
    f.sign_in(client, agent)
    assert client.get(f"/o/ailleurs{STAFF}/{place.request().id}").status_code == 404
    assert WHY not in client.get(f"/o/ailleurs{STAFF}").text
    other = place.app.test_client()
    f.sign_in(other, place.town.other)
    reply = place.post(other, f"{MINE}/{place.request().id}/lever", seen=MINE)
    assert reply.status_code == 404
    assert WHY not in other.get(MINE).text


@pytest.mark.usefixtures("patient")
def test_a_visitor_asks_confirms_by_mail_and_follows(place):
    """AT-6.3: the same reply whether the address is known."""
    said = {}
    for email in ("nommee@exemple.fr", EMAIL):
        sent = place.write_in(email=email)
        assert (sent.status_code, sent.location) == (303, VISITOR)
        said[email] = re.sub(r'value="[^"]*"', "", place.visitor.get(VISITOR).text)
    assert said["nommee@exemple.fr"] == said[EMAIL]
    assert place.admin.get(STAFF).text.count("Demande\u00a0:") == 0, "not before the address is confirmed"
    (mail,) = place.rows(OutgoingMail, OutgoingMail.recipient == "nommee@exemple.fr")
    path = re.search(r"/droits/[\w-]+", mail.text)[0]
    assert "Envoyer ma demande" in place.visitor.get(path).text
    assert place.post(place.visitor, path).status_code == 303
    followed = place.visitor.get(path)
    assert "En attente de réponse" in followed.text
    assert followed.headers["X-Robots-Tag"].startswith("noindex")
    assert followed.headers["Cache-Control"] == "no-store", "the next person at this browser finds nothing"
    assert "Demande\u00a0: effacement" in place.admin.get(STAFF).text
    assert place.visitor.get("/droits/rien").status_code == 404
    assert place.person.get(VISITOR).location == MINE


def test_a_robot_and_an_impossible_address_are_refused(place, patient):
    del patient
    assert place.write_in(stamp="faux").status_code == 422
    refused = place.write_in(email="nommee")
    assert refused.status_code == 422
    assert "adresse électronique complète" in refused.text
    assert WHY in refused.text
    assert place.rows(RightsRequest) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_form_of_visitors_is_limited(settings, database):

    app = create_app(dataclasses.replace(settings, rate_limits=True))
    with database.transaction(tenant=ALL_TENANTS) as session:
        f.make_organisation(session)
    client = app.test_client()
    token = f.csrf_token(client, VISITOR)
    codes = [client.post(VISITOR, data={"csrf_token": token}).status_code for _ in range(12)]
    assert set(codes[:10]) == {422}
    assert codes[-1] == 429
