"""Codebooks are checked, approved by two parties, and only an approved one is published (AT-U4.4)."""

import datetime as dt
import uuid

import pytest
from sqlalchemy import select

from consult import seam
from consult.accounts.models import Account
from consult.actor import Actor, Role
from consult.audit.models import AuditEntry
from consult.coding import queries, service
from consult.coding.models import AnalysisRun, RunStatus
from consult.consultations.models import Consultation, ConsultationStatus
from consult.errors import ConflictError, ForbiddenError, InvalidError
from consult.jobs.models import Job
from consult.registry.models import RegistryEntry

PLAN = """
title: Plan d’essai
version: "1"
codes:
  - id: velo
    label: Vélo
    patterns: ['vélo', 'piste']
    positive_examples: ['Plus de pistes.']
"""


@pytest.fixture
def consultation(session, organisation_id, now) -> Consultation:
    row = Consultation(
        organisation_id=organisation_id,
        slug="mobilites",
        title="Mobilités",
        status=ConsultationStatus.OPEN,
        opens_at=now,
        opened_at=now,
        closes_at=now + dt.timedelta(days=30),
        created_at=now,
    )
    session.info["tenant"] = organisation_id
    session.add(row)
    session.flush()
    return row


@pytest.fixture
def person(session, now):
    def make(*roles: Role) -> Actor:
        account = Account(pseudonym=f"p{uuid.uuid4().hex[:8]}", created_at=now)
        session.add(account)
        session.flush()
        return Actor(account.id, account.pseudonym, confirmed=True, roles=frozenset(roles))

    return make


def saved(session, consultation, actor, now, source=PLAN):
    return service.save_codebook(session, consultation, seam.read_codebook(source), actor=actor, now=now)


def test_each_change_of_the_plan_is_a_new_version(session, consultation, person, now):
    analyst = person(Role.ANALYST)
    first = saved(session, consultation, analyst, now)
    second = saved(session, consultation, analyst, now, PLAN.replace("Vélo", "Bicyclette"))
    assert (first.number, second.number) == (1, 2)
    assert first.digest != second.digest
    assert first.source == PLAN, "a version is never rewritten"
    with pytest.raises(ConflictError, match="identique à la version 2"):
        saved(session, consultation, analyst, now, second.source)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "codes"),
        ("codes: [", "YAML"),
        ("- une liste", "codes"),
        (PLAN.replace("'vélo'", "'(vélo'"), "velo"),
        (PLAN.replace("label: Vélo", "label: Vélo\n    parent: absent"), "parent"),
        ("version: '1'\ncodes:\n  - {id: a, patterns: [x]}", "exemple"),
        ("!!python/object/apply:os.system ['true']", "YAML"),
        ("x" * 500_001, "500"),
        ("[" * 5000, "YAML"),
        (PLAN.replace('"1"', "2026-13-45"), "YAML"),
        (PLAN + "suite: 1", "clé"),
        (PLAN.replace('"1"', "&version [*version]"), "doit être un texte"),
    ],
)
def test_a_plan_that_cannot_be_used_is_refused_naming_the_fault(session, consultation, person, now, source, words):
    with pytest.raises(InvalidError) as refused:
        saved(session, consultation, person(Role.ANALYST), now, source)
    assert words in refused.value.fields["source"]
    assert list(queries.codebooks(session, consultation.id)) == []


def test_two_people_of_two_parties_approve(session, consultation, person, now):
    plan = saved(session, consultation, person(Role.ANALYST), now)
    with pytest.raises(ForbiddenError):
        service.approve(session, plan, consultation, actor=person(Role.ANALYST), now=now)
    both = person(Role.DITP, Role.ADMINISTRATOR)
    service.approve(session, plan, consultation, actor=both, now=now)
    assert not plan.approved
    alone = Actor(both.account_id, both.pseudonym, confirmed=True, roles=frozenset({Role.ADMINISTRATOR}))
    with pytest.raises(ForbiddenError, match="deux personnes"):
        service.approve(session, plan, consultation, actor=alone, now=now)
    with pytest.raises(ConflictError):
        service.approve(session, plan, consultation, actor=person(Role.DITP), now=now)
    service.approve(session, plan, consultation, actor=person(Role.ADMINISTRATOR), now=now)
    assert plan.approved
    actions = session.scalars(select(AuditEntry.action)).all()
    assert actions.count("codebook.approve") == 2


def finished(session, consultation, actor, now, plan=None, *, publishable=True) -> AnalysisRun:
    run = service.request_run(session, consultation, codebook=plan, seed=7, actor=actor, now=now)
    service.finish(session, run, manifest_digest="a" * 64, publishable=publishable, now=now)
    return run


def test_one_run_at_a_time_is_asked_of_the_worker(session, consultation, person, now):
    analyst = person(Role.ANALYST)
    run = service.request_run(session, consultation, codebook=None, seed=7, actor=analyst, now=now)
    job = session.scalars(select(Job)).one()
    assert (job.kind, job.payload, job.organisation_id) == (
        "coding.run",
        {"run": str(run.id)},
        consultation.organisation_id,
    )
    with pytest.raises(ConflictError):
        service.request_run(session, consultation, codebook=None, seed=7, actor=analyst, now=now)
    service.fail(session, run, error="Corpus vide.", now=now)
    service.request_run(session, consultation, codebook=None, seed=7, actor=analyst, now=now)


def test_an_unapproved_plan_is_never_published(session, consultation, person, now):
    analyst = person(Role.ANALYST)
    plan = saved(session, consultation, analyst, now)
    run = finished(session, consultation, analyst, now, plan, publishable=False)
    with pytest.raises(ConflictError, match="approuvé"):
        service.publish(session, run, consultation, actor=analyst, now=now)
    for role in (Role.DITP, Role.ADMINISTRATOR):
        service.approve(session, plan, consultation, actor=person(role), now=now)
    with pytest.raises(ConflictError, match="relancez"):
        service.publish(session, run, consultation, actor=analyst, now=now)
    assert queries.published_run(session, consultation.id) is None


def test_publication_is_written_in_the_registry_once(session, consultation, person, now):
    analyst = person(Role.ANALYST)
    run = finished(session, consultation, analyst, now)
    service.publish(session, run, consultation, actor=analyst, now=now)
    assert queries.published_run(session, consultation.id) is run
    entry = session.scalars(select(RegistryEntry)).one()
    assert entry.opening["manifest"] == "a" * 64
    with pytest.raises(ConflictError):
        service.publish(session, run, consultation, actor=analyst, now=now)
    waiting = service.request_run(session, consultation, codebook=None, seed=1, actor=analyst, now=now)
    assert waiting.status is RunStatus.WAITING
    with pytest.raises(ConflictError, match="terminée"):
        service.publish(session, waiting, consultation, actor=analyst, now=now)
