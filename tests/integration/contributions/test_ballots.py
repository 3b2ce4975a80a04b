"""Steps voted on by ballot: points to spread, rankings; one ballot per account, counted where it stands in the log."""

import datetime as dt
import html
import re
import threading

import pytest
from sqlalchemy import func, select

from consult.actor import Role
from consult.consultations.models import Consultation, Step
from consult.contributions import queries, service, votes
from consult.contributions.acts import queries as acts
from consult.contributions.ballots import policy
from consult.contributions.ballots import service as ballots
from consult.contributions.ballots.models import Ballot
from consult.contributions.ballots.policy import Move
from consult.contributions.bindings import ProposalsStep
from consult.contributions.jobs import DestroyLinks
from consult.contributions.models import Proposal, VoteValue
from consult.contributions.voting import rule_of
from consult.db import ALL_TENANTS
from consult.errors import BadRequestError, ClosedError, InvalidError
from consult.registry.models import EntryKind, RegistryEntry
from tests import factories as f
from tests.registers import settle

POINTS = {"vote": "points", "points": 10, "points_most": 6}
RANKING = {"vote": "ranking", "ranked": 3}


def text_of(response):
    plain = html.unescape(re.sub(r"<[^>]+>", " ", response.text)).replace("\u00a0", " ").replace("\u202f", " ")
    return re.sub(r"\s+", " ", plain)


class Town:
    """A step voted on by ballot, its proposals and its voters."""

    def __init__(self, session, settings, *, proposals=4):
        self.session = session
        self.organisation = f.make_organisation(session)
        self.step = f.make_step(session, f.make_consultation(session, self.organisation), settings=settings)
        self.proposals = [f.make_proposal(session, self.step, title=f"Idée {n}") for n in range(proposals)]
        self.ids = [str(each.id) for each in self.proposals]

    def voter(self, **values):
        return f.make_account(self.session, self.organisation, **values)

    def act(self, account, change, now=f.NOW):
        return ballots.act(self.session, self.step.id, account_id=account.id, change=change, now=now)

    def give(self, account, *points, now=f.NOW):
        return self.act(account, ballots.giving(dict(zip(self.ids, points, strict=False))), now)

    def withdraw(self, account, now=f.NOW):
        return self.act(account, ballots.withdrawing, now)

    def rank(self, account, *places):
        for place in places:
            self.move(account, Move.ADD, place)

    def move(self, account, move, n):
        return self.act(account, ballots.moving(move, self.ids[n]))

    def counts(self):
        settle(self.session)
        return [(each.points, each.ballots, each.first_choices) for each in self.proposals]

    def openings(self):
        rows = select(RegistryEntry.kind, RegistryEntry.opening).order_by(RegistryEntry.id)
        return [(kind, opening) for kind, opening in self.session.execute(rows) if "vote" in (opening or {})]


# Rules --------------------------------------------------------------------------------------------------------------


def test_the_organiser_sets_points_and_places_which_are_frozen_with_the_rules(app, client, database_of):
    with database_of() as session:
        organisation = f.make_organisation(session)
        whole = f.make_consultation(session, organisation, opened=False)
        step, organiser = f.make_step(session, whole), f.make_account(session, organisation, Role.ORGANISER)
        key, path = step.id, f"/gestion/consultations/{whole.slug}/etapes/{step.slug}/regles"
        session.flush()
        session.expunge_all()
    f.sign_in(client, organiser)

    def post(**typed):
        empty = dict.fromkeys(("points", "points_most", "ranked"), "")
        usual = {"arguments": "y", "departement": "no", "csrf_token": f.csrf_token(client, "/mon-compte"), **empty}
        return client.post(path, data=usual | typed)

    def settings():
        with database_of() as session:
            return session.get_one(Step, key).settings

    assert post(vote="points", points="10", points_most="3").status_code == 303
    assert settings() == {"vote": "points", "points": 10, "points_most": 3}
    with database_of() as session:
        rules = ProposalsStep(lambda *_: "").rules(session, session.get_one(Step, key))
    assert rules["votes"] == []
    assert rules["ballot"] == {"vote": "points", "points": 10, "most": 3, "unpublished": "kept"}
    assert post(vote="ranking", ranked="5", points="10").status_code == 303
    assert settings() == {"vote": "ranking", "ranked": 5}, "what is of the other kind is not kept"
    for typed, said in (
        ({"vote": "points"}, "Dites combien de points"),
        ({"vote": "ranking", "points": "4"}, "Dites combien de propositions"),
        ({"vote": "points", "points": "0"}, "nombre de 1 à 100"),
        ({"vote": "points", "points": "beaucoup"}, "nombre entier"),
        ({"vote": "points", "points": "5", "points_most": "6"}, "ne peut pas dépasser"),
        ({"vote": "ranking", "ranked": "21"}, "nombre de 1 à 20"),
    ):
        refused = post(**typed)
        assert refused.status_code == 422
        assert said in text_of(refused)
        assert all(f'value="{value}"' in refused.text for value in typed.values()), "what was typed is kept"
    assert settings() == {"vote": "ranking", "ranked": 5}


# Ballots ------------------------------------------------------------------------------------------------------------


def test_points_are_spread_changed_and_taken_back_and_the_log_tells_each(session):
    town = Town(session, POINTS)
    one, two = town.voter(), town.voter()
    town.give(one, 6, 4)
    town.give(two, 1)
    assert town.counts() == [(7, 2, 0), (4, 1, 0), (0, 0, 0), (0, 0, 0)]
    town.give(one, 2, 4, 4)
    town.give(one, 2)
    assert town.counts() == [(3, 2, 0), (4, 1, 0), (4, 1, 0), (0, 0, 0)]
    assert queries.census(session, town.step)["ballots"] == queries.census(session, town.step)["votes"] == 2
    assert town.withdraw(one).changes
    assert not town.withdraw(one).changes
    assert not town.give(two, 0).choices, "a ballot that gives nothing is taken back"
    assert town.counts() == [(0, 0, 0)] * 4
    assert session.scalars(select(Ballot)).all() == []
    told = town.openings()
    cast, changed, gone = EntryKind.VOTE_CAST, EntryKind.VOTE_CHANGED, EntryKind.VOTE_WITHDRAWN
    assert [kind for kind, _ in told] == [cast, cast, changed, gone, gone], "the same again tells nothing"
    a, b, c, _ = town.ids
    assert told[2][1]["former"] == {a: 6, b: 4}
    assert told[2][1]["choices"] == told[3][1]["choices"] == {a: 2, b: 4, c: 4}
    assert {opening["vote"] for _, opening in told} == {"points"}
    assert set(told[0][1]) == {"step", "vote", "choices", "voter"}, "nothing else of the person"


def test_a_ranking_is_built_by_moves_and_counted_as_the_rule_says(session):
    town = Town(session, RANKING)
    one, two = town.voter(), town.voter()
    town.rank(one, 0, 1, 2)
    town.rank(two, 1)
    assert town.counts() == [(3, 1, 1), (5, 2, 1), (1, 1, 0), (0, 0, 0)]
    town.move(one, Move.UP, 2)
    town.move(one, Move.UP, 0)
    assert town.counts() == [(3, 1, 1), (4, 2, 1), (2, 1, 0), (0, 0, 0)], "the first cannot go up"
    town.move(one, Move.DOWN, 0)
    assert town.counts() == [(2, 1, 0), (4, 2, 1), (3, 1, 1), (0, 0, 0)]
    town.move(one, Move.REMOVE, 2)
    assert town.counts() == [(3, 1, 1), (5, 2, 1), (0, 0, 0), (0, 0, 0)], "the others move up"
    town.rank(one, 1, 2)
    with pytest.raises(InvalidError, match="compte déjà 3 propositions"):
        town.rank(one, 3)
    rule = rule_of(town.step.settings)
    town.counts()
    assert [policy.mean_rank(rule, each.points, each.ballots) for each in town.proposals] == [1.0, 1.5, 3.0, None]


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([6, 5], "11 points sur 10"),
        ([7], "6 au plus par proposition"),
        ([-1], "négatif"),
    ],
)
def test_a_ballot_beyond_the_rule_is_refused_and_changes_nothing(session, points, said):
    town = Town(session, POINTS)
    voter = town.voter()
    town.give(voter, 1, 1)
    with pytest.raises(InvalidError, match=said):
        town.give(voter, *points)
    assert town.counts()[:2] == [(1, 1, 0), (1, 1, 0)]


def test_a_text_of_another_step_or_organisation_is_refused(session):
    town, elsewhere = Town(session, POINTS), Town(session, POINTS)
    neighbour = f.make_step(session, session.get_one(Consultation, town.step.consultation_id), settings=POINTS)
    voter = town.voter()
    for stranger in (elsewhere.ids[0], str(f.make_proposal(session, neighbour).id)):
        with pytest.raises(InvalidError, match="n’est pas publiée dans cette étape"):
            town.act(voter, ballots.giving({stranger: 1}))
    assert session.scalars(select(Ballot)).all() == []


def test_a_plain_vote_is_refused_and_arguments_are_judged_as_elsewhere(session):
    town = Town(session, POINTS)
    act = {"step": town.step, "account_id": town.voter().id, "now": f.NOW}
    with pytest.raises(BadRequestError, match="par bulletin"):
        votes.cast_vote(session, town.proposals[0], value=VoteValue.FOR, **act)
    argument = f.make_argument(session, town.proposals[0])
    votes.cast_vote(session, argument, value=VoteValue.FOR, **act)
    town.give(town.voter(), 1)
    settle(session)
    assert queries.census(session, town.step)["votes"] == 2
    usual = f.make_step(session, session.get_one(Consultation, town.step.consultation_id))
    with pytest.raises(BadRequestError, match="ne se vote pas par bulletin"):
        ballots.act(session, usual.id, account_id=act["account_id"], change=ballots.giving({}), now=f.NOW)


@pytest.mark.parametrize("settings", [POINTS, RANKING], ids=["points", "ranking"])
def test_a_hidden_text_keeps_its_points_which_may_be_taken_back_not_added_to(session, settings):
    town = Town(session, settings)
    voter = town.voter()
    act = (lambda n: town.give(voter, *([0] * n), 3)) if settings is POINTS else (lambda n: town.rank(voter, n))
    act(0), act(1)
    before = town.counts()
    service.hide(session, town.proposals[0], "off_topic", f.NOW)
    service.log(session, town.proposals[0], EntryKind.MODERATION, {"act": "hide"}, f.NOW)
    assert town.counts() == before
    listed = queries.proposals(session, town.step, hour=500_000, sort=queries.Sort.VOTED).rows
    assert [row.title for row in listed] == ["Idée 1", "Idée 2", "Idée 3"] or listed[0].title == "Idée 1"
    assert "Idée 0" not in {row.title for row in listed}
    act(2)
    assert town.counts()[0] == before[0], "a ballot goes on around it"
    with pytest.raises(InvalidError, match="n’est pas publiée"):
        town.give(town.voter(), 1) if settings is POINTS else town.rank(town.voter(), 0)
    if settings is POINTS:
        with pytest.raises(InvalidError, match="n’est pas publiée"):
            town.give(voter, 4)
    service.restore(session, town.proposals[0])
    assert town.counts()[0] == before[0]
    service.hide(session, town.proposals[0], "off_topic", f.NOW)
    town.give(voter, 0) if settings is POINTS else town.move(voter, Move.REMOVE, 0)
    assert town.counts()[0] == (0, 0, 0)


def test_a_ballot_before_the_address_is_confirmed_waits_and_leaves_what_is_gone(session):
    town = Town(session, RANKING)
    newcomer = town.voter(confirmed_at=None)
    town.rank(newcomer, 0, 1, 2)
    town.move(newcomer, Move.UP, 2)
    assert town.counts() == [(0, 0, 0)] * 4
    assert acts.prepared(session, newcomer.id)["votes"] == 1
    service.hide(session, town.proposals[0], "off_topic", f.NOW)
    newcomer.confirmed_at = f.NOW
    assert ballots.count_pending_ballots(session, newcomer.id, f.NOW) == 1
    assert town.counts() == [(0, 0, 0), (2, 1, 0), (3, 1, 1), (0, 0, 0)]
    assert [kind for kind, _ in town.openings()] == [EntryKind.VOTE_CAST]


def test_nothing_changes_before_the_opening_or_after_the_end(session):
    town = Town(session, POINTS)
    voter = town.voter()
    town.give(voter, 1)
    for now in (town.step.opens_at - dt.timedelta(seconds=1), town.step.closes_at):
        with pytest.raises(ClosedError):
            town.give(voter, 2, now=now)
        with pytest.raises(ClosedError):
            town.withdraw(voter, now)
    assert town.counts()[0] == (1, 1, 0)


def test_once_appeals_are_over_no_ballot_names_an_account(session):
    town = Town(session, POINTS)
    town.give(town.voter(), 1)
    settle(session)
    after = town.step.closes_at + dt.timedelta(days=200)
    for _ in DestroyLinks(lambda: after).run(session, {}, {}):
        pass
    session.expire_all()
    assert session.scalars(select(Ballot.account_id)).all() == [None]
    assert town.counts()[0] == (1, 1, 0)


def test_ballots_sent_at_once_make_one(app, database_of):  # AT-19.12
    with database_of() as session:
        town = Town(session, POINTS)
        voter, step = town.voter(), town.step.id
        ids = town.ids
        session.flush()
        voter = voter.id
    database, ready = app.extensions["database"], threading.Barrier(6)

    def send(n):
        ready.wait()
        with database.transaction(tenant=ALL_TENANTS) as session:
            points = {ids[n % 4]: 5}
            try:
                ballots.act(session, step, account_id=voter, change=ballots.giving(points), now=f.NOW)
            except InvalidError:
                session.rollback()

    threads = [threading.Thread(target=send, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database_of() as session:
        settle(session)
        (ballot,) = session.scalars(select(Ballot)).all()
        assert sum(ballot.choices.values()) == 10, "two took their share, the others were refused"
        assert session.scalar(select(func.sum(Proposal.points))) == 10
        kinds = sorted(session.scalars(select(RegistryEntry.kind)))
        assert kinds == [EntryKind.VOTE_CAST, EntryKind.VOTE_CHANGED]
