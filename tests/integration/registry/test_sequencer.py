"""Entries get their place, two stores hold them, then they are signed; nothing that contradicts this is ever signed."""

import datetime as dt
import shutil
import threading
import uuid

import pytest
from sqlalchemy import select, text, update

from consult.consultations.models import StepFigures
from consult.db import ALL_TENANTS
from consult.organisations.models import Organisation
from consult.registry import publishing, queries
from consult.registry import sequencer as sequencing
from consult.registry.models import RegistryEntry, RegistryLog
from consult.registry.publishing import RefusedError, Stores
from consult.registry.store import Store
from tests import factories
from tests.registers import HOST, Published, act, positions, sequencer, tamper

ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # about files: no query differs


def log_of(database, organisation_id):
    with database.session(write=False, tenant=organisation_id) as session:
        return session.get_one(RegistryLog, organisation_id)


def test_an_entry_is_placed_written_on_both_stores_and_signed(database, organisation_id, now, tmp_path):
    refs = act(database, organisation_id, now, count=3)
    sequencer(database, tmp_path).run_until_settled()
    assert positions(database) == {ref: place for place, ref in enumerate(refs)}
    first, second = Published(tmp_path / "first"), Published(tmp_path / "second")
    assert first.note == second.note
    assert first.refs == refs
    log = log_of(database, organisation_id)
    assert (log.slug, log.origin) == ("agence", f"{HOST}/registry/agence")
    assert (log.size, log.signed_size, log.signed_root) == (3, 3, first.checkpoint.root)
    assert log.key == (tmp_path / "first/agence/key").read_text().strip()


@ONE
def test_the_files_may_be_read_by_a_web_server_and_none_is_left_half_written(database, organisation_id, now, tmp_path):
    act(database, organisation_id, now)
    sequencer(database, tmp_path).run_until_settled()
    files = [path for path in tmp_path.rglob("*") if path.is_file() and "consult.db" not in path.name]
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o644"}
    assert {path.name for path in files} == {"checkpoint", "key", "programs", "1"}


def test_a_count_that_the_database_refuses_is_made_again_and_keeps_no_entry_waiting(
    database, organisation_id, now, tmp_path
):
    """As when a step is deleted while it is counted."""
    refused = []

    def count(session, organisation_id, since, last):
        if not refused:
            refused.append(last)
            figures = {"step_id": uuid.uuid4(), "organisation_id": organisation_id, "counts": {}}
            session.add(StepFigures(**figures))
            session.flush()

    refs = act(database, organisation_id, now, count=2)
    working = sequencer(database, tmp_path, count=count)
    working.run_until_settled()
    assert refused == [1]
    assert positions(database) == {ref: place for place, ref in enumerate(refs)}
    assert log_of(database, organisation_id).counted_size == 0
    working.run_until_settled()
    assert log_of(database, organisation_id).counted_size == 2


def test_batches_make_the_same_log_as_one(database, organisation_id, now, tmp_path):
    """Full and partial tiles at two levels, in batches that cut them anywhere."""
    working = sequencer(database, tmp_path, batch=300)
    refs = []
    for count in (1, 255, 1, 700, 1200):
        refs += act(database, organisation_id, now, count=count)
        working.run_until_settled()
    assert Published(tmp_path / "second").refs == refs
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.p")}
    both = ("first/agence/tile", "second/agence/tile")
    # The partial versions of what has long been full are gone; those of the last one stay.
    assert left.isdisjoint(f"{tile}/{level}/000.p" for tile in both for level in ("0", "entries"))
    assert left.issuperset(f"{tile}/{path}" for tile in both for path in ("0/008.p", "entries/008.p", "1/000.p"))


def test_nothing_new_signs_nothing_new(database, organisation_id, now, tmp_path):
    act(database, organisation_id, now)
    working = sequencer(database, tmp_path)
    working.run_until_settled()
    before = (tmp_path / "first/agence/checkpoint").stat().st_mtime_ns
    working.run_until_settled()
    sequencer(database, tmp_path).run_until_settled()
    assert (tmp_path / "first/agence/checkpoint").stat().st_mtime_ns == before


def test_each_organisation_has_its_log_and_its_key(database, organisation_id, now, tmp_path):
    with database.transaction(tenant=ALL_TENANTS) as session:
        other = factories.make_organisation(session, slug="autre").id
    act(database, organisation_id, now, count=2)
    act(database, other, now, count=5)
    sequencer(database, tmp_path).run_until_settled()
    ours, theirs = Published(tmp_path / "first"), Published(tmp_path / "first", "autre")
    assert (ours.checkpoint.size, theirs.checkpoint.size) == (2, 5)
    keys = {(tmp_path / "first" / slug / "key").read_text().rsplit("+", 1)[1] for slug in ("agence", "autre")}
    assert len(keys) == 2
    assert not set(ours.refs) & set(theirs.refs)


def test_a_renamed_organisation_keeps_its_log(database, organisation_id, now, tmp_path):
    act(database, organisation_id, now)
    sequencer(database, tmp_path).run_until_settled()
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.execute(text("UPDATE organisation SET slug = 'renommee'"))
    act(database, organisation_id, now)
    sequencer(database, tmp_path).run_until_settled()
    assert Published(tmp_path / "first").checkpoint.size == 2
    assert not (tmp_path / "first/renommee").exists()


def test_what_depends_on_the_place_is_applied_with_it_or_not_at_all(database, organisation_id, now, tmp_path):
    told, breaking = [], [RuntimeError("a feature breaks")]

    def apply(session, organisation, refs):
        session.execute(update(RegistryEntry).where(RegistryEntry.ref.in_(refs)).values(withheld=True))
        told.append((organisation, list(refs)))
        if breaking:
            raise breaking.pop()

    refs = act(database, organisation_id, now, count=2)
    working = sequencer(database, tmp_path, on_placed=[apply])
    with pytest.raises(RuntimeError, match="a feature breaks"):
        working.run_until_settled()
    assert set(positions(database).values()) == {None}
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        assert set(session.scalars(select(RegistryEntry.withheld))) == {False}
    sequencer(database, tmp_path, on_placed=[apply]).run_until_settled()
    assert told[-1] == (organisation_id, refs)
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        assert set(session.scalars(select(RegistryEntry.withheld))) == {True}


def test_a_log_that_is_refused_does_not_stop_the_others(database, organisation_id, now, tmp_path):
    with database.transaction(tenant=ALL_TENANTS) as session:
        other = factories.make_organisation(session, slug="autre").id
    act(database, organisation_id, now)
    sequencer(database, tmp_path).run_until_settled()
    shutil.rmtree(tmp_path / "second/agence")
    act(database, organisation_id, now)
    act(database, other, now)
    with pytest.raises(RefusedError, match="agence"):
        sequencer(database, tmp_path).run_until_settled()
    assert Published(tmp_path / "second", "autre").checkpoint.size == 1
    assert list(positions(database).values()) == [0, None, 0]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # SQLite has one writer: nobody comes in between
def test_an_act_that_comes_in_between_does_not_make_it_read_the_log_again(
    database, organisation_id, now, tmp_path, monkeypatch
):
    """What is placed is placed again at once; reading a long log takes a minute."""
    opened, racing = [], []

    def counting(*arguments):
        opened.append(arguments)
        return open_log(*arguments)

    open_log = publishing.open_log
    monkeypatch.setattr(publishing, "open_log", counting)

    def apply(session, organisation, refs):
        changed = update(Organisation).where(Organisation.id == organisation).values(name="Autre nom")
        if racing:
            racing.pop()
            with database.transaction(tenant=ALL_TENANTS) as other:
                other.execute(changed)
        session.execute(changed)

    working = sequencer(database, tmp_path, on_placed=[apply])
    first = act(database, organisation_id, now)
    working.run_until_settled()
    racing.append("once")
    second = act(database, organisation_id, now)
    working.run_until_settled()
    assert racing == []
    assert positions(database) == {ref: place for place, ref in enumerate(first + second)}
    assert Published(tmp_path / "second").checkpoint.size == 2
    assert len(opened) == 1


def test_only_one_process_leads_and_the_next_takes_its_place(database, organisation_id, now, tmp_path):
    with database.alone("sequencer") as first:
        assert first is not None
        assert first()
        with database.alone("sequencer") as second:
            assert second is None
        with database.alone("other") as other:
            assert other is not None
    with database.alone("sequencer") as again:
        assert again is not None


def test_it_runs_until_it_is_asked_to_stop(database, organisation_id, now, tmp_path):
    stop = threading.Event()
    thread = threading.Thread(target=sequencer(database, tmp_path).run_forever, args=[stop])
    thread.start()
    try:
        refs = act(database, organisation_id, now, count=2)
        checkpoint = tmp_path / "first/agence/checkpoint"
        for _ in range(200):
            if checkpoint.exists():
                break
            stop.wait(0.05)
        assert Published(tmp_path / "first").refs == refs
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


# What must never be signed ------------------------------------------------------------------------------------------


@pytest.fixture
def signed(database, organisation_id, now, tmp_path):
    """A log of 300 entries, signed; one more entry waits."""
    act(database, organisation_id, now, count=300)
    sequencer(database, tmp_path).run_until_settled()
    act(database, organisation_id, now)
    return tmp_path


def refused(database, folder, why):
    """That nothing is placed nor signed, and why."""
    before = {path: path.read_bytes() for path in folder.rglob("checkpoint")}
    with pytest.raises(RefusedError, match=why):
        sequencer(database, folder).run_until_settled()
    assert {path: path.read_bytes() for path in folder.rglob("checkpoint")} == before
    assert list(positions(database).values())[-1] is None


@pytest.mark.parametrize("position", [0, 255, 256, 299])
def test_a_rewritten_entry_is_refused(database, signed, position):
    statement = "UPDATE registry_entry SET commitment = :other WHERE position = :at"
    tamper(database, statement, other=b"\x00" * 32, at=position)
    refused(database, signed, "racine signée")


def test_entries_swapped_or_taken_out_are_refused(database, signed):
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.execute(text("UPDATE registry_entry SET position = 1000 WHERE position = 8"))
        session.execute(text("UPDATE registry_entry SET position = 8 WHERE position = 9"))
        session.execute(text("UPDATE registry_entry SET position = 9 WHERE position = 1000"))
    refused(database, signed, "racine signée")
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.execute(text("UPDATE registry_entry SET position = 1000 WHERE position = 8"))
    refused(database, signed, "manquent")


def test_a_database_older_than_what_was_signed_is_refused(database, organisation_id, signed):
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.execute(text("UPDATE registry_entry SET position = NULL WHERE position >= 200"))
        session.execute(text("UPDATE registry_log SET size = 200, signed_size = 200"))
    refused(database, signed, "s’arrête à 200 entrées, 300 ont été signées")


@ONE
@pytest.mark.parametrize("store", ["first", "second"])
@pytest.mark.parametrize("path", ["tile/0/001.p/44", "tile/1/000.p/1", "key", "checkpoint"])
def test_a_store_that_lost_or_changed_a_file_is_refused(database, signed, store, path):
    file = signed / store / "agence" / path
    content = file.read_bytes()
    for damage in (b"", content[:-1], content[:10] + bytes([content[10] ^ 1]) + content[11:]):
        file.write_bytes(damage)
        refused(database, signed, "agence")
    file.unlink()
    if (store, path) == ("first", "checkpoint"):  # as a crash between the two stores leaves it
        sequencer(database, signed).run_until_settled()
    else:
        refused(database, signed, "agence")


@ONE
@pytest.mark.parametrize("lost", ["second", "both"])
def test_a_store_that_is_not_there_any_more_is_refused(database, signed, lost):
    for store in ("second",) if lost == "second" else ("first", "second"):
        shutil.rmtree(signed / store)
    refused(database, signed, "second dépôt")


def test_a_second_store_put_back_to_an_older_state_is_refused(database, organisation_id, now, signed):
    shutil.copytree(signed / "second", signed / "older")
    sequencer(database, signed).run_until_settled()
    act(database, organisation_id, now)
    shutil.rmtree(signed / "second")
    shutil.copytree(signed / "older", signed / "second")
    refused(database, signed, "en retard")


def test_another_seed_is_refused(database, signed):
    with pytest.raises(RefusedError, match="graine"):
        sequencer(database, signed, seed=b"\x08" * 32).run_until_settled()
    assert Published(signed / "first").checkpoint.size == 300


def test_a_database_of_before_the_log_is_refused(database, organisation_id, now, signed, tmp_path):
    """A new database beside old stores: nothing of it may go into the log of that name."""
    tamper(database, "DELETE FROM registry_log", "DELETE FROM registry_entry")
    act(database, organisation_id, now)
    refused(database, signed, "s’arrête à 0 entrées")


def test_what_is_written_wrongly_is_not_signed(database, organisation_id, now, signed, monkeypatch):
    """The second store is read back before each signature."""
    write = Store.write

    def lossy(store, log, files):
        write(store, log, {path: data[::-1] if "tile/0" in path else data for path, data in files.items()})

    monkeypatch.setattr(Store, "write", lossy)
    before = (signed / "second/agence/checkpoint").read_bytes()
    with pytest.raises(RefusedError, match="contredit"):
        sequencer(database, signed).run_until_settled()
    assert (signed / "second/agence/checkpoint").read_bytes() == before
    monkeypatch.undo()
    sequencer(database, signed).run_until_settled()
    assert Published(signed / "second").checkpoint.size == 301


# Lateness -----------------------------------------------------------------------------------------------------------


def test_how_late_the_sequencer_is(database, organisation_id, now, tmp_path):
    def late(at):
        with database.session(write=False, tenant=ALL_TENANTS) as session:
            return queries.late_seconds(session, at)

    assert late(now) == 0
    act(database, organisation_id, now)
    assert late(now) == 0  # an act of this hour, before the first turn of the sequencer
    assert late(now + dt.timedelta(hours=3)) > 3600
    sequencer(database, tmp_path, now=lambda: now).run_until_settled()
    assert late(now + dt.timedelta(hours=3)) == 0
    act(database, organisation_id, now)
    assert late(now + dt.timedelta(seconds=90)) == 90


def test_counts_refused_several_times_in_a_row_are_logged_and_stop_the_beat(
    database, organisation_id, now, tmp_path, monkeypatch, caplog
):
    """AT-20.2: nobody may take figures that stand still for figures that are up to date."""
    clock, refuse = [now], [True]

    def count(session, organisation_id, since, last):
        if refuse:
            session.add(StepFigures(step_id=uuid.uuid4(), organisation_id=organisation_id, counts={}))
            session.flush()

    def late():
        with database.session(write=False, tenant=ALL_TENANTS) as session:
            return queries.late_seconds(session, clock[0])

    monkeypatch.setattr(sequencing, "COUNT_SECONDS", 0)
    monkeypatch.setattr(sequencing, "COUNT_SHARE", 0)
    act(database, organisation_id, now)
    working = sequencer(database, tmp_path, count=count, now=lambda: clock[0])
    for turn in range(1, 4):
        clock[0] = now + turn * dt.timedelta(minutes=1)
        working.run_once()
        assert late() == (0 if turn < sequencing.MISCOUNTS else 60)
    told = [record for record in caplog.records if record.message == "the database refused a count"]
    assert [record.in_a_row for record in told] == [1, 2, 3]
    assert all(record.organisation == str(organisation_id) and record.exc_info for record in told)
    refuse.clear()
    clock[0] += dt.timedelta(minutes=1)
    working.run_once()
    assert late() == 0
    assert log_of(database, organisation_id).counted_size == 1


@ONE
def test_check_reads_every_file_without_the_seed(database, signed):
    """AT-B.3: any byte of any file of a store."""
    stores = Stores(Store(signed / "first"), Store(signed / "second"))
    assert [(log.slug, log.edge.size) for log in publishing.check(database, stores)] == [("agence", 300)]
    for file in sorted(signed.glob("*/agence/**/*")):
        if not file.is_file():
            continue
        content = file.read_bytes()
        for damage in (content[:-1], content[:40] + bytes([content[40] ^ 1]) + content[41:]) if content[40:] else ():
            file.write_bytes(damage)
            with pytest.raises(RefusedError):
                publishing.check(database, stores)
        file.write_bytes(content)
    assert [(log.slug, log.edge.size) for log in publishing.check(database, stores)] == [("agence", 300)]
