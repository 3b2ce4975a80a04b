"""The one table of states and transitions is what every content goes through, whatever people do and in what order."""

import contextlib
import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Enum, select

from consult.app import bindings
from consult.consultations.models import ContentStatus
from consult.contributions import service as contributions
from consult.db import Base
from consult.errors import ConflictError, ForbiddenError, GoneError
from consult.migrations import load_models
from consult.moderation import policy, queries, service
from consult.moderation.models import Act, Contest, Decision
from consult.moderation.policy import TRANSITIONS, Who
from consult.protocols import ContentType
from consult.questionnaires import service as replies
from consult.registry.models import EntryKind, RegistryEntry
from consult.security import digest, new_token
from consult.settings import Settings
from tests.factories import NOW
from tests.integration.moderation.world import CONTENTS, World
from tests.registers import check_removals

REFUSALS = (ConflictError, ForbiddenError, GoneError)
DEEDS = st.one_of(
    st.tuples(st.sampled_from(list(Act)), st.integers(0, 1)),
    st.tuples(st.sampled_from(["report", "contest", "withdraw", "set aside"]), st.just(0)),
)


def test_every_content_that_has_a_state_is_moderated():
    """A table with the state of a content is a type of content bound to moderation, and the tests go through it."""
    load_models()
    stateful = {
        mapper.local_table.name
        for mapper in Base.registry.mappers
        for column in mapper.local_table.columns
        if isinstance(column.type, Enum) and column.type.enum_class is ContentStatus
    }
    bound = bindings(Settings()).content_types
    assert stateful == bound.keys() == CONTENTS.keys()
    promised = [name for name in vars(ContentType) if not name.startswith("_")]
    assert {"get", "items", "hide", "restore"} <= set(promised)
    for content in bound.values():
        assert all(callable(getattr(content, name)) for name in promised if name not in {"type", "label"})


def test_the_table_gives_each_act_of_each_state_one_end():
    """Whatever the facts, an act leads to one state by one kind of person: the table holds no choice."""
    facts = [frozenset(policy.Fact(each) for each in chosen) for chosen in _subsets(list(policy.Fact))]
    for state in ContentStatus:
        for true in facts:
            fitting = [
                each.act
                for each in TRANSITIONS
                if each.state is state and each.needs <= true and each.unless.isdisjoint(true)
            ]
            assert len(fitting) == len(set(fitting)), (state, true)
    assert not policy.transitions(ContentStatus.PENDING, list(policy.Fact))
    assert {each.act for each in TRANSITIONS} == set(Act) == set(service.ENTRIES)
    leaves = {each.act for each in TRANSITIONS if each.state in policy.PUBLIC and each.becomes not in policy.PUBLIC}
    comes = {each.act for each in TRANSITIONS if each.state not in policy.PUBLIC and each.becomes in policy.PUBLIC}
    assert {service.ENTRIES[act] for act in leaves} == {EntryKind.MODERATION}
    assert {service.ENTRIES[act] for act in comes} == {EntryKind.MODERATION_REVERSED}


def _subsets(things):
    if not things:
        return [[]]
    rest = _subsets(things[1:])
    return rest + [[things[0], *each] for each in rest]


class History(World):
    """One content, its author, two moderators, and what the table says must become of it."""

    def __init__(self, session, kind):
        session.rollback()
        super().__init__(session)
        self.kind, self.clock, self.people = kind, NOW, 0
        self.log(NOW, kind)

    @property
    def item(self):
        return self.items[self.kind]

    def facts(self):
        found = CONTENTS[self.kind].items(self.session, [self.item.id])[self.item.id]
        reports = queries.open_reports(self.session, self.kind, self.item.id)
        contest = queries.open_contest(self.session, self.kind, self.item.id)
        return queries.facts(self.session, found, reports=reports, contest=contest), contest

    def last(self):
        return (queries.decisions(self.session, self.kind, self.item.id) or [None])[-1]

    def play(self, deed, who):
        self.clock += dt.timedelta(hours=1)
        if isinstance(deed, Act):
            self.moderate(deed, who)
            return
        match deed:
            case "report":
                self.people += 1
                self.report(self.clock, kind=self.kind, reporter=str(self.people))
            case "contest" if self.last() and self.last().act is Act.HIDE:
                token = new_token()
                self.last().contest_digest = digest(token)
                service.contest(self.session, token, "Je conteste.", now=self.clock)
            case "withdraw" if self.kind == "reply":
                replies.take_back(self.session, self.item, self.clock)
            case "withdraw":
                contributions.withdraw(self.session, self.item, account_id=self.author.id, now=self.clock)
            case "set aside":
                self.author.set_aside_at = None if self.author.set_aside_at else self.clock
                self.session.flush()

    def moderate(self, act, who):
        facts, contest = self.facts()
        before, last = self.item.status, self.last()
        expected = policy.transitions(before, facts).get(act)
        barred = (
            contest is not None
            and self.session.get_one(Decision, contest.decision_id).moderator_id == self.moderators[who].id
        )
        allowed = expected is not None and not (expected.who is Who.OTHER and barred)
        try:
            with self.session.begin_nested():
                made = self.decide(
                    self.clock, act, kind=self.kind, seen=last.number if last else 0, actor=self.actor(who)
                )
        except REFUSALS:
            assert not allowed, (before, act, facts)
            self.session.refresh(self.item)
            assert (self.item.status, self.last()) == (before, last), "a refusal changes nothing"
            return
        assert allowed, (before, act, facts)
        assert (self.item.status, made.number) == (expected.becomes, last.number + 1 if last else 1)

    def check(self):
        """What is withheld is exactly what is not public; a tombstone stands for what is hidden, and it alone."""
        check_removals(self.session)
        mine = select(RegistryEntry.withheld).where(RegistryEntry.kind.in_([EntryKind.CONTRIBUTION, EntryKind.EDIT]))
        standing = self.session.scalars(mine.where(RegistryEntry.salt.is_not(None))).all()
        assert set(standing) <= {self.item.status not in policy.PUBLIC}
        stones = [stone.item_id for stone in queries.tombstones(self.session)[1]]
        if self.item.status in {ContentStatus.PUBLISHED, ContentStatus.HIDDEN}:
            assert stones == ([self.item.id] if self.item.status is ContentStatus.HIDDEN else [])
        for contest in self.session.scalars(select(Contest).where(Contest.answer_id.is_not(None))):
            decided, answer = (self.session.get_one(Decision, key) for key in (contest.decision_id, contest.answer_id))
            assert decided.moderator_id != answer.moderator_id, "decided by somebody else"


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.audit)], indirect=True)
@pytest.mark.parametrize("kind", CONTENTS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=st.lists(DEEDS, min_size=4, max_size=14))
def test_no_history_leaves_the_table(session, kind, deeds):
    """AT-U2.2, AT-U2.4: what may be decided is done, what may not changes nothing, and nothing hidden is readable."""
    story = History(session, kind)
    for deed, who in deeds:
        with contextlib.suppress(*REFUSALS), session.begin_nested():
            story.play(deed, who)
        story.check()
