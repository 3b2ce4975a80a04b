"""The component page and the small scripts in a real browser: accessibility, keyboard, refresh in place, no script."""

import datetime as dt
import re

import altcha
import pytest
from flask import Blueprint, abort, redirect, render_template_string, request
from playwright.sync_api import expect

from consult import security, showcase
from consult.app import create_app

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]

NOW = dt.datetime(2026, 3, 2, 9, 41, tzinfo=dt.UTC)
SECRET = "only for this test"
VOTE_PAGE = """
{% extends "base.html" %}
{% from "components/vote_buttons.html" import vote_buttons %}
{% block main %}<h1>Vote</h1>
<div id="votes" data-live="Votre vote est enregistré.">{{ vote_buttons(action, current=current, live="votes") }}
<p>{{ count }} envoi</p></div>{% endblock %}
"""
PROOF_PAGE = """
{% extends "base.html" %}
{% from "components/form.html" import form %}{% from "components/proof_of_work.html" import proof_of_work %}
{% block main %}<h1>Inscription</h1>
{% call form("/essai/preuve") %}
<label for="who">Pseudonyme</label> <input id="who">
{% call proof_of_work("/essai/defi") %}<p>Sans script</p>{% endcall %}
<button>Envoyer</button>{% endcall %}{% endblock %}
"""


@pytest.fixture
def app(settings, organisation_id):
    """An application with the component page and two pages to try the scripts on."""
    app = create_app(settings)
    probe = Blueprint("probe", __name__, url_prefix="/essai")
    state = {"current": "", "count": 0, "away": False, "spent": None}
    app.extensions["probe"] = state

    @probe.get("/composants")
    @security.anyone
    def components():
        return showcase.render(now=NOW)

    @probe.route("/vote", methods=["GET", "POST"])
    @security.anyone
    def vote():
        if request.method == "GET":
            return render_template_string(VOTE_PAGE, action="/essai/vote", **state)
        if state["away"]:
            abort(503)
        state["current"] = request.form["position"]
        state["count"] += 1
        return redirect("/essai/vote", 303)

    @probe.get("/defi")
    @security.anyone
    def challenge():
        options = altcha.ChallengeOptionsV1(algorithm="SHA-256", max_number=50, hmac_key=SECRET)
        return altcha.create_challenge_v1(options).to_dict()

    @probe.route("/preuve", methods=["GET", "POST"])
    @security.anyone
    def proof():
        if request.method == "POST":
            state["spent"] = altcha.verify_solution_v1(request.form["altcha"], SECRET)
        return render_template_string(PROOF_PAGE)

    app.register_blueprint(probe)
    yield app
    app.extensions["database"].dispose()


@pytest.mark.parametrize("width", [320, 768, 1280])
@pytest.mark.parametrize(("scheme", "forced"), [("light", "none"), ("dark", "none"), ("light", "active")])
def test_every_component_is_accessible_and_fits_the_screen(page, axe, width, scheme, forced):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, forced_colors=forced)
    page.goto("/essai/composants", wait_until="networkidle")
    assert axe(page) == {}
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_error_page_is_accessible_and_says_what_to_do_next(page, axe):
    response = page.goto("/nulle-part")
    assert response.status == 404
    assert axe(page) == {}
    expect(page.get_by_role("heading", level=1)).to_have_text("Page introuvable")
    expect(page.get_by_role("main").get_by_role("link", name="Retour à l’accueil")).to_be_visible()
    page.faults.clear()  # the browser notes the 404


def test_a_page_weighs_less_than_500_kb_and_calls_nobody_else(page):
    """AT-10.3; remote requests fail in the fixture `page`."""
    replies = []
    page.on("requestfinished", lambda request: replies.append(request.response()))
    page.goto("/essai/composants", wait_until="networkidle")
    weight = sum(len(reply.body()) for reply in replies)
    assert 10_000 < weight < 500_000


def test_skip_links_come_first_and_lead_to_the_content(page):
    page.goto("/essai/vote")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Aller au contenu")
    expect(page.locator(":focus")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_touch_targets_are_44_pixels_high_on_a_phone(browser, live_server):
    context = browser.new_context(base_url=live_server, viewport={"width": 360, "height": 800}, has_touch=True)
    page = context.new_page()
    page.goto("/essai/composants")
    small = page.evaluate(
        """() => [...document.querySelectorAll("main :is(.btn, summary, select, input.form-control, .page-link)")]
            .filter(e => e.offsetParent && e.getBoundingClientRect().height < 43.5)
            .map(e => e.outerHTML.slice(0, 80))"""
    )
    assert small == []
    context.close()


def test_everything_can_be_read_and_used_without_script(browser, live_server):
    """AT-10.2."""
    context = browser.new_context(
        base_url=live_server, java_script_enabled=False, viewport={"width": 360, "height": 800}
    )
    page = context.new_page()
    page.goto("/essai/composants")
    expect(page.get_by_role("navigation", name="Navigation principale")).to_be_visible()
    expect(page.get_by_role("link", name="Se connecter")).to_be_visible()
    expect(page.get_by_role("button", name="Menu")).to_be_hidden()
    for panel in ("for", "against", "sources"):
        expect(page.locator(f"#exemple-{panel}")).to_be_visible()
    page.get_by_text("Signaler", exact=True).click()
    expect(page.get_by_role("button", name="Envoyer le signalement")).to_be_visible()
    expect(page.locator("noscript p")).to_be_visible()  # its text is out of reach of get_by_text
    page.goto("/essai/vote")
    page.get_by_role("button", name="Mitigé").click()
    expect(page.get_by_role("button", name="Mitigé")).to_have_attribute("aria-pressed", "true")
    context.close()


def test_the_menu_of_a_phone_opens_and_closes_from_the_keyboard(page):
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto("/essai/composants")
    toggle = page.get_by_role("button", name="Menu")
    expect(page.get_by_role("link", name="Consultations", exact=True)).to_be_hidden()
    toggle.press("Enter")
    expect(toggle).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("link", name="Consultations", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Consultations", exact=True)).to_be_hidden()
    expect(toggle).to_be_focused()


def test_tabs_follow_the_arrows(page):
    page.goto("/essai/composants")
    page.get_by_role("tab", name="Arguments pour").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Arguments contre")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="Arguments contre")).to_be_visible()
    expect(page.locator("#exemple-for")).to_be_hidden()
    page.keyboard.press("End")
    expect(page.get_by_role("tab", name="Sources")).to_have_attribute("aria-selected", "true")
    page.reload()
    expect(page.get_by_role("tabpanel", name="Sources")).to_be_visible()


def test_a_dialog_keeps_the_focus_and_gives_it_back(page, axe):
    page.goto("/essai/composants")
    opener = page.get_by_role("button", name="Signaler", exact=True)
    opener.press("Enter")
    dialog = page.get_by_role("dialog", name="Signaler cette proposition")
    expect(dialog).to_be_visible()
    assert axe(page) == {}
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_refused_form_gets_the_focus_and_leads_to_its_fields(page):
    page.goto("/essai/composants")
    summary = page.get_by_role("alert", name=re.compile("Le formulaire n’a pas été envoyé"))
    expect(summary).to_be_focused()
    summary.get_by_role("link", name=re.compile("Choisissez une réponse")).click()
    expect(page.locator("#refused-answer-0")).to_be_focused()
    field = page.locator("#refused-email")
    expect(field).to_have_value("marguerite chez exemple.fr")
    expect(field).to_have_accessible_description("Erreur : Il manque le signe « @ ».")


def test_too_long_a_text_is_counted_never_cut(page):
    page.goto("/essai/composants")
    field = page.get_by_label("Votre proposition").first
    field.fill("é" * 2001)
    expect(page.locator("[data-count-for=proposal]")).to_have_text("1 caractère de trop : raccourcissez le texte.")
    assert len(field.input_value()) == 2001


def test_a_password_can_be_shown(page):
    page.goto("/essai/composants")
    page.get_by_role("button", name="Afficher le mot de passe").click()
    expect(page.locator("#password")).to_have_attribute("type", "text")


def test_a_vote_is_sent_in_place_with_the_focus_kept_and_the_news_announced(page, app):
    page.goto("/essai/vote")
    page.evaluate("window.same = true")
    page.get_by_role("button", name="Pas d’accord").press("Enter")
    pressed = page.get_by_role("button", name="Pas d’accord")
    expect(pressed).to_have_attribute("aria-pressed", "true")
    expect(pressed).to_be_focused()
    expect(page.locator("body > [role=status]")).to_have_text("Votre vote est enregistré.")
    assert page.evaluate("window.same") is True
    page.get_by_role("button", name="Mitigé").click()
    expect(page.get_by_text("2 envoi")).to_be_visible()
    assert app.extensions["probe"]["current"] == "mixed"


def test_a_refused_vote_shows_the_error_page_as_without_script(page, app):
    page.goto("/essai/vote")
    app.extensions["probe"]["away"] = True
    page.get_by_role("button", name="Mitigé").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("indisponible")
    page.faults.clear()  # the browser notes the 503


def test_a_double_click_sends_a_form_once(page, app):
    page.goto("/essai/vote")
    page.evaluate("document.querySelector('main form').removeAttribute('data-live-target')")
    page.get_by_role("button", name="D’accord", exact=True).dblclick()
    expect(page.get_by_text("1 envoi")).to_be_visible()
    assert app.extensions["probe"]["count"] == 1


def test_the_proof_of_work_is_solved_while_the_form_is_filled_in(page, app, axe):
    page.goto("/essai/preuve")
    assert axe(page) == {}
    page.get_by_label("Pseudonyme").fill("Marguerite")
    expect(page.locator("input[name=altcha]")).to_have_value(re.compile(".{100}"))
    assert axe(page) == {}
    page.get_by_role("button", name="Envoyer").click()
    page.wait_for_load_state()
    assert app.extensions["probe"]["spent"] == (True, None)
