"""Security keys in a real browser, by Chromium's virtual authenticator: enrolment, sign-in, refusals, accessibility."""

import contextlib
import dataclasses
import re
import threading

import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

from consult.actor import Role
from consult.app import create_app
from consult.db import ALL_TENANTS
from tests import factories as f

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]
PAGE = "/gestion/second-facteur"
WIDTHS = (320, 768, 1280)


@pytest.fixture
def live_server(settings, database):
    """The application at `localhost`: keys answer to no network address."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = f.make_organisation(session, name="Agence des trajets")
        f.make_account(
            session, organisation, Role.MODERATOR, email="agent@exemple.fr", pseudonym="Orion", totp_enrolled_at=None
        )
    server = make_server("127.0.0.1", 0, None, threaded=True)
    address = f"http://localhost:{server.port}"
    server.app = app = create_app(dataclasses.replace(settings, public_url=address))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield address
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions["database"].dispose()


@pytest.fixture
def key(page):
    """Plugs virtual keys in: each call takes out the one before."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    plugged = []

    def plug():
        with contextlib.suppress(IndexError):
            session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": plugged.pop()})
        options = {"protocol": "ctap2", "transport": "usb", "automaticPresenceSimulation": True}
        reply = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        plugged.append(reply["authenticatorId"])

    return plug


def sign_in(page):
    page.goto("/connexion")
    page.get_by_label("Adresse électronique").fill("agent@exemple.fr")
    page.locator("#password").fill(f.PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("banner")).to_contain_text("Orion")


def sign_out(page):
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("banner")).to_contain_text("Se connecter")


def audit(page, axe):
    """No violation and no sideways scroll, at each width (AT-2.2)."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert axe(page) == {}, page.url
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


def enrol_first(page):
    sign_in(page)
    page.goto("/gestion/moderation")
    page.get_by_label("Nom de la clé").fill("clé du bureau")
    page.get_by_role("button", name="Enregistrer ma clé de sécurité").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Codes de secours")


def test_staff_enrol_a_key_then_sign_in_with_it_by_keyboard(page, key):
    """AT-D.5, AT-18.7."""
    key()
    enrol_first(page)
    page.get_by_role("link", name="J’ai noté mes codes").click()
    expect(page).to_have_url(re.compile("/gestion/moderation$"))
    sign_out(page)
    sign_in(page)
    page.goto("/gestion/moderation")
    expect(page.get_by_role("heading", level=1)).to_have_text("Second facteur")
    page.get_by_role("button", name="Utiliser ma clé de sécurité").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/gestion/moderation$"))


def test_a_second_key_is_added_listed_and_removed(page, key):
    key()
    enrol_first(page)
    page.goto("/gestion/seconds-facteurs")
    page.get_by_label("Nom de la clé").fill("téléphone")
    page.get_by_role("button", name="Ajouter ma clé de sécurité").click()
    expect(page.locator("[data-security-key-error]")).to_contain_text("déjà enregistrée")
    key()
    page.get_by_role("button", name="Ajouter ma clé de sécurité").click()
    expect(page.get_by_role("status")).to_contain_text("est enregistré")
    expect(page.get_by_role("main")).to_contain_text("téléphone")
    page.get_by_role("button", name="Retirer la clé clé du bureau").click()
    expect(page.get_by_role("status")).to_contain_text("est retirée")
    expect(page.get_by_role("table")).not_to_contain_text("clé du bureau")


def test_a_key_of_nobody_is_told_and_a_recovery_code_remains(page, key):
    key()
    enrol_first(page)
    code = page.get_by_role("main").locator("code").first.inner_text()
    sign_out(page)
    key()
    sign_in(page)
    page.goto(PAGE)
    page.get_by_role("button", name="Utiliser ma clé de sécurité").click()
    expect(page.locator("[data-security-key-error]")).to_contain_text("n’a pas répondu")
    expect(page.locator(":focus")).to_have_text("Utiliser ma clé de sécurité")
    page.get_by_label("Code à usage unique").fill(code)
    page.get_by_role("button", name="Continuer").click()
    expect(page).to_have_url(re.compile("/gestion$"))


def test_a_missing_name_is_told_before_the_key_is_touched(page, key):
    key()
    sign_in(page)
    page.goto(PAGE)
    page.get_by_role("button", name="Enregistrer ma clé de sécurité").click()
    expect(page.locator(":focus")).to_contain_text("Donnez un nom à la clé")
    page.faults.clear()  # the browser notes the 422
    page.get_by_label("Nom de la clé").fill("clé du bureau")
    page.get_by_role("button", name="Enregistrer ma clé de sécurité").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Codes de secours")


def test_the_pages_are_accessible(page, key, axe):
    """AT-2.2. Last of all: the session of the audit, once closed, takes the virtual key away."""
    key()
    enrol_first(page)
    audit(page, axe)
    page.goto("/gestion/seconds-facteurs")
    audit(page, axe)
    page.get_by_role("button", name="Ajouter ma clé de sécurité").click()
    expect(page.locator(":focus")).to_contain_text("Donnez un nom à la clé")
    audit(page, axe)
    page.faults.clear()  # the browser notes the 422
    sign_out(page)
    sign_in(page)
    page.goto(PAGE)
    audit(page, axe)


def test_without_javascript_the_keys_are_not_offered(browser, live_server):
    context = browser.new_context(base_url=live_server, java_script_enabled=False)
    page = context.new_page()
    sign_in(page)
    page.goto(PAGE)
    expect(page.get_by_role("button", name="Enregistrer ma clé de sécurité")).to_be_hidden()
    expect(page.locator("noscript p")).to_be_visible()  # its text is out of reach of get_by_text
    expect(page.get_by_label("Code à usage unique")).to_be_visible()
    context.close()
