"""Accounts in a real browser: proof of work under the content security policy, keyboard, narrow screens, axe."""

import datetime as dt
import re

import pyotp
import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from consult.accounts.models import Account, TokenPurpose
from consult.accounts.service import issue_link
from consult.actor import Role
from consult.db import ALL_TENANTS
from consult.mail.models import OutgoingMail
from consult.organisations.models import Organisation
from tests import factories as f

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]
WIDTHS = (320, 768, 1280)


@pytest.fixture
def people(database):
    """An organisation with a participant, an administrator, and a moderator without second factor."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        organisation = f.make_organisation(session, name="Agence des trajets")
        f.make_account(session, organisation, email="zephyr@exemple.fr", pseudonym="Zéphyr")
        f.make_account(session, organisation, Role.ADMINISTRATOR, email="admin@exemple.fr", pseudonym="Cassiopée")
        f.make_account(
            session, organisation, Role.MODERATOR, email="agent@exemple.fr", pseudonym="Orion", totp_enrolled_at=None
        )
        return organisation


@pytest.fixture
def page(people, page):
    """A tab on the organisation's site."""
    return page


def mailed(database, template: str) -> str:
    """The path of the link in the last mail of that template."""
    with database.transaction(tenant=ALL_TENANTS, write=False) as session:
        text = session.scalars(select(OutgoingMail.text).where(OutgoingMail.template == template)).all()[-1]
    return re.search(r"https?://[^/\s]+(/\S+)", text)[1]


def sign_in(page, email: str) -> None:
    page.goto("/connexion")
    page.get_by_label("Adresse électronique").fill(email)
    page.get_by_label("Mot de passe", exact=False).first.fill(f.PASSWORD)
    page.get_by_role("button", name="Se connecter").click()


def fill_sign_up(page) -> None:
    page.get_by_label("Pseudonyme").fill("Sirocco")
    page.get_by_label("Adresse électronique").fill("sirocco@exemple.fr")
    page.locator("#password").fill(f.PASSWORD)
    page.get_by_label("J’accepte les conditions").check()


def audit(page, axe) -> None:
    """No violation and no sideways scroll, at each width."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert axe(page) == {}, page.url
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


def test_a_newcomer_signs_up_with_the_proof_of_work_and_confirms(page, database):
    """AT-18.3, AT-18.4: nothing to solve, nobody else is called (the fixture watches)."""
    page.goto("/inscription?suite=/mon-compte")
    fill_sign_up(page)
    page.get_by_role("button", name="Créer mon compte").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirmez votre adresse")
    page.get_by_role("link", name="Continuer").click()
    expect(page.get_by_role("main")).to_contain_text("pas encore confirmée")
    page.goto(mailed(database, "accounts_confirm"))
    page.get_by_role("button", name="Confirmer mon adresse").click()
    expect(page.get_by_role("status")).to_contain_text("Votre adresse est confirmée")
    with database.transaction(tenant=ALL_TENANTS, write=False) as session:
        account = session.scalars(select(Account).where(Account.pseudonym == "Sirocco")).one()
        assert account.confirmed_at is not None


def test_another_browser_is_asked_for_a_password_before_it_confirms(page, people, database, axe):
    """AT-2.2, AT-18.4."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        account = f.make_account(session, people, email="sirocco@exemple.fr", pseudonym="Sirocco", confirmed_at=None)
        proposal = f.make_proposal(session, f.make_step(session, f.make_consultation(session, people)))
        f.make_vote(session, proposal, account, counted=False)
        token = issue_link(session, account, TokenPurpose.CONFIRM_EMAIL, dt.datetime.now(dt.UTC))
    page.goto(f"/inscription/confirmer/{token}")
    audit(page, axe)
    page.get_by_role("button", name="Confirmer mon adresse").click()
    expect(page.locator(":focus")).to_contain_text("corrigez")
    audit(page, axe)
    page.faults.clear()  # the browser notes the 422
    page.locator("#password").fill("lanterne-cumin-voile-grès")
    expect(page.get_by_label("Supprimer")).to_be_checked()
    page.get_by_label("Publier et compter").check()
    page.get_by_role("button", name="Confirmer mon adresse").click()
    expect(page.get_by_role("status")).to_contain_text("est publié et compté")


def test_a_refused_form_keeps_what_was_typed_and_leads_to_the_field(page):
    page.goto("/inscription")
    fill_sign_up(page)
    page.get_by_label("Pseudonyme").fill("Ministère des vents")
    page.get_by_role("button", name="Créer mon compte").click()
    expect(page.locator(":focus")).to_contain_text("corrigez")
    page.get_by_role("alert").get_by_role("link").first.click()
    expect(page.locator(":focus")).to_have_attribute("name", "pseudonym")
    assert page.get_by_label("Adresse électronique").input_value() == "sirocco@exemple.fr"
    page.get_by_label("Pseudonyme").fill("Sirocco")
    page.locator("#password").fill(f.PASSWORD)
    page.get_by_role("button", name="Créer mon compte").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirmez votre adresse")
    page.faults.clear()  # the browser notes the 422


def test_the_whole_sign_in_is_done_with_the_keyboard(page):
    page.goto("/connexion")
    page.get_by_label("Adresse électronique").focus()
    page.keyboard.type("zephyr@exemple.fr")
    page.keyboard.press("Tab")
    page.keyboard.type(f.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("banner")).to_contain_text("Zéphyr")
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("banner")).to_contain_text("Se connecter")


def test_staff_enrol_their_second_factor_from_the_page(page):
    """AT-D.5."""
    sign_in(page, "agent@exemple.fr")
    page.goto("/gestion/moderation")
    expect(page.get_by_role("heading", level=1)).to_have_text("Enregistrer un second facteur")
    secret = page.get_by_role("main").locator("code").inner_text().replace(" ", "")
    page.get_by_label("Code à usage unique").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Codes de secours")
    page.get_by_role("link", name="J’ai noté mes codes").click()
    expect(page).to_have_url(re.compile("/gestion/moderation$"))


def test_pages_of_visitors_and_participants_are_accessible(page, axe):
    """AT-2.2."""
    for path in ("/inscription", "/connexion", "/connexion/lien", "/mot-de-passe-oublie"):
        page.goto(path, wait_until="networkidle")
        audit(page, axe)
    page.goto("/connexion")
    page.get_by_role("button", name="Se connecter").click()
    audit(page, axe)
    page.faults.clear()  # the browser notes the 422
    sign_in(page, "zephyr@exemple.fr")
    for path in ("/mon-compte", "/mon-compte/sessions", "/mon-compte/mot-de-passe", "/inscription/envoyee"):
        page.goto(path)
        audit(page, axe)


def test_pages_of_staff_are_accessible(page, axe, database):
    """AT-2.2."""
    with database.transaction(tenant=ALL_TENANTS, write=False) as session:
        secret = session.scalars(select(Account.totp_secret).where(Account.pseudonym == "Cassiopée")).one()
        assert session.scalars(select(Organisation.name)).one() == "Agence des trajets"
    sign_in(page, "admin@exemple.fr")
    page.goto("/gestion/acces")
    audit(page, axe)
    page.get_by_label("Code à usage unique").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Continuer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Registre des accès")
    audit(page, axe)
    page.get_by_role("link", name="Retirer à Orion").click()
    audit(page, axe)
    page.goto("/gestion/organisation")
    audit(page, axe)
