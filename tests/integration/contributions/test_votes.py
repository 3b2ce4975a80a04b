"""Votes: one per account and content, exact counts, an entry in the log for each act."""

import concurrent.futures
import datetime as dt
import uuid

import pytest
from sqlalchemy import delete, func, select, update

from consult.accounts.models import AccountStatus
from consult.consultations.models import ContentStatus, Step
from consult.contributions import queries, service, votes
from consult.contributions.acts import queries as acts
from consult.contributions.arguments import queries as arguments
from consult.contributions.datasets import VotesDataset
from consult.contributions.models import Proposal, Vote, VoteValue
from consult.db import ALL_TENANTS
from consult.errors import BadRequestError, ClosedError, GoneError
from consult.registry import conservation
from consult.registry.models import EntryKind, RegistryEntry
from tests import factories
from tests.registers import settle, standing_votes

NOW = factories.NOW


@pytest.fixture
def scene(session):
    """An open step, a proposal in it and someone to vote."""
    organisation = factories.make_organisation(session)
    step = factories.make_step(session, factories.make_consultation(session, organisation))
    author = factories.make_account(session, organisation)
    proposal = factories.make_proposal(session, step, author)
    return organisation, step, proposal, factories.make_account(session, organisation)


def shown(session, proposal):
    """The votes displayed once all that was done has its place in the log."""
    settle(session)
    return dict(queries.sheet(session, proposal.id).votes)


def kinds(session):
    return list(session.scalars(select(RegistryEntry.kind).order_by(RegistryEntry.id)))


def test_a_vote_is_counted_logged_changed_and_withdrawn(session, scene):
    _, step, proposal, voter = scene
    act = {"step": step, "account_id": voter.id, "now": NOW}
    votes.cast_vote(session, proposal, value=VoteValue.FOR, **act)
    assert shown(session, proposal) == {"for": 1, "mixed": 0, "against": 0}
    votes.cast_vote(session, proposal, value=VoteValue.MIXED, **act)
    votes.cast_vote(session, proposal, value=VoteValue.MIXED, **act)
    assert shown(session, proposal) == {"for": 0, "mixed": 1, "against": 0}
    assert votes.withdraw_vote(session, proposal, **act)
    assert not votes.withdraw_vote(session, proposal, **act)
    assert shown(session, proposal) == {"for": 0, "mixed": 0, "against": 0}
    assert kinds(session) == [EntryKind.VOTE_CAST, EntryKind.VOTE_CHANGED, EntryKind.VOTE_WITHDRAWN]
    assert session.scalars(select(RegistryEntry).order_by(RegistryEntry.id.desc())).first().opening["value"] == "mixed"
    assert standing_votes(session) == {}


def test_a_log_entry_names_the_content_and_its_version_but_nobody(session, scene):
    _, step, proposal, voter = scene
    vote = votes.cast_vote(session, proposal, step=step, account_id=voter.id, value=VoteValue.AGAINST, now=NOW)
    entry = session.scalars(select(RegistryEntry)).one()
    assert entry.opening == {
        "step": str(step.id), "contribution": str(proposal.id), "version": 1, "value": "against",
        "voter": entry.holder,
    }  # fmt: skip
    (row,) = VotesDataset().rows(session, step.consultation_id)
    assert row["voter"] == entry.holder, "the same as in open data, so that one vote per voter can be checked"
    assert vote.registry_ref == entry.ref
    assert entry.recorded_at == NOW.replace(minute=0, second=0)


def test_an_argument_is_useful_or_not(session, scene):
    _, step, proposal, voter = scene
    argument = factories.make_argument(session, proposal)
    with pytest.raises(BadRequestError):
        votes.cast_vote(session, argument, step=step, account_id=voter.id, value=VoteValue.AGAINST, now=NOW)
    votes.cast_vote(session, argument, step=step, account_id=voter.id, value=VoteValue.FOR, now=NOW)
    settle(session)
    found = arguments.listed(session, proposal, step, arguments.Asked(hour=500_000))
    assert [row.votes_for for row in found.page.rows] == [1]


def test_votes_before_confirmation_wait_uncounted_and_unlogged(session, scene):  # AT-18.4
    organisation, step, proposal, _ = scene
    newcomer = factories.make_account(session, organisation, confirmed_at=None)
    act = {"step": step, "account_id": newcomer.id, "now": NOW}
    votes.cast_vote(session, proposal, value=VoteValue.FOR, **act)
    votes.cast_vote(session, proposal, value=VoteValue.AGAINST, **act)
    assert shown(session, proposal) == {"for": 0, "mixed": 0, "against": 0}
    assert kinds(session) == []
    newcomer.confirmed_at = NOW
    assert votes.count_pending_votes(session, newcomer.id, NOW) == 1
    assert votes.count_pending_votes(session, newcomer.id, NOW) == 0
    assert shown(session, proposal) == {"for": 0, "mixed": 0, "against": 1}
    assert kinds(session) == [EntryKind.VOTE_CAST]


def test_a_pending_vote_confirmed_after_the_end_stays_uncounted(session, scene):
    organisation, step, proposal, _ = scene
    newcomer = factories.make_account(session, organisation, confirmed_at=None)
    votes.cast_vote(session, proposal, step=step, account_id=newcomer.id, value=VoteValue.FOR, now=NOW)
    newcomer.confirmed_at = NOW
    assert votes.count_pending_votes(session, newcomer.id, step.closes_at) == 0
    assert shown(session, proposal)["for"] == 0


@pytest.mark.parametrize("late", [dt.timedelta(0), dt.timedelta(days=400)])
def test_a_closed_step_takes_no_vote(session, scene, late):
    _, step, proposal, voter = scene
    act = {"step": step, "account_id": voter.id, "now": step.closes_at + late}
    with pytest.raises(ClosedError):
        votes.cast_vote(session, proposal, value=VoteValue.FOR, **act)
    with pytest.raises(ClosedError):
        votes.withdraw_vote(session, proposal, **act)
    last = step.closes_at - dt.timedelta(microseconds=1)
    votes.cast_vote(session, proposal, step=step, account_id=voter.id, value=VoteValue.FOR, now=last)


def test_a_hidden_proposal_takes_no_vote_and_leaves_the_totals_until_restored(session, scene):
    _, step, proposal, voter = scene
    act = {"step": step, "account_id": voter.id, "now": NOW}
    votes.cast_vote(session, proposal, value=VoteValue.FOR, **act)
    settle(session)
    assert queries.census(session, step)["votes"] == 1
    service.hide(session, proposal, "off_topic", NOW)
    assert queries.census(session, step) == {"contributions": 0, "arguments": 0, "votes": 0, "imported_votes": 0}
    with pytest.raises(GoneError):
        votes.cast_vote(session, proposal, value=VoteValue.AGAINST, **act)
    service.restore(session, proposal)
    assert queries.census(session, step)["votes"] == 1
    assert proposal.status is ContentStatus.PUBLISHED


def test_figures_move_with_the_place_and_once_only(session, scene):  # AT-20.2
    organisation, step, proposal, _ = scene
    argument = factories.make_argument(session, proposal)
    for value in (VoteValue.FOR, VoteValue.FOR, VoteValue.MIXED):
        voter = factories.make_account(session, organisation)
        votes.cast_vote(session, proposal, step=step, account_id=voter.id, value=value, now=NOW)
        votes.cast_vote(session, argument, step=step, account_id=voter.id, value=VoteValue.FOR, now=NOW)
    session.flush()
    before = queries.sheet(session, proposal.id)
    assert (before.votes, before.position) == ({"for": 0, "mixed": 0, "against": 0}, None)
    own = acts.own_vote(session, voter.id, proposal.id)
    assert (own.counted, own.placed) == (True, False)
    assert acts.own_useful(session, voter.id, [argument.id]) == {argument.id: False}
    settle(session)
    after = queries.sheet(session, proposal.id)
    assert (after.votes, after.position) == ({"for": 2, "mixed": 1, "against": 0}, 5)
    assert acts.own_vote(session, voter.id, proposal.id).placed
    assert acts.own_useful(session, voter.id, [argument.id]) == {argument.id: True}
    assert (proposal.votes_for, proposal.votes_mixed, proposal.votes_total, argument.votes_for) == (2, 1, 3, 3)
    assert queries.census(session, step)["votes"] == 6
    # A restore may give a place again to what was counted already.
    session.execute(update(RegistryEntry).values(position=None))
    settle(session)
    assert queries.sheet(session, proposal.id).votes == after.votes


def test_the_census_tells_of_a_vote_that_was_deleted_or_added_beside_the_log(session, scene, caplog):  # AT-20.2
    organisation, step, proposal, voter = scene
    act = {"step": step, "now": NOW, "value": VoteValue.FOR}

    def line():
        lines = conservation.all_of(session)[step.consultation_id]
        return next(line for line in lines if line.type == "vote")

    votes.cast_vote(session, proposal, account_id=voter.id, **act)
    settle(session)
    assert (line().logged, line().published, line().balanced) == (1, 1, True)
    session.execute(delete(Vote))
    votes.cast_vote(session, proposal, account_id=factories.make_account(session, organisation).id, **act)
    settle(session)
    assert (line().logged, line().published, line().balanced) == (2, 1, False)
    factories.make_vote(session, proposal, factories.make_account(session, organisation))
    factories.make_vote(session, proposal, factories.make_account(session, organisation))
    votes.cast_vote(session, proposal, account_id=factories.make_account(session, organisation).id, **act)
    settle(session)
    assert (line().logged, line().published, line().balanced) == (3, 4, False)
    assert "acts are missing or in excess" in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [True, False])
def test_two_hundred_parallel_votes_of_one_account_make_one(database, session, scene, at_once):
    """AT-19.12."""
    organisation, step, proposal, voter = scene
    ids = organisation.id, step.id, proposal.id, voter.id
    session.commit()

    def vote(n: int) -> None:
        value = (VoteValue.FOR, VoteValue.AGAINST)[n % 2]
        ballot = votes.Ballot(Proposal, ids[2], ids[0], ids[3], value)
        with database.transaction(tenant=ids[0]) as own:
            with database.before_writing(own) as connection:
                seen = votes.look(connection, ballot)
            if at_once and votes.cast_at_once(own, ballot, seen, NOW):
                return
            proposal, step = own.get_one(Proposal, ids[2]), own.get_one(Step, ids[1])
            votes.cast_vote(own, proposal, step=step, account_id=ids[3], value=value, now=NOW)

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        assert list(pool.map(vote, range(200))) == [None] * 200
    with database.transaction(tenant=ALL_TENANTS) as after:
        row = after.scalars(select(Vote)).one()
        proposal = after.get_one(Proposal, ids[2])
        assert votes.recount(after, proposal) == {value: int(value is row.value) for value in VoteValue}
        assert shown(after, proposal) == {value.value: int(value is row.value) for value in VoteValue}
        assert after.scalar(select(func.count()).where(RegistryEntry.kind == EntryKind.VOTE_CAST)) == 1
        last = after.scalars(select(RegistryEntry).order_by(RegistryEntry.id.desc())).first()
        assert (last.ref, last.opening["value"]) == (row.registry_ref, row.value.value)


def at_once(session, organisation, target, account, value, now=NOW):
    ballot = votes.Ballot(type(target), target.id, organisation.id, account.id, value)
    return votes.cast_at_once(session, ballot, votes.look(session.connection(), ballot), now)


def test_the_short_way_does_what_the_long_one_does(session, scene):
    organisation, step, proposal, voter = scene
    other = factories.make_account(session, organisation)
    for value in (VoteValue.FOR, VoteValue.FOR, VoteValue.MIXED):
        assert at_once(session, organisation, proposal, voter, value)
        votes.cast_vote(session, proposal, step=step, account_id=other.id, value=value, now=NOW)
    assert shown(session, proposal) == {"for": 0, "mixed": 2, "against": 0}
    mine, theirs = session.scalars(select(Vote).order_by(Vote.account_id == other.id))
    assert (mine.value, mine.counted, mine.cast_at) == (theirs.value, theirs.counted, theirs.cast_at)
    entries = session.scalars(select(RegistryEntry).order_by(RegistryEntry.id)).all()
    mine_said, theirs_said = (
        [(entry.kind, {name: said for name, said in entry.opening.items() if name != "voter"}) for entry in half]
        for half in (entries[0::2], entries[1::2])
    )
    assert mine_said == theirs_said
    assert standing_votes(session) == {
        (row["voter"], row["target"]): "mixed" for row in VotesDataset().rows(session, step.consultation_id)
    }
    assert [entry.ref for entry in entries[2:]] == [mine.registry_ref, theirs.registry_ref]


def test_the_short_way_leaves_what_is_not_plain_to_the_long_one(session, scene):
    organisation, step, proposal, voter = scene
    newcomer = factories.make_account(session, organisation, confirmed_at=None)
    stranger = factories.make_account(session, factories.make_organisation(session))
    hidden = factories.make_proposal(session, step, status=ContentStatus.HIDDEN, status_reason="off_topic")
    draft = factories.make_step(session, factories.make_consultation(session, organisation, opened=False))
    unopened = factories.make_proposal(session, draft)
    assert not at_once(session, organisation, proposal, newcomer, VoteValue.FOR)
    assert not at_once(session, organisation, proposal, stranger, VoteValue.FOR)
    assert not at_once(session, organisation, hidden, voter, VoteValue.FOR)
    assert not at_once(session, organisation, unopened, voter, VoteValue.FOR)
    assert not at_once(session, organisation, proposal, voter, VoteValue.FOR, now=step.closes_at)
    assert session.scalars(select(Vote)).all() == session.scalars(select(RegistryEntry)).all() == []


def test_another_organisation_finds_neither_the_proposal_nor_its_votes(database, session, scene):
    _, step, proposal, voter = scene
    votes.cast_vote(session, proposal, step=step, account_id=voter.id, value=VoteValue.FOR, now=NOW)
    elsewhere = factories.make_organisation(session).id
    proposal_id, step_id = proposal.id, step.id
    session.commit()
    with database.transaction(tenant=elsewhere, write=False) as other:
        assert queries.sheet(other, proposal_id) is None
        assert other.get(Step, step_id) is None
        assert votes.recount(other, Proposal(id=proposal_id)) == dict.fromkeys(VoteValue, 0)
    assert queries.sheet(session, uuid.uuid4()) is None


@pytest.mark.parametrize("status", [AccountStatus.BLOCKED, AccountStatus.ERASED])
def test_an_account_ended_meanwhile_casts_no_plain_vote(session, scene, status):
    """The request was let in before; the account's lock is then waited for."""
    organisation, _, proposal, voter = scene
    voter.status = status
    session.flush()
    assert not at_once(session, organisation, proposal, voter, VoteValue.FOR)
    assert session.scalars(select(Vote)).all() == []


@pytest.mark.parametrize(
    ("what", "change"),
    [(what, change) for what in ("account", "proposal", "vote") for change in (False, True)] + [("argument", False)],
)
def test_what_ends_between_the_look_and_the_writing_of_a_vote_is_seen_as_it_is_written(session, scene, what, change):
    organisation, step, proposal, voter = scene
    target = factories.make_argument(session, proposal) if what == "argument" else proposal
    if change:
        assert at_once(session, organisation, target, voter, VoteValue.MIXED)
    ballot = votes.Ballot(type(target), target.id, organisation.id, voter.id, VoteValue.FOR)
    seen = votes.look(session.connection(), ballot)
    match what:
        case "account":
            voter.status = AccountStatus.BLOCKED
        case "proposal" | "argument":  # an argument goes with its proposal
            proposal.status, proposal.status_reason = ContentStatus.HIDDEN, "off_topic"
        case "vote":
            session.flush()
            votes.cast_vote(session, target, step=step, account_id=voter.id, value=VoteValue.AGAINST, now=NOW)
    session.flush()
    before = [(vote.value, vote.registry_ref) for vote in session.scalars(select(Vote))]
    assert not votes.cast_at_once(session, ballot, seen, NOW)
    session.expire_all()
    assert [(vote.value, vote.registry_ref) for vote in session.scalars(select(Vote))] == before
