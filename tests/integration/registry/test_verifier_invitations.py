"""The verifier compares the replies that an invitation was asked for with the invitations that the log says."""

import re
import shutil

import pytest

from consult.db import ALL_TENANTS
from consult.registry import service
from consult.registry.models import EntryKind
from tests.integration.registry.scene import LAST, Scene, Seed

pytestmark = pytest.mark.slow


@pytest.fixture
def scene(tmp_path, _sqlite_template) -> Scene:
    shutil.copy(_sqlite_template, tmp_path / "consult.db")
    return Scene(tmp_path)


def test_more_replies_than_invitations_are_a_fraud(scene):
    """AT-20.2: every third party counts both; an honest log has at least one invitation for each reply."""
    with scene.database.transaction(tenant=ALL_TENANTS) as session:
        seed = Seed(session, scene, invited=True)
        seed.live()
        seed.reply_by_invitation()
        step, whole, owner = seed.secret.id, seed.whole.id, seed.organisation.id
    scene.place()
    code, frauds, said = scene.verify()
    assert (code, frauds) == (0, []), said
    assert re.search(r"réponses sur invitation\D*20\b", said), said
    with scene.database.transaction(tenant=ALL_TENANTS) as session:
        service.append(
            session, organisation_id=owner, consultation_id=whole, kind=EntryKind.CONTENT, now=LAST,
            content={"step": str(step), "batch": str(step), "invitations": -1},
        )  # fmt: skip
    scene.place()
    code, frauds, said = scene.verify()
    scene.database.dispose()
    assert (code, [fraud["fraud"] for fraud in frauds]) == (1, ["count"]), said
    assert "20 réponses pour 19 invitations" in said
