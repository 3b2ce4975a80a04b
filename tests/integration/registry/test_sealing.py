"""A consultation is sealed once nothing can be added to what it received, and not a moment before."""

import datetime as dt
import uuid

import pytest
from sqlalchemy import select, text

from consult.consultations import queries as consultations
from consult.db import ALL_TENANTS
from consult.protocols import Closed
from consult.registry.models import EntryKind, RegistryEntry
from tests import factories
from tests.registers import Published, act, sequencer

CONSULTATION = uuid.UUID(int=5)


def seals(database):
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        query = select(RegistryEntry.opening).where(RegistryEntry.kind == EntryKind.SEALED).order_by(RegistryEntry.id)
        return list(session.scalars(query))


def work(database, organisation_id, folder, *, end, now):
    """A whole turn, then another, of a sequencer that starts at that instant."""
    over = [Closed(organisation_id, CONSULTATION, end)] if end <= now else []
    for _ in range(2):
        sequencer(database, folder, closed=lambda session, at: over, now=lambda: now).run_until_settled()


@pytest.fixture
def end():
    """An end that every transaction of the tests begins after."""
    return dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)


def test_a_closed_consultation_is_sealed_once_with_the_count_of_its_entries(database, organisation_id, end, tmp_path):
    act(database, organisation_id, end, count=3, consultation_id=CONSULTATION)
    act(database, organisation_id, end, count=2, consultation_id=CONSULTATION, kind=EntryKind.ARGUMENT)
    act(database, organisation_id, end, consultation_id=uuid.UUID(int=6))
    for later in (1, 5, 60):
        work(database, organisation_id, tmp_path, end=end, now=end + dt.timedelta(minutes=later))
    (sealed,) = seals(database)
    assert sealed["consultation"] == str(CONSULTATION)
    assert sealed["entries"] == {"vote.cast": 3, "argument": 2}
    assert Published(tmp_path / "first").checkpoint.size == 7


@pytest.mark.parametrize("seconds", [-1, 0, 59])
def test_nothing_is_sealed_before_the_end_and_its_margin(database, organisation_id, end, tmp_path, seconds):
    act(database, organisation_id, end, consultation_id=CONSULTATION)
    work(database, organisation_id, tmp_path, end=end, now=end + dt.timedelta(seconds=seconds))
    assert seals(database) == []


def test_an_end_moved_later_is_sealed_again(database, organisation_id, end, tmp_path):
    act(database, organisation_id, end, consultation_id=CONSULTATION)
    for hours in (0, 2):
        moved = end - dt.timedelta(hours=4 - hours)
        work(database, organisation_id, tmp_path, end=moved, now=end)
    assert len({each["closed_at"] for each in seals(database)}) == 2


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_an_act_under_way_since_before_the_end_is_waited_for(database, organisation_id, tmp_path):
    """On SQLite there is one writer: none can be under way beside the one that seals."""
    with database.session(write=True, tenant=organisation_id) as session:
        session.execute(text("SELECT 1"))  # a transaction that begins before the end
        end = dt.datetime.now(dt.UTC)
        now = end + dt.timedelta(minutes=2)
        work(database, organisation_id, tmp_path, end=end, now=now)
        assert seals(database) == []
    end = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=10)
    work(database, organisation_id, tmp_path, end=end, now=end + dt.timedelta(minutes=2))
    assert len(seals(database)) == 1


def test_the_consultations_that_are_over(database, organisation_id, now):
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = session.get_one(factories.Organisation, organisation_id)
        factories.make_consultation(session, organisation)
        factories.make_consultation(session, organisation, opened=False, closes_at=now, opens_at=now - dt.timedelta(1))
        over = factories.make_consultation(session, organisation, closes_at=now, opens_at=now - dt.timedelta(days=9)).id
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        assert consultations.closed(session, now) == [Closed(organisation_id, over, now)]
        assert consultations.closed(session, now - dt.timedelta(seconds=1)) == []
