"""Whoever leaves, and whenever: what is shown equals a recount of rows and log, and nothing names who left."""

import collections
import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, or_, select

from consult.app import PERSONAL_DATA
from consult.consultations.models import ContentStatus
from consult.contributions import queries, service, votes
from consult.contributions.arguments import service as arguments
from consult.contributions.datasets import ContributionsDataset, VotesDataset
from consult.contributions.models import Argument, ContentVersion, Proposal, Side, Vote, VoteValue
from consult.errors import ConflictError, ForbiddenError, GoneError
from consult.privacy.service import erase_account
from consult.protocols import Bindings
from consult.registry import conservation
from consult.registry.models import EntryKind, RegistryEntry
from consult.search.models import SearchDocument
from tests import factories
from tests.registers import check_removals, settle, standing_votes

NOW = factories.NOW
BINDINGS = Bindings(personal_data=PERSONAL_DATA)
person, rank = st.integers(0, 2), st.integers(0, 3)
ACTS = st.one_of(
    st.tuples(st.just("write"), person),
    st.tuples(st.sampled_from(["argue", "edit", "take back", "withdraw vote"]), person, rank),
    st.tuples(st.just("vote"), person, rank, st.sampled_from(list(VoteValue))),
    st.tuples(st.sampled_from(["hide", "restore"]), rank),
    st.tuples(st.just("place")),
    st.tuples(st.just("leave"), person),
)


class History:
    """A step, three people and what they do."""

    def __init__(self, session):
        session.rollback()
        self.session = session
        organisation = factories.make_organisation(session)
        self.step = factories.make_step(session, factories.make_consultation(session, organisation))
        self.people = [factories.make_account(session, organisation) for _ in range(3)]
        self.proposals, self.left, self.number = [], set(), 0

    def play(self, act) -> None:
        session, step = self.session, self.step
        who = self.people[act[1]].id if act[0] not in {"hide", "restore", "place"} else None
        self.number += 1
        words = f"Le texte numéro {self.number} de cette histoire."
        match act:
            case ("write", _):
                common = {"step": step, "account_id": who, "title": f"Idée {self.number}", "theme_id": None, "now": NOW}
                self.proposals.append(
                    service.submit_proposal(session, **common, body=words, submission_key=str(self.number))
                )
            case ("place",):
                settle(session)
            case ("leave", n):
                erase_account(session, BINDINGS, self.people[n], now=NOW)
                self.left.add(who)
            case (verb, *_, _) if not self.proposals:
                assert verb
            case ("hide", n):
                service.hide(session, self.pick(n), "off_topic", NOW)
            case ("restore", n):
                service.restore(session, self.pick(n))
            case ("argue", _, n):
                target = self.pick(n)
                common = {"step": step, "account_id": who, "side": Side.FOR, "now": NOW}
                arguments.submit_argument(
                    session, proposal=target, **common, body=words, submission_key=str(self.number)
                )
            case ("edit", _, n):
                item = self.pick(n)
                common = {"step": step, "account_id": who, "title": item.title, "theme_id": None, "now": NOW}
                service.edit(session, item, **common, body=words, version=item.version)
            case ("take back", _, n):
                service.withdraw(session, self.pick(n), account_id=who, now=NOW)
            case ("vote", _, n, value):
                votes.cast_vote(session, self.pick(n), step=step, account_id=who, value=value, now=NOW)
            case ("withdraw vote", _, n):
                votes.withdraw_vote(session, self.pick(n), step=step, account_id=who, now=NOW)

    def pick(self, n):
        return self.proposals[n % len(self.proposals)]

    def check(self) -> None:
        """Counts, log, open data and what is left of those who left."""
        session, shown = self.session, 0
        settle(session)
        for proposal in self.proposals:
            truth = {value.value: count for value, count in votes.recount(session, proposal).items()}
            assert dict(queries.sheet(session, proposal.id).votes) == truth
            shown += sum(truth.values()) if proposal.status is ContentStatus.PUBLISHED else 0
        assert queries.census(session, self.step)["votes"] == shown
        for lines in conservation.all_of(session).values():
            assert [line for line in lines if not line.balanced] == []
            assert {line.type: line.awaiting for line in lines if line.awaiting} == {}
        kinds = collections.Counter(session.scalars(select(RegistryEntry.kind)))
        rows = list(VotesDataset().rows(session, self.step.consultation_id))
        assert standing_votes(session) == {(row["voter"], row["target"]): row["value"] for row in rows}
        check_removals(session)
        contributions = list(ContributionsDataset().rows(session, self.step.consultation_id))
        assert len(contributions) == kinds[EntryKind.CONTRIBUTION] == len(self.proposals), "none appears, none vanishes"
        for model, owner in ((Proposal, Proposal.author_id), (Argument, Argument.author_id), (Vote, Vote.account_id)):
            assert session.scalar(select(func.count()).select_from(model).where(owner.in_(self.left))) == 0
        erased = select(Proposal.id).where(Proposal.status == ContentStatus.ERASED)
        for model, column in ((SearchDocument, SearchDocument.item_id), (ContentVersion, ContentVersion.proposal_id)):
            assert session.scalar(select(func.count()).select_from(model).where(column.in_(erased))) == 0
        told = or_(Proposal.title != "", Proposal.body != "", Proposal.author_id.is_not(None))
        assert session.scalars(erased.where(told)).all() == []


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(ACTS, max_size=30))
def test_counts_log_and_open_data_agree_whoever_leaves(session, acts):
    history = History(session)
    for act in acts:
        with contextlib.suppress(ConflictError, ForbiddenError, GoneError):
            history.play(act)
        history.check()
    session.expire_all()
    history.check()
