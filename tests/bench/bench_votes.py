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
from sqlalchemy import func, select

from consult.contributions import queries, votes
from consult.contributions.ballots.models import Ballot
from consult.contributions.models import Proposal, Vote, VoteValue
from consult.db import ALL_TENANTS, Database
from tests.registers import settle

SECONDS = {"small": 1.0, "full": 3.0}  # short turns: what else the machine does then weighs on both
ROUNDS = {"small": 11, "full": 21}
VOTERS = 8  # threads: each votes for accounts of its own, so that what each one voted last is known
ACCOUNTS = {"small": 64, "full": 400}  # that vote during the bench
CROWD = {"small": 5_000, "full": 100_000}  # that had voted before
PROPOSALS = 1_000
BALLOTED = 200  # texts over which ten points are spread
PATIENCE = {"PostgreSQL": "<= 300"}  # ms; SQLite has one writer, which waits for the disk


def run(scale: str) -> list[dict]:
    """Shares on SQLite and on PostgreSQL, the 95th percentiles, and whether the recounts are exact."""
    rows = []
    with tempfile.TemporaryDirectory() as folder, serving.databases(Path(folder)) as urls:
        for name, url in urls.items():
            rows += _measure(scale, Path(folder), url, name)
    return rows


def _measure(scale: str, folder: Path, url: str, name: str) -> list[dict]:
    scene = serving.seed(
        url, proposals=PROPOSALS, accounts_count=ACCOUNTS[scale], crowd=CROWD[scale], balloted=BALLOTED
    )
    cast, ballots = Ballots(scene), Papers(scene)
    shape = serving.AS_SERVED
    with (
        serving.served("bare:app", url, folder, shape=shape) as bare,
        serving.served("consult.wsgi:app", url, folder, shape=shape) as ours,
    ):
        cast.learn_tokens(ours)
        ballots.csrf = cast.csrf
        measured = [_share(scale, ours, bare, each.requests) for each in (cast, ballots)]
    rows = []
    known = f"{CROWD[scale]} accounts, {shape[0]} processes of {shape[1]} threads"
    for what, (share, loads) in zip(("votes", "ballots"), measured, strict=True):
        rate = statistics.median(load.rate for load in loads)
        rows += [
            {"name": f"{what} a second ({name})", "value": share, "unit": "× insert", "budget": ">= 0.3",
             "note": f"{rate:.0f} {what}/s here, {known}"},
            {"name": f"{what}, 95th percentile ({name})", "value": statistics.median(load.p95 for load in loads),
             "unit": "ms", "budget": PATIENCE.get(name), "note": f"{VOTERS} people at once"},
        ]  # fmt: skip
    for what, wrong in (("votes", recount(url, cast)), ("ballots", recount_ballots(url, ballots))):
        note = "rows, displayed counts and acknowledged acts compared"
        rows.append({"name": f"recount of {what}, differences ({name})", "value": wrong, "unit": "contents",
                     "budget": "<= 0", "note": note})  # fmt: skip
    return rows


def _share(scale: str, ours: int, bare: int, requests) -> tuple[float, list[serving.Load]]:
    insert = ("POST", "/insert", "", {})
    return serving.side_by_side(
        lambda: serving.load(ours, requests, threads=VOTERS, seconds=SECONDS[scale]),
        lambda: serving.load(bare, lambda _: itertools.repeat(insert), threads=VOTERS, seconds=SECONDS[scale]),
        rounds=ROUNDS[scale],
    )


class Ballots:
    """Who votes what, and what was acknowledged last by each voter on each proposal."""

    def __init__(self, scene: serving.Scene) -> None:
        self.scene = scene
        self.csrf: list[str] = []
        self.last: list[dict] = [{} for _ in scene.tokens]
        self.chance = [random.Random(number) for number in range(VOTERS)]

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

    def _someone(self, thread: int) -> int:
        """One of the accounts of a thread."""
        return self.chance[thread].randrange(thread, len(self.scene.tokens), VOTERS)

    def _headers(self, voter: int) -> dict[str, str]:
        return self._cookie(self.scene.tokens[voter]) | {"Content-Type": "application/x-www-form-urlencoded"}

    def requests(self, thread: int) -> Iterator[serving.Request]:
        """Endless votes and changes of vote of some people; what comes back below 400 is counted by the caller."""
        while True:
            voter = self._someone(thread)
            proposal = str(self.chance[thread].choice(self.scene.proposals))
            value = self.chance[thread].choice(list(VoteValue)).value
            body = urlencode({"csrf_token": self.csrf[voter], "position": value})
            before = self.last[voter].get(proposal)
            self.last[voter][proposal] = value
            sent = False
            try:
                yield "POST", f"/contributions/{proposal}/vote", body, self._headers(voter)
                sent = True
            finally:
                if not sent:  # the time was over before it was sent
                    self.last[voter].pop(proposal)
                    if before is not None:
                        self.last[voter][proposal] = before


class Papers(Ballots):
    """The same people, who spread ten points over three texts, then over others."""

    def requests(self, thread: int) -> Iterator[serving.Request]:
        """Endless ballots and changes of ballot of some people."""
        while True:
            voter = self._someone(thread)
            before = self.last[voter]
            texts = self.chance[thread].sample(self.scene.balloted, 3)
            given = {str(text): points for text, points in zip(texts, (5, 3, 2), strict=True)}
            named = {f"points-{text}": str(points) for text, points in (dict.fromkeys(before, 0) | given).items()}
            self.last[voter] = given
            sent = False
            try:
                body = urlencode({"csrf_token": self.csrf[voter], **named})
                yield "POST", f"{self.scene.ballot_path}/bulletin", body, self._headers(voter)
                sent = True
            finally:
                if not sent:
                    self.last[voter] = before


def recount(url: str, ballots: Ballots) -> int:
    """How many proposals show another count than their rows, or than the votes acknowledged."""
    database = Database(url)
    expected: dict[str, dict[str, int]] = {}
    for voter in ballots.last:
        for proposal, value in voter.items():
            counts = expected.setdefault(proposal, dict.fromkeys(("for", "mixed", "against"), 0))
            counts[value] += 1
    with database.transaction(tenant=ALL_TENANTS) as session:
        crowd = Vote.registry_ref.is_(None)
        voted = session.scalars(select(Vote.proposal_id).where(~crowd).distinct()).all()
        seeded = {
            row.id: {"for": row.votes_for, "mixed": row.votes_mixed, "against": row.votes_against}
            for row in session.scalars(select(Proposal).where(Proposal.id.in_(voted)))
        }
        wrong = {str(each) for each in voted} ^ set(expected)
        settle(session)
        for proposal_id in voted:
            session.expire_all()
            truth = {value.value: count for value, count in votes.recount(session, Proposal(id=proposal_id)).items()}
            counted = select(Vote.value, func.count()).where(Vote.proposal_id == proposal_id, crowd)
            for value, count in session.execute(counted.group_by(Vote.value)):
                truth[value.value] -= count
            shown = queries.sheet(session, proposal_id).votes
            live = {name: shown[name] - seeded[proposal_id][name] for name in truth}
            if not truth == live == expected.get(str(proposal_id)):
                wrong.add(str(proposal_id))
    database.dispose()
    return len(wrong)


def recount_ballots(url: str, ballots: Papers) -> int:
    """How many texts show other points than those of the rows, or than those acknowledged."""
    database = Database(url)
    expected = dict.fromkeys(map(str, ballots.scene.balloted), 0)
    for choices in ballots.last:
        for text, points in choices.items():
            expected[text] += points
    with database.transaction(tenant=ALL_TENANTS) as session:
        settle(session)
        rows = dict.fromkeys(expected, 0)
        for choices in session.scalars(select(Ballot.choices).where(Ballot.registry_ref.is_not(None))):
            for text, points in choices.items():
                rows[text] += points
        query = select(Proposal.id, Proposal.points).where(Proposal.id.in_(ballots.scene.balloted))
        shown = {str(row.id): row.points for row in session.execute(query)}
    database.dispose()
    return sum(not expected[text] == rows[text] == shown[text] for text in expected)
