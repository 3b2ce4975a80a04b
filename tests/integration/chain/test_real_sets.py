"""Each real set through the whole chain: imported, moderated, opened as data, analysed, published, read.

No row of the sets is quoted. SQLite and PostgreSQL take turns, so that each set is analysed once.
"""

import csv
import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest
from sqlalchemy import select

from consult import seam
from consult.actor import Actor, Role
from consult.app import create_app
from consult.coding import service as coding
from consult.coding.jobs import run_folder
from consult.coding.models import AnalysisRun, RunStatus
from consult.consultations import service as consultations
from consult.consultations.models import Consultation, ConsultationStatus
from consult.contributions.models import Proposal
from consult.db import ALL_TENANTS
from consult.imports import jobs as imports
from consult.imports import mapping, readers, service
from consult.jobs.worker import Worker
from consult.opendata import service as opendata
from consult.opendata.models import Dump
from consult.organisations.models import Organisation
from consult.organisations.policy import LEGAL_NOTICE
from tests import factories

pytestmark = [pytest.mark.real_data, pytest.mark.slow]
PLAN = """
title: Plan d’essai
version: "1"
codes:
  - id: argent
    label: Argent public
    patterns: ['impôt', 'taxe', 'argent', 'dépense']
    positive_examples: ['Moins de taxes.']
  - id: reseau
    label: Internet
    patterns: ['internet', 'réseau', 'données']
    positive_examples: ['Un internet libre.']
"""


@dataclass
class Chain:
    """One organisation, its application, and the people who act."""

    app: object
    database: object
    settings: object
    organisation_id: object
    actors: dict
    slug: str = "reelle"

    def load(self, path: Path, name: str) -> dict:
        plan = service.plan(path, mapping.read_text(name))
        kinds = self.app.extensions["bindings"].step_kinds
        batch = imports.import_file(
            self.database, plan, organisation_id=self.organisation_id, slug=self.slug, step_kinds=kinds
        )
        return service.summary(batch)

    def writing(self):
        return self.database.transaction(tenant=self.organisation_id)

    def open(self, session) -> Consultation:
        """Open what the import prepared, with a results step."""
        consultation = session.scalars(select(Consultation).where(Consultation.slug == self.slug)).one()
        kinds = self.app.extensions["bindings"].step_kinds
        organiser = self.actors[Role.ORGANISER]
        if consultation.status is ConsultationStatus.DRAFT:
            dates = {"opens_at": consultation.opens_at, "closes_at": consultation.closes_at}
            consultations.add_step(
                session,
                consultation,
                actor=organiser,
                kind=kinds["results"],
                title="Résultats",
                now=factories.NOW,
                **dates,
            )
            consultations.open_consultation(
                session,
                consultation,
                organisation=session.get_one(Organisation, self.organisation_id),
                actor=organiser,
                step_kinds=kinds,
                now=consultation.opens_at,
            )
        return consultation

    def analyse(self, source: str) -> AnalysisRun:
        with self.writing() as session:
            consultation = self.open(session)
            plan = coding.save_codebook(
                session, consultation, seam.read_codebook(source), actor=self.actors[Role.ANALYST], now=factories.NOW
            )
            for role in (Role.DITP, Role.ADMINISTRATOR):
                coding.approve(session, plan, consultation, actor=self.actors[role], now=factories.NOW)
            opendata.request_dump(session, consultation, now=factories.NOW)
            coding.request_run(
                session, consultation, codebook=plan, seed=3, actor=self.actors[Role.ANALYST], now=factories.NOW
            )
        handlers = self.app.extensions["bindings"].job_handlers
        worker = Worker(self.database, {kind: handlers[kind] for kind in (coding.RUN_JOB, opendata.DUMP_JOB)})
        while worker.run_once():
            pass
        with self.writing() as session:
            run = session.scalars(select(AnalysisRun)).one()
            assert run.status is RunStatus.DONE, run.error
            consultation = session.get_one(Consultation, run.consultation_id)
            coding.publish(session, run, consultation, actor=self.actors[Role.ORGANISER], now=factories.NOW)
            return run.id

    def results(self, run_id) -> dict:
        folder = run_folder(self.settings.data_path, run_id)
        return json.loads((folder / "report" / "results.json").read_text(encoding="utf-8"))

    def dumped(self, name: str) -> list[dict]:
        with self.writing() as session:
            dump = session.scalars(select(Dump)).one()
            folder = opendata.dump_folder(self.settings.data_path, dump.id)
        return [json.loads(line) for line in (folder / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()]

    def page(self, path: str) -> str:
        reply = self.app.test_client().get(path)
        assert reply.status_code == 200, path
        return reply.text


@pytest.fixture
def chain(database, settings):
    app = create_app(settings)
    roles = (Role.ORGANISER, Role.ANALYST, Role.ADMINISTRATOR, Role.DITP, Role.MODERATOR)
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(session, **dict.fromkeys(set(LEGAL_NOTICE) - {"name"}, "renseigné"))
        actors = {}
        for role in roles:
            account = factories.make_account(session, organisation)
            actors[role] = Actor(account.id, account.pseudonym, confirmed=True, roles=frozenset({role}))
        organisation_id = organisation.id
    yield Chain(app, database, settings, organisation_id, actors)
    app.extensions["database"].dispose()


def first_rows(path: Path, target: Path, count: int) -> Path:
    """The first rows of a table, copied outside the repository for this test alone."""
    source = readers.open_source(path)
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, source.columns)
        writer.writeheader()
        writer.writerows(row.values for row in islice(source.rows(), count))
    return target


def check_published(chain: Chain, results: dict) -> None:
    """Every corpus adds up, and a code of the public page leads to as many contributions as it counts."""
    for corpus in results["corpora"]:
        parts = corpus["reconciliation"]
        assert parts["received"] == sum(
            parts[name] for name in ("set_apart", "nonresponse", "undecidable", "coded", "no_code")
        )
    public = f"/consultations/{chain.slug}/resultats"
    page = chain.page(public)
    assert "Participants volontaires" in page
    corpus = max(results["corpora"], key=lambda each: each["reconciliation"]["coded"])
    code = max(corpus["codes"], key=lambda each: each["total"])
    assert code["total"] > 0
    behind = chain.page(f"{public}/chiffres?corpus={corpus['key']}&code={code['code']}")
    assert f"{min(code['total'], 50)}" == str(behind.count("<article"))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_digital_republic_bill(chain, real_data):
    folder = real_data / "republique_numerique_2015"
    chain.load(folder / "propositions.csv.gz", "republique_numerique_propositions")
    chain.load(folder / "arguments.csv.gz", "republique_numerique_arguments")
    with chain.writing() as session:
        chain.open(session)
        hidden = session.scalars(select(Proposal).where(Proposal.status == "published").order_by(Proposal.id)).first()
        secret = hidden.body
        chain.app.extensions["bindings"].content_types["proposal"].hide(session, hidden.id, "off_topic")
        hidden_id = str(hidden.id)
    results = chain.results(chain.analyse(PLAN))
    check_published(chain, results)
    contributions = {row["id"]: row for row in chain.dumped("contributions")}
    assert len(contributions) == 348
    assert contributions[hidden_id]["body"] is None
    assert contributions[hidden_id]["status"] == "hidden"
    assert secret not in json.dumps(list(contributions.values()), ensure_ascii=False)
    assert sum(row["votes_for"] for row in contributions.values()) == 0, "imported totals are apart from live votes"
    assert sum(row["imported_votes_for"] for row in contributions.values()) > 10_000
    proposals = next(each for each in results["corpora"] if each["unit"] == "contribution")
    assert proposals["reconciliation"]["received"] == 348
    assert len(chain.dumped("arguments")) == 1811


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_open_answers_of_the_great_debate(chain, real_data, tmp_path):
    source = real_data / "gd_open_answers" / "gd_open_answers_fiscalite_transition.parquet"
    summary = chain.load(first_rows(source, tmp_path / "reponses.csv", 2000), "gd_open_answers")
    assert summary["added"] + summary["completed"] + summary["empty"] + summary["rejected"] == 2000
    results = chain.results(chain.analyse(PLAN))
    check_published(chain, results)
    received = sum(each["reconciliation"]["received"] for each in results["corpora"])
    assert received == len(chain.dumped("answers"))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_dirty_questionnaire(chain, real_data, tmp_path):
    folder = real_data / "elf_survey"
    for name in ("users.csv", "answers_qcm.csv", "matching_answers_qcm.csv"):
        lines = (folder / name).read_bytes().split(b"\r")
        (tmp_path / name).write_bytes(b"\r".join(lines[:3000]))
    chain.load(tmp_path / "users.csv", "elf_repondants")
    chain.load(tmp_path / "answers_qcm.csv", "elf_reponses")
    results = chain.results(chain.analyse(PLAN))
    (questionnaire,) = results["questionnaires"]
    assert questionnaire["replies"] == len(chain.dumped("replies"))
    for table in questionnaire["flat"]:
        assert table["answered"] <= table["base"] <= questionnaire["replies"]
        assert table["multiple"] or sum(row["count"] for row in table["rows"]) == table["answered"]
    assert "questions fermées" in chain.page(f"/consultations/{chain.slug}/resultats")
