"""What anyone reads of the log over HTTP: files as they were signed, openings as moderation and erasure leave them."""

import datetime as dt
import json

import pytest

from consult.db import ALL_TENANTS
from consult.registry import service
from tests import factories
from tests.registers import SEED, Published, act, positions, sequencer, tamper


@pytest.fixture
def published(app, database, organisation_id, now, settings, tmp_path):
    """A log of 300 entries in the folder that the application serves."""
    refs = act(database, organisation_id, now, count=300)
    settings.registry_path.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "first").symlink_to(settings.registry_path, target_is_directory=True)
    settings.registry_path.mkdir()
    sequencer(database, tmp_path).run_until_settled()
    return refs


def test_the_logs_are_listed(client, published):
    (log,) = client.get("/registry/").json
    assert log == {
        "organisation": "agence",
        "origin": "consultations.example/registry/agence",
        "prefix": "http://127.0.0.1:8000/registry/agence",
    }


def test_a_third_party_downloads_the_log_and_verifies_it(client, published, tmp_path):
    """AT-20.2, the part of the files: everything is fetched by its address."""
    folder = tmp_path / "downloaded"
    for path in ("checkpoint", "key", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000",
                 "tile/entries/001.p/44"):  # fmt: skip
        file = folder / "agence" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(client.get(f"/registry/agence/{path}").data)
    assert Published(folder, seed=SEED).refs == published


def test_each_opening_gives_its_commitment(client, published):
    entries = [line for path in ("000", "001") for line in lines(client, path)]
    assert [entry["ref"] for entry in entries] == published
    assert [entry["position"] for entry in entries] == list(range(300))
    assert [entry["content"] for entry in entries] == [{"number": number} for number in range(300)]
    first = service.commitment(bytes.fromhex(entries[0]["salt"]), entries[0]["content"])
    bundle = client.get("/registry/agence/tile/entries/000").data
    assert json.loads(bundle[2 : 2 + int.from_bytes(bundle[:2], "big")])["commitment"] == first.hex()


def lines(client, path):
    reply = client.get(f"/registry/agence/openings/{path}")
    assert reply.mimetype == "application/x-ndjson"
    return [json.loads(line) for line in reply.text.splitlines()]


def test_what_is_withheld_destroyed_or_lost_is_said_to_be_so_and_no_more(client, database, organisation_id, published):
    with database.transaction(tenant=organisation_id) as session:
        service.withhold(session, published[1])
        service.destroy_opening(session, published[2])
        service.withhold(session, published[3])
        service.destroy_opening(session, published[3])
        service.destroy_opening(session, published[4])
    lost = "INSERT INTO registry_lost_opening (ref, found_at, organisation_id) VALUES (:ref, '2026-01-01', :id)"
    tamper(database, lost, ref=published[4], id=organisation_id.hex)
    states = {entry["position"]: entry for entry in lines(client, "000")[:6]}
    assert states[1] == {"position": 1, "ref": published[1], "state": "withheld"}
    assert [states[n].get("state") for n in range(6)] == [None, "withheld", "destroyed", "destroyed", "lost", None]


def test_nothing_is_said_of_what_has_no_place(client, database, organisation_id, now, published):
    act(database, organisation_id, now)
    assert len(lines(client, "001")) == 44
    assert list(positions(database).values())[-1] is None


def test_tiles_are_kept_for_ever_and_the_checkpoint_is_asked_for_again(client, published):
    """AT-8.1: no search engine keeps them; any site may read them."""
    for path, cached in (("tile/0/000", "immutable"), ("checkpoint", "no-cache"), ("openings/000", "no-cache")):
        reply = client.get(f"/registry/agence/{path}")
        assert cached in reply.headers["Cache-Control"]
        assert reply.headers["X-Robots-Tag"] == "noindex, nofollow, noarchive"
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
        assert reply.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Set-Cookie" not in reply.headers
        again = client.get(f"/registry/agence/{path}", headers={"If-None-Match": reply.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    assert client.get("/registry/agence/checkpoint").headers["Content-Type"] == "text/plain; charset=utf-8"
    assert client.get("/registry/agence/tile/0/000").headers["Content-Type"] == "application/octet-stream"


ELSEWHERE = (
    "autre/checkpoint",
    "../agence/checkpoint",
    "agence/../../../consult.db",
    "agence/tile/../../../data/registry.seed",
    "agence/tile/%2e%2e/%2e%2e/checkpoint",
    "agence/tile/0/000.p/44/../../000",
    "agence/tile/0//000",
    "agence/tile/0/999",
    "agence/tile/entries/000.p/256",
    "agence/tile/0/000%00",
    "..%2fagence/checkpoint",
    "%2e%2e/checkpoint",
    "agence%00/checkpoint",
    "./checkpoint",
    "Agence/checkpoint",
    "agence/openings/002",
    "agence/openings/000.p/4",
    "agence/openings/x999/x999/x999/x999/x999/x999/999",
    "agence/openings/0",
    "autre/openings/000",
    "agence/openings/%2e%2e/000",
    "agence/nowhere",
)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_any_other_address_is_not_found(client, published):
    replies = {path: client.get(f"/registry/{path}") for path in ELSEWHERE}
    assert {path: reply.status_code for path, reply in replies.items() if reply.status_code not in {404, 308}} == {}
    assert not any(words in reply.data for reply in replies.values() for words in (b"SQLite", b"consultations.example"))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nothing_can_be_written(client, published):
    for path in ("", "agence/checkpoint", "agence/tile/0/000", "agence/openings/000"):
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert client.open(f"/registry/{path}", method=method).status_code == 405


def test_a_log_is_read_at_the_same_address_whatever_organisation_the_site_serves(client, database, published):
    with database.transaction(tenant=ALL_TENANTS) as session:
        factories.make_organisation(session, slug="autre")
    assert client.get("/o/autre/registry/agence/checkpoint").data == client.get("/registry/agence/checkpoint").data
    assert client.get("/o/autre/registry/agence/openings/000").data == client.get("/registry/agence/openings/000").data


def test_the_site_says_when_the_sequencer_is_late(client, database, organisation_id, now, published):
    assert client.get("/readyz").json["registry_late_seconds"] == 0
    act(database, organisation_id, now)
    tamper(database, "UPDATE registry_sequencer SET settled_at = :then", then=dt.datetime.now(dt.UTC))
    assert client.get("/readyz").status_code == 200
    then = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
    tamper(database, "UPDATE registry_sequencer SET settled_at = :then", then=then)
    late = client.get("/readyz")
    assert late.status_code == 503
    assert 299 <= late.json["registry_late_seconds"] < 330
