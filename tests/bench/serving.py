"""What the web benches share: a seeded database, gunicorn on a free port, and a load of real requests to loopback."""

import contextlib
import datetime as dt
import http.client
import itertools
import os
import random
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from sqlalchemy import insert, text

from consult.accounts import policy as accounts_policy
from consult.accounts import service as accounts
from consult.accounts.models import Account
from consult.consultations.models import Step, StepFigures
from consult.contributions import policy, queries
from consult.contributions.ballots.models import Ballot
from consult.contributions.models import Proposal, Vote, VoteValue
from consult.db import ALL_TENANTS, Database
from consult.migrations import commands as migrations
from consult.search import service as search
from consult.settings import Settings
from tests import factories
from tests.servers import accepts, free_port, postgresql_binaries, postgresql_cluster, wait_until

ROOT = Path(__file__).parent.parent.parent
# Processes and threads of gunicorn: what the page's budget speaks of, and what `consult serve` starts.
TWO_WORKERS, AS_SERVED = (2, 4), (Settings().workers, Settings().threads)


# Words of the texts, the first ones said much more often than the last, as in a language (Zipf).
WORDS = [
    *("train", "travail", "soir", "voiture", "ville", "gare", "ligne", "bus", "vélo", "école", "route", "village"),
    *(f"mot{rank}" for rank in range(2_000)),
]
WEIGHTS = [1 / (rank + 2) for rank in range(len(WORDS))]


@dataclass(frozen=True)
class Scene:
    """What the seed made: the address of the list, the proposals, and the cookies of signed-in people; of the step
    voted on by ballot, its address and its texts.
    """

    list_path: str
    proposals: list[uuid.UUID]
    tokens: list[str]
    ballot_path: str = ""
    balloted: tuple[uuid.UUID, ...] = ()


def seed(
    url: str, *, proposals: int, accounts_count: int = 0, votes: int = 0, crowd: int = 0, balloted: int = 0
) -> Scene:
    """A fresh schema with one open step of that many proposals, findable, votes on them, and people signed in.

    `balloted`: so many texts in another step, where people spread ten points. `crowd`: so many accounts besides, each
    with a vote and, in that other step, a ballot.
    """
    migrations.upgrade(url)
    database = Database(url)
    now = dt.datetime.now(dt.UTC)
    chance = random.Random(1)
    with database.transaction(tenant=ALL_TENANTS) as session:
        serial = "INTEGER" if database.is_sqlite else "BIGSERIAL"
        session.execute(text(f"CREATE TABLE bare_row (id {serial} PRIMARY KEY, value TEXT NOT NULL)"))
        organisation = factories.make_organisation(session)
        consultation = factories.make_consultation(session, organisation, now=now)
        step = factories.make_step(session, consultation)
        themes = [factories.make_theme(session, step) for _ in range(6)]
        people = [factories.make_account(session, organisation, now=now) for _ in range(max(20, accounts_count))]
        rows = [_proposal(step, chance, n, chance.choice(themes), chance.choice(people), now) for n in range(proposals)]
        session.execute(insert(Proposal), rows)
        counts = dict(queries.census(session, step))  # as the sequencer keeps them
        session.add(StepFigures(organisation_id=organisation.id, step_id=step.id, counts=counts))
        texts = ((row["id"], f"{row['title']}\n{row['body']}") for row in rows)
        search.index_many(session, organisation_id=organisation.id, step_id=step.id, texts=texts)
        cast = [_vote(step, chance, now, *pair) for pair in itertools.product(people, rows[: votes // len(people)])]
        if cast:
            session.execute(insert(Vote), cast)
        others = _balloted(session, consultation, balloted, chance, now) if balloted else None
        if crowd:
            _gather(session, step, rows, others, crowd, chance, now)
        life = accounts_policy.session_life((), Settings())
        tokens = [
            accounts.open_session(session, each, now=now, life=life, browser="", second_factor_at=None)[0]
            for each in people[:accounts_count]
        ]
        path = f"/consultations/{consultation.slug}/{step.slug}"
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    database.dispose()
    if others is None:
        return Scene(path, [row["id"] for row in rows], tokens)
    return Scene(path, [row["id"] for row in rows], tokens, f"{path.rpartition('/')[0]}/bulletins", others[1])


def _balloted(session, consultation, count: int, chance: random.Random, now: dt.datetime):
    """A step where people spread ten points, and the ids of its texts."""
    settings = {"vote": "points", "points": 10}
    step = factories.make_step(session, consultation, slug="bulletins", settings=settings)
    none = dict.fromkeys(("votes_for", "votes_mixed", "votes_against", "votes_total"), 0)
    rows = [_proposal(step, chance, n, None, None, now) | none for n in range(count)]
    session.execute(insert(Proposal), rows)
    return step, tuple(row["id"] for row in rows)


def _gather(session, step: Step, rows: list[dict], others, count: int, chance: random.Random, now: dt.datetime) -> None:
    """So many accounts at once, each with a vote and a ballot."""
    accounts, cast, given = [], [], []
    for n in range(count):
        account = {"id": uuid.UUID(int=chance.getrandbits(128), version=4), "organisation_id": step.organisation_id}
        name = {"pseudonym": f"Foule {n}", "pseudonym_key": f"foule {n}", "created_at": now, "confirmed_at": now}
        accounts.append(account | name)
        cast.append(_vote(step, chance, now, SimpleNamespace(**account), chance.choice(rows)))
        if others:
            voted, texts = others
            choices = dict(zip(map(str, chance.sample(texts, 3)), (5, 3, 2), strict=True))
            owned = {"organisation_id": step.organisation_id, "consultation_id": step.consultation_id}
            owned |= {"step_id": voted.id, "account_id": account["id"], "cast_at": now}
            given.append({"id": uuid.UUID(int=chance.getrandbits(128), version=4), **owned, "choices": choices})
    for model, lines in ((Account, accounts), (Vote, cast), (Ballot, given)):
        if lines:
            session.execute(insert(model), lines)


def _proposal(step: Step, chance: random.Random, n: int, theme, author, now: dt.datetime) -> dict:
    proposal_id = uuid.UUID(int=chance.getrandbits(128), version=4)
    votes = [chance.randrange(200) for _ in range(3)]
    return {
        "id": proposal_id,
        "organisation_id": step.organisation_id,
        "consultation_id": step.consultation_id,
        "step_id": step.id,
        "theme_id": theme and theme.id,
        "author_id": author and author.id,
        "title": f"Proposition {n} : {' '.join(chance.choices(WORDS, WEIGHTS, k=5))}",
        "body": " ".join(chance.choices(WORDS, WEIGHTS, k=10 * chance.randint(1, 30))),
        "created_at": now - dt.timedelta(minutes=n),
        "random_rank": policy.random_rank(step.order_seed, proposal_id),
        **dict(zip(("votes_for", "votes_mixed", "votes_against"), votes, strict=True)),
        "votes_total": sum(votes),
    }


def _vote(step: Step, chance: random.Random, now: dt.datetime, account, row: dict) -> dict:
    return {
        "id": uuid.UUID(int=chance.getrandbits(128), version=4),
        "organisation_id": step.organisation_id,
        "consultation_id": step.consultation_id,
        "step_id": step.id,
        "proposal_id": row["id"],
        "account_id": account.id,
        "value": chance.choice(list(VoteValue)),
        "cast_at": now,
    }


@contextlib.contextmanager
def databases(folder: Path) -> Iterator[dict[str, str]]:
    """The addresses of an empty SQLite file and of an empty PostgreSQL database, by name."""
    with contextlib.ExitStack() as stack:
        server = os.environ.get("CONSULT_TEST_POSTGRES_URL")
        if server is None:
            binaries = postgresql_binaries()
            if binaries is None:
                raise SystemExit("no PostgreSQL: install it, or give CONSULT_TEST_POSTGRES_URL")
            server = stack.enter_context(postgresql_cluster(binaries, durable=True))
        yield {"SQLite": f"sqlite:///{folder}/bench.db", "PostgreSQL": stack.enter_context(_empty_postgresql(server))}


@contextlib.contextmanager
def _empty_postgresql(server: str) -> Iterator[str]:
    name = f"consult_bench_{uuid.uuid4().hex[:12]}"
    administration = Database(server)
    with administration.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        base, _, query = server.partition("?")
        try:
            yield base.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")
        finally:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    administration.dispose()


@contextlib.contextmanager
def served(
    target: str, url: str, folder: Path, *, shape: tuple[int, int] = TWO_WORKERS, **settings: str
) -> Iterator[int]:
    """Gunicorn on a free port, once it answers; refuses a port on which something answers already."""
    port = free_port()
    if accepts(port):
        raise SystemExit(f"something answers on port {port}: the bench would measure it")
    environment = os.environ | {
        "DATABASE_URL": url,
        "CONSULT_DATA_DIR": str(folder),
        "CONSULT_RATE_LIMITS": "0",
        "CONSULT_LOG_FILE": str(folder / "bench.log"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)]),
        **settings,
    }
    command = [sys.executable, "-m", "gunicorn", "-k", "gthread", "-w", str(shape[0]), "--threads", str(shape[1])]
    command += ["-b", f"127.0.0.1:{port}", "--log-level", "error", target]
    process = subprocess.Popen(command, env=environment, cwd=folder)
    try:
        wait_until(lambda: process.poll() is not None or (accepts(port) and replies(port)), seconds=60, what=target)
        if process.poll() is not None:
            raise SystemExit(f"{target} did not start")
        yield port
    finally:
        process.terminate()
        process.wait(20)


def replies(port: int) -> bool:
    """Whether a worker answers: the master listens long before its workers are ready."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()


Request = tuple[str, str, str | None, dict[str, str]]  # method, path, body, headers


def load(port: int, requests: Callable[[int], Iterator[Request]], *, threads: int, seconds: float) -> "Load":
    """Send what `requests(thread)` gives, one after the other in each thread, for that long."""
    result = Load([], [], seconds)
    lock = threading.Lock()
    limit = time.monotonic() + seconds

    def send(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        mine, refused = [], []
        for method, path, body, headers in requests(number):
            begin = time.monotonic()
            if begin > limit:
                break
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            response.read()
            mine.append(time.monotonic() - begin)
            if response.status >= 400:
                refused.append(response.status)
        connection.close()
        with lock:
            result.times.extend(mine)
            result.refused.extend(refused)

    workers = [threading.Thread(target=send, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return result


@dataclass
class Load:
    """Seconds taken by each request, and the statuses of those refused."""

    times: list[float]
    refused: list[int]
    seconds: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.times) / self.seconds

    @property
    def p95(self) -> float:
        """Milliseconds under which 95 % of the requests were answered."""
        return 1_000 * statistics.quantiles(self.times, n=20)[-1]


def side_by_side(ours: Callable[[], Load], bare: Callable[[], Load], *, rounds: int) -> tuple[float, list[Load]]:
    """The median, over alternate rounds, of our rate as a share of the bare one; and our loads."""
    shares, loads = [], []
    for _ in range(rounds):
        reference = bare()
        loads.append(ours())
        if loads[-1].refused or reference.refused:
            raise SystemExit(f"the bench was refused: {loads[-1].refused[:3]} {reference.refused[:3]}")
        shares.append(loads[-1].rate / reference.rate)
    return statistics.median(shares), loads
