"""The département of a proposal: asked or not by the step, declared by the author, public."""

import re
import uuid

import pytest
from sqlalchemy import select, update

from consult.consultations.models import Step
from consult.contributions import policy, service
from consult.contributions.datasets import ContributionsDataset
from consult.contributions.models import Proposal
from consult.registry.models import RegistryEntry
from tests import factories as f
from tests.plans import MANY, copies, scans, watched

TEXT = "Des trains toutes les heures jusqu’à minuit, même le dimanche."


@pytest.fixture
def asking(world, database_of):
    """A function that has the step ask for a département."""

    def ask(how):
        with database_of() as session:
            session.get_one(Step, world.step).settings = {"departement": how}

    return ask


def typed(world, **values):
    return {"title": "Des trains la nuit", "body": TEXT, "theme": world.theme, "submission_key": "k1"} | values


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.get_data(as_text=True)))


def told(session):
    """What the log and the open data say of the last proposal."""
    entry = session.scalars(select(RegistryEntry).order_by(RegistryEntry.id.desc())).first()
    proposal = entry.opening["contribution"]
    consultation = session.get_one(Proposal, uuid.UUID(proposal)).consultation_id
    (row,) = (each for each in ContributionsDataset().rows(session, consultation) if each["id"] == proposal)
    return entry.opening["departement"], row["departement"]


def test_it_is_declared_shown_filtered_changed_and_published(person, world, asking, database_of, client):
    asking("optional")
    author = person(world.author)
    form = author.get(world.write).text
    assert "Public\u00a0: vous le déclarez" in form
    made = author.send(world.write, **typed(world, departement="29"))
    assert made.status_code == 303
    assert "Finistère (29)" in text_of(client.get(made.location))
    listed = text_of(client.get(world.list, query_string={"departement": "29"}))
    assert "Des trains la nuit" in listed
    assert "Plus de trains la nuit" not in listed
    assert "Aucune proposition ne correspond" in text_of(client.get(world.list, query_string={"departement": "2A"}))
    assert "Plus de trains la nuit" in text_of(client.get(world.list, query_string={"departement": "' OR 1=1"}))
    with database_of() as session:
        assert told(session) == ("29", "29")
    assert '<option selected value="29">' in author.get(f"{made.location}/modifier").text
    author.send(f"{made.location}/modifier", **typed(world, departement="2B", version="1"))
    assert "Haute-Corse (2B)" in text_of(client.get(made.location))
    with database_of() as session:
        assert told(session) == ("2B", "2B")
    author.send(f"{made.location}/retirer")
    with database_of() as session:
        (row,) = (r for r in ContributionsDataset().rows(session, world.consultation) if r["status"] == "withdrawn")
    assert row["departement"] is None


@pytest.mark.parametrize(
    ("how", "code"), [("required", ""), ("required", "00"), ("optional", "29 "), ("optional", "x")]
)
def test_what_is_missing_or_is_none_is_said_on_its_field_and_the_text_kept(person, world, asking, how, code):
    asking(how)
    refused = person(world.author).send(world.write, **typed(world, departement=code))
    assert refused.status_code == 422
    assert "Choisissez votre département dans la liste." in text_of(refused)
    assert TEXT in refused.text
    assert 'aria-describedby="departement-help departement-error"' in refused.text


def test_where_it_is_not_asked_what_is_sent_is_not_kept(person, world, database_of):
    author = person(world.author)
    assert "Département" not in text_of(author.get(world.write))
    assert "Département" not in text_of(author.get(world.list))
    assert author.send(world.write, **typed(world, departement="29")).status_code == 303
    with database_of() as session:
        assert told(session) == (None, None)


def test_it_waits_with_the_text_of_who_signs_in_afterwards(person, world, asking, app):
    asking("optional")
    visitor = app.test_client()
    token = f.csrf_token(visitor, world.write)
    sent = visitor.post(world.write, data=typed(world, departement="75") | {"csrf_token": token})
    back = sent.location.split("suite=")[1].replace("%3F", "?").replace("%3D", "=").replace("%2F", "/")
    assert '<option selected value="75">' in person(world.author).get(back).text


def test_an_erased_proposal_says_no_place(session):
    step = f.make_step(session, f.make_consultation(session, f.make_organisation(session)))
    proposal = f.make_proposal(session, step, departement="29")
    service.erase(session, proposal, f.NOW)
    assert proposal.departement is None


def test_the_rules_say_it_where_it_is_asked(session):
    asked = {value: policy.asks_departement({"departement": value}) for value in ("optional", "required")}
    assert [each.value for each in asked.values()] == ["optional", "required"]
    assert policy.asks_departement({}) is policy.Asked.NO


@pytest.mark.slow
def test_the_list_of_one_departement_is_found_by_an_index(database, world, asking, client, database_of):
    asking("optional")
    with database_of() as session:
        step = session.get_one(Step, world.step)
        codes = ["29", *(f"{n:02}" for n in range(1, 20))]
        copies(session, f.make_proposal(session, step), [{"departement": codes[n % 20]} for n in range(MANY)])
        session.execute(update(Step).where(Step.id == step.id).values(title=step.title))
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    with watched(database) as sent:
        page = client.get(world.list, query_string={"departement": "29"})
    assert f"{MANY // 20} propositions" in text_of(page)
    assert scans(database, sent) == []
