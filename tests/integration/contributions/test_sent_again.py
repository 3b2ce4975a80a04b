"""A text sent again by its author is one content, whatever form brings it."""

import pytest

from consult.contributions import service
from consult.contributions.arguments import service as arguments
from consult.contributions.models import Side
from tests import factories

NOW = factories.NOW
BODY = "Un banc et un toit à chaque arrêt, pour toutes et tous."


@pytest.fixture
def send(session):
    """Sends a proposal of one author in one step, each time from another form."""
    organisation = factories.make_organisation(session)
    step = factories.make_step(session, factories.make_consultation(session, organisation))
    authors = [factories.make_account(session, organisation) for _ in range(2)]

    def sent(key, *, body=BODY, author=0):
        return service.submit_proposal(
            session,
            step=step,
            account_id=authors[author].id,
            title="Un abri à chaque arrêt",
            body=body,
            theme_id=None,
            submission_key=key,
            now=NOW,
        )

    def argued(key, proposal, side):
        return arguments.submit_argument(
            session,
            step=step,
            proposal=proposal,
            account_id=authors[0].id,
            side=side,
            body="Cela coûte peu et change beaucoup.",
            submission_key=key,
            now=NOW,
        )

    sent.argued = argued
    return sent


def test_the_back_button_brings_the_same_proposal_back(send):
    first = send("un")
    assert send("deux").id == first.id
    assert send("trois", body=BODY + " Et un plan.").id != first.id


def test_two_people_may_write_the_same_words(send):
    assert send("un").id != send("deux", author=1).id


def test_a_withdrawn_proposal_may_be_written_again(session, send):
    first = send("un")
    first.status = service.ContentStatus.WITHDRAWN
    session.flush()
    assert send("deux").id != first.id


def test_the_same_argument_is_written_once_per_side(send):
    proposal = send("un")
    first = send.argued("deux", proposal, Side.FOR)
    assert send.argued("trois", proposal, Side.FOR).id == first.id
    assert send.argued("quatre", proposal, Side.AGAINST).id != first.id
