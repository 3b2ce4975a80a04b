"""Faults on a real server: what was acknowledged is kept, what is repeated counts once (AT-19.12, AT-13.2)."""

import contextlib
import datetime as dt
import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from consult.accounts import policy, service
from consult.contributions.models import Proposal, Vote
from consult.db import ALL_TENANTS
from tests import factories
from tests.registers import settle
from tests.servers import accepts, free_port, wait_until

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def gunicorn(settings):
    """Two workers of the real server; gives the port and the master's pid."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": settings.database_url,
        "CONSULT_DATA_DIR": settings.data_dir,
        "CONSULT_RATE_LIMITS": "0",
    }
    command = [sys.executable, "-m", "gunicorn", "consult.wsgi:app", "-k", "gthread", "-w", "2", "--threads", "4"]
    command += ["-b", f"127.0.0.1:{port}", "--log-level", "critical"]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as master:
        try:
            wait_until(lambda: accepts(port), seconds=60, what="gunicorn")
            yield port, master.pid
        finally:
            master.terminate()


def workers_of(master: int) -> list[int]:
    listed = Path(f"/proc/{master}/task/{master}/children").read_text(encoding="ascii")
    return [int(pid) for pid in listed.split()]


@pytest.fixture
def ballot(database, settings, now):
    """Two hundred proposals of an open consultation, and one signed-in account."""
    now = dt.datetime.now(dt.UTC)
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(session)
        account = factories.make_account(session, organisation, now=now)
        consultation = factories.make_consultation(session, organisation, now=now)
        step = factories.make_step(session, consultation)
        proposals = [factories.make_proposal(session, step).id for _ in range(200)]
        token, _ = service.open_session(
            session,
            account,
            now=now,
            life=policy.session_life((), settings),
            browser="Firefox sous Linux",
            second_factor_at=None,
        )
    return proposals, f"{policy.session_cookie(settings).name}={token}"


class Citizen:
    """A browser kept open on the server, which comes back after a cut."""

    def __init__(self, port: int, cookie: str) -> None:
        self.port, self.cookie = port, cookie
        self.token = ""

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode({"csrf_token": self.token, **fields}) if fields is not None else None
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        finally:
            connection.close()

    def learn_token(self, path: str) -> None:
        self.token = re.search(r'name="csrf_token" value="(\w+)"', self.ask("GET", path)[1])[1]

    def vote(self, proposal, value: str = "for") -> int | None:
        """The status of the reply; None when the server was cut before it answered."""
        try:
            return self.ask("POST", f"/contributions/{proposal}/vote", {"position": value})[0]
        except (OSError, http.client.HTTPException):
            return None


def test_a_killed_web_process_loses_no_acknowledged_vote(database, settings, ballot):
    proposals, cookie = ballot
    with gunicorn(settings) as (port, master):
        citizen = Citizen(port, cookie)
        citizen.learn_token(f"/contributions/{proposals[0]}")

        def kill_now_and_then() -> None:
            for _ in range(3):
                time.sleep(0.6)
                for pid in workers_of(master)[:1]:
                    os.kill(pid, signal.SIGKILL)

        killer = threading.Thread(target=kill_now_and_then)
        killer.start()
        acknowledged = [proposal for proposal in proposals if citizen.vote(proposal) == 303]
        killer.join()
    assert len(acknowledged) > 100, "the server came back after each kill"
    with database.transaction(tenant=ALL_TENANTS, write=False) as session:
        kept = set(session.scalars(select(Vote.proposal_id)))
    assert set(acknowledged) <= kept


def test_two_hundred_parallel_votes_of_one_account_make_one(database, settings, ballot):
    """AT-19.12."""
    (proposal, *_), cookie = ballot
    statuses = []
    with gunicorn(settings) as (port, _):
        first = Citizen(port, cookie)
        first.learn_token(f"/contributions/{proposal}")

        def insist(values: str) -> None:
            citizen = Citizen(port, cookie)
            citizen.token = first.token
            statuses.extend(citizen.vote(proposal, value) for value in values.split())

        threads = [threading.Thread(target=insist, args=("for against " * 5,)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(statuses) == 200
    assert set(statuses) == {303}
    with database.transaction(tenant=ALL_TENANTS) as session:
        votes = session.scalars(select(Vote)).all()
        assert len(votes) == 1
        settle(session)
        counters = session.get_one(Proposal, proposal)
        exact = {"for": counters.votes_for, "against": counters.votes_against}
        assert exact == {"for": 0, "against": 0} | {votes[0].value.value: 1}, "the count is that of the row"
