"""The feed of changes over HTTP: a replica in SQLite, cut anywhere, ends with the lists and with the dump."""

import json
import random
import sqlite3
import urllib.error
import urllib.request
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest

from consult.contributions import service as contributions
from consult.contributions.models import VoteValue
from consult.db import ALL_TENANTS
from consult.moderation.models import Act
from consult.opendata import feed
from consult.opendata.dump import Identity, write_dump
from consult.opendata.queries import key
from consult.registry.models import LostOpening
from tests import factories
from tests.integration.registry.scene import LATER, SLUG, Seed
from tests.registers import act, features, sequencer

pytestmark = pytest.mark.slow  # many pages and processes: `make check` leaves it to `make test`


class Replica:
    """What a reader keeps: the rows of each list, and the cursor, written in one transaction a page."""

    def __init__(self, path, address):
        self.file, self.address = sqlite3.connect(path, isolation_level=None), address
        self.file.execute("CREATE TABLE row (dataset TEXT, id TEXT, content TEXT, PRIMARY KEY (dataset, id))")
        self.file.execute("CREATE TABLE place (cursor TEXT)")
        self.file.execute("INSERT INTO place VALUES ('')")

    def get(self, **query):
        with urllib.request.urlopen(f"{self.address}/changes?{urlencode(query)}", timeout=30) as reply:
            return json.load(reply)

    def read(self, limit, falls) -> bool:
        """One page; the line falls before the change that `falls` names among so many, if any."""
        (cursor,) = self.file.execute("SELECT cursor FROM place").fetchone()
        page = self.get(cursor=cursor, limit=limit)
        fall = falls(len(page["data"]))
        self.file.execute("BEGIN")
        for change in page["data"][:fall]:
            name, key = change["dataset"], change["id"]
            if change["action"] == "put":
                self.file.execute("INSERT OR REPLACE INTO row VALUES (?, ?, ?)", (name, key, json.dumps(change["row"])))
            else:
                self.file.execute("DELETE FROM row WHERE dataset = ? AND id = ?", (name, key))
        if fall is not None:
            self.file.execute("ROLLBACK")
            return True
        self.file.execute("UPDATE place SET cursor = ?", (page["next"],))
        self.file.execute("COMMIT")
        return page["more"]

    def catch_up(self, seed) -> int:
        chance, cuts = random.Random(seed), 0

        def falls(changes):
            """Anywhere in half of the pages, however long: an entry of many replies is told whole."""
            nonlocal cuts
            if chance.random() < 0.5:
                return None
            cuts += 1
            return chance.randint(0, changes)

        while self.read(chance.randint(1, 3), falls):
            pass
        return cuts

    def rows(self, name):
        found = self.file.execute("SELECT content FROM row WHERE dataset = ? ORDER BY id", (name,))
        return [json.loads(content) for (content,) in found]


@pytest.fixture
def story(app, database, tmp_path):
    """A consultation that opens, what people do in it, and the sequencer that places it."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        seed = Seed(session, SimpleNamespace(bindings=app.extensions["bindings"]), anonymous=True)
        hidden = seed.write(seed.people[1], "Une première idée")
        seed.vote(seed.people[2], hidden, VoteValue.AGAINST)
        told = SimpleNamespace(organisation=seed.organisation.id, consultation=seed.whole.id, hidden=hidden.id)
    placing = sequencer(database, tmp_path, on_placed=features().on_placed)
    told.place = placing.run_until_settled
    told.seed = seed
    return told


def live(database, story) -> None:
    with database.transaction(tenant=story.organisation) as session:
        seed = story.seed
        seed.session = session
        for name in ("organisation", "whole", "step", "form", "question", "secret"):
            setattr(seed, name, session.merge(getattr(seed, name)))
        seed.people = [session.merge(each) for each in seed.people]
        seed.live()
        seed.reply_anonymously()


def lists(client, name):
    rows, cursor = [], ""
    while cursor is not None:
        body = client.get(f"/api/v1/consultations/{SLUG}/{name}", query_string={"limit": 3, "cursor": cursor}).json
        rows += body["data"]
        cursor = body["next"]
    return rows


def test_a_replica_cut_anywhere_ends_with_the_lists_and_the_dump(app, live_server, database, story, tmp_path):
    """AT-20.5, AT-20.9, AT-6.2: after votes, edits, decisions and their reversal, withdrawals and an erasure."""
    replica = Replica(tmp_path / "replica.db", f"{live_server}/api/v1/consultations/{SLUG}")
    story.place()
    cuts = replica.catch_up(1)
    assert [row["title"] for row in replica.rows("contributions")] == ["Une première idée"]
    live(database, story)
    cuts += replica.catch_up(2)
    assert len(replica.rows("contributions")) == 1, "nothing that is not signed is told"
    story.place()
    cuts += replica.catch_up(3)
    assert cuts > 5
    client = app.test_client()
    folder = tmp_path / "dump"
    folder.mkdir()
    datasets = app.extensions["bindings"].public_datasets
    with database.session(write=False, tenant=story.organisation) as session:
        identity = Identity("agence", SLUG, "Nos trajets", "https://exemple.fr", factories.NOW)
        for _ in write_dump(session, story.consultation, identity, datasets, folder):
            pass
    for name in datasets:
        lines = (folder / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()
        expected = sorted(map(json.loads, lines), key=key)
        assert sorted(replica.rows(name), key=key) == expected, name
        if name != "consultation":
            assert sorted(lists(client, name), key=key) == expected
    assert {row["status"] for row in replica.rows("contributions")} == {"published", "hidden", "withdrawn", "erased"}
    assert len(replica.rows("votes")) == 3
    kept = "".join(content for (content,) in replica.file.execute("SELECT content FROM row"))
    for gone in ("Des injures en gras", "Une idée qui sera effacée", "Des vélos à louer"):
        assert gone not in kept
    replica.file.close()


def test_a_reader_who_waits_gets_an_unchanged_page_for_nothing(client, database, story):
    story.place()
    address = f"/api/v1/consultations/{SLUG}/changes"
    end = client.get(address).json["next"]
    first = client.get(address, query_string={"cursor": end})
    assert (first.json["data"], first.json["more"], first.headers["Cache-Control"]) == ([], False, "no-cache")
    headers = {"If-None-Match": first.headers["ETag"]}
    assert client.get(address, query_string={"cursor": end}, headers=headers).status_code == 304
    live(database, story)
    story.place()
    assert client.get(address, query_string={"cursor": end}, headers=headers).json["data"]


def test_what_is_hidden_leaves_by_the_feed_with_its_decision(client, database, story):
    """AT-21.5: neither its text nor its author's words come out of a page read again from the start."""
    with database.transaction(tenant=story.organisation) as session:
        story.seed.session = session
        story.seed.people = [session.merge(each) for each in story.seed.people]
        story.seed.organisation = session.merge(story.seed.organisation)
        story.seed.decide(SimpleNamespace(id=story.hidden), Act.HIDE, 0)
    story.place()
    reply = client.get(f"/api/v1/consultations/{SLUG}/changes")
    by_list = {change["dataset"]: change for change in reply.json["data"]}
    assert by_list["contributions"]["row"]["status"] == "hidden"
    assert by_list["contributions"]["row"]["body"] is None
    assert by_list["moderation"]["row"]["target"] == str(story.hidden)
    assert by_list["moderation"]["position"] == by_list["contributions"]["position"]
    assert "première" not in json.dumps(reply.json, ensure_ascii=False)


def test_a_long_log_of_others_is_crossed_in_bounded_pages(client, database, story, monkeypatch):
    monkeypatch.setattr(feed, "WINDOW", 10)
    act(database, story.organisation, LATER, count=35)  # of another consultation
    with database.transaction(tenant=story.organisation) as session:
        story.seed.session = session
        late = contributions.submit_proposal(
            session, step=session.merge(story.seed.step), account_id=story.seed.people[0].id, title="Tardive",
            body="Une idée écrite après beaucoup d’autres actes.", theme_id=None, submission_key="k", now=LATER,
        )  # fmt: skip
        late_id = str(late.id)
    story.place()
    cursor, pages, seen = "", 0, []
    while True:
        body = client.get(f"/api/v1/consultations/{SLUG}/changes", query_string={"cursor": cursor}).json
        seen += [change["id"] for change in body["data"]]
        cursor, pages = body["next"], pages + 1
        if not body["more"]:
            break
    assert pages >= 4
    assert seen[-1] == late_id


def test_a_cursor_from_before_a_restore_is_refused_with_its_remedy(client, database, story):
    story.place()
    address = f"/api/v1/consultations/{SLUG}/changes"
    cursor = client.get(address).json["next"]
    with database.transaction(tenant=story.organisation) as session:
        session.add(LostOpening(organisation_id=story.organisation, ref="0" * 32, found_at=LATER))
    reply = client.get(address, query_string={"cursor": cursor})
    assert (reply.status_code, reply.mimetype) == (410, "application/problem+json")
    assert "recommencez sans curseur" in reply.json["detail"]
    assert client.get(address).json["data"]


def test_a_cursor_of_another_list_or_consultation_is_refused(client, filled, story):
    address = f"/o/agence/api/v1/consultations/{SLUG}"
    cursor = client.get(f"{address}/changes").json["next"]
    assert client.get(f"{address}/votes", query_string={"cursor": cursor}).status_code == 422
    elsewhere = client.get("/api/v1/consultations/essai/changes", query_string={"cursor": cursor})
    assert elsewhere.status_code == 422
    assert client.get(f"/o/autre/api/v1/consultations/{SLUG}/changes").status_code == 404
