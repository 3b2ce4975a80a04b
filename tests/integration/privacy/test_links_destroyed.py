"""Six months after the end, nobody can tell any more whose the votes are; everything else goes on (AT-6.5)."""

import datetime as dt
import shutil

import pytest
from sqlalchemy import func, select, text

from consult.consultations import queries as consultations
from consult.consultations.policy import APPEALS
from consult.contributions.acts import queries as acts
from consult.contributions.datasets import ContributionsDataset, VotesDataset
from consult.contributions.jobs import DestroyLinks
from consult.contributions.models import Proposal, StepSecret, Vote
from consult.db import ALL_TENANTS
from consult.errors import GoneError
from consult.opendata import feed
from consult.privacy import service as privacy
from consult.registry import conservation
from consult.registry.models import EntryKind, RegistryEntry
from tests.integration.privacy.town import WRITTEN, found
from tests.integration.registry.scene import NOW, Scene, Seed
from tests.registers import settle

DAY = dt.timedelta(days=1)


def run(session, now) -> None:
    session.info["tenant"] = ALL_TENANTS
    for _ in DestroyLinks(now=lambda: now).run(session, {}, {}):
        session.flush()
    session.expire_all()


def linked(session) -> tuple[int, int]:
    votes = select(func.count()).select_from(Vote).where(Vote.account_id.is_not(None))
    return session.scalar(votes), session.scalar(select(func.count()).select_from(StepSecret))


def census(town):
    settle(town.session)
    return {(line.type, line.origin): line for line in conservation.all_of(town.session)[town.consultation.id]}


@pytest.fixture
def over(town) -> dt.datetime:
    """The instant when the appeals end."""
    return town.consultation.closes_at + APPEALS


def test_links_are_destroyed_once_the_appeals_are_over_and_not_before(town, over):
    """AT-6.5."""
    before = linked(town.session)
    assert all(before)
    run(town.session, over - DAY)
    assert linked(town.session) == before
    whole = census(town)
    run(town.session, over + DAY)
    assert linked(town.session) == (0, 0)
    assert census(town) == whole
    told = select(RegistryEntry).where(RegistryEntry.kind == EntryKind.CONTENT)
    destroyed = [entry.opening for entry in town.session.scalars(told) if "links_destroyed" in entry.opening]
    assert destroyed == [{"links_destroyed": [str(town.step.id)]}]
    run(town.session, over + 2 * DAY)
    assert len(town.session.scalars(told).all()) == len(destroyed), "once"


def test_a_crash_in_the_middle_ends_at_the_next_turn(town, over, monkeypatch):
    monkeypatch.setattr("consult.contributions.jobs.CHUNK", 2)
    town.session.info["tenant"] = ALL_TENANTS
    next(DestroyLinks(now=lambda: over).run(town.session, {}, {}))
    votes, secrets = linked(town.session)
    assert votes
    assert secrets
    run(town.session, over)
    assert linked(town.session) == (0, 0)


def test_open_data_give_no_identifier_any_more(town, over):
    run(town.session, over)
    votes = list(VotesDataset().rows(town.session, town.consultation.id))
    texts = list(ContributionsDataset().rows(town.session, town.consultation.id))
    assert votes
    assert {row["voter"] for row in votes} == {row["author"] for row in texts} == {None}


def test_a_reader_of_changes_starts_again(town, over):
    """The rows change, and no entry tells them one by one: a cursor of before is refused."""
    session, whole = town.session, town.consultation.id
    kept = feed.cursor(session, whole, 3)
    assert feed.opened(session, whole, kept, GoneError("")) == 3
    run(session, over)
    with pytest.raises(GoneError):
        feed.opened(session, whole, kept, GoneError(""))
    assert feed.opened(session, whole, feed.cursor(session, whole, 3), GoneError("")) == 3


@pytest.mark.slow
def test_an_account_erased_afterwards_takes_its_texts_and_leaves_nobodys_votes(town, over, bindings):
    """AT-6.2: its votes are no personal data any more; receipts of texts are still found."""
    session, person = town.session, town.person
    refs, voters = acts.logged(session, person.id)
    assert voters
    before = select(func.count()).select_from(Vote)
    counted = session.scalar(before)
    run(session, over)
    assert acts.logged(session, person.id) == (refs, [])
    tables = privacy.export_account(session, bindings, person.id, over)["tables"]
    assert tables["vote"]["rows"] == []
    assert len(tables["proposal"]["rows"]) == 3
    session.info["tenant"] = town.organisation.id
    privacy.erase_account(session, bindings, person, now=over + DAY)
    kept_by_law = {"comment", "pending"}
    assert found(session, *(word for name, word in WRITTEN.items() if name not in kept_by_law)) == set()
    assert session.scalar(before) == counted
    assert session.scalars(select(Proposal.id).where(Proposal.author_id == person.id)).all() == []
    assert all(line.balanced for line in census(town).values())


def test_a_consultation_closed_by_hand_counts_from_that_day(town):
    closed = town.consultation.closes_at - 5 * DAY
    town.session.execute(
        text("UPDATE consultation SET status = 'closed', closed_at = :at"), {"at": closed.replace(tzinfo=None)}
    )
    town.session.expire_all()
    assert consultations.closed(town.session, closed + DAY)
    run(town.session, closed + APPEALS + DAY)
    assert linked(town.session) == (0, 0)


@pytest.mark.slow
def test_the_verifier_finds_no_fraud_in_a_state_without_links(tmp_path, request):
    """AT-20.2."""
    shutil.copy(request.getfixturevalue("_sqlite_template"), tmp_path / "consult.db")
    scene = Scene(tmp_path)
    with scene.database.transaction(tenant=ALL_TENANTS) as session:
        Seed(session, scene).live()
    scene.place()
    with scene.database.transaction(tenant=ALL_TENANTS) as session:
        run(session, NOW + 10 * DAY + APPEALS)
        assert linked(session) == (0, 0)
    scene.place()
    code, frauds, said = scene.verify()
    assert (code, frauds) == (0, []), said
    scene.database.dispose()
