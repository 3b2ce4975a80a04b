"""Whatever people and moderators do, in any order, what is shown equals a recount of the vote rows."""

import collections
import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from consult.consultations import figures
from consult.consultations.models import ContentStatus
from consult.contributions import queries, service, votes
from consult.contributions.datasets import ContributionsDataset, VotesDataset
from consult.contributions.models import Proposal, VoteValue
from consult.db import as_tenant
from consult.errors import ConflictError, GoneError
from consult.registry import conservation
from consult.registry import queries as registry
from consult.registry.models import EntryKind, RegistryEntry
from tests import factories
from tests.registers import settle, standing_votes

NOW = factories.NOW
PEOPLE, PROPOSALS = 3, 2
ACTS = st.one_of(
    st.tuples(
        st.just("vote"), st.integers(0, PEOPLE - 1), st.integers(0, PROPOSALS - 1), st.sampled_from(list(VoteValue))
    ),
    st.tuples(st.just("withdraw"), st.integers(0, PEOPLE - 1), st.integers(0, PROPOSALS - 1)),
    st.tuples(st.sampled_from(["hide", "restore"]), st.integers(0, PROPOSALS - 1)),
    st.tuples(st.just("place"), st.integers(1, 4)),
    st.tuples(st.just("confirm")),
)


def play(session, step, proposals, people, act):
    match act:
        case ("vote", person, n, value):
            votes.cast_vote(session, proposals[n], step=step, account_id=people[person].id, value=value, now=NOW)
        case ("withdraw", person, n):
            votes.withdraw_vote(session, proposals[n], step=step, account_id=people[person].id, now=NOW)
        case ("hide", n):
            service.hide(session, proposals[n], "off_topic", NOW)
            service.log(session, proposals[n], EntryKind.MODERATION, {"act": "hide"}, NOW)
        case ("restore", n):
            service.restore(session, proposals[n])
            service.log(session, proposals[n], EntryKind.MODERATION_REVERSED, {}, NOW)
        case ("place", limit):
            settle(session, limit=limit)
        case ("confirm",):
            people[0].confirmed_at = NOW
            votes.count_pending_votes(session, people[0].id, NOW)


def check_at_position(session, proposals):
    """At every moment, what is shown is what the log says up to the position it tells."""
    session.flush()
    counted = collections.Counter(
        (target, value) for (_, target), value in standing_votes(session, placed=True).items()
    )
    last = session.scalar(select(func.max(RegistryEntry.position)))
    for proposal in proposals:
        sheet = queries.sheet(session, proposal.id)
        assert sheet.position == last
        assert sheet.votes == {value.value: counted[str(proposal.id), value.value] for value in VoteValue}


def check(session, step, proposals):
    """Once all that was done has its place in the log; it may have had one before, in several times."""
    settle(session)
    published = counted = 0
    for proposal in proposals:
        truth = {value.value: count for value, count in votes.recount(session, proposal).items()}
        assert dict(queries.sheet(session, proposal.id).votes) == truth
        counted += sum(truth.values())
        if proposal.status is ContentStatus.PUBLISHED:
            published += sum(truth.values())
            card = next(row for row in queries.proposals(session, step, hour=500_000).rows if row.id == proposal.id)
            assert {value: getattr(card, f"votes_{value}") for value in truth} == truth
    assert queries.census(session, step)["votes"] == published
    assert figures.of_step(session, step, queries.census)["votes"] == published, "as kept at the position"
    with as_tenant(session, step.organisation_id):
        assert registry.counted(session) == registry.position(session)
        lines = {line.type: line for line in conservation.all_of(session).get(step.consultation_id, ())}
    if "vote" in lines:
        assert lines["vote"].balanced
        assert lines["vote"].published == counted


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(ACTS, max_size=25))
def test_displayed_counts_equal_a_recount_of_rows_log_and_open_data(session, acts):
    session.rollback()
    organisation = factories.make_organisation(session)
    step = factories.make_step(session, factories.make_consultation(session, organisation))
    proposals = [factories.make_proposal(session, step) for _ in range(PROPOSALS)]
    newcomer = factories.make_account(session, organisation, confirmed_at=None)
    people = [newcomer, *(factories.make_account(session, organisation) for _ in range(PEOPLE - 1))]
    for act in acts:
        with contextlib.suppress(GoneError, ConflictError):
            play(session, step, proposals, people, act)
        check_at_position(session, proposals)
    check(session, step, proposals)
    check(session, step, session.scalars(select(Proposal)).all())
    rows = list(VotesDataset().rows(session, step.consultation_id))
    assert standing_votes(session) == {(row["voter"], row["target"]): row["value"] for row in rows}
    by_target = collections.Counter((row["target"], row["value"]) for row in rows)
    for row in ContributionsDataset().rows(session, step.consultation_id):
        assert all(row[f"votes_{value}"] == by_target[row["id"], value] for value in VoteValue)
    assert session.scalar(select(func.count()).select_from(Proposal)) == PROPOSALS
