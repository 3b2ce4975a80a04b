"""The open dump: what it holds, what it never holds, whole or not at all (AT-20.10, AT-21.5)."""

import csv
import datetime as dt
import hashlib
import io
import json
import zipfile

import pytest
from sqlalchemy import select

from consult.app import bindings
from consult.consultations.models import Consultation, ContentStatus, Origin, Step
from consult.contributions import service as contributions
from consult.contributions.models import Proposal
from consult.db import ALL_TENANTS
from consult.jobs.models import Job, JobState
from consult.jobs.worker import Worker
from consult.opendata import dump as files
from consult.opendata import queries, service
from consult.opendata.formats import cell
from consult.opendata.jobs import DumpMaker
from consult.opendata.models import Dump, DumpStatus
from consult.registry import queries as registry
from consult.registry.models import EntryKind
from consult.registry.service import append
from consult.settings import Settings
from tests import factories


@pytest.fixture
def filled(database):
    """A consultation with a proposal of each state, a vote, a reply; and a second organisation beside it."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(session)
        account = factories.make_account(session, organisation, email="secret@exemple.fr", pseudonym="Pseudo Public")
        consultation = factories.make_consultation(session, organisation)
        step = factories.make_step(session, consultation)
        shown = factories.make_proposal(session, step, account, title="=1+1", body="Visible\nà deux lignes; « ici »")
        for status in (ContentStatus.HIDDEN, ContentStatus.WITHDRAWN, ContentStatus.PENDING):
            reason = "off_topic" if status is ContentStatus.HIDDEN else None
            factories.make_proposal(
                session, step, account, title="Titre tu", body="Texte tu", status=status, status_reason=reason
            )
        factories.make_proposal(session, step, origin=Origin.IMPORTED, imported_votes_for=12)
        factories.make_argument(session, shown, account)
        factories.make_vote(session, shown, account)
        questions = factories.make_step(session, consultation, kind="questionnaire")
        question = factories.make_question(session, questions, "single", ["Oui", "Non"])
        private = factories.make_question(session, questions, visibility="administration")
        factories.make_reply(session, questions, account, {question: [question.options[0]], private: "Réservé tu"})
        other = factories.make_organisation(session)
        other_step = factories.make_step(session, factories.make_consultation(session, other))
        factories.make_proposal(session, other_step, body="Texte tu d’ailleurs")
        return organisation.id, consultation.id, account.id


def bindings_of(settings):
    return bindings(settings or Settings())


def dumped(database, settings, filled):
    organisation_id, consultation_id, _ = filled
    with database.transaction(tenant=organisation_id) as session:
        dump_id = service.request_dump(session, session.get_one(Consultation, consultation_id), now=factories.NOW).id
    handlers = {service.DUMP_JOB: bindings_of(settings).job_handlers[service.DUMP_JOB]}
    while Worker(database, handlers).run_once():
        pass
    with database.transaction(tenant=organisation_id, write=False) as session:
        found = session.get_one(Dump, dump_id)
        session.expunge(found)
    return found, service.dump_folder(settings.data_path, found.id)


def rows(folder, name):
    return [json.loads(line) for line in (folder / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()]


def test_every_file_is_listed_with_its_size_and_digest(database, settings, filled):
    dump, folder = dumped(database, settings, filled)
    assert dump.status is DumpStatus.DONE
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["format"] == "consult-dump/1"
    assert manifest["licence"] == "etalab-2.0"
    assert dump.files[:-2] == manifest["files"]
    assert [file["name"] for file in dump.files[-2:]] == [next(folder.glob("*.zip")).name, "manifest.json"]
    for file in dump.files:
        content = (folder / file["name"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["bytes"], file["sha256"])
    listed = {each["name"] for each in manifest["files"]}
    archive = next(folder.glob("*.zip"))
    assert {path.name for path in folder.iterdir()} == listed | {"manifest.json", archive.name}
    with zipfile.ZipFile(archive) as opened:
        texts = {name for name in listed if not name.endswith((".parquet", ".xlsx", ".ods"))}
        assert {name.removeprefix(f"{archive.stem}/") for name in opened.namelist()} == texts | {"manifest.json"}
        assert opened.testzip() is None


def test_csv_and_ndjson_hold_the_same_rows_and_formulas_are_escaped_reversibly(database, settings, filled):
    """AT-19.8."""
    _, folder = dumped(database, settings, filled)
    for path in folder.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as opened:
            table = list(csv.DictReader(opened))
        canonical = rows(folder, path.stem)
        assert [list(row) for row in table] == [list(row) for row in canonical], "same columns, same order"
        for text_row, row in zip(table, canonical, strict=True):
            for name, value in row.items():
                assert not text_row[name].startswith(("=", "+", "-", "@", "\t", "\r"))
                if isinstance(value, str):
                    assert text_row[name].removeprefix("'") == value.removeprefix("'")


@pytest.mark.parametrize("value", ["=1+1", "'déjà", "''", "-5", "+33 1", "@x", "\tx", "texte", ""])
def test_one_apostrophe_taken_away_gives_the_cell_back(value):
    out = io.StringIO()
    csv.writer(out).writerow([cell(value), "fin"])
    read = next(csv.reader(io.StringIO(out.getvalue())))[0]
    assert (read.removeprefix("'")) == value


def test_what_is_not_public_is_nowhere(database, settings, filled):
    """AT-21.5."""
    _, folder = dumped(database, settings, filled)
    everything = b"".join(path.read_bytes() for path in folder.glob("*.*son")) + b"".join(
        path.read_bytes() for path in folder.glob("*.csv")
    )
    for secret in ("Titre tu", "Texte tu", "Réservé tu", "secret@", "Pseudo Public", str(filled[2])):
        assert secret.encode() not in everything
    statuses = sorted(row["status"] for row in rows(folder, "contributions"))
    assert statuses == ["hidden", "published", "published", "withdrawn"], "a pending one was never public"
    (imported,) = [row for row in rows(folder, "contributions") if row["origin"] == "imported"]
    assert (imported["votes_for"], imported["imported_votes_for"]) == (0, 12)
    (vote,) = rows(folder, "votes")
    authors = {row["author"] for row in rows(folder, "contributions")}
    assert vote["voter"] not in authors, "voter and author cannot be joined"
    assert dt.datetime.fromisoformat(vote["cast_at"]).minute == 0


def withdraw(session, filled):
    """Take one of the published proposals back, as its author does."""
    _, consultation_id, account_id = filled
    steps = select(Step.id).where(Step.consultation_id == consultation_id)
    item = session.scalars(select(Proposal).where(Proposal.step_id.in_(steps), Proposal.title == "=1+1")).one()
    contributions.withdraw(session, item, account_id=account_id, now=factories.NOW)


def write(settings, filled, folder, between=lambda: None):
    """Dump into a folder, doing something `between` the first dataset and the next; returns the standing."""
    organisation_id, consultation_id, _ = filled
    making = DumpMaker(settings, bindings_of(settings).public_datasets)(organisation_id, consultation_id, folder)
    return drained(making, between)


def drained(making, between):
    done = False
    while True:
        try:
            next(making)
        except StopIteration as end:
            return end.value
        if not done:
            done = True
            between()


def test_rows_and_standing_show_one_state_of_the_database(database, settings, filled, tmp_path, monkeypatch):
    """AT-21.5: what is taken back while a dump is being written is in its rows, so it must not be in its standing."""
    organisation_id, consultation_id, _ = filled
    monkeypatch.setattr(files, "CHUNK", 1)

    def between():
        with database.transaction(tenant=organisation_id) as session:
            withdraw(session, filled)

    standing = write(settings, filled, tmp_path / "sortie", between)
    assert "Visible" in (tmp_path / "sortie" / "contributions.ndjson").read_text(encoding="utf-8")
    with database.transaction(tenant=organisation_id, write=False) as session:
        assert registry.last_entry(session, consultation_id) > standing.last_entry
        assert registry.removals(session, [consultation_id])[consultation_id] == standing.removals + 1


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_removal_written_before_and_committed_after_is_not_missed(database, settings, filled):
    """Ranks of writing are no order of commits: a later rank may be visible while an earlier one is not yet."""
    organisation_id, consultation_id, _ = filled
    late = database.session(write=True, tenant=organisation_id)
    withdraw(late, filled)
    with database.transaction(tenant=organisation_id) as session:
        append(
            session,
            organisation_id=organisation_id,
            consultation_id=consultation_id,
            kind=EntryKind.VOTE_CAST,
            content={"a": 1},
            now=factories.NOW,
        )
    dump, folder = dumped(database, settings, filled)
    assert "Visible" in (folder / "contributions.ndjson").read_text(encoding="utf-8")
    with database.transaction(tenant=organisation_id, write=False) as session:
        assert queries.is_served(session, dump)
    late.commit()
    late.close()
    with database.transaction(tenant=organisation_id, write=False) as session:
        assert not queries.is_served(session, dump)


def test_a_dump_that_fails_is_told_and_serves_no_file(database, settings, filled, monkeypatch):
    def fail(*_args, **_kwargs):
        raise OSError("disk is full")
        yield

    monkeypatch.setattr(files, "write_dump", fail)
    organisation_id, consultation_id, _ = filled
    with database.transaction(tenant=organisation_id) as session:
        consultation = session.get_one(Consultation, consultation_id)
        dump_id = service.request_dump(session, consultation, now=factories.NOW).id
        job = session.scalars(select(Job)).one()
        job.max_attempts = 1
    handlers = {service.DUMP_JOB: bindings_of(settings).job_handlers[service.DUMP_JOB]}
    Worker(database, handlers).run_once()
    assert not service.dump_folder(settings.data_path, dump_id).exists()
    with database.transaction(tenant=organisation_id) as session:
        assert session.scalars(select(Job.state)).one() is JobState.FAILED
        again = service.request_dump(session, session.get_one(Consultation, consultation_id), now=factories.NOW)
        assert again.id != dump_id, "the next one is not blocked"
        assert session.get_one(Dump, dump_id).status is DumpStatus.FAILED
