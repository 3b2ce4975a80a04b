"""Whatever happens, and wherever a reader was cut, who applies the feed of changes ends with the rows of the lists."""

import uuid
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consult.actor import Actor
from consult.app import bindings
from consult.contributions import service as contributions
from consult.contributions import votes
from consult.contributions.models import Argument, Proposal, VoteValue
from consult.db import ALL_TENANTS
from consult.errors import ClosedError, ConflictError, ForbiddenError, GoneError, InvalidError
from consult.moderation import queries as moderation
from consult.moderation.models import Act
from consult.opendata import feed
from consult.opendata.queries import key
from consult.privacy.service import erase_account
from consult.questionnaires import service as replies
from consult.questionnaires.models import Reply
from consult.settings import Settings
from tests.integration.registry.scene import LATER, Seed
from tests.registers import features, sequencer

REFUSALS = (ClosedError, ConflictError, ForbiddenError, GoneError, InvalidError)
person, rank = st.integers(0, 2), st.integers(0, 4)
ACTS = st.one_of(
    st.tuples(st.just("write"), person),
    st.tuples(st.sampled_from(["argue", "edit", "take back", "withdraw vote"]), person, rank),
    st.tuples(st.just("vote"), person, rank, st.sampled_from(list(VoteValue))),
    st.tuples(st.sampled_from(["hide", "restore"]), rank),
    st.tuples(st.just("reply"), person, st.integers(0, 1)),
    st.tuples(st.sampled_from(["withdraw reply", "leave"]), person),
    st.tuples(st.just("place")),
    st.tuples(st.just("read"), st.integers(1, 4)),
)


class Story(Seed):
    """A consultation of three people, and what they do."""

    def __init__(self, session, scene):
        super().__init__(session, scene, slug=f"agence-{uuid.uuid4().hex}")
        self.items, self.number = [], 0

    def play(self, act) -> None:
        moderated = act[0] in {"hide", "restore"}
        who = None if moderated else self.people[act[1]]
        item = self.items[act[1 if moderated else 2] % len(self.items)] if self.about(act) else None
        self.number += 1
        common = {"account_id": who.id if who else None, "now": LATER}
        match act[0]:
            case "write":
                self.items.append(self.write(who, f"Idée {self.number}"))
            case "argue" if isinstance(item, Proposal):
                self.items.append(self.argue(who, item, f"Parce que, pour la raison {self.number}."))
            case "edit" if item:
                words = {"title": item.title, "body": f"Le texte numéro {self.number}, modifié.", "theme_id": None}
                contributions.edit(self.session, item, step=self.step, **common, **words, version=item.version)
            case "take back" if item:
                contributions.withdraw(self.session, item, **common)
            case "vote" if item:
                self.vote(who, item, VoteValue.FOR if isinstance(item, Argument) else act[3], LATER)
            case "withdraw vote" if item:
                votes.withdraw_vote(self.session, item, step=self.step, **common)
            case "hide" | "restore" if isinstance(item, Proposal):
                seen = len(moderation.decisions(self.session, "proposal", item.id))
                self.decide(item, Act.HIDE if act[0] == "hide" else Act.RESTORE, seen)
            case "reply":
                mine = self.session.query(Reply).filter_by(account_id=who.id).one_or_none()
                self.reply(who, self.question.options[act[2]], seen=mine.version if mine else 0)
            case "withdraw reply":
                mine = self.session.query(Reply).filter_by(account_id=who.id).one_or_none()
                if mine:
                    actor = Actor(who.id, who.pseudonym, confirmed=True)
                    replies.withdraw(self.session, mine.id, actor=actor, now=LATER)
            case "leave":
                erase_account(self.session, self.bindings, who, now=LATER)

    def about(self, act) -> bool:
        return bool(self.items) and act[0] not in {"write", "reply", "withdraw reply", "leave"}


class Reader:
    """A replica: rows by list and id, and how far the log was read."""

    def __init__(self, database, datasets, organisation_id, consultation_id):
        self.database, self.datasets = database, datasets
        self.organisation_id, self.consultation_id = organisation_id, consultation_id
        self.rows, self.after = {}, -1

    def read(self, limit) -> bool:
        with self.database.session(write=False, tenant=self.organisation_id) as session:
            told = feed.page(session, self.consultation_id, self.datasets, after=self.after, limit=limit)
        assert [each["position"] for each in told.changes] == sorted(each["position"] for each in told.changes)
        assert all(self.after < each["position"] <= told.position for each in told.changes)
        for change in told.changes:
            place = change["dataset"], change["id"]
            if change["action"] == "put":
                self.rows[place] = change["row"]
            else:
                self.rows.pop(place, None)
        self.after = told.position
        return told.more

    def truth(self):
        with self.database.session(write=False, tenant=self.organisation_id) as session:
            return {
                (name, key(row)): dict(row)
                for name, dataset in self.datasets.items()
                for row in dataset.rows(session, self.consultation_id)
            }


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(ACTS, min_size=5, max_size=40))
def test_a_replica_ends_with_the_rows_of_the_lists_whatever_happens(database, tmp_path, acts):
    """AT-20.5, AT-6.2: what is withdrawn, hidden or erased leaves the replica too."""
    bound = bindings(Settings())
    with database.session(write=True, tenant=ALL_TENANTS) as session:
        story = Story(session, SimpleNamespace(bindings=bound))
        ids = story.organisation.id, story.whole.id
        session.commit()
        placing = sequencer(database, tmp_path, on_placed=features().on_placed)
        reader = Reader(database, bound.public_datasets, *ids)
        for act in acts:
            match act:
                case ("place",):
                    placing.run_until_settled()
                case ("read", limit):
                    reader.read(limit)
                case _:
                    try:
                        story.play(act)
                        session.commit()
                    except REFUSALS:
                        session.rollback()
        placing.run_until_settled()
        while reader.read(3):
            pass
        late = Reader(database, bound.public_datasets, *ids)
        while late.read(500):
            pass
        assert reader.rows == reader.truth() == late.rows
