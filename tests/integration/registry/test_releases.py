"""Which software runs is in each log: once, then again when it changes. AT-20.6."""

import subprocess
from pathlib import Path

from sqlalchemy import select

import consult
from consult.registry import release
from consult.registry.models import EntryKind, RegistryEntry
from tests.registers import act, sequencer

ROOT = Path(consult.__file__).parent.parent
FIRST = {"version": "0.1.0", "commit": None, "sources_sha256": "a" * 64}


def told(database, organisation_id) -> list[dict]:
    with database.session(write=False, tenant=organisation_id) as session:
        released = select(RegistryEntry).where(RegistryEntry.kind == EntryKind.RELEASE).order_by(RegistryEntry.id)
        rows = session.scalars(released).all()
        assert all(row.position is not None for row in rows), "a release is placed and signed as any other entry"
        return [row.opening for row in rows]


def test_a_log_tells_each_release_once_AT_20_6(database, organisation_id, now, tmp_path):
    act(database, organisation_id, now, count=2)
    for running in (FIRST, FIRST, FIRST | {"commit": "b" * 40}, FIRST | {"commit": "b" * 40}, FIRST):
        working = sequencer(database, tmp_path, release=running)
        working.run_until_settled()
        act(database, organisation_id, now)
        working.run_until_settled()
    assert told(database, organisation_id) == [FIRST, FIRST | {"commit": "b" * 40}, FIRST]


def test_an_organisation_without_a_log_is_told_nothing_yet(database, organisation_id, tmp_path):
    sequencer(database, tmp_path, release=FIRST).run_until_settled()
    assert told(database, organisation_id) == []


def test_anybody_finds_the_digest_of_the_sources_by_the_command_of_the_guide_AT_20_6():
    command = "find analysis consult -name '*.py' -o -name '*.html' | LC_ALL=C sort | xargs sha256sum | sha256sum"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split()[0] == release.sources_sha256()
    guide = ROOT / "consult/help/auditeur.md"
    assert command in guide.read_text(encoding="utf-8")


def test_the_public_api_says_the_same_AT_20_6(client, organisation_id):
    told = client.get("/api/v1/version").json
    assert told["sources_sha256"] == release.sources_sha256()
    assert (told["version"], told["commit"]) == (consult.__version__, None)
