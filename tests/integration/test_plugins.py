"""A package installed beside Consult brings a step kind by its entry point alone."""

import datetime as dt
import shutil
import sys
from pathlib import Path

import pytest

from consult.actor import Actor, Role
from consult.app import create_app
from consult.consultations import service
from consult.db import ALL_TENANTS
from consult.organisations.models import Organisation
from consult.organisations.policy import LEGAL_NOTICE

PLUGIN = Path(__file__).parents[1] / "plugins" / "consult_agenda.py"
ORGANISER = Actor(pseudonym="organisatrice", roles=frozenset({Role.ORGANISER}))


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The plug-in installed as pip does: its module, and its metadata with the entry point."""
    site = tmp_path / "site"
    metadata = site / "consult_agenda-1.0.dist-info"
    metadata.mkdir(parents=True)
    shutil.copy(PLUGIN, site)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: consult-agenda\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[consult.step_kinds]\nagenda = consult_agenda:AgendaStep\n")
    monkeypatch.syspath_prepend(str(site))
    yield
    sys.modules.pop("consult_agenda", None)


@pytest.mark.usefixtures("installed")
def test_a_step_kind_of_another_package_is_opened_shown_and_counted(settings, database, now):
    app = create_app(settings)
    kinds = app.extensions["bindings"].step_kinds
    with database.transaction(tenant=ALL_TENANTS) as session:
        notice = dict.fromkeys(LEGAL_NOTICE, "renseigné")
        organisation = Organisation(slug="agence", created_at=now, **{"name": "Agence", **notice})
        session.add(organisation)
        session.flush()
        dates = {"opens_at": now, "closes_at": dt.datetime.now(dt.UTC) + dt.timedelta(days=1)}
        consultation = service.create_consultation(
            session, organisation_id=organisation.id, actor=ORGANISER, title="Essai", now=now, **dates
        )
        step = service.add_step(
            session, consultation, actor=ORGANISER, kind=kinds["agenda"], title="Rencontres", now=now, **dates
        )
        step.settings = {"meetings": ["Lille, <b>mardi</b>"]}
        session.flush()
        service.open_consultation(
            session, consultation, organisation=organisation, actor=ORGANISER, step_kinds=kinds, now=now
        )
        assert kinds["agenda"].census(session, step) == {"meetings": 1}
    page = app.test_client().get("/consultations/essai/rencontres")
    assert page.status_code == 200
    assert "Lille, &lt;b&gt;mardi" in page.text
    app.extensions["database"].dispose()


def test_without_the_package_its_step_kind_is_not_offered(settings):
    app = create_app(settings)
    assert "agenda" not in app.extensions["bindings"].step_kinds
    app.extensions["database"].dispose()
