"""Wherever the sequencer dies, the log is one sequence without a gap, and every checkpoint ever signed still holds."""

import contextlib
import itertools
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from consult.db import ALL_TENANTS
from consult.registry import notes, store
from tests import factories
from tests.registers import Published, act, positions, sequencer

NOW = factories.NOW
HISTORIES = st.lists(
    st.one_of(
        st.tuples(st.just("act"), st.sampled_from([1, 2, 9, 130, 256])),
        st.tuples(st.just("crash"), st.integers(0, 60)),
        st.just(("work",)),
        st.just(("restart",)),
    ),
    min_size=2,
    max_size=8,
)


class CrashError(BaseException):
    """The process dies here: no handler of ours may take it for an error."""


class Fuse:
    """Dies before the step of that number: a statement, a commit, a file put in place, a folder flushed."""

    def __init__(self) -> None:
        self.left = None
        self.held = set()

    def burn(self, *_given) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise CrashError

    def hold(self, _connection, record, _proxy) -> None:
        self.held.add(record)

    def give_back(self, _connection, record) -> None:
        self.held.discard(record)

    def close_held(self) -> None:
        """Close what a dead session had taken and will never give back."""
        while self.held:
            self.held.pop().invalidate()

    @contextlib.contextmanager
    def laid(self, database):
        """The fuse runs through the database and the stores for the block."""
        with pytest.MonkeyPatch.context() as patching:
            for name in ("before_cursor_execute", "commit"):
                event.listen(database.engine, name, self.burn)
            for engine in database.engines:
                event.listen(engine, "checkout", self.hold)
                event.listen(engine, "checkin", self.give_back)
            patching.setattr(os, "fsync", lambda _handle: None)  # no power is cut here
            for name in ("_put", "_flush"):
                real = getattr(store, name)
                patching.setattr(store, name, lambda *given, real=real: (self.burn(), real(*given))[1])
            yield self
            for name in ("before_cursor_execute", "commit"):
                event.remove(database.engine, name, self.burn)
            for engine in database.engines:
                event.remove(engine, "checkout", self.hold)
                event.remove(engine, "checkin", self.give_back)


class Town:
    """An organisation and its log, what was done in it, and what the world has seen of it."""

    def __init__(self, database, folder, fuse) -> None:
        self.database, self.folder, self.fuse = database, folder, fuse
        with database.transaction(tenant=ALL_TENANTS) as session:
            organisation = factories.make_organisation(session, phone="")
            self.organisation_id, self.slug = organisation.id, organisation.slug
        self.refs, self.seen = [], []
        self.start()

    def start(self) -> None:
        self.working = sequencer(self.database, self.folder, batch=200, on_placed=[self.count])

    @staticmethod
    def count(session, organisation_id, refs) -> None:
        """What a feature applies once per entry: a crash must neither lose nor repeat it."""
        parameters = {"more": "." * len(refs), "id": organisation_id.hex}
        where = "replace(CAST(id AS VARCHAR), '-', '')"
        session.execute(
            text(f"UPDATE organisation SET legal_address = legal_address || :more WHERE {where} = :id"), parameters
        )

    def work(self, *, fuse=None) -> bool:
        """Settle everything, or die on the way; tells whether it died."""
        self.fuse.left = fuse
        try:
            self.working.run_until_settled()
            died = False
        except BaseException:  # of the crash, or of what the driver says of a connection left as it was
            died = self.fuse.left is not None and self.fuse.left < 0
            if not died:
                raise
        self.fuse.left = None
        if died:
            self.bury()
        self.look()
        if died:
            self.start()
        return died

    def bury(self) -> None:
        """A dead process holds no connection and no lock."""
        self.fuse.close_held()
        self.database.dispose()
        if not self.database.is_sqlite:
            others = "datname = current_database() AND pid <> pg_backend_pid()"
            with self.database.engine.connect() as connection:
                connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))

    def look(self) -> None:
        """What anyone who reads the stores at this instant may keep for ever."""
        for each in ("first", "second"):
            if (self.folder / each / self.slug / "checkpoint").exists():
                published = Published(self.folder / each, self.slug)
                assert notes.split(published.note)
                self.seen.append(published.checkpoint)

    def play(self, history) -> None:
        for name, *given_ in history:
            match name:
                case "act":
                    self.refs += act(self.database, self.organisation_id, NOW, count=given_[0])
                case "crash":
                    self.work(fuse=given_[0])
                case "work":
                    self.work()
                case "restart":
                    self.start()

    def check(self) -> None:
        self.work()
        assert positions(self.database, self.organisation_id) == {ref: place for place, ref in enumerate(self.refs)}
        with self.database.session(write=False, tenant=ALL_TENANTS) as session:
            counted = session.get_one(factories.Organisation, self.organisation_id).legal_address
        assert len(counted) == len(self.refs)
        if self.refs:
            first, second = (Published(self.folder / each, self.slug) for each in ("first", "second"))
            assert first.note == second.note
            assert first.refs == second.refs == self.refs
            assert all(first.holds(checkpoint) for checkpoint in self.seen)


@pytest.mark.slow
def test_a_crash_before_any_step_loses_nothing_and_forks_nothing(database, empty_again, tmp_path):
    """AT-B.5: every step in turn, over the first signature, then over growth that completes a tile."""
    with Fuse().laid(database) as fuse:
        for step in itertools.count():
            empty_again()
            town = Town(database, tmp_path / str(step), fuse)
            town.play([("act", 2)])
            died = town.work(fuse=step)
            town.play([("act", 255)])
            died |= town.work(fuse=step)
            town.play([("act", 1)])
            town.check()
            if not died:
                break
    assert step > 30  # the fuse really ran through every statement and file


@pytest.mark.slow
@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=HISTORIES)
def test_random_histories_with_crashes(database, empty_again, tmp_path_factory, history):
    """AT-B.5."""
    with Fuse().laid(database) as fuse:
        empty_again()
        town = Town(database, tmp_path_factory.mktemp("stores"), fuse)
        town.play(history)
        town.check()
