"""The end-of-mission package: what it holds, what it never holds, and that anybody can check it (AT-U5.1, AT-21.5)."""

import csv
import datetime as dt
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet
import pytest
from sqlalchemy import select

from consult.actor import Actor
from consult.consultations.models import Consultation
from consult.db import ALL_TENANTS
from consult.errors import ConflictError
from consult.opendata import library
from consult.privacy.service import erase_account
from consult.questionnaires import queries as questionnaires
from consult.questionnaires import service as replies
from consult.registry.models import EntryKind, RegistryEntry
from consult.registry.service import append
from tests import factories as f
from tests.integration.registry.scene import LATER, NOW, SLUG, Scene, Seed, verify

pytestmark = [pytest.mark.slow, pytest.mark.sqlite_first]  # every format, and processes

# Personal data as people leave them in what they write, and what stands in their place.
LEFT = {
    "Écrivez à jeanne.duval@exemple.fr": "Écrivez à [courriel masqué]",
    "Appelez le 06 39 98 12 34": "Appelez le [téléphone masqué]",
    "Passez au 12 bis rue des Lilas": "Passez au [adresse masquée]",
}
SECRETS = ("jeanne.duval", "98 12 34", "rue des lilas", "quozréservé", "quoznom", "quozmail", "quozparti")


class Mission:
    """A consultation that is over, in which people left personal data; one of them was erased; all is signed."""

    def __init__(self, database, settings, folder: Path) -> None:
        self.scene = Scene(folder, database)
        self.settings = replace(settings, registry_dir=str(folder / "first"), public_url="https://exemple.fr")
        with database.transaction(tenant=ALL_TENANTS) as session:
            seed = Seed(session, self.scene, words=True)
            self._leave(session, seed)
            self.erased = self._depart(session, seed)
            seed.live()
            self.reserved = seed.reserved.wording
            self.organisation_id = seed.organisation.id
        self.scene.place()

    def _depart(self, session, seed) -> list[str]:
        """Somebody writes, and is erased; gives the salts that the log no longer holds."""
        person = f.make_account(session, seed.organisation)
        written = seed.write(person, "Une idée quozparti")
        entries = session.scalars(select(RegistryEntry).where(RegistryEntry.ref == written.registry_ref))
        salts = [each.salt.hex() for each in entries]
        erase_account(session, self.scene.bindings, person, now=NOW)
        return salts

    def _leave(self, session, seed) -> None:
        person = f.make_account(session, seed.organisation, pseudonym="Quoznom", email="quozmail@exemple.fr")
        for text in LEFT:
            seed.argue(person, seed.write(person, text), f"{text}, s’il vous plaît.")
        asked = questionnaires.questions(session, seed.form.id)
        said = {seed.words.id: " et ".join(LEFT), seed.reserved.id: "quozréservé"}
        answers = {each.id: {"text": said.get(each.id), "options": [], "other": None} for each in asked}
        actor = Actor(person.id, person.pseudonym, confirmed=True)
        replies.submit(session, seed.form, asked, answers, actor=actor, seen=0, now=NOW)

    def make(self, folder: Path, *, now=None) -> Path:
        """The folder of the files; the archive stands beside."""
        inside = folder / "dossier"
        inside.mkdir(parents=True)
        with self.scene.database.session(write=False, tenant=self.organisation_id) as reading:
            found = reading.scalars(select(Consultation)).one()
            datasets = self.scene.bindings.public_datasets
            for _ in library.write(reading, self.settings, datasets, found, inside, now=now or found.closes_at):
                pass
        library.archive(inside, folder / "dossier.zip")
        return inside


@pytest.fixture
def mission(database, settings, tmp_path) -> Mission:
    return Mission(database, settings, tmp_path / "scene")


def everything(folder: Path) -> str:
    """The text of every file, whatever its format."""
    told = []
    for path in folder.rglob("*.*"):
        if path.suffix == ".parquet":
            told.append(str(pyarrow.parquet.read_table(path).to_pylist()))
        elif path.suffix in {".xlsx", ".ods"}:
            with zipfile.ZipFile(path) as opened:
                told += [opened.read(name).decode() for name in opened.namelist()]
        else:
            told.append(path.read_text(encoding="utf-8"))
    return "\n".join(told).lower()


def rows(folder: Path, name: str) -> list[dict]:
    return [json.loads(line) for line in (folder / SLUG / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()]


def test_no_personal_datum_is_in_any_file_and_each_mask_is_told(mission, tmp_path):
    folder = mission.make(tmp_path / "made")
    told = everything(folder)
    assert [secret for secret in (*SECRETS, *mission.erased) if secret in told] == []
    assert len(mission.erased) == 1
    texts = [row["title"] for row in rows(folder, "contributions")] + [row["body"] for row in rows(folder, "arguments")]
    said = [row["text"] for row in rows(folder, "answers") if row["text"]]
    for masked in LEFT.values():
        assert masked in texts
        assert f"{masked}, s’il vous plaît." in texts
    assert said == [" et ".join(LEFT.values())]
    listed = json.loads((folder / SLUG / "manifest.json").read_text(encoding="utf-8"))["masked"]
    assert {name: len(ids) for name, ids in listed.items()} == {"contributions": 3, "arguments": 3, "answers": 1}
    with (folder / SLUG / "contributions.csv").open(encoding="utf-8", newline="") as opened:
        assert {row["id"] for row in csv.DictReader(opened) if "masqué" in row["title"]} == set(listed["contributions"])
    notice = (folder / "LISEZ-MOI.md").read_text(encoding="utf-8")
    assert "Lignes changées : 7" in notice
    assert "| une adresse électronique | 4 |" in notice  # a title, a body, an argument, an answer
    assert f"- Réponses réservées à l’administration, aux questions :\n  - {mission.reserved}\n" in notice


def test_the_same_state_gives_the_same_bytes_whenever_it_is_made(mission, tmp_path):
    for name, days in (("first", 0), ("second", 40)):
        with mission.scene.database.transaction(tenant=mission.organisation_id, write=False) as session:
            now = session.scalars(select(Consultation.closes_at)).one() + dt.timedelta(days=days)
        mission.make(tmp_path / name, now=now)
    first, second = ((tmp_path / name / "dossier.zip").read_bytes() for name in ("first", "second"))
    assert first == second


def test_every_file_is_listed_with_its_digest(mission, tmp_path):
    mission.make(tmp_path / "made")
    with zipfile.ZipFile(tmp_path / "made/dossier.zip") as opened:
        opened.extractall(tmp_path / "open")
    folder = tmp_path / "open"
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    listed = {line.split("  ", 1)[1] for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()}
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == listed | {"SHA256SUMS"}
    assert {"LISEZ-MOI.md", "moderation.json", "registre/checkpoint", "registre/key", "registre/verifier.py"} < found
    manifest = json.loads((folder / SLUG / "manifest.json").read_text(encoding="utf-8"))
    assert {f"{SLUG}/{each['name']}" for each in manifest["files"]} < found
    assert json.loads((folder / "moderation.json").read_text(encoding="utf-8"))["decisions"] == {
        "hide contribution": 2, "restore contribution": 1
    }  # fmt: skip


def test_the_verifier_passes_over_masked_texts_alone(mission, tmp_path):
    """AT-20.2: a mask is no fraud, and hides none."""
    site = mission.scene.publish()
    folder = mission.make(tmp_path / "made")
    code, frauds, said = verify(site, tmp_path, "--dump", tmp_path / "made/dossier.zip")
    assert (code, frauds) == (0, []), said
    assert "textes masqués, non comparés : 7" in said
    altered = [
        row | ({"body": "Tout autre chose."} if row["title"] and "masqué" not in row["title"] else {})
        for row in rows(folder, "contributions")
    ]
    path = folder / SLUG / "contributions.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in altered), encoding="utf-8")
    code, frauds, said = verify(site, tmp_path, "--dump", folder)
    assert (code, {each["fraud"] for each in frauds}) == (1, {"edit"}), said
    manifest = json.loads((folder / SLUG / "manifest.json").read_text(encoding="utf-8"))
    manifest["masked"]["contributions"] = [row["id"] for row in altered]
    (folder / SLUG / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    code, frauds, said = verify(site, tmp_path, "--dump", folder)
    assert (code, {each["fraud"] for each in frauds}) == (1, {"edit"}), "it must hold a mask, besides being listed"


def test_nothing_is_made_before_the_end_nor_before_all_is_signed(mission, tmp_path):
    with pytest.raises(ConflictError, match="n’est pas terminée"):
        mission.make(tmp_path / "early", now=f.NOW)
    with mission.scene.database.transaction(tenant=mission.organisation_id) as session:
        found = session.scalars(select(Consultation)).one()
        append(
            session, organisation_id=mission.organisation_id, consultation_id=found.id, kind=EntryKind.CONTENT,
            content={"fact": "tardif"}, now=LATER,
        )  # fmt: skip
    with pytest.raises(ConflictError, match="pas encore signé"):
        mission.make(tmp_path / "unsigned")


def test_the_command_writes_the_archive_whole_and_replaces_none(mission, tmp_path):
    environment = {
        **os.environ, "CONSULT_DATA_DIR": mission.settings.data_dir, "DATABASE_URL": mission.settings.database_url,
        "CONSULT_REGISTRY_DIR": mission.settings.registry_dir,
    }  # fmt: skip
    command = [sys.executable, "-m", "consult", "package", SLUG, "--out", "dossier.zip"]
    done, again = (
        subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60)
        for _ in range(2)
    )
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "dossier.zip") as opened:
        assert opened.testzip() is None
        assert f"{SLUG}/manifest.json" in opened.namelist()
    assert (again.returncode, "existe déjà" in again.stderr) == (1, True)
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".dossier")] == []
