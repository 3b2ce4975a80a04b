"""The staff side in a browser: from nothing to an open consultation, and who may."""

import datetime as dt

import pytest

from consult.actor import Role
from consult.db import ALL_TENANTS
from consult.organisations.policy import LEGAL_NOTICE
from tests import factories

HOME = "/gestion/consultations"


@pytest.fixture
def people(app):
    """The accounts by role, in an organisation whose legal notice is complete."""
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(session, **dict.fromkeys(LEGAL_NOTICE, "donné"))
        roles = {"organiser": (Role.ORGANISER,), "reader": (Role.READER,), "citizen": ()}
        accounts = {name: factories.make_account(session, organisation, *held) for name, held in roles.items()}
        session.commit()
        for account in accounts.values():
            session.refresh(account)
        session.expunge_all()
    return accounts


@pytest.fixture
def browser_of(app, people):
    def signed_in(name):
        client = app.test_client()
        factories.sign_in(client, people[name])
        token = factories.csrf_token(client, "/mon-compte")
        client.send = lambda path, **typed: client.post(path, data=typed | {"csrf_token": token})
        return client

    return signed_in


def typed(**values):
    today = dt.datetime.now(dt.UTC).date()
    return {
        "title": "Nos trajets",
        "summary": "Un résumé.",
        "description": "<p>Pourquoi <script>alert(1)</script></p>",
        "opens_at": f"{today}T00:00",
        "closes_at": f"{today + dt.timedelta(days=30)}T18:00",
    } | values


def test_from_nothing_to_an_open_consultation(browser_of, client):
    staff = browser_of("organiser")
    made = staff.send(f"{HOME}/nouvelle", **typed())
    assert made.location == f"{HOME}/nos-trajets"
    assert client.get("/consultations/nos-trajets").status_code == 404  # a draft
    assert "Aperçu avant ouverture" in staff.get("/consultations/nos-trajets").get_data(as_text=True)
    step = typed(kind="proposals", title="Vos idées")
    assert staff.send(f"{made.location}/etapes/nouvelle", **step).status_code == 303
    assert staff.send(f"{made.location}/etapes/vos-idees/themes", title="Le train").status_code == 303
    assert staff.send(f"{made.location}/ouvrir").status_code == 303
    page = client.get("/consultations/nos-trajets")
    assert page.status_code == 200
    assert "alert(1)" not in page.get_data(as_text=True)
    assert "Le train" in client.get("/consultations/nos-trajets/vos-idees").get_data(as_text=True)
    assert "figés" in staff.send(f"{made.location}/etapes/vos-idees/themes", title="Trop tard").get_data(as_text=True)
    assert staff.send(f"{made.location}/fermer", reason="").status_code == 422
    assert staff.send(f"{made.location}/fermer", reason="Essai terminé").status_code == 303
    assert "Terminée" in client.get("/consultations/nos-trajets").get_data(as_text=True)


@pytest.mark.parametrize(
    "values", [{"title": ""}, {"opens_at": "hier"}, {"closes_at": "2020-01-01T00:00"}, {"summary": "x" * 501}]
)
def test_a_form_that_is_refused_keeps_what_was_typed(browser_of, values):
    response = browser_of("organiser").send(f"{HOME}/nouvelle", **typed(outcome="Une promesse tenue", **values))
    page = response.get_data(as_text=True)
    assert response.status_code == 422
    assert "Une promesse tenue" in page
    assert "error-summary" in page


def test_opening_says_what_is_missing(browser_of):
    staff = browser_of("organiser")
    staff.send(f"{HOME}/nouvelle", **typed())
    response = staff.send(f"{HOME}/nos-trajets/ouvrir")
    assert response.status_code == 422
    assert "au moins une étape" in response.get_data(as_text=True)


def test_opening_is_offered_once_nothing_is_missing(browser_of):
    staff = browser_of("organiser")
    staff.send(f"{HOME}/nouvelle", **typed())
    page = staff.get(f"{HOME}/nos-trajets/ouvrir").get_data(as_text=True)
    assert "Ajoutez au moins une étape" in page
    assert "Ouvrir la consultation</button>" not in page
    staff.send(f"{HOME}/nos-trajets/etapes/nouvelle", **typed(kind="questionnaire", title="Vos habitudes"))
    page = staff.get(f"{HOME}/nos-trajets/ouvrir").get_data(as_text=True)
    assert "« Vos habitudes » n’a aucune question" in page.replace("\u00a0", " ").replace("\u202f", " ")
    assert "Ouvrir la consultation</button>" not in page
    staff.send(f"{HOME}/nos-trajets/etapes/vos-habitudes/supprimer")
    staff.send(f"{HOME}/nos-trajets/etapes/nouvelle", **typed(kind="proposals", title="Vos idées"))
    page = staff.get(f"{HOME}/nos-trajets/ouvrir").get_data(as_text=True)
    assert "Ouvrir la consultation</button>" in page
    assert "À compléter avant d’ouvrir" not in page
    assert f'href="{HOME}/nos-trajets/modifier">Dates</a>' in page


def test_a_theme_that_will_not_do_is_said_on_its_field(browser_of):
    staff = browser_of("organiser")
    staff.send(f"{HOME}/nouvelle", **typed())
    staff.send(f"{HOME}/nos-trajets/etapes/nouvelle", **typed(kind="proposals", title="Vos idées"))
    themes = f"{HOME}/nos-trajets/etapes/vos-idees/themes"
    refused = staff.send(themes, title="x" * 201)
    assert refused.status_code == 422
    assert "<title>Erreur – Thèmes" in refused.text
    assert 'aria-describedby="title-error title-count"' in refused.text
    assert f'value="{"x" * 201}"' in refused.text
    assert staff.send(themes, title="Le train").status_code == 303
    assert "Un thème porte déjà ce titre." in staff.send(themes, title="Le train").text


def test_instants_are_typed_and_shown_in_paris(browser_of):
    staff = browser_of("organiser")
    staff.send(f"{HOME}/nouvelle", **typed(opens_at="2026-07-14T10:00", closes_at="2026-12-25T10:00"))
    page = staff.get(f"{HOME}/nos-trajets/modifier").get_data(as_text=True)
    assert 'value="2026-07-14T10:00"' in page
    assert 'value="2026-12-25T10:00"' in page
    assert "14 juillet 2026 à 10\u00a0h\u00a000" in staff.get(f"{HOME}/nos-trajets").get_data(as_text=True)


def test_readers_read_and_citizens_do_not_even_know(browser_of, client):
    browser_of("organiser").send(f"{HOME}/nouvelle", **typed())
    reader, citizen = browser_of("reader"), browser_of("citizen")
    assert reader.get(f"{HOME}/nos-trajets").status_code == 200
    assert reader.get("/consultations/nos-trajets").status_code == 200
    assert reader.send(f"{HOME}/nos-trajets/ouvrir").status_code == 403
    assert citizen.get(f"{HOME}/nos-trajets").status_code == 403
    assert citizen.get("/consultations/nos-trajets").status_code == 404
    assert client.get(f"{HOME}/nos-trajets").status_code == 303
