"""Steps where a vote is a support: one button, withdrawn as it was given, counted alone."""

import html
import re

import pytest
from sqlalchemy import select

from consult.consultations.models import Step
from consult.contributions import queries, votes
from consult.contributions.bindings import ProposalsStep
from consult.contributions.models import Argument, Proposal, Vote, VoteValue
from consult.errors import BadRequestError
from consult.registry.models import EntryKind, RegistryEntry
from consult.site import labels
from tests import factories as f
from tests.registers import settle


@pytest.fixture
def supported(world, database_of):
    """The step of the world takes supports."""
    with database_of() as session:
        session.get_one(Step, world.step).settings = {"vote": "support"}
    return world


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.unescape(response.text).replace("\u00a0", " ")))


def placed(database_of):
    with database_of() as session:
        settle(session)


def test_a_proposal_is_supported_counted_and_the_support_taken_back(supported, person, database_of, client):
    voter = person(supported.other)
    page = voter.get(supported.page)
    assert "Soutenir" in text_of(page)
    assert "D’accord" not in text_of(page)
    assert "autant de soutiens que de comptes" in text_of(page), "the rule of the count is there to read"
    voter.send(f"{supported.page}/vote", position="for")
    voter.send(f"{supported.page}/vote", position="for")
    placed(database_of)
    assert "Soutiens : 1" in text_of(client.get(supported.page))
    listed = text_of(client.get(supported.list))
    assert "Soutiens : 1" in listed
    assert "Plus soutenues" in listed
    assert "Retirer mon soutien" in text_of(voter.get(supported.page))
    assert "Soutien : Plus de trains la nuit" in text_of(voter.get("/mon-compte/contributions/votes"))
    voter.send(f"{supported.page}/vote/retirer")
    placed(database_of)
    assert "Soutiens : 0" in text_of(client.get(supported.page))
    with database_of() as session:
        kinds = session.scalars(select(RegistryEntry.kind).order_by(RegistryEntry.id)).all()
        said = session.scalars(select(RegistryEntry.opening)).first()
    assert (said["vote"], said["value"]) == ("support", "for")
    assert labels.said(said)[3:5] == [("Type de vote", "Soutien"), ("Sens du vote", "Soutien")]
    assert kinds == [EntryKind.VOTE_CAST, EntryKind.VOTE_WITHDRAWN]


@pytest.mark.parametrize("position", ["mixed", "against"])
def test_no_other_position_is_taken(supported, person, database_of, position):
    refused = person(supported.other).send(f"{supported.page}/vote", position=position)
    assert refused.status_code == 400
    assert "recueille des soutiens" in text_of(refused)
    with database_of() as session:
        assert session.scalars(select(Vote)).all() == []


def test_the_service_refuses_it_too_but_arguments_are_judged_as_elsewhere(session):
    organisation = f.make_organisation(session)
    step = f.make_step(session, f.make_consultation(session, organisation), settings={"vote": "support"})
    proposal, voter = f.make_proposal(session, step), f.make_account(session, organisation)
    act = {"step": step, "account_id": voter.id, "now": f.NOW}
    with pytest.raises(BadRequestError):
        votes.cast_vote(session, proposal, value=VoteValue.AGAINST, **act)
    votes.cast_vote(session, proposal, value=VoteValue.FOR, **act)
    votes.cast_vote(session, f.make_argument(session, proposal), value=VoteValue.FOR, **act)
    settle(session)
    assert session.get_one(Proposal, proposal.id).votes_for == 1
    assert session.scalars(select(Argument.votes_for)).all() == [1]
    assert queries.census(session, step)["votes"] == 2


def test_the_most_supported_come_first(session):
    organisation = f.make_organisation(session)
    step = f.make_step(session, f.make_consultation(session, organisation), settings={"vote": "support"})
    proposals = [f.make_proposal(session, step, title=f"Idée {n}") for n in range(3)]
    for rank, count in enumerate((1, 3, 2)):
        for _ in range(count):
            voter = f.make_account(session, organisation)
            votes.cast_vote(session, proposals[rank], step=step, account_id=voter.id, value=VoteValue.FOR, now=f.NOW)
    settle(session)
    listed = queries.proposals(session, step, hour=500_000, sort=queries.Sort.VOTED).rows
    assert [(row.title, row.votes_for) for row in listed] == [("Idée 1", 3), ("Idée 2", 2), ("Idée 0", 1)]


def test_the_kind_of_vote_is_among_the_frozen_rules(session):
    step = f.make_step(session, f.make_consultation(session, f.make_organisation(session)))
    step.settings = {"vote": "support"}
    assert ProposalsStep(lambda *_: "").rules(session, step)["votes"] == ["for"]
