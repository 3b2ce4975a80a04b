"""Votes with all their checks, as a share of a route that inserts one row and commits; then an exact recount."""

import http.client
import itertools
import random
import re
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import serving
from sqlalchemy import select

from consult.contributions import queries, votes
from consult.contributions.models import Proposal, Vote, VoteValue
from consult.db import ALL_TENANTS, Database
from tests.registers import settle

SECONDS = {"small": 1.0, "full": 3.0}  # short turns: what else the machine does then weighs on both
ROUNDS = {"small": 11, "full": 21}
VOTERS = 8  # one a thread: what each one voted last is then known
PROPOSALS = 1_000


def run(scale: str) -> list[dict]:
    """Shares on SQLite and on PostgreSQL, the 95th percentile, and whether the recount is exact."""
    rows = []
    with tempfile.TemporaryDirectory() as folder, serving.databases(Path(folder)) as urls:
        for name, url in urls.items():
            rows += _measure(scale, Path(folder), url, name)
    return rows


def _measure(scale: str, folder: Path, url: str, name: str) -> list[dict]:
    scene = serving.seed(url, proposals=PROPOSALS, accounts_count=VOTERS)
    ballots = Ballots(scene)
    shape = serving.AS_SERVED
    with (
        serving.served("bare:app", url, folder, shape=shape) as bare,
        serving.served("consult.wsgi:app", url, folder, shape=shape) as ours,
    ):
        ballots.learn_tokens(ours)
        insert = ("POST", "/insert", "", {})
        share, loads = serving.side_by_side(
            lambda: serving.load(ours, ballots.requests, threads=VOTERS, seconds=SECONDS[scale]),
            lambda: serving.load(bare, lambda _: itertools.repeat(insert), threads=VOTERS, seconds=SECONDS[scale]),
            rounds=ROUNDS[scale],
        )
    rate = statistics.median(load.rate for load in loads)
    note = f"{rate:.0f} votes/s here, on {shape[0]} processes of {shape[1]} threads"
    wrong = recount(url, ballots)
    cast = sum(len(load.times) for load in loads)
    return [
        {"name": f"votes a second ({name})", "value": share, "unit": "× insert", "budget": ">= 0.3", "note": note},
        {"name": f"vote, 95th percentile ({name})", "value": statistics.median(load.p95 for load in loads),
         "unit": "ms", "budget": None, "note": f"{VOTERS} people at once"},
        {"name": f"recount after {cast} votes, differences ({name})", "value": wrong, "unit": "contents",
         "budget": "<= 0", "note": "rows, displayed counts and acknowledged votes compared"},
    ]  # fmt: skip


class Ballots:
    """Who votes what, and what was acknowledged last by each voter on each proposal."""

    def __init__(self, scene: serving.Scene) -> None:
        self.scene = scene
        self.csrf: list[str] = []
        self.last: list[dict[str, str]] = [{} for _ in scene.tokens]
        self.chance = [random.Random(number) for number in range(len(scene.tokens))]

    def learn_tokens(self, port: int) -> None:
        """Read each voter's form token from a page, as a browser does."""
        for token in self.scene.tokens:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", f"/contributions/{self.scene.proposals[0]}", headers=self._cookie(token))
            page = connection.getresponse().read().decode()
            self.csrf.append(re.search(r'name="csrf_token" value="([0-9a-f]+)"', page)[1])
            connection.close()

    def _cookie(self, token: str) -> dict[str, str]:
        return {"Cookie": f"consult_session={token}"}

    def requests(self, voter: int) -> Iterator[serving.Request]:
        """Endless votes and changes of vote of one person; what comes back below 400 is counted by the caller."""
        headers = self._cookie(self.scene.tokens[voter]) | {"Content-Type": "application/x-www-form-urlencoded"}
        while True:
            proposal = str(self.chance[voter].choice(self.scene.proposals))
            value = self.chance[voter].choice(list(VoteValue)).value
            body = urlencode({"csrf_token": self.csrf[voter], "position": value})
            before = self.last[voter].get(proposal)
            self.last[voter][proposal] = value
            sent = False
            try:
                yield "POST", f"/contributions/{proposal}/vote", body, headers
                sent = True
            finally:
                if not sent:  # the time was over before it was sent
                    self.last[voter].pop(proposal)
                    if before is not None:
                        self.last[voter][proposal] = before


def recount(url: str, ballots: Ballots) -> int:
    """How many proposals show another count than their rows, or than the votes acknowledged."""
    database = Database(url)
    expected: dict[str, dict[str, int]] = {}
    for voter in ballots.last:
        for proposal, value in voter.items():
            counts = expected.setdefault(proposal, dict.fromkeys(("for", "mixed", "against"), 0))
            counts[value] += 1
    with database.transaction(tenant=ALL_TENANTS) as session:
        voted = session.scalars(select(Vote.proposal_id).distinct()).all()
        seeded = {
            row.id: {"for": row.votes_for, "mixed": row.votes_mixed, "against": row.votes_against}
            for row in session.scalars(select(Proposal).where(Proposal.id.in_(voted)))
        }
        wrong = {str(each) for each in voted} ^ set(expected)
        settle(session)
        for proposal_id in voted:
            session.expire_all()
            truth = {value.value: count for value, count in votes.recount(session, Proposal(id=proposal_id)).items()}
            shown = queries.sheet(session, proposal_id).votes
            live = {name: shown[name] - seeded[proposal_id][name] for name in truth}
            if not truth == live == expected.get(str(proposal_id)):
                wrong.add(str(proposal_id))
    database.dispose()
    return len(wrong)
