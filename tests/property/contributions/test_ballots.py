"""Whatever people and moderators do with ballots, in any order: counts equal a recount, and nobody overspends."""

import collections
import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from consult.app import PERSONAL_DATA
from consult.consultations import figures
from consult.contributions import queries, service
from consult.contributions.ballots import policy
from consult.contributions.ballots import service as ballots
from consult.contributions.ballots.models import Ballot
from consult.contributions.ballots.policy import Move
from consult.contributions.datasets import BallotsDataset, ContributionsDataset
from consult.contributions.models import Proposal
from consult.contributions.voting import VoteKind, rule_of
from consult.db import as_tenant
from consult.errors import ConflictError, ForbiddenError, GoneError, InvalidError
from consult.privacy.service import erase_account
from consult.protocols import Bindings
from consult.registry import conservation
from consult.registry import queries as registry
from consult.registry.models import EntryKind, RegistryEntry
from tests import factories
from tests.registers import check_removals, settle, standing_ballots

NOW = factories.NOW
BINDINGS = Bindings(personal_data=PERSONAL_DATA)
PEOPLE, PROPOSALS = 3, 4
RULES = ({"vote": "points", "points": 5, "points_most": 3}, {"vote": "ranking", "ranked": 3})
person, rank = st.integers(0, PEOPLE - 1), st.integers(0, PROPOSALS - 1)
ACTS = st.one_of(
    st.tuples(st.just("vote"), person, st.lists(st.tuples(rank, st.integers(-1, 4)), max_size=3)),
    st.tuples(st.just("vote"), person, st.lists(st.tuples(rank, st.integers(0, 3)), max_size=2)),
    st.tuples(st.just("withdraw"), person),
    st.tuples(st.sampled_from(["hide", "restore"]), rank),
    st.tuples(st.just("place"), st.integers(1, 4)),
    st.tuples(st.just("confirm")),
    st.tuples(st.just("leave"), person),
)


class History:
    """A step voted on by ballot, three people, the first of whom has not confirmed their address, and what they do."""

    def __init__(self, session, rule):
        session.rollback()
        self.session = session
        self.organisation = factories.make_organisation(session)
        whole = factories.make_consultation(session, self.organisation)
        self.step = factories.make_step(session, whole, settings=rule)
        self.proposals = [factories.make_proposal(session, self.step) for _ in range(PROPOSALS)]
        newcomer = factories.make_account(session, self.organisation, confirmed_at=None)
        self.people = [newcomer, *(factories.make_account(session, self.organisation) for _ in range(PEOPLE - 1))]

    @property
    def rule(self):
        return rule_of(self.step.settings)

    def play(self, act) -> None:
        session = self.session
        match act:
            case ("vote", n, gifts):
                self.vote(self.people[n].id, gifts)
            case ("withdraw", n):
                self.act(self.people[n].id, ballots.withdrawing)
            case ("hide", n):
                service.hide(session, self.proposals[n], "off_topic", NOW)
                service.log(session, self.proposals[n], EntryKind.MODERATION, {"act": "hide", "entries": []}, NOW)
            case ("restore", n):
                service.restore(session, self.proposals[n])
                service.log(session, self.proposals[n], EntryKind.MODERATION_REVERSED, {"entries": []}, NOW)
            case ("place", limit):
                settle(session, limit=limit)
            case ("confirm",):
                self.people[0].confirmed_at = NOW
                ballots.count_pending_ballots(session, self.people[0].id, NOW)
            case ("leave", n):
                erase_account(session, BINDINGS, self.people[n], now=NOW)

    def vote(self, account_id, gifts) -> None:
        if self.rule.kind is VoteKind.POINTS:
            self.act(account_id, ballots.giving({str(self.proposals[n].id): points for n, points in gifts}))
        for n, number in gifts if self.rule.kind is VoteKind.RANKING else ():
            self.act(account_id, ballots.moving(list(Move)[number % 4], str(self.proposals[n].id)))

    def act(self, account_id, change) -> None:
        ballots.act(self.session, self.step.id, account_id=account_id, change=change, now=NOW)

    def check_at_position(self) -> None:
        """What is shown is what the log says up to the position it tells, but for erased ballots; nobody overspends."""
        self.session.flush()
        standing = standing_ballots(self.session, placed=True)
        for choices in standing.values():
            assert 0 < sum(choices.values()) <= (self.rule.points if self.rule.kind is VoteKind.POINTS else 6)
            assert max(choices.values()) <= self.rule.most
        buried = select(func.count()).where(RegistryEntry.salt.is_(None), RegistryEntry.position.is_not(None))
        waiting = select(func.count()).where(RegistryEntry.kind == "tombstone", RegistryEntry.position.is_(None))
        if self.session.scalar(buried) and self.session.scalar(waiting):
            return  # openings are gone at once, counts move with the tombstone
        shown = [queries.sheet(self.session, each.id).ballots for each in self.proposals]
        assert shown == [self.recounted(standing.values(), str(each.id)) for each in self.proposals]

    def recounted(self, ballots_cast, text):
        given = [choices[text] for choices in ballots_cast if text in choices]
        firsts = given.count(self.rule.points) if self.rule.kind is VoteKind.RANKING else 0
        return {"points": sum(given), "ballots": len(given), "first_choices": firsts}

    def check(self) -> None:
        """Rows, counters, log, open data, census and figures say the same."""
        session = self.session
        settle(session)
        session.expire_all()
        cast = session.scalars(select(Ballot).where(Ballot.counted)).all()
        rows = list(BallotsDataset().rows(session, self.step.consultation_id))
        told = {
            (row["voter"], row["step"]): {each["contribution"]: each["points"] for each in row["choices"]}
            for row in rows
        }
        assert standing_ballots(session) == told
        assert len(cast) == len(rows)
        for row in ContributionsDataset().rows(session, self.step.consultation_id):
            truth = self.recounted([each.choices for each in cast], row["id"])
            assert {name: row[name] for name in truth} == truth
            assert session.get_one(Proposal, row_id := policy.ids([row["id"]])[0]).votes_total == truth["points"], (
                row_id
            )
        assert queries.census(session, self.step)["ballots"] == len(cast)
        assert figures.of_step(session, self.step, queries.census)["ballots"] == len(cast), "as kept at the position"
        with as_tenant(session, self.step.organisation_id):
            assert registry.counted(session) == registry.position(session)
            lines = {line.type: line for line in conservation.all_of(session).get(self.step.consultation_id, ())}
        if "vote" in lines:
            assert lines["vote"].balanced
            assert lines["vote"].published == len(cast)
        check_removals(session)


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rule=st.sampled_from(RULES), acts=st.lists(ACTS, max_size=25))
def test_counts_equal_a_recount_and_nobody_overspends_at_any_position(session, rule, acts):
    history = History(session, rule)
    for act in acts:
        with contextlib.suppress(ConflictError, ForbiddenError, GoneError, InvalidError), session.begin_nested():
            history.play(act)
        history.check_at_position()
    history.check()
    kinds = collections.Counter(session.scalars(select(RegistryEntry.kind)))
    assert kinds[EntryKind.VOTE_CAST] >= session.scalar(select(func.count()).select_from(Ballot).where(Ballot.counted))
