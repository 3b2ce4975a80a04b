"""AT-20.2, AT-21.1: anybody verifies an export by the log, with the three commands that the open data page gives."""

import html
import json
import re
import shutil
import subprocess
import zipfile

import pytest
from sqlalchemy import select

from consult.app import bindings
from consult.consultations.models import Consultation
from consult.db import ALL_TENANTS
from consult.jobs.worker import Worker
from consult.opendata import service as opendata
from consult.registry.models import EntryKind, RegistryEntry
from consult.registry.service import append
from tests import factories
from tests.integration.registry.scene import LATER, SLUG, Scene, Seed, verify

pytestmark = pytest.mark.slow  # many pages and processes: `make check` leaves it to `make test`


@pytest.fixture
def scene(tmp_path, _sqlite_template) -> Scene:
    folder = tmp_path / "scene"
    folder.mkdir()
    shutil.copy(_sqlite_template, folder / "consult.db")
    scene = Scene(folder)
    with scene.database.transaction(tenant=ALL_TENANTS) as session:
        Seed(session, scene).live()
    scene.place()
    yield scene
    scene.database.dispose()


def vote(scene: Scene, voter: str) -> None:
    """An act in the log alone, like the last vote: a dump that should show it and does not is missing a row."""
    with scene.database.transaction(tenant=ALL_TENANTS) as session:
        last = select(RegistryEntry).where(
            RegistryEntry.kind == EntryKind.VOTE_CHANGED, RegistryEntry.salt.is_not(None)
        )
        entry = session.scalars(last.order_by(RegistryEntry.id.desc()).limit(1)).one()
        append(
            session, organisation_id=entry.organisation_id, consultation_id=entry.consultation_id,
            kind=EntryKind.VOTE_CAST, content={**entry.opening, "voter": voter}, now=LATER,
        )  # fmt: skip


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # no query differs
def test_the_three_commands_of_the_page_verify_an_export(scene, database, settings, client, live_server, tmp_path):
    scene.database.dispose()  # its last pages go from the journal to the file
    shutil.copy(scene.folder / "consult.db", database.url.database)
    settings.registry_path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(scene.folder / "first", settings.registry_path)
    with database.transaction(tenant=ALL_TENANTS) as session:
        opendata.request_dump(session, session.scalars(select(Consultation)).one(), now=factories.NOW)
    handlers = {opendata.DUMP_JOB: bindings(settings).job_handlers[opendata.DUMP_JOB]}
    while Worker(database, handlers).run_once():
        pass
    page = client.get("/donnees-ouvertes").text
    commands = html.unescape(re.search(r"<pre[^>]*><code>(.*?)</code>", page, re.DOTALL)[1])
    assert len(commands.splitlines()) == 3
    commands = commands.replace("http://127.0.0.1:8000", live_server)

    def run(lines):
        done = subprocess.run(
            ["bash", "-ec", lines], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
        )
        return done.returncode, done.stdout + done.stderr

    code, said = run(commands)
    assert code == 0, said
    assert "Rien à signaler" in said
    altered = tmp_path / f"{SLUG}.zip"
    with zipfile.ZipFile(altered) as opened:
        held = {name: opened.read(name) for name in opened.namelist()}
    held[f"{SLUG}/votes.ndjson"] = held[f"{SLUG}/votes.ndjson"].replace(b'"against"', b'"for"', 1)
    with zipfile.ZipFile(altered, "w") as opened:
        for name, content in held.items():
            opened.writestr(name, content)
    code, said = run(commands.splitlines()[-1])
    assert code == 1, said
    assert "FRAUDE" in said
    altered.write_bytes(b"PK\x03\x04 nothing")
    code, said = run(commands.splitlines()[-1])
    assert code == 2, said
    assert "Vérification impossible" in said


def test_acts_that_came_after_an_export_are_not_held_against_it(scene, tmp_path):
    old = shutil.copytree(scene.publish() / SLUG, tmp_path / "old")
    vote(scene, "f" * 32)
    scene.place()
    site = scene.publish()
    code, frauds, said = verify(site, tmp_path)
    assert (code, {fraud["fraud"] for fraud in frauds}) == (1, {"deletion", "count"}), said
    shutil.rmtree(site / SLUG)
    shutil.copytree(old, site / SLUG)
    code, frauds, said = verify(site, tmp_path)
    assert (code, frauds) == (0, []), said
    assert "entrées postérieures aux fichiers : 1" in said


def test_votes_that_name_no_voter_hide_nothing_of_the_others(scene, tmp_path):
    """The link is destroyed for all the votes of a consultation, or for none."""
    site = scene.publish()
    file = site / SLUG / "votes.ndjson"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    def verdict(rows):
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        code, frauds, said = verify(site, tmp_path)
        return code, {fraud["fraud"] for fraud in frauds}, said

    nameless = [row | {"voter": None} for row in rows]
    assert len(rows) > 1
    assert verdict(nameless)[:2] == (0, set())
    assert verdict(nameless[1:])[:2] == (1, {"deletion"})
    assert verdict([nameless[0], *rows[1:]])[:2] == (1, {"injection"})


def test_an_export_of_an_organisation_without_a_log_here_is_no_verdict(scene, tmp_path):
    site = scene.publish()
    dump = shutil.copytree(site / SLUG, tmp_path / "dump")
    assert verify(site, tmp_path, "--dump", dump)[0] == 0
    manifest = json.loads((dump / "manifest.json").read_text(encoding="utf-8"))
    (dump / "manifest.json").write_text(json.dumps(manifest | {"organisation": "ailleurs"}), encoding="utf-8")
    code, _, said = verify(site, tmp_path, "--dump", dump)
    assert (code, "aucun registre de ce site n’est celui de l’export (ailleurs)" in said) == (2, True), said


def test_acts_that_an_export_shows_before_they_have_a_position_count(scene, tmp_path):
    """One that the manifest names as shown, and that no row shows, is missing, though it comes after the position."""
    vote(scene, "f" * 32)
    old = shutil.copytree(scene.publish() / SLUG, tmp_path / "old")
    assert len(json.loads((old / "manifest.json").read_text(encoding="utf-8"))["pending"]) == 1
    scene.place()
    site = scene.publish()
    shutil.rmtree(site / SLUG)
    shutil.copytree(old, site / SLUG)
    code, frauds, said = verify(site, tmp_path)
    assert (code, {fraud["fraud"] for fraud in frauds}) == (1, {"deletion"}), said
