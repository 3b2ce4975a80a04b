"""What a run leaves in the files that everybody may download."""

from pathlib import Path

import pytest

from analysis.coding import codebook
from consult import seam
from consult.actor import Actor, Role
from consult.coding import service
from consult.coding.jobs import RunHandler, run_folder
from consult.coding.models import RunStatus
from tests.factories import make_account, make_consultation, make_organisation
from tests.integration.analysis.conftest import small_rows, write_dump

PLAN = """
version: "1"
codes:
  - {id: velo, patterns: ['vélo'], positive_examples: ['Plus de vélos.']}
"""


def no_dump(*_arguments):
    raise AssertionError("the test stops before")


def test_the_published_plan_says_which_party_approved_and_not_who(session, tmp_path: Path, now):
    organisation = make_organisation(session)
    session.info["tenant"] = organisation.id
    consultation = make_consultation(session, organisation)
    plan = service.save_codebook(session, consultation, seam.read_codebook(PLAN), actor=Actor(), now=now)
    for role in (Role.DITP, Role.ADMINISTRATOR):
        account = make_account(session, organisation, role, pseudonym=f"Camille {role.value}")
        actor = Actor(account.id, account.pseudonym, roles=frozenset({role}))
        service.approve(session, plan, consultation, actor=actor, now=now)
    run = service.request_run(session, consultation, codebook=plan, seed=1, actor=Actor(), now=now)
    next(RunHandler(tmp_path, no_dump).run(session, {"run": str(run.id)}, {}))
    path = run_folder(tmp_path, run.id) / "plan.yaml"
    assert "Camille" not in path.read_text(encoding="utf-8")
    assert codebook.load(path).missing_approvals == ()


@pytest.mark.slow
@pytest.mark.sqlite_first
def test_a_finished_run_keeps_figures_and_no_copy_of_the_texts(session, tmp_path: Path, now):
    organisation = make_organisation(session)
    session.info["tenant"] = organisation.id
    consultation = make_consultation(session, organisation)
    run = service.request_run(session, consultation, codebook=None, seed=1, actor=Actor(), now=now)

    def dump(_organisation_id, _consultation_id, folder):
        write_dump(folder, **small_rows())
        yield from ()

    list(RunHandler(tmp_path, dump).run(session, {"run": str(run.id)}, {}))
    assert run.status is RunStatus.DONE
    kept = sorted(path.name for path in run_folder(tmp_path, run.id).rglob("*") if path.is_dir())
    assert kept == ["charts", "report"]
