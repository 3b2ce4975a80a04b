"""Ballots in the public log: an honest state passes, each fraud is named, the feed of changes tells each (AT-20.2)."""

import shutil

import pytest
from sqlalchemy import select

from consult.consultations.models import Step, StepFigures
from consult.contributions import service as contributions
from consult.contributions.ballots import service as ballots
from consult.contributions.ballots.models import Ballot
from consult.contributions.ballots.policy import Move
from consult.contributions.models import Proposal
from consult.db import ALL_TENANTS, as_tenant
from consult.moderation.models import Act
from consult.opendata import feed
from consult.opendata.queries import key
from consult.organisations.models import Organisation
from consult.privacy.service import erase_account
from consult.registry import conservation, service
from consult.registry.models import RegistryEntry
from tests import factories as f
from tests.integration.registry.scene import LATER, NOW, Scene, Seed, verify
from tests.registers import tamper

pytestmark = pytest.mark.slow
POINTS = {"vote": "points", "points": 10, "points_most": 6}
RANKING = {"vote": "ranking", "ranked": 3}


@pytest.fixture(scope="module")
def honest(tmp_path_factory, _sqlite_template) -> Scene:
    folder = tmp_path_factory.mktemp("ballots")
    shutil.copy(_sqlite_template, folder / "consult.db")
    scene = Scene(folder)
    with scene.database.transaction(tenant=ALL_TENANTS) as session:
        vote(session, Seed(session, scene, ballots=(POINTS, RANKING)))
    scene.place()
    scene.database.dispose()
    return scene


def vote(session, seed) -> None:
    """In each step: a ballot that stands, one changed, one withdrawn, one of a person who leaves; a text is hidden."""
    ann, bob, cid, _ = seed.people
    dan = f.make_account(session, seed.organisation)
    written = {}
    for step in seed.balloted:
        seed.step, points = step, step.settings == POINTS
        one, two, three = written[step] = [seed.write(ann, f"Une idée par {step.title} {n}") for n in range(3)]
        for person, given in ((ann, (6, 3)), (bob, (2, 0, 1)), (cid, (1, 5)), (dan, (4, 4, 1))):
            cast(session, step, person, dict(zip((one, two, three), given, strict=False)), points=points)
        cast(session, step, bob, {two: 2}, points=points)
    for step, (_, two, three) in written.items():
        act(session, step, dan, ballots.withdrawing, LATER)
        seed.decide(three, Act.HIDE, 0)
        contributions.withdraw(session, two, account_id=ann.id, now=LATER)
    session.flush()
    erase_account(session, seed.bindings, cid, now=LATER)


def cast(session, step, person, given, *, points) -> None:
    if points:
        act(session, step, person, ballots.giving({str(text.id): n for text, n in given.items()}))
    for text in sorted(given, key=lambda each: -given[each]) if not points else ():
        act(session, step, person, ballots.moving(Move.ADD, str(text.id)))


def act(session, step, person, change, now=NOW) -> None:
    ballots.act(session, step.id, account_id=person.id, change=change, now=now)


@pytest.fixture
def scene(honest, tmp_path) -> Scene:
    scene = honest.copy(tmp_path / "copy")
    yield scene
    scene.database.dispose()


def test_an_honest_state_is_verified_and_nothing_is_missing(scene):
    code, frauds, said = scene.verify()
    assert (code, frauds) == (0, []), said
    assert "votes effacés : 2" in said
    with scene.database.session(write=False, tenant=ALL_TENANTS) as session:
        ((line,),) = (
            [each for each in lines if each.type == "vote"] for lines in conservation.all_of(session).values()
        )
        assert line.balanced
        assert (line.logged, line.published, line.withdrawn, line.erased) == (8, 4, 2, 2)


@pytest.mark.parametrize(
    ("statement", "fraud"),
    [
        ("UPDATE proposal SET points = points + 1 WHERE points > 0", "count"),
        ("UPDATE proposal SET ballots = ballots + 1 WHERE points > 0", "count"),
        ("UPDATE proposal SET first_choices = 7", "count"),
        ("UPDATE ballot SET choices = '{}'", "injection"),
        ("DELETE FROM ballot", "deletion"),
    ],
)
def test_a_changed_count_or_ballot_is_named(scene, statement, fraud):
    tamper(scene.database, statement)
    code, frauds, said = scene.verify()
    assert code == 1, said
    assert fraud in {each["fraud"] for each in frauds}, said


@pytest.mark.parametrize(
    ("step", "choices", "said"),
    [
        ("points", [6, 5], "11 points donnés sur 10"),
        ("points", [7], "hors de 1 à 6"),
        ("points", [-1], "hors de 1 à 6"),
        ("ranking", [3, 1], "places ne se suivent pas"),
    ],
)
def test_a_ballot_against_the_frozen_rules_is_named_though_the_host_signs_it(scene, step, choices, said, monkeypatch):
    """AT-20.2: neither the rows nor the log can hold an overspend that nobody sees."""
    monkeypatch.setattr(ballots.policy, "check", lambda *_: None)
    with scene.database.transaction(tenant=ALL_TENANTS) as session:
        held = session.scalars(select(Step).where(Step.title == step)).one()
        ids = session.scalars(select(Proposal.id).where(Proposal.step_id == held.id)).all()
        person = f.make_account(session, session.get_one(Organisation, held.organisation_id))
        points = {str(text): given for text, given in zip(ids, choices, strict=False)}
        act(session, held, person, lambda _, held: {**held, **points}, LATER)
    scene.place()
    code, frauds, told = scene.verify()
    assert code == 1, told
    assert any(each["fraud"] == "ballot" and said in each["message"] for each in frauds), told


def test_a_ballot_counted_twice_is_named(scene):
    with scene.database.transaction(tenant=ALL_TENANTS) as session:
        entry = session.scalars(select(RegistryEntry).where(RegistryEntry.kind == "vote.cast")).first()
        whose = {"organisation_id": entry.organisation_id, "consultation_id": entry.consultation_id}
        service.append(session, **whose, kind=entry.kind, content=entry.opening, now=LATER)
    scene.place()
    code, frauds, told = scene.verify()
    assert code == 1, told
    assert "duplicate" in {each["fraud"] for each in frauds}, told


def test_the_feed_of_changes_leads_to_the_lists_from_wherever_it_was_cut(scene):
    datasets = scene.bindings.public_datasets
    with scene.database.session(write=False, tenant=ALL_TENANTS) as session:
        whole = session.scalars(select(Ballot.consultation_id)).first()
        owner = session.scalars(select(Ballot.organisation_id)).first()
        with as_tenant(session, owner):
            copy, after, more = {}, -1, True
            while more:
                page = feed.page(session, whole, datasets, after=after, limit=3)
                after, more = page.position, page.more
                for change in page.changes:
                    copy[change["dataset"], change["id"]] = change["row"]
            for name in ("ballots", "contributions"):
                rows = {key(row): row for row in datasets[name].rows(session, whole)}
                kept = {row_id: row for (dataset, row_id), row in copy.items() if dataset == name and row is not None}
                assert kept == rows
            gone = [row for (dataset, _), row in copy.items() if dataset == "ballots" and row is None]
            assert len(gone) == 4, "two withdrawn, two erased"


def test_a_tombstone_names_the_texts_and_nothing_of_who_gave_what(scene):
    with scene.database.session(write=False, tenant=ALL_TENANTS) as session:
        rows = session.scalars(select(RegistryEntry.opening).where(RegistryEntry.kind == "tombstone"))
        graves = [each for each in rows if each.get("type") == "vote"]
    assert len(graves) == 2
    assert all(set(each) == {"step", "contributions", "type", "ground", "entries"} for each in graves)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # no query differs
def test_the_ballots_that_the_page_of_a_step_counts_are_recounted(scene, database, settings, live_server, tmp_path):
    """AT-20.2: online, given nothing but the address."""
    scene.database.dispose()
    shutil.copy(scene.folder / "consult.db", database.url.database)
    settings.registry_path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(scene.folder / "first", settings.registry_path)
    code, frauds, said = verify(live_server, tmp_path)
    assert (code, frauds) == (0, []), said
    with database.transaction(tenant=ALL_TENANTS) as session:
        for each in session.scalars(select(StepFigures)):
            each.counts = {**each.counts, "ballots": 40}
    code, frauds, said = verify(live_server, tmp_path)
    assert code == 1, said
    assert {each["fraud"] for each in frauds} == {"count"}
    assert "affiche (40,)" in said
