"""The pages of ballots: to spread points, to rank, to read once the vote is over; what is refused is kept."""

import datetime as dt
import html
import re

import pytest
from sqlalchemy import select

from consult.consultations.models import Step
from consult.contributions.ballots.models import Ballot
from tests import factories as f
from tests.registers import settle

POINTS = {"vote": "points", "points": 10, "points_most": 6}
RANKING = {"vote": "ranking", "ranked": 3}


def text_of(response):
    plain = html.unescape(re.sub(r"<[^>]+>", " ", response.text)).replace("\u00a0", " ").replace("\u202f", " ")
    return re.sub(r"\s+", " ", plain)


def voted_by(world, database_of, settings):
    with database_of() as session:
        step = session.get_one(Step, world.step)
        step.settings = settings
        second = f.make_proposal(session, step, title="Des vélos")
        world.second, world.text = str(second.id), str(world.proposal)
        world.foreign = str(f.make_proposal(session, f.make_step(session, step.consultation)).id)
    world.ballot = "/consultations/trajets/idees/bulletin"
    return world


@pytest.fixture
def pointed(world, database_of):
    return voted_by(world, database_of, POINTS)


@pytest.fixture
def ranked(world, database_of):
    return voted_by(world, database_of, RANKING)


def placed(database_of):
    with database_of() as session:
        settle(session)


def test_points_are_given_from_the_ballot_and_from_a_proposal_without_a_script(pointed, person, client, database_of):
    voter = person(pointed.other)
    page = voter.get(pointed.ballot)
    assert "Il vous reste 10 points sur 10" in text_of(page)
    assert "6 au plus par proposition" in text_of(page)
    sent = voter.send(pointed.ballot, **{f"points-{pointed.text}": "6", f"points-{pointed.second}": ""})
    assert (sent.status_code, sent.location) == (303, f"{pointed.ballot}#vote")
    mine = voter.get(pointed.page)
    assert "Il vous reste 4 points sur 10" in text_of(mine)
    assert f'name="points-{pointed.text}" step="1" type="number" value="6"' in mine.text
    back = voter.send(
        pointed.ballot, referrer=f"http://localhost/contributions/{pointed.second}", **{f"points-{pointed.second}": "1"}
    )
    assert back.location == f"/contributions/{pointed.second}#vote"
    placed(database_of)
    listed = text_of(client.get(pointed.list))
    assert "1 bulletin " in listed
    assert "Points : 6 · Bulletins : 1" in listed
    assert "somme des points de tous les bulletins" in listed, "the rule of the count is there to read"
    assert 'data-figure="cast" data-count="1"' in client.get(pointed.list).text
    shown = client.get(pointed.page).text
    assert 'data-figure="points" data-count="6"' in shown
    assert 'data-figure="ballots" data-count="1"' in shown
    assert "Des vélos" in client.get(f"{pointed.list}?sort=voted").text
    assert "Idées" not in text_of(voter.get("/mon-compte/contributions/votes"))
    assert "2 propositions" in text_of(voter.get("/mon-compte/contributions/votes"))
    assert "Points donnés" in text_of(voter.get(voter_receipt(voter)))
    gone = voter.send(f"{pointed.ballot}/retirer")
    assert gone.location == pointed.ballot
    assert "Il vous reste 10 points sur 10" in text_of(voter.get(pointed.ballot))


def voter_receipt(voter):
    return re.search(r'href="(/recepisse/[0-9a-f]{32})"', voter.get("/recepisse").text)[1]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"text": "6", "second": "5"}, "11 points sur 10"),
        ({"text": "7"}, "6 au plus par proposition"),
        ({"text": "-2"}, "négatif"),
        ({"text": "2,5"}, "nombre entier"),
        ({"text": "9" * 400}, "au plus par proposition"),
        ({"foreign": "1"}, "n’est pas publiée dans cette étape"),
    ],
)
def test_what_cannot_be_is_refused_and_kept_on_the_page(pointed, person, database_of, typed, said):
    voter = person(pointed.other)
    refused = voter.send(pointed.ballot, **{f"points-{getattr(pointed, name)}": each for name, each in typed.items()})
    assert refused.status_code == 422
    assert said in text_of(refused)
    assert all(f'value="{each}"' in refused.text for each in typed.values())
    with database_of() as session:
        assert session.scalars(select(Ballot)).all() == []


@pytest.mark.parametrize("name", ["points-", "points-x", "points-{text}\x00", "points-{TEXT}"])
def test_a_hostile_name_is_refused(pointed, person, name):
    sent = person(pointed.other).send(
        pointed.ballot, **{name.format(text=pointed.text, TEXT=pointed.text.upper() + "é"): "1"}
    )
    assert sent.status_code == 422
    assert "qui n’existe pas" in text_of(sent)


def test_a_text_named_twice_is_refused(pointed, person):
    sent = person(pointed.other).send(pointed.ballot, **{f"points-{pointed.text}": ["1", "2"]})
    assert sent.status_code == 422
    assert "figure deux fois" in text_of(sent)


def test_a_ranking_is_built_from_the_ballot_and_from_a_proposal(ranked, person, client, database_of):
    voter = person(ranked.other)
    assert "Ajouter à mon classement" in text_of(voter.get(ranked.page))
    voter.send(f"{ranked.ballot}/classement", move=f"add {ranked.text}")
    voter.send(f"{ranked.ballot}/classement", move=f"add {ranked.second}")
    voter.send(f"{ranked.ballot}/classement", move=f"up {ranked.second}")
    mine = text_of(voter.get(ranked.ballot))
    assert "1. Des vélos (3 points)" in mine
    assert "2. Plus de trains la nuit (2 points)" in mine
    assert "Vous la classez 2e sur 2" in text_of(voter.get(ranked.page))
    placed(database_of)
    assert "Points : 3 · Rang moyen : 1 · Premiers choix : 1 · Bulletins : 1" in text_of(client.get(ranked.list))
    assert "Rang moyen : 2" in text_of(client.get(ranked.page))
    voter.send(f"{ranked.ballot}/classement", move=f"remove {ranked.second}")
    assert "1. Plus de trains la nuit (3 points)" in text_of(voter.get(ranked.ballot))


@pytest.mark.parametrize("move", ["", "up", "sideways {text}", "add x", "add {text} {text}"])
def test_a_move_that_is_none_is_refused(ranked, person, move):
    sent = person(ranked.other).send(f"{ranked.ballot}/classement", move=move.format(text=ranked.text))
    assert sent.status_code == 400


def test_a_ballot_is_one_persons_in_a_step_that_takes_it(pointed, person, client, app, database_of):
    for path in (pointed.ballot, f"{pointed.ballot}/retirer", f"{pointed.ballot}/classement"):
        assert client.post(path).status_code in (400, 401, 403), "neither a token nor a session"
    assert "/connexion" in client.get(pointed.ballot).location
    voter = person(pointed.other)
    assert voter.post(pointed.ballot, data={f"points-{pointed.text}": "1"}).status_code in (400, 403)
    assert voter.send(f"{pointed.ballot}/classement", move=f"add {pointed.text}").status_code == 400
    with database_of() as session:
        session.get_one(Step, pointed.step).settings = {}
    assert voter.get(pointed.ballot).status_code == 404
    assert voter.send(pointed.ballot, **{f"points-{pointed.text}": "1"}).status_code == 400
    with database_of() as session:
        stranger = f.make_account(session, f.make_organisation(session))
        session.flush()
        session.expunge_all()
    assert "/connexion" in person(stranger).get(pointed.ballot).location, "nobody, in this organisation"


def test_a_closed_ballot_is_read_and_not_changed(pointed, person, database_of):
    voter = person(pointed.other)
    voter.send(pointed.ballot, **{f"points-{pointed.text}": "3"})
    with database_of() as session:
        session.get_one(Step, pointed.step).closes_at = pointed.now - dt.timedelta(minutes=1)
    page = text_of(voter.get(pointed.ballot))
    assert "Le vote est terminé" in page
    assert "Plus de trains la nuit : 3 points" in page
    late = voter.send(pointed.ballot, **{f"points-{pointed.text}": "4"})
    assert late.status_code == 403
    assert "n’a pas été enregistré" in text_of(late)
