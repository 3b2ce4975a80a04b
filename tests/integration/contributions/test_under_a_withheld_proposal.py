"""Arguments stand or fall with their proposal: nobody acts on one whose proposal is no longer published."""

import pytest

from consult.consultations.models import ContentStatus
from consult.contributions import pending, votes
from consult.contributions.arguments import service as arguments
from consult.contributions.models import Side, VoteValue
from consult.errors import GoneError
from tests import factories

NOW = factories.NOW


@pytest.fixture
def scene(session):
    """An open step, a proposal with an argument, and someone whose address is not confirmed yet."""
    organisation = factories.make_organisation(session)
    session.info["tenant"] = organisation.id
    step = factories.make_step(session, factories.make_consultation(session, organisation))
    proposal = factories.make_proposal(session, step)
    newcomer = factories.make_account(session, organisation, confirmed_at=None)
    return step, proposal, factories.make_argument(session, proposal), newcomer


def hide(session, proposal):
    proposal.status, proposal.status_reason = ContentStatus.HIDDEN, "insult"
    session.flush()


def confirm(session, account):
    account.confirmed_at = NOW
    session.flush()
    pending.publish_pending(session, account.id, NOW)
    return votes.count_pending_votes(session, account.id, NOW)


@pytest.mark.parametrize("hidden", [False, True])
def test_a_pending_vote_on_an_argument_counts_while_its_proposal_is_published(session, scene, hidden):
    step, proposal, argument, newcomer = scene
    votes.cast_vote(session, argument, step=step, account_id=newcomer.id, value=VoteValue.FOR, now=NOW)
    if hidden:
        hide(session, proposal)
    session.expire_all()
    assert confirm(session, newcomer) == (0 if hidden else 1)
    assert votes.recount(session, argument)[VoteValue.FOR] == (0 if hidden else 1)


@pytest.mark.parametrize("hidden", [False, True])
def test_a_pending_argument_is_published_while_its_proposal_is(session, scene, hidden):
    step, proposal, _, newcomer = scene
    written = arguments.submit_argument(
        session,
        step=step,
        proposal=proposal,
        account_id=newcomer.id,
        side=Side.FOR,
        body="Un argument de plus, écrit avant de confirmer.",
        submission_key="clé",
        now=NOW,
    )
    if hidden:
        hide(session, proposal)
    confirm(session, newcomer)
    assert written.status is (ContentStatus.PENDING if hidden else ContentStatus.PUBLISHED)


def test_nobody_votes_on_an_argument_whose_proposal_is_hidden(session, scene):
    step, proposal, argument, newcomer = scene
    hide(session, proposal)
    act = {"step": step, "account_id": newcomer.id, "now": NOW}
    with pytest.raises(GoneError):
        votes.cast_vote(session, argument, value=VoteValue.FOR, **act)
    with pytest.raises(GoneError):
        votes.withdraw_vote(session, argument, **act)
