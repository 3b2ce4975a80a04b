"""The age that a consultation may ask for: declared once, before the first act, kept without a birth date."""

import datetime as dt
import re
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from consult.accounts.models import Account
from consult.actor import SYSTEM
from consult.consultations import service
from consult.consultations.age.policy import AgeRule
from consult.consultations.models import Consultation, ConsultationStatus, ContentStatus, Step
from consult.contributions.ballots.models import Ballot
from consult.contributions.models import Argument, Proposal, Vote
from consult.db import ALL_TENANTS
from consult.errors import InvalidError
from consult.questionnaires.models import HasReplied, Reply
from tests import factories as f

TEXT = "Des trains toutes les heures jusqu’à minuit, même le dimanche."
HERE = {"Sec-Fetch-Site": "same-origin", "Referer": "http://localhost/consultations/trajets"}
PAGE = "/mon-compte/age/trajets"


@pytest.fixture
def town(app):
    """A consultation that asks for 15 years, a step of each kind, somebody who never took part, signed in."""
    now, database = dt.datetime.now(dt.UTC), app.extensions["database"]
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        organisation = f.make_organisation(session)
        asks = {"minimum_age": 15, "parental_consent": False}
        consultation = f.make_consultation(session, organisation, now=now, slug="trajets", **asks)
        zoe = f.make_account(session, organisation)
        step = f.make_step(session, consultation, slug="idees")
        proposal = f.make_proposal(session, step, f.make_account(session, organisation), created_at=now)
        points = {"vote": "points", "points": 10, "points_most": 6}
        spread = f.make_proposal(
            session, f.make_step(session, consultation, slug="points", settings=points), created_at=now
        )
        argument = f.make_argument(session, proposal, f.make_account(session, organisation), created_at=now)
        article = f.text_of_article(session, f.make_part(session, f.make_step(session, consultation, kind="bill")))
        asked = f.make_step(session, consultation, kind="questionnaire", slug="questions")
        urn = f.make_step(session, consultation, kind="questionnaire", slug="secret", settings={"anonymous": True})
        fields = [f"q-{f.make_question(session, each).id}" for each in (asked, urn)]
    client = app.test_client()
    f.sign_in(client, zoe)
    token = f.csrf_token(client, "/mon-compte/pseudonymes")
    root = "/consultations/trajets"
    return SimpleNamespace(
        database=database, zoe=zoe, client=client, consultation=consultation.id,
        send=lambda path, headers=HERE, **typed: client.post(path, data=typed | {"csrf_token": token}, headers=headers),
        acts={
            "proposal": (f"{root}/idees/proposer", {"title": "Des trains", "body": TEXT}, Proposal),
            "argument": (f"/contributions/{proposal.id}/argumenter", {"side": "for", "body": TEXT}, Argument),
            "version": (f"/contributions/{article.id}/recrire", {"title": "Pour tous", "body": TEXT, "reason": TEXT},
                        Proposal),
            "vote": (f"/contributions/{proposal.id}/vote", {"position": "for"}, Vote),
            "vote on an argument": (f"/arguments/{argument.id}/vote", {"position": "for"}, Vote),
            "ballot": (f"{root}/points/bulletin", {f"points-{spread.id}": "3"}, Ballot),
            "reply": (f"{root}/questions/repondre", {fields[0]: TEXT}, Reply),
            "anonymous reply": (f"{root}/secret/repondre", {fields[1]: TEXT}, HasReplied),
        },
    )  # fmt: skip


def count(town, model):
    with town.database.transaction(tenant=ALL_TENANTS, write=False) as session:
        return session.scalar(select(func.count()).select_from(model))


def declared(town):
    with town.database.transaction(tenant=ALL_TENANTS, write=False) as session:
        account = session.get(Account, town.zoe.id)
        return account.declared_age, account.declared_consent, account.age_declared_at is not None


def change(town, **values):
    with town.database.transaction(tenant=ALL_TENANTS) as session:
        for name, value in values.items():
            setattr(session.get(Consultation, town.consultation), name, value)


def withdrawals(town):
    """What somebody who no longer may take part takes back: the address of each, and what is counted."""
    with town.database.transaction(tenant=ALL_TENANTS, write=False) as session:
        (mine,) = session.scalars(select(Proposal.id).where(Proposal.author_id == town.zoe.id))
        (reply,) = session.scalars(select(Reply.id).where(Reply.account_id == town.zoe.id))
    return {
        "ballot": ("/consultations/trajets/points/bulletin/retirer", {}),
        "vote": (f"{town.acts['vote'][0]}/retirer", {}),
        "proposal": (f"/contributions/{mine}/retirer", {}),
        "reply": (f"/mon-compte/reponses/{reply}/retirer", {}),
    }


def test_what_was_given_is_taken_back_whatever_age_is_declared(town):
    """The declaration may be gone since, or belong to another rule: withdrawing asks for none."""
    town.send(PAGE, age="of_age", suite="/")
    for act in ("proposal", "vote", "ballot", "reply"):
        path, typed, _ = town.acts[act]
        assert town.send(path, **typed).status_code in {200, 303}
    with town.database.transaction(tenant=ALL_TENANTS) as session:
        session.get(Account, town.zoe.id).declared_age = None
    for act, (path, typed) in withdrawals(town).items():
        reply = town.send(path, **typed)
        assert (reply.status_code, "/age/" in (reply.location or "")) == (303, False), act
    with town.database.transaction(tenant=ALL_TENANTS, write=False) as session:
        mine = {"account_id": town.zoe.id}
        assert [session.scalars(select(model).filter_by(**mine)).all() for model in (Vote, Ballot)] == [[], []]
        assert session.scalars(select(Reply).filter_by(**mine)).one().status is ContentStatus.WITHDRAWN


def test_a_questionnaire_without_account_says_the_age_before_it_is_sent(town, app):
    """Nobody is known there: sending declares, and nothing of it is kept."""
    with town.database.transaction(tenant=ALL_TENANTS) as session:
        step = session.scalars(select(Step).where(Step.slug == "questions")).one()
        step.settings = {"access": "everyone"}
    for path in ("/consultations/trajets/questions", "/consultations/trajets/questions/repondre"):
        page = re.sub(r"\s+", " ", app.test_client().get(path).text)
        assert "demande d’avoir 15 ans ou plus :" in page
        assert "en envoyant votre réponse, vous le déclarez" in page
    change(town, minimum_age=None)
    assert "ans ou plus" not in app.test_client().get(path).text


def test_open_data_say_which_age_was_asked_for(town):
    row = town.client.get("/api/v1/consultations/trajets").get_json()["data"]
    assert (row["minimum_age"], row["parental_consent"]) == (15, False)


ACTS = ("proposal", "argument", "version", "vote", "vote on an argument", "ballot", "reply", "anonymous reply")


@pytest.mark.parametrize("act", ACTS)
def test_the_first_act_waits_until_the_age_is_declared(town, act):
    path, typed, model = town.acts[act]
    before = count(town, model)
    asked = town.send(path, **typed)
    assert (asked.status_code, asked.location) == (303, f"{PAGE}?suite=/connexion/reprise")
    assert count(town, model) == before
    page = town.client.get(asked.location).text
    assert "J’ai 15 ans ou plus" in page
    assert "autorité parentale" not in page
    done = town.send(PAGE, age="of_age", suite="/connexion/reprise")
    assert done.location == "/connexion/reprise"
    assert TEXT in town.client.get(done.location).text or model in {Vote, Ballot}
    assert declared(town) == (15, False, True)
    assert town.send(path, **typed).status_code in {200, 303}
    assert count(town, model) == before + 1
    assert "15 ans ou plus" in town.client.get("/mon-compte").text


def test_whoever_is_too_young_is_told_kindly_and_nothing_is_kept_of_it(town):
    path, typed, model = town.acts["proposal"]
    before = count(town, model)
    town.send(path, **typed)
    refused = town.send(PAGE, age="under", suite="/connexion/reprise")
    assert refused.status_code == 403
    assert "s’adresse aux personnes de 15 ans ou plus" in refused.text
    assert TEXT in town.client.get("/connexion/reprise").text
    assert declared(town) == (None, False, False)
    assert town.send(path, **typed).status_code == 303
    assert count(town, model) == before


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_consent_of_parents_counts_only_where_it_is_taken(town):
    assert town.send(PAGE, age="consent").status_code == 422, "no such choice"
    change(town, parental_consent=True)
    assert "autorité parentale" in town.client.get(PAGE).text
    assert town.send(PAGE, age="consent").location == "/consultations/trajets"
    assert declared(town) == (15, True, True)
    path, typed, _ = town.acts["vote"]
    assert "/vote" not in town.send(path, **typed).location
    assert "moins de 15 ans" in town.client.get("/mon-compte").text
    for other in ({"parental_consent": False}, {"parental_consent": True, "minimum_age": 13}):
        change(town, **other)
        assert town.send(town.acts["proposal"][0], **town.acts["proposal"][1]).location.startswith(PAGE)
    change(town, minimum_age=18)
    town.send(PAGE, age="of_age")
    change(town, minimum_age=15, parental_consent=False)
    assert town.send(town.acts["argument"][0], **town.acts["argument"][1]).location.startswith("/arguments/")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_without_proof_that_the_form_is_ours_it_is_refused_in_words(town):
    path, typed, _ = town.acts["proposal"]
    refused = town.send(path, headers={}, **typed)
    assert refused.status_code == 403
    assert "15\u202fans" in refused.text or "15 ans ou plus" in refused.text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_age_is_asked_where_none_is_wanted(town, app):
    change(town, minimum_age=None)
    assert town.client.get(PAGE).status_code == 404
    assert town.send(PAGE, age="of_age").status_code == 404
    path, typed, _ = town.acts["proposal"]
    assert town.send(path, **typed).location.startswith("/contributions/")
    change(town, minimum_age=15)
    assert app.test_client().get(PAGE).location.startswith("/connexion?suite=")
    assert town.client.post(PAGE, data={"age": "of_age"}).status_code == 403, "no token"
    assert town.send(PAGE, age="of_age", suite="https://ailleurs.example/").location == "/consultations/trajets"
    for hostile in ({}, {"age": "16"}, {"age": "<script>"}):
        assert town.send(PAGE, **hostile).status_code == 422


def test_organisers_ask_for_an_age_before_the_opening_and_never_after(app):
    now, kinds = f.NOW, app.extensions["bindings"].step_kinds
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        organisation = f.make_organisation(session)
        consultation = f.make_consultation(session, organisation, opened=False)
        f.make_step(session, consultation)
        told = {name: getattr(consultation, name) for name in ("title", "summary", "description", "outcome")}
        told |= {"opens_at": consultation.opens_at, "closes_at": consultation.closes_at, "actor": SYSTEM, "now": now}

        def update(age):
            service.update_consultation(session, consultation, step_kinds=kinds, age=age, **told)

        plain = service.rules_of(session, consultation, kinds)
        assert "minimum_age" not in plain, "what was frozen before keeps its digest"
        for wrong in (AgeRule(0), AgeRule(100), AgeRule(-1), AgeRule(10**9), AgeRule(None, True)):
            with pytest.raises(InvalidError) as refusal:
                update(wrong)
            assert list(refusal.value.fields) == ["minimum_age"]
        update(AgeRule(15, True))
        rules = service.rules_of(session, consultation, kinds)
        assert {key: rules[key] for key in rules.keys() - plain.keys()} == {
            "minimum_age": 15, "parental_consent": True
        }  # fmt: skip
        consultation.status, consultation.opened_at = ConsultationStatus.OPEN, now
        session.flush()
        with pytest.raises(InvalidError, match="figé"):
            update(AgeRule(12))
        update(AgeRule(15, True))
        update(None)
        assert consultation.minimum_age == 15


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_everybody_reads_which_age_is_asked_for(town, app):
    visitor = app.test_client()
    assert "il faut déclarer avoir 15 ans ou plus" in re.sub(r"\s+", " ", visitor.get("/consultations/trajets").text)
    assert "jamais la date de naissance" in visitor.get("/donnees-personnelles").text
