"""After a database or a store came back older: the log stays what was signed, what was lost is said, nothing forks."""

import shutil

import pytest
from sqlalchemy import select

from consult.db import ALL_TENANTS
from consult.protocols import Sequencing
from consult.registry import queries
from consult.registry.models import EntryKind, RegistryEntry
from consult.registry.publishing import RefusedError, Stores
from consult.registry.restore import restore
from consult.registry.store import Store
from tests.registers import Published, act, positions, sequencer, slugs, tamper


@pytest.fixture
def stores(tmp_path):
    return Stores(Store(tmp_path / "first"), Store(tmp_path / "second"))


@pytest.fixture
def signed(database, organisation_id, now, tmp_path):
    """The refs of a log of 300 entries, signed."""
    refs = act(database, organisation_id, now, count=300)
    sequencer(database, tmp_path).run_until_settled()
    return refs


def bring_back(database, stores, now, *, told=None):
    """Restore; `told` collects the refs of which a feature applies the place."""
    apply = [lambda session, organisation_id, refs: told.append(list(refs))] if told is not None else []
    features = Sequencing(slugs=slugs, closed=lambda session, now: [], on_placed=apply)
    return restore(database, stores, features, now=now)


def go_on(database, organisation_id, now, folder, before):
    """One more act is signed; what was signed before holds, on both stores. Returns what is published."""
    act(database, organisation_id, now)
    sequencer(database, folder).run_until_settled()
    first, second = Published(folder / "first"), Published(folder / "second")
    assert first.note == second.note
    assert first.holds(before.checkpoint)
    assert first.refs == [ref for ref, _ in sorted(positions(database).items(), key=lambda each: each[1])]
    return first


def incidents(database):
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        return list(session.scalars(select(RegistryEntry.opening).where(RegistryEntry.kind == EntryKind.INCIDENT)))


def states(database, organisation_id):
    with database.session(write=False, tenant=organisation_id) as session:
        log = queries.log_named(session, "agence")
        return [row.get("state") for row in queries.opened(session, log, 0, 1000)]


def test_an_older_database_takes_its_entries_back_and_says_which_openings_are_lost(
    database, organisation_id, now, signed, stores, tmp_path
):
    before = Published(tmp_path / "second")
    tamper(
        database,
        "DELETE FROM registry_entry WHERE position >= 250",
        "UPDATE registry_log SET size = 250, signed_size = 250",
    )
    waiting = act(database, organisation_id, now, count=2)  # written after the old backup was put back
    with pytest.raises(RefusedError, match="s’arrête à 250"):
        sequencer(database, tmp_path).run_until_settled()
    (done,) = bring_back(database, stores, now)
    assert (done.size, done.lost, done.moved, done.pending) == (300, 50, 0, 0)
    published = go_on(database, organisation_id, now, tmp_path, before)
    assert published.refs[:300] == signed
    assert published.refs[300:302] == waiting
    assert incidents(database) == [{"what": "restore", "size": 300, "lost": 50, "moved": 0, "pending": 0}]
    assert states(database, organisation_id) == [None] * 250 + ["lost"] * 50 + [None] * 4


def test_a_database_of_before_the_log_itself(database, organisation_id, now, signed, stores, tmp_path):
    before = Published(tmp_path / "second")
    tamper(database, "DELETE FROM registry_entry", "DELETE FROM registry_log")
    (done,) = bring_back(database, stores, now)
    assert (done.lost, done.changed) == (300, True)
    assert go_on(database, organisation_id, now, tmp_path, before).refs[:300] == signed


def test_entries_of_which_the_place_was_lost_take_it_again_and_features_are_told_once(
    database, organisation_id, now, signed, stores, tmp_path
):
    before, told = Published(tmp_path / "second"), []
    tamper(
        database,
        "UPDATE registry_entry SET position = NULL WHERE position >= 100",
        "UPDATE registry_log SET size = 100, signed_size = 100",
    )
    (done,) = bring_back(database, stores, now, told=told)
    assert (done.lost, done.moved, done.pending) == (0, 200, 0)
    assert told == [signed[100:]]
    assert go_on(database, organisation_id, now, tmp_path, before).refs[:300] == signed
    assert set(states(database, organisation_id)) == {None}


def test_entries_placed_otherwise_follow_the_log_and_unknown_ones_wait_again(
    database, organisation_id, now, signed, stores, tmp_path
):
    before = Published(tmp_path / "second")
    unknown = act(database, organisation_id, now)
    tamper(
        database,
        "UPDATE registry_entry SET position = 1000 WHERE position = 7",
        "UPDATE registry_entry SET position = 7 WHERE position = 8",
        "UPDATE registry_entry SET position = 8 WHERE position = 1000",
        "DELETE FROM registry_entry WHERE position = 299",
        "UPDATE registry_entry SET position = 299 WHERE position IS NULL",
    )
    (done,) = bring_back(database, stores, now)
    assert (done.lost, done.moved, done.pending) == (1, 2, 1)
    published = go_on(database, organisation_id, now, tmp_path, before)
    assert published.refs[:301] == signed + unknown


def test_figures_are_counted_again_from_the_first_place_that_changed(
    database, organisation_id, now, signed, stores, tmp_path
):
    """Of a log that was counted beyond what comes back, nothing stays uncounted until it is as long again."""
    act(database, organisation_id, now, count=5)
    tamper(
        database,
        "UPDATE registry_entry SET position = (SELECT count(*) FROM registry_entry e WHERE e.id < registry_entry.id)"
        " WHERE position IS NULL",
        "UPDATE registry_log SET size = 305, counted_size = 305",
        "DELETE FROM registry_entry WHERE position = 290",
    )
    (done,) = bring_back(database, stores, now)
    assert (done.lost, done.pending) == (1, 5)
    counted = []
    sequencer(database, tmp_path, count=lambda *asked: counted.append(asked[2:])).run_until_settled()
    assert counted == [(290, 305)], "the five that wait again, and the incident"
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        log = queries.log_named(session, "agence")
        assert (log.size, log.counted_size) == (306, 306)


def test_a_first_store_that_is_lost_is_written_again_without_an_incident(
    database, organisation_id, now, signed, stores, tmp_path
):
    before = Published(tmp_path / "second")
    shutil.rmtree(tmp_path / "first")
    (done,) = bring_back(database, stores, now)
    assert not done.changed
    assert Published(tmp_path / "first").note == before.note
    assert incidents(database) == []
    go_on(database, organisation_id, now, tmp_path, before)


def test_what_was_placed_and_not_yet_signed_keeps_its_place(database, organisation_id, now, signed, stores, tmp_path):
    before = Published(tmp_path / "second")
    ahead = act(database, organisation_id, now, count=3)
    tamper(
        database,
        "UPDATE registry_entry SET position = (SELECT count(*) FROM registry_entry e WHERE e.id < registry_entry.id)"
        " WHERE position IS NULL",
        "UPDATE registry_log SET size = 303",
    )
    assert list(positions(database).values()) == list(range(303))
    (done,) = bring_back(database, stores, now)
    assert not done.changed
    assert go_on(database, organisation_id, now, tmp_path, before).refs[300:303] == ahead


def test_an_erased_opening_stays_destroyed_not_lost(database, organisation_id, now, signed, stores):
    tamper(database, "UPDATE registry_entry SET salt = NULL, opening = NULL WHERE position = 4")
    tamper(database, "DELETE FROM registry_entry WHERE position = 5")
    bring_back(database, stores, now)
    assert states(database, organisation_id)[3:7] == [None, "destroyed", "lost", None]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_second_store_that_is_not_whole_restores_nothing(database, organisation_id, now, signed, stores, tmp_path):
    for path in ("checkpoint", "key", "tile/entries/000", "tile/entries/001.p/44"):
        file = tmp_path / "second/agence" / path
        content = file.read_bytes()
        file.write_bytes(content[:60] + bytes([content[60] ^ 1]) + content[61:])
        with pytest.raises(RefusedError):
            bring_back(database, stores, now)
        file.write_bytes(content)
    assert positions(database) == {ref: place for place, ref in enumerate(signed)}


def test_an_entry_that_the_database_knows_otherwise_is_no_loss_but_a_fraud(
    database, organisation_id, now, signed, stores
):
    tamper(database, "UPDATE registry_entry SET commitment = :other WHERE position = 9", other=b"\x00" * 32)
    with pytest.raises(RefusedError, match="n° 9"):
        bring_back(database, stores, now)


def test_the_store_of_an_unknown_organisation_is_refused(database, organisation_id, now, signed, stores, tmp_path):
    (tmp_path / "second/agence").rename(tmp_path / "second/ailleurs")
    with pytest.raises(RefusedError, match="ailleurs"):
        bring_back(database, stores, now)
