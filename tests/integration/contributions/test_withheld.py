"""What is no longer published, or not yet, is told nowhere: neither its text nor its title."""

import pytest

from consult.consultations.models import ContentStatus
from consult.contributions.bindings import ArgumentContent
from consult.contributions.models import ContentVersion, Proposal, Side
from consult.db import ALL_TENANTS
from tests import factories

TITLE = "Un titre que plus personne ne doit lire"
WITHHELD = {
    ContentStatus.HIDDEN: {"status_reason": "insult"},
    ContentStatus.WITHDRAWN: {},
}


@pytest.fixture
def scene(database):
    """A proposal that somebody else argued on, committed."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(session)
        step = factories.make_step(session, factories.make_consultation(session, organisation))
        proposal = factories.make_proposal(session, step, factories.make_account(session, organisation), title=TITLE)
        reader = factories.make_account(session, organisation)
        argument = factories.make_argument(session, proposal, reader, side=Side.AGAINST)
        session.expunge_all()
    return proposal, argument, reader


@pytest.fixture(params=WITHHELD)
def withheld(request, database, scene):
    """The same, once the proposal was hidden by moderation or withdrawn by its author."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        found = session.get_one(Proposal, scene[0].id)
        found.status = request.param
        for name, value in WITHHELD[request.param].items():
            setattr(found, name, value)
    return scene


def test_who_argued_no_longer_reads_the_title(client, withheld):
    proposal, argument, reader = withheld
    factories.sign_in(client, reader)
    page = client.get("/mon-compte/contributions/arguments")
    assert page.status_code == 200
    assert argument.body in page.text
    assert TITLE not in page.text
    assert f"/contributions/{proposal.id}" in page.text


def test_the_form_that_reports_an_argument_does_not_tell_it(client, withheld):
    page = client.get(f"/signaler/argument/{withheld[1].id}")
    assert page.status_code == 200
    assert TITLE not in page.text
    assert "Argument contre une proposition qui n’est plus publiée" in page.text


def test_an_argument_names_its_proposal_only_while_it_is_published(database, withheld):
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        item = ArgumentContent().get(session, withheld[1].id)
    assert item is not None
    assert TITLE not in item.title


def test_former_texts_of_a_draft_are_for_its_staff(client, database):
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(session)
        step = factories.make_step(session, factories.make_consultation(session, organisation, opened=False))
        argument = factories.make_argument(session, factories.make_proposal(session, step), version=2)
        former = ContentVersion(
            organisation_id=organisation.id,
            argument_id=argument.id,
            version=1,
            body="Avant.",
            replaced_at=factories.NOW,
        )
        session.add(former)
        session.flush()
        address = f"/arguments/{argument.id}/versions"
    assert client.get(address).status_code == 404
