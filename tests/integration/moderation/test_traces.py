"""Personal data in a text: its author is told before it is published, and the moderator after."""

from sqlalchemy import select

from consult import clock
from consult.app import bindings
from consult.consultations.models import ContentStatus
from consult.contributions.models import Argument, Proposal
from consult.db import ALL_TENANTS
from consult.moderation.jobs import FlagTraces
from consult.moderation.models import Act, Decision, Report
from consult.settings import Settings
from tests import factories as f
from tests.integration.privacy.town import Town

TEXT = "Appelez-moi au 06 12 34 56 78 pour en parler, je suis toujours là le soir."


def flag(session, now=f.NOW) -> None:
    types = bindings(Settings()).content_types
    for _ in FlagTraces(types, now=lambda: now).run(session, {}, {}):
        session.flush()


def test_what_was_published_is_put_in_the_queue_once(session):
    town = Town(session)
    held = town.write(town.person, "x 06 12 34 56 78")
    plain = town.write(town.person, "tramway")
    town.argue(town.other, plain, "ma boîte jeanne@exemple.fr")
    flag(session)
    flag(session)
    reports = session.scalars(select(Report).order_by(Report.item_type)).all()
    assert [(each.item_type, each.reason) for each in reports] == [
        ("argument", "personal_data"), ("proposal", "personal_data"),
    ]  # fmt: skip
    assert "une adresse électronique" in reports[0].comment
    assert "jeanne" not in reports[0].comment, "the kind, never the thing"
    town.decide(town.moderator, held, Act.HIDE, "Un numéro de téléphone est lisible.")
    assert session.scalars(select(Decision.automated)).all() == [True]
    flag(session)
    assert len(session.scalars(select(Report)).all()) == 2


def test_a_decision_without_the_machine_does_not_say_so(session):
    town = Town(session)
    item = town.write(town.person, "tramway")
    town.report(town.other, item, "Regardez.")
    town.decide(town.moderator, item, Act.HIDE, "Le motif, en vingt lettres au moins.")
    assert session.scalars(select(Decision.automated)).all() == [False]


def test_its_author_is_told_before_and_may_insist(app):
    database = app.extensions["database"]
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        organisation = f.make_organisation(session, slug="agence")
        consultation = f.make_consultation(session, organisation, now=clock.now())
        step = f.make_step(session, consultation)
        account = f.make_account(session, organisation)
    client = app.test_client()
    f.sign_in(client, account)
    here = f"/consultations/{consultation.slug}/{step.slug}/proposer"
    data = {"csrf_token": f.csrf_token(client, here), "title": "Une idée pour la ville", "body": TEXT}
    data["submission_key"] = "k"
    refused = client.post(here, data=data)
    assert refused.status_code == 422
    assert (
        "Votre texte semble contenir un numéro de téléphone, «\u00a006 12 34 56 78\u00a0» (Votre proposition)"
        in refused.text
    )
    assert TEXT in refused.text, "nothing is lost"
    assert 'name="sure"' in refused.text
    assert client.post(here, data=data | {"sure": "y"}).status_code == 303
    with database.session(write=False, tenant=organisation.id) as session:
        (proposal,) = session.scalars(select(Proposal))
        assert (proposal.body, proposal.status) == (TEXT, ContentStatus.PUBLISHED)
    there = f"/contributions/{proposal.id}"
    argument = {"csrf_token": data["csrf_token"], "side": "for", "body": TEXT, "submission_key": "a"}
    assert client.post(f"{there}/argumenter", data=argument).status_code == 422
    edit = {"csrf_token": data["csrf_token"], "title": "Une idée pour la ville", "body": f"{TEXT} Oui.", "version": "1"}
    assert client.post(f"{there}/modifier", data=edit).status_code == 422
    with database.session(write=False, tenant=organisation.id) as session:
        assert session.scalars(select(Argument)).all() == []
        assert session.scalar(select(Proposal.version)) == 1
