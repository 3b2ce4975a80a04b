"""One worker, chunk by chunk: what is kept, what is undone, what is tried again, what is told."""

import datetime as dt
import threading
import uuid

import pytest
from sqlalchemy import insert, select, update

from consult.db import ALL_TENANTS, survives
from consult.errors import InvalidError, UnavailableError
from consult.jobs import queries, service
from consult.jobs.models import Job, JobState
from consult.jobs.schedule import PruneJobs, Task
from consult.jobs.worker import Worker
from consult.organisations.models import Organisation
from consult.protocols import Progress
from tests.integration.jobs.counting import Count, effects


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now

    def forward(self, **delta):
        self.now += dt.timedelta(**delta)


@pytest.fixture
def clock(now):
    return Clock(now)


@pytest.fixture
def run(database, clock):
    """Run one turn of a worker that knows these handlers."""

    def run(*handlers, stop=None, **options):
        known = {handler.kind: handler for handler in handlers}
        worker = Worker(database, known, name="essai", now=clock, random=lambda: 1.0, **options)
        return worker.run_once(stop)

    return run


@pytest.fixture
def ask(database, clock):
    def ask(kind, *, organisation_id=None, payload=None, **options):
        with database.transaction(tenant=ALL_TENANTS) as session:
            job = service.enqueue(
                session, kind, payload or {"name": "job"}, organisation_id=organisation_id, now=clock(), **options
            )
            return job and job.id

    return ask


@pytest.fixture
def job_of(database):
    def job_of(job_id):
        with database.session(write=False, tenant=ALL_TENANTS) as session:
            return session.get_one(Job, job_id)

    return job_of


@pytest.fixture
def numbers(database):
    def numbers():
        with database.session(write=False, tenant=ALL_TENANTS) as session:
            return list(session.scalars(select(effects.c.number).order_by(effects.c.id)))

    return numbers


def write(session, number):
    session.execute(insert(effects).values(job="job", number=number, worker=""))


class Failing:
    """Writes 0 and yields, writes 1 and raises."""

    kind = "test.failing"

    def __init__(self, error, cursor=None):
        self.error, self.cursor = error, cursor

    def run(self, session, payload, cursor):
        if not cursor:
            write(session, 0)
            yield Progress(1, 2, cursor=self.cursor)
        write(session, 1)
        raise self.error


def test_a_job_goes_from_waiting_to_done_with_its_progress(run, ask, job_of, numbers):
    job_id = ask(Count.kind, payload={"name": "job", "n": 3})
    assert run(Count())
    job = job_of(job_id)
    assert (job.state, job.done, job.total, job.message) == (JobState.DONE, 3, 3, "3 sur 3")
    assert job.finished_at is not None
    assert (job.lease_token, job.lease_until) == (None, None)
    assert numbers() == [0, 1, 2]
    assert not run(Count())


def test_a_job_asked_for_in_a_transaction_rolled_back_never_was(database, run, now):
    with database.session(write=True, tenant=ALL_TENANTS) as session:
        service.enqueue(session, Count.kind, {"name": "job"}, organisation_id=None, now=now)
        session.rollback()
    assert not run(Count())


def test_a_chunk_that_crashes_between_its_write_and_its_yield_leaves_neither(run, ask, job_of, numbers):
    job_id = ask(Failing.kind)
    assert run(Failing(RuntimeError("secret@example.org"), cursor={"next": 1}))
    job = job_of(job_id)
    assert numbers() == [0]
    assert (job.state, job.done, job.cursor) == (JobState.WAITING, 1, {"next": 1})
    assert "RuntimeError" in job.error
    assert "secret" not in job.error


def test_failures_are_spaced_out_then_the_job_fails_and_is_seen(database, run, ask, job_of, clock):
    job_id = ask(Failing.kind, max_attempts=3)
    handler = Failing(UnavailableError("Le serveur de messagerie ne répond pas."))
    waits = []
    for _ in range(2):
        assert run(handler)
        waits.append((job_of(job_id).run_after - clock()).total_seconds())
        assert not run(handler), "it must wait"
        clock.forward(seconds=waits[-1])
    assert waits == [10, 20]
    assert run(handler)
    job = job_of(job_id)
    assert (job.state, job.attempts, job.finished_at) == (JobState.FAILED, 3, clock())
    assert job.error == "Le serveur de messagerie ne répond pas."
    clock.forward(days=9)
    assert not run(handler)
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        assert queries.failed_count(session) == 1
        assert [seen.id for seen in queries.unfinished(session)] == [job_id]


def test_a_refusal_fails_at_once_since_trying_again_would_say_the_same(run, ask, job_of):
    job_id = ask(Failing.kind)
    run(Failing(InvalidError("La colonne « date » manque.")))
    job = job_of(job_id)
    assert (job.state, job.attempts, job.error) == (JobState.FAILED, 1, "La colonne « date » manque.")


def test_advancing_gives_the_attempts_back_and_starting_over_does_not(run, ask, job_of, clock):
    advancing, starting_over = ask(Failing.kind, max_attempts=2), None
    run(Failing(UnavailableError("x"), cursor={"next": 1}))
    assert job_of(advancing).attempts == 1
    clock.forward(hours=1)
    run(Failing(UnavailableError("x"), cursor={"next": 1}))
    assert job_of(advancing).state is JobState.FAILED
    starting_over = ask(Failing.kind, max_attempts=2)
    for _ in range(2):
        run(Failing(UnavailableError("x")))
        clock.forward(hours=1)
    assert job_of(starting_over).state is JobState.FAILED


def test_a_stolen_lease_undoes_the_chunk_and_leaves_the_job_to_its_new_owner(database, run, ask, job_of, numbers):
    thief = uuid.uuid4()

    class Robbed:
        kind = "test.robbed"

        def run(self, session, payload, cursor):
            write(session, 0)
            yield Progress(1, cursor={"next": 1})
            with database.transaction(tenant=ALL_TENANTS) as other:
                other.execute(update(Job).values(lease_token=thief, worker="thief"))
            write(session, 1)
            yield Progress(2, cursor={"next": 2})

    job_id = ask(Robbed.kind)
    assert run(Robbed())
    job = job_of(job_id)
    assert numbers() == [0]
    assert (job.state, job.lease_token, job.worker, job.error) == (JobState.RUNNING, thief, "thief", "")
    assert job.cursor == {"next": 1}


def test_the_heartbeat_keeps_the_lease_of_a_long_chunk(database, run, ask, job_of, clock):
    class Long:
        kind = "test.long"

        def run(self, session, payload, cursor):
            first = job_of(job_id).lease_until
            clock.forward(seconds=20)
            for _ in range(200):
                if job_of(job_id).lease_until > first:
                    break
                threading.Event().wait(0.02)
            with database.session(write=True, tenant=ALL_TENANTS) as other:
                self.stolen = service.claim(other, "thief", first + dt.timedelta(seconds=0.1), dt.timedelta(seconds=9))
            yield Progress(1, 1)

    job_id, handler = ask(Long.kind), Long()
    assert run(handler, lease=dt.timedelta(seconds=0.3))
    assert handler.stolen is None
    assert job_of(job_id).state is JobState.DONE


def test_a_job_that_kills_its_worker_each_time_fails_after_its_attempts(database, run, ask, job_of, clock):
    job_id = ask(Count.kind, max_attempts=2)
    for _ in range(2):
        with database.transaction(tenant=ALL_TENANTS) as session:
            assert service.claim(session, "dies", clock(), dt.timedelta(seconds=60)) is not None
        clock.forward(seconds=61)
    assert not run(Count())
    job = job_of(job_id)
    assert (job.state, job.error) == (JobState.FAILED, service.INTERRUPTED)


def test_the_unique_key_makes_one_job_whatever_its_state(ask, run, job_of):
    first = ask(Count.kind, unique_key="once")
    assert first is not None
    assert ask(Count.kind, unique_key="once") is None
    run(Count())
    assert job_of(first).state is JobState.DONE
    assert ask(Count.kind, unique_key="once") is None
    assert ask(Count.kind, unique_key="twice") is not None
    assert ask(Count.kind) is not None


def test_a_job_is_served_for_its_organisation_alone(database, run, ask, organisation_id):
    seen = []

    class Tenants:
        kind = "test.tenants"

        def run(self, session, payload, cursor):
            seen.append(session.info["tenant"])
            yield Progress(1, 1)

    for tenant in (organisation_id, None):
        ask(Tenants.kind, organisation_id=tenant)
        assert run(Tenants())
    assert seen == [organisation_id, ALL_TENANTS]


def test_what_survives_a_failed_chunk_is_kept(database, run, ask, now):
    class Survivor:
        kind = "test.survivor"

        def run(self, session, payload, cursor):
            survives(session, lambda after: after.add(Organisation(slug="survivor", name="S", created_at=now)))
            raise InvalidError("non")
            yield Progress(1)

    ask(Survivor.kind)
    run(Survivor())
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        assert session.scalars(select(Organisation.slug)).all() == ["survivor"]


def test_due_jobs_come_in_order_and_later_ones_wait(run, ask, clock, numbers):
    late = ask(Count.kind, payload={"name": "late", "n": 1}, run_after=clock() + dt.timedelta(hours=1))
    soon = ask(Count.kind, payload={"name": "soon", "n": 2})
    assert late != soon
    assert run(Count())
    assert not run(Count())
    assert numbers() == [0, 1]
    clock.forward(hours=1)
    assert run(Count())


def test_a_kind_this_worker_does_not_know_is_left_to_another(run, ask, job_of):
    job_id = ask("test.newer")
    assert not run(Count())
    assert job_of(job_id).state is JobState.WAITING


def test_an_asked_stop_gives_the_job_back_between_two_chunks(run, ask, job_of, numbers):
    job_id, stop = ask(Count.kind, payload={"name": "job", "n": 3}), threading.Event()
    stop.set()
    assert run(Count(), stop=stop)
    assert (job_of(job_id).state, job_of(job_id).attempts, numbers()) == (JobState.WAITING, 0, [0])
    assert run(Count())
    assert numbers() == [0, 1, 2]


def test_periodic_tasks_make_one_job_per_slot_however_many_workers(database, clock):
    tasks = (Task(Count.kind, dt.timedelta(hours=1), {"name": "hourly"}),)
    clock.now = clock.now.replace(minute=59, second=0)

    def count():
        with database.session(write=False, tenant=ALL_TENANTS) as session:
            return len(session.scalars(select(Job)).all())

    def turn():
        stop = threading.Event()
        stop.wait = lambda _seconds: stop.set()
        Worker(database, {}, tasks=tasks, now=clock).run_forever(stop)

    turn()
    turn()
    assert count() == 1
    clock.forward(minutes=1)
    turn()
    assert count() == 2


def test_done_jobs_are_forgotten_after_a_month_and_failed_ones_are_not(database, run, ask, job_of, clock):
    done, failed = ask(Count.kind), ask(Failing.kind, max_attempts=1)
    run(Count())
    run(Failing(RuntimeError("x")))
    clock.forward(days=31)
    prune = ask(PruneJobs.kind)
    assert run(PruneJobs(now=clock))
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        assert set(session.scalars(select(Job.id))) == {failed, prune}
    assert done not in {failed, prune}


def test_done_slots_of_periodic_tasks_are_forgotten_once_well_over(database, run, ask, clock):
    tasks = (Task(Count.kind, dt.timedelta(seconds=5)),)
    ask(Count.kind, unique_key="old slot")
    run(Count())
    clock.forward(seconds=11)
    recent = ask(Count.kind, unique_key="recent slot")
    run(Count())
    prune = ask(PruneJobs.kind)
    assert run(PruneJobs(tasks, now=clock))
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        assert set(session.scalars(select(Job.id))) == {recent, prune}


def test_the_delay_of_the_oldest_due_job_tells_that_no_worker_runs(database, ask, clock):
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        assert queries.overdue_seconds(session, clock()) == 0
    ask(Count.kind)
    clock.forward(seconds=90)
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        assert queries.overdue_seconds(session, clock()) == 90


def test_a_progress_page_reads_only_the_jobs_of_its_organisation(database, ask, organisation_id):
    job_id = ask(Count.kind, organisation_id=organisation_id)
    with database.session(write=False, tenant=organisation_id) as session:
        assert queries.job(session, job_id, organisation_id=organisation_id).id == job_id
        assert queries.job(session, job_id, organisation_id=uuid.uuid4()) is None
