"""The one table of states and transitions is what every content goes through, whatever people do and in what order."""

import contextlib
import dataclasses
import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Enum, select

from consult.actor import Actor, Role
from consult.app import bindings
from consult.consultations.models import ContentStatus, Reading, Step
from consult.contributions import service as contributions
from consult.db import Base
from consult.errors import ClosedError, ConflictError, ForbiddenError, GoneError
from consult.migrations import load_models
from consult.moderation import policy, queries, service
from consult.moderation.models import HIDES, Act, Contest, Decision
from consult.moderation.policy import TRANSITIONS, Fact, State, Who
from consult.protocols import ContentType
from consult.questionnaires import service as replies
from consult.registry.models import EntryKind, RegistryEntry
from consult.security import digest, new_token
from consult.settings import Settings
from tests.factories import NOW
from tests.integration.moderation.world import CONTENTS, World
from tests.registers import check_removals

ADMINISTRATOR = 2  # the rank of the person who decides on what is passed on; 0 and 1 moderate
REFUSALS = (ClosedError, ConflictError, ForbiddenError, GoneError)
DEEDS = st.one_of(
    st.tuples(st.sampled_from(list(Act)), st.integers(0, ADMINISTRATOR)),
    st.tuples(st.sampled_from(["report", "contest", "edit", "withdraw", "set aside"]), st.just(0)),
    st.tuples(st.just("switch"), st.integers(0, 2)),
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
    assert stateful == bound.keys() == CONTENTS.keys() == queries.HELD_ROWS.keys()
    promised = [name for name in vars(ContentType) if not name.startswith("_")]
    assert {"get", "items", "hide", "restore"} <= set(promised)
    for content in bound.values():
        assert all(callable(getattr(content, name)) for name in promised if name not in {"type", "label"})


def test_the_table_gives_each_act_of_each_state_one_end():
    """Whatever the facts, an act leads to one state by one kind of person: the table holds no choice."""
    facts = [frozenset(policy.Fact(each) for each in chosen) for chosen in _subsets(list(policy.Fact))]
    for state in State:
        for true in facts:
            fitting = [
                each.act
                for each in TRANSITIONS
                if each.state is state and each.needs <= true and each.unless.isdisjoint(true)
            ]
            assert len(fitting) == len(set(fitting)), (state, true)
    assert not policy.transitions(State.PENDING, list(policy.Fact))
    assert {each.act for each in TRANSITIONS} == set(Act) == set(service.ENTRIES)
    leaves = {each.act for each in TRANSITIONS if each.state in policy.PUBLIC and each.becomes not in policy.PUBLIC}
    comes = {each.act for each in TRANSITIONS if each.state not in policy.PUBLIC and each.becomes in policy.PUBLIC}
    assert ({service.ENTRIES[act] for act in leaves}, leaves) == ({EntryKind.MODERATION}, HIDES)
    assert ({service.ENTRIES[act] for act in comes}, comes) == ({EntryKind.MODERATION_REVERSED}, service.SHOWS)


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
        self.kind, self.clock, self.people, self.number = kind, NOW, 0, 0
        self.log(NOW, kind)

    @property
    def item(self):
        return self.items[self.kind]

    def found(self):
        return CONTENTS[self.kind].items(self.session, [self.item.id])[self.item.id]

    def state(self):
        return policy.state_of(self.item.status, self.item.status_reason)

    def past(self):
        return queries.decisions(self.session, self.kind, self.item.id)

    def last(self):
        return (self.past() or [None])[-1]

    def play(self, deed, who):
        self.clock += dt.timedelta(minutes=1)
        self.number += 1
        if isinstance(deed, Act):
            self.moderate(deed, who)
            return
        match deed:
            case "report":
                self.people += 1
                self.report(self.clock, kind=self.kind, reporter=str(self.people))
            case "contest" if any(each.act in HIDES for each in self.past()):
                token = new_token()
                [*filter(lambda each: each.act in HIDES, self.past())][-1].contest_digest = digest(token)
                service.contest(self.session, token, "Je conteste.", now=self.clock)
            case "withdraw" if self.kind == "reply":
                replies.take_back(self.session, self.item, self.clock)
            case "withdraw":
                contributions.withdraw(self.session, self.item, account_id=self.author.id, now=self.clock)
            case "edit" if self.kind == "reply":
                actor = Actor(self.author.id, self.author.pseudonym, confirmed=True)
                said = {self.question.id: {"text": f"Le texte numéro {self.number}.", "options": [], "other": None}}
                seen = self.item.version
                replies.submit(
                    self.session, self.item_step(), [self.question], said, actor=actor, seen=seen, now=self.clock
                )
            case "edit":
                words = {"title": getattr(self.item, "title", None), "theme_id": None, "version": self.item.version}
                contributions.edit(
                    self.session, self.item, step=self.item_step(), account_id=self.author.id,
                    body=f"Le texte numéro {self.number}, modifié.", **words, now=self.clock,
                )  # fmt: skip
            case "switch":
                self.item_step().reading = list(Reading)[who % len(Reading)]
                self.session.flush()
            case "set aside":
                self.author.set_aside_at = None if self.author.set_aside_at else self.clock
                self.session.flush()

    def item_step(self):
        return self.session.get_one(Step, self.item.step_id)

    def moderate(self, act, who):
        case, before, last = queries.case(self.session, self.found()), self.state(), self.last()
        expected = policy.transitions(before, case.facts).get(act)
        me = self.moderators[who % 2].id
        barred = expected and (
            (expected.who is Who.OTHER and case.hidden_by == me) or (expected.who is Who.SECOND and case.read_by == me)
        )
        administers = who == ADMINISTRATOR
        allowed = expected and not barred and (administers or Fact.ESCALATED not in case.facts)
        actor = self.actor(who % 2)
        actor = dataclasses.replace(actor, roles=frozenset({Role.ADMINISTRATOR})) if administers else actor
        try:
            with self.session.begin_nested():
                made = self.decide(self.clock, act, kind=self.kind, seen=case.number, actor=actor)
        except REFUSALS:
            assert not allowed, (before, act, case.facts)
            self.session.refresh(self.item)
            assert (self.state(), self.last()) == (before, last), "a refusal changes nothing"
            return
        assert allowed, (before, act, case.facts)
        assert (self.state(), made.number) == (expected.becomes, case.number + 1)
        if act is Act.PUBLISH and Fact.DOUBLE in case.facts:
            assert (last.act, last.version) == (Act.READ, self.item.version)
            assert last.moderator_id != made.moderator_id, "two persons have read this very text"

    def check(self):
        """What is withheld is exactly what is not public; a tombstone stands for what is hidden, and it alone."""
        check_removals(self.session)
        mine = select(RegistryEntry.withheld).where(RegistryEntry.kind.in_([EntryKind.CONTRIBUTION, EntryKind.EDIT]))
        standing = self.session.scalars(mine.where(RegistryEntry.salt.is_not(None))).all()
        assert set(standing) <= {self.state() not in policy.PUBLIC}
        stones = [stone.item_id for stone in queries.tombstones(self.session)[1]]
        if self.state() not in {State.WITHDRAWN, State.ERASED}:
            assert stones == ([self.item.id] if self.state() is State.HIDDEN else [])
        waiting = {each.item_id for each in self.queue()[1]}
        assert (self.item.id in waiting) == bool(queries.case(self.session, self.found()).reports) or (
            self.state() is State.AWAITING
        )
        for contest in self.session.scalars(select(Contest).where(Contest.answer_id.is_not(None))):
            decided, answer = (self.session.get_one(Decision, key) for key in (contest.decision_id, contest.answer_id))
            if answer.act in {Act.RESTORE, Act.UPHOLD}:
                assert decided.moderator_id != answer.moderator_id, "decided by somebody else"


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.audit)], indirect=True)
@pytest.mark.parametrize("kind", CONTENTS)
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=st.lists(DEEDS, min_size=6, max_size=20))
def test_no_history_leaves_the_table(session, kind, deeds):
    """AT-U2.2, AT-U2.4: what may be decided is done, what may not changes nothing, and nothing hidden is readable."""
    story = History(session, kind)
    for deed, who in deeds:
        with contextlib.suppress(*REFUSALS), session.begin_nested():
            story.play(deed, who)
        story.check()
