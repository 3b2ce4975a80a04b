"""Reading one's data and leaving, in a real browser: accessible at every size, without a mouse."""

import json

import pytest

from consult.accounts.models import Account, AccountStatus
from consult.db import ALL_TENANTS
from tests import factories as f

PAGES = ("/mon-compte/donnees", "/mon-compte/supprimer", "/compte-supprime")

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]


@pytest.fixture
def person(app, database, page, live_server):
    """Somebody with a proposal and a vote, signed in on `page`."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        organisation = f.make_organisation(session, slug="agence")
        step = f.make_step(session, f.make_consultation(session, organisation))
        account = f.make_account(session, organisation)
        f.make_vote(session, f.make_proposal(session, step, account), account)
    client = app.test_client()
    token = f.sign_in(client, account)
    page.context.add_cookies([{"name": "consult_session", "value": token, "url": live_server}])
    return account


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_every_page_is_accessible_and_fits(person, page, axe, width):
    """AT-2.1, at the three sizes."""
    page.set_viewport_size({"width": width, "height": 900})
    for address in PAGES:
        page.goto(address)
        assert axe(page) == {}, address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        inside = "all => all.filter(each => each.scrollWidth > each.clientWidth).length"
        assert page.locator(".table-scroll").evaluate_all(inside) == 0, address


def test_a_person_takes_their_data_then_leaves_with_the_keyboard(person, page, database):
    """AT-6.1, AT-6.2."""
    page.goto("/mon-compte")
    page.get_by_role("link", name="Mes données personnelles").press("Enter")
    with page.expect_download() as taken:
        page.get_by_role("link", name="Télécharger mes données").press("Enter")
    document = json.loads(taken.value.path().read_text(encoding="utf-8"))
    assert document["tables"]["account"]["rows"][0]["email"] == person.email
    page.get_by_role("link", name="Supprimer mon compte").press("Enter")
    page.get_by_role("radio", name="Tout").press("Space")
    page.get_by_label("Votre mot de passe").fill("pas le bon")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("Ce n’est pas votre mot de passe.").wait_for()
    page.faults.clear()  # the browser reports the refusal of the form as an error
    page.get_by_label("Votre mot de passe").fill(f.PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Votre compte est supprimé").wait_for()
    assert page.get_by_role("link", name="Se connecter").first.is_visible()
    with database.transaction(tenant=ALL_TENANTS, write=False) as session:
        assert session.get_one(Account, person.id).status is AccountStatus.ERASED
