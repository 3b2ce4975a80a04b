"""How people take part in a step: set by organisers in a draft, then frozen with the rules and told to everybody."""

import html
import re

import pytest
from sqlalchemy import select

from consult.actor import Role
from consult.audit.models import AuditEntry
from consult.consultations.models import Consultation, ConsultationStatus, Step
from consult.contributions.bindings import ProposalsStep
from consult.contributions.models import Argument, Proposal
from consult.db import ALL_TENANTS
from tests import factories as f


class Office:
    """A draft with one step, and an organiser signed in."""

    def __init__(self, app, client, kind="proposals"):
        self.app, self.client = app, client
        with self.writing() as session:
            self.organisation = f.make_organisation(session)
            self.consultation = f.make_consultation(session, self.organisation, opened=False)
            self.step = f.make_step(session, self.consultation, kind=kind)
            organiser = f.make_account(session, self.organisation, Role.ORGANISER)
            session.flush()
            session.expunge_all()
        self.path = f"/gestion/consultations/{self.consultation.slug}/etapes/{self.step.slug}/regles"
        f.sign_in(client, organiser)

    def writing(self):
        return self.app.extensions["database"].transaction(tenant=ALL_TENANTS)

    def post(self, **typed):
        token = f.csrf_token(self.client, "/mon-compte")
        return self.client.post(self.path, data={"csrf_token": token, **typed})

    def settings(self):
        with self.writing() as session:
            return session.get_one(Step, self.step.id).settings

    def open(self):
        with self.writing() as session:
            whole = session.get_one(Consultation, self.consultation.id)
            whole.status, whole.opened_at = ConsultationStatus.OPEN, whole.opens_at


@pytest.fixture(params=["proposals", "bill"])
def office(request, app):
    return Office(app, app.test_client(), request.param)


def text_of(response):
    plain = re.sub(r"<[^>]+>", " ", response.get_data(as_text=True))
    return re.sub(r"\s+", " ", html.unescape(plain))


def test_an_organiser_turns_arguments_off_and_on(office):
    page = office.client.get(f"/gestion/consultations/{office.consultation.slug}")
    assert office.path in page.text
    assert re.search(r'<input [^>]*checked [^>]*name="arguments"', office.client.get(office.path).text)
    assert office.post(vote="three_way", departement="no").status_code == 303
    assert office.settings() == {"arguments": False}
    assert office.post(vote="three_way", arguments="y", departement="no").status_code == 303
    assert office.settings() == {}, "as usual: nothing is said"
    with office.writing() as session:
        acts = select(AuditEntry.detail).where(AuditEntry.action == "step.rules").order_by(AuditEntry.id)
        assert session.scalars(acts).all() == [{"arguments": False}, {}]


def test_an_organiser_has_the_departement_asked_for(app, client):
    office = Office(app, client)
    assert office.post(vote="three_way", arguments="y", departement="required").status_code == 303
    assert office.settings() == {"departement": "required"}
    refused = office.post(vote="three_way", arguments="y", departement="peut-être")
    assert refused.status_code == 422
    assert office.settings() == {"departement": "required"}
    with office.writing() as session:
        step = session.get_one(Step, office.step.id)
        assert ProposalsStep(lambda *_: "").rules(session, step)["departement"] == "required"
    assert office.post(vote="three_way", arguments="y", departement="no").status_code == 303
    assert office.settings() == {}


def test_an_organiser_chooses_how_people_vote(office):
    assert office.post(vote="support", arguments="y", departement="no").status_code == 303
    assert office.settings() == {"vote": "support"}
    assert office.post(vote="lottery", arguments="y", departement="no").status_code == 422
    assert office.post(arguments="y", departement="no").status_code == 422
    assert office.settings() == {"vote": "support"}


def test_rules_are_frozen_at_the_opening(office):
    office.post(vote="three_way", departement="no")
    office.open()
    page = office.client.get(office.path)
    assert "figées depuis l’ouverture" in text_of(page)
    refused = office.post(vote="three_way", arguments="y")
    assert refused.status_code == 422
    assert "figés depuis l’ouverture" in text_of(refused)
    assert office.settings() == {"arguments": False}


def test_a_step_of_another_kind_has_no_such_rules(app, client):
    office = Office(app, client, "questionnaire")
    assert office.client.get(office.path).status_code == 404


def test_what_is_usual_leaves_the_rules_as_they_were_digested(session):
    step = f.make_step(session, f.make_consultation(session, f.make_organisation(session)))
    usual = ProposalsStep(lambda *_: "").rules(session, step)
    assert set(usual) == {"votes", "arguments", "limits", "themes", "random_order"}
    assert usual["votes"] == ["for", "mixed", "against"]


def test_a_step_without_arguments_neither_asks_for_them_nor_counts_them(person, world, database_of):
    with database_of() as session:
        session.get_one(Step, world.step).settings = {"arguments": False}
    reader = person(world.other)
    for path in (world.page, world.list):
        assert "rgument" not in text_of(reader.get(path)), path
    refused = reader.send(f"{world.page}/argumenter", side="for", body="Cela éviterait bien des trajets.")
    assert refused.status_code == 403
    assert "ne recueille pas d’arguments" in text_of(refused)
    assert "Cela éviterait bien des trajets." in refused.text, "what was typed is given back"
    with database_of() as session:
        assert session.scalars(select(Argument)).all() == []
        f.make_argument(session, session.get_one(Proposal, world.proposal))  # brought by an import
    assert "Cela éviterait bien des trajets en voiture." in text_of(reader.get(world.page))
