"""Worker processes that share a queue, are killed, and come back: no job is lost, none is done twice."""

import os
import signal
import subprocess
import sys

import pytest
from sqlalchemy import func, select

from consult.clock import now as real_now
from consult.db import ALL_TENANTS
from consult.jobs import service
from consult.jobs.models import Job, JobState
from tests.integration.jobs.counting import Count, effects
from tests.servers import wait_until


@pytest.fixture
def start(database_url):
    """Start worker processes; whatever is still running at the end is killed."""
    started = []

    def start(name, lease=30.0):
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.integration.jobs.counting", database_url, name, str(lease)]
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def ask(database, count, **payload):
    with database.transaction(tenant=ALL_TENANTS) as session:
        for number in range(count):
            name = f"job-{number}"
            service.enqueue(session, Count.kind, {"name": name} | payload, organisation_id=None, now=real_now())


def read(database, statement):
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        return session.execute(statement).all()


def finished(database):
    return read(database, select(func.count()).where(Job.state == JobState.DONE))[0][0]


@pytest.mark.slow
def test_200_jobs_by_3_processes_are_each_done_exactly_once(database, start):
    ask(database, 200, n=2)
    processes = [start(f"w{number}") for number in range(3)]
    wait_until(lambda: finished(database) == 200, seconds=60, what="200 jobs")
    for process in processes:
        process.send_signal(signal.SIGTERM)
    assert [process.wait(10) for process in processes] == [0, 0, 0]
    rows = read(database, select(effects.c.job, effects.c.number, effects.c.worker))
    assert len(rows) == 400
    assert {(row.job, row.number) for row in rows} == {
        (f"job-{job}", number) for job in range(200) for number in (0, 1)
    }
    assert len({row.worker for row in rows}) == 3, "a worker had nothing to do: the test proves nothing"
    assert {row[0] for row in read(database, select(Job.attempts))} == {1}


@pytest.mark.slow
def test_a_killed_worker_s_job_resumes_at_its_cursor_without_repeating_a_chunk(database, start):
    ask(database, 1, n=40, seconds=0.05)
    victim = start("victim", lease=1.0)
    wait_until(lambda: len(read(database, select(effects.c.id))) >= 5, what="five chunks")
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    before = len(read(database, select(effects.c.id)))
    assert before < 40
    start("heir", lease=1.0)
    wait_until(lambda: finished(database) == 1, seconds=30, what="the resumed job")
    rows = read(database, select(effects.c.number, effects.c.worker).order_by(effects.c.id))
    assert [row.number for row in rows] == list(range(40))
    assert [row.worker for row in rows] == ["victim"] * before + ["heir"] * (40 - before)


@pytest.mark.slow
def test_a_worker_asked_to_stop_gives_its_job_back_at_once(database, start):
    ask(database, 1, n=400, seconds=0.02)
    process = start("polite")
    wait_until(lambda: len(read(database, select(effects.c.id))) >= 3, what="three chunks")
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    ((state, attempts, done, token),) = read(database, select(Job.state, Job.attempts, Job.done, Job.lease_token))
    assert (state, attempts, token) == (JobState.WAITING, 0, None)
    assert 3 <= done < 400
    assert done == len(read(database, select(effects.c.id)))
