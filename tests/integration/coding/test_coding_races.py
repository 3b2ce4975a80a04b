"""Two tabs at once: versions follow one another, one run is asked for, a party approves once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from consult import seam
from consult.actor import Actor, Role
from consult.coding import queries, service
from consult.coding.models import AnalysisRun, CodebookApproval
from consult.consultations.models import Consultation
from consult.db import ALL_TENANTS
from consult.errors import ConflictError
from tests.factories import make_account, make_consultation, make_organisation

TABS = 4
PLAN = """
version: "{}"
codes:
  - id: velo
    label: Vélo
    patterns: ['vélo']
    positive_examples: ['Plus de vélos.']
"""


@pytest.fixture
def scene(database):
    """A consultation and two members of staff, committed."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = make_organisation(session)
        consultation = make_consultation(session, organisation)
        accounts = [make_account(session, organisation, Role.ADMINISTRATOR) for _ in range(TABS)]
        actors = [Actor(each.id, each.pseudonym, roles=frozenset({Role.ADMINISTRATOR})) for each in accounts]
        return organisation.id, consultation.id, actors


def at_once(database, scene, act):
    """What each tab was told: None when its act was done, else the refusal."""
    organisation_id, consultation_id, actors = scene
    barrier = Barrier(TABS)

    def tab(rank):
        with database.transaction(tenant=organisation_id) as session:
            consultation = session.get_one(Consultation, consultation_id)
            session.rollback()
            barrier.wait()
            try:
                act(session, consultation, actors[rank], rank)
            except ConflictError as refusal:
                session.rollback()
                return refusal.message
        return None

    with ThreadPoolExecutor(TABS) as pool:
        return list(pool.map(tab, range(TABS)))


def test_plans_saved_at_once_are_successive_versions(database, scene, now):
    def save(session, consultation, actor, rank):
        service.save_codebook(session, consultation, seam.read_codebook(PLAN.format(rank)), actor=actor, now=now)

    assert at_once(database, scene, save) == [None] * TABS
    with database.session(write=False, tenant=scene[0]) as session:
        assert [book.number for book in queries.codebooks(session, scene[1])] == [4, 3, 2, 1]


def test_runs_asked_for_at_once_are_one(database, scene, now):
    def ask(session, consultation, actor, _rank):
        service.request_run(session, consultation, codebook=None, seed=1, actor=actor, now=now)

    refusals = at_once(database, scene, ask)
    assert (refusals.count(None), len([told for told in refusals if told and "déjà en cours" in told])) == (1, 3)
    with database.session(write=False, tenant=scene[0]) as session:
        assert session.scalar(select(func.count()).select_from(AnalysisRun)) == 1


def test_a_party_that_approves_at_once_approves_once(database, scene, now):
    with database.transaction(tenant=scene[0]) as session:
        consultation = session.get_one(Consultation, scene[1])
        service.save_codebook(session, consultation, seam.read_codebook(PLAN.format(1)), actor=scene[2][0], now=now)

    def approve(session, consultation, actor, _rank):
        book = queries.codebook(session, consultation.id, 1)
        service.approve(session, book, consultation, actor=actor, now=now)

    refusals = at_once(database, scene, approve)
    assert (refusals.count(None), len([told for told in refusals if told and "déjà approuvée" in told])) == (1, 3)
    with database.session(write=False, tenant=scene[0]) as session:
        assert session.scalar(select(func.count()).select_from(CodebookApproval)) == 1
