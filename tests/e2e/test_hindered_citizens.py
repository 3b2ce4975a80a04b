"""The citizen's path when something is missing or goes wrong: no script, no mouse, two tabs, a session that ends."""

import datetime as dt
import re

import pytest
from playwright.sync_api import Page, expect

from consult.accounts.models import LoginSession
from consult.contributions.models import Proposal
from consult.db import ALL_TENANTS
from consult.questionnaires.models import Reply
from tests.e2e.gestures import (
    BODY,
    TITLE,
    account_of,
    answer_questionnaire,
    fill_sign_up,
    flash,
    newcomer,
    open_proposal,
    vote_button,
    votes_of,
    write_proposal,
)
from tests.e2e.live import CONSULTATION, PASSWORD, PROPOSALS, QUESTIONNAIRE, address_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_citizens_path_needs_no_javascript(tab, platform):
    """AT-10.2."""
    page = tab(java_script_enabled=False, viewport={"width": 360, "height": 800})
    page.goto("/inscription")
    fill_sign_up(page, "lea")
    page.wait_for_timeout(5_500)  # what tells a person from a robot on this path
    page.get_by_role("button", name="Créer mon compte").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirmez votre adresse")
    page.goto(address_in(platform.mail("lea@exemple.fr", "Confirmez votre adresse"), "/inscription/confirmer/"))
    page.get_by_role("button", name="Confirmer mon adresse").click()
    flash(page, "Votre adresse est confirmée")

    open_proposal(page)
    vote_button(page, "Mitigé").click()
    expect(vote_button(page, "Mitigé")).to_have_attribute("aria-pressed", "true")
    vote_button(page, "D’accord").click()
    expect(vote_button(page, "D’accord")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Retirer mon vote").click()
    expect(vote_button(page, "D’accord")).to_have_attribute("aria-pressed", "false")
    assert votes_of(platform, "lea") == []

    page.get_by_role("link", name="Ajouter un argument").click()
    page.get_by_label("Pour", exact=True).check()
    page.get_by_label(re.compile("^Votre argument \\(")).fill("Les élèves du bourg la prendraient chaque matin.")
    page.get_by_role("button", name="Publier mon argument").click()
    flash(page, "Votre argument est publié")
    write_proposal(page, title="Des horaires affichés en grand")
    page.get_by_role("button", name="Publier").click()
    flash(page, "Votre proposition est publiée")
    answer_questionnaire(page, "Des horaires lisibles")
    assert len(platform.rows(Reply, account_id=account_of(platform, "lea").id)) == 1
    page.goto("/mon-compte")
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("link", name="Se connecter")).to_be_visible()


def press_until(page: Page, key: str, target) -> None:
    """Press a key until the focus is there: fails when it never comes."""
    for _ in range(120):
        if target.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press(key)
    pytest.fail(f"{key} never reaches {target}")


FOCUS = """() => {
    const node = document.activeElement, box = node.getBoundingClientRect(), style = getComputedStyle(node);
    const seen = style.outlineStyle !== "none" && box.width > 0 && box.bottom > 0 && box.top < innerHeight;
    return node === document.body ? null : { name: node.innerText || node.name, seen };
}"""


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("path", ["/", CONSULTATION, PROPOSALS, f"{PROPOSALS}/proposer", f"{QUESTIONNAIRE}/repondre"])
def test_wherever_tab_leads_the_focus_is_seen(tab, path, width):
    """AT-2.2: from the skip links to the last link of the page."""
    page = tab(viewport={"width": width, "height": 800})
    page.goto(path)
    last = page.get_by_role("contentinfo").get_by_role("link").last
    unseen = []
    for _ in range(200):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        unseen += [focus] if focus and not focus["seen"] else []
        if last.evaluate("node => node === document.activeElement"):
            break
    else:
        pytest.fail("Tab never reaches the end of the page")
    assert unseen == []


def test_signing_in_voting_and_withdrawing_need_no_mouse(tab, platform):
    """AT-2.2: Tab, Space and Enter alone, with a focus that is seen."""
    newcomer(tab(), platform, "ines")
    page = tab()
    page.goto(PROPOSALS)
    press_until(page, "Tab", page.get_by_role("link", name="Se connecter"))
    assert page.locator(":focus").evaluate("node => getComputedStyle(node).outlineStyle") != "none"
    page.keyboard.press("Enter")
    page.wait_for_url("**/connexion*")
    press_until(page, "Tab", page.get_by_label("Adresse électronique"))
    page.keyboard.type("ines@exemple.fr")
    press_until(page, "Tab", page.locator("#password"))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/connexion" not in url)
    page.goto(PROPOSALS)
    press_until(page, "Tab", page.get_by_role("article").get_by_role("link").first)
    page.keyboard.press("Enter")
    page.wait_for_url("**/contributions/*")
    press_until(page, "Tab", vote_button(page, "Mitigé"))
    page.keyboard.press("Space")
    expect(vote_button(page, "Mitigé")).to_have_attribute("aria-pressed", "true")
    expect(vote_button(page, "Mitigé")).to_be_focused()
    press_until(page, "Tab", page.get_by_role("button", name="Retirer mon vote"))
    page.keyboard.press("Enter")
    expect(vote_button(page, "Mitigé")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#vote :focus")).to_have_count(1)  # not thrown back to the top of the page
    assert votes_of(platform, "ines") == []


def test_a_double_click_two_tabs_and_the_back_button_make_one_row(tab, platform):
    page = tab()
    newcomer(page, platform, "omar")
    omar = account_of(platform, "omar").id
    write_proposal(page)
    page.get_by_role("button", name="Publier").dblclick()
    flash(page, "Votre proposition est publiée")
    page.go_back()
    page.get_by_role("button", name="Publier").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    assert len(platform.rows(Proposal, author_id=omar)) == 1

    open_proposal(page)
    other = page.context.new_page()
    other.goto(page.url)
    vote_button(page, "D’accord").dblclick()
    expect(vote_button(page, "D’accord")).to_have_attribute("aria-pressed", "true")
    page.wait_for_load_state("networkidle")  # both clicks are answered
    vote_button(other, "Pas d’accord").click()
    expect(vote_button(other, "Pas d’accord")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(vote_button(page, "Pas d’accord")).to_have_attribute("aria-pressed", "true")
    assert votes_of(platform, "omar") == [("against", True)]

    for window in (page, other):
        window.goto(QUESTIONNAIRE + "/repondre")
        window.get_by_label("La marche", exact=True).check()
        window.get_by_label("Très satisfait").check()
    page.get_by_role("button", name="Envoyer ma réponse").click()
    flash(page, "Votre réponse est enregistrée")
    other.get_by_role("button", name="Envoyer ma réponse").click()
    expect(other.get_by_role("main")).to_be_visible()
    assert len(platform.rows(Reply, account_id=omar)) == 1
    page.faults.clear()


def test_what_was_typed_survives_a_refusal(tab, platform):
    page = tab()
    newcomer(page, platform, "zoe")
    write_proposal(page, title="Bus", body=BODY)
    page.get_by_role("button", name="Publier").click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(page.get_by_label("Titre")).to_have_value("Bus")
    expect(page.get_by_label("Votre proposition")).to_have_value(BODY)
    expect(page.get_by_label("Thème")).to_have_value(re.compile("."))
    page.faults.clear()  # the browser notes the 422
    summary.get_by_role("link").first.click()
    expect(page.get_by_label("Titre")).to_be_focused()
    assert platform.rows(Proposal, author_id=account_of(platform, "zoe").id) == []


def expire_sessions(platform, name: str) -> None:
    with platform.database.transaction(tenant=ALL_TENANTS) as session:
        for each in session.query(LoginSession).filter_by(account_id=account_of(platform, name).id):
            each.last_seen_at -= dt.timedelta(days=2)


def test_what_was_typed_survives_an_expired_session(tab, platform):
    page = tab()
    newcomer(page, platform, "hugo")
    write_proposal(page)
    expire_sessions(platform, "hugo")
    page.get_by_role("button", name="Publier").click()
    page.get_by_role("button", name="Renvoyer le formulaire").click()
    page.faults.clear()  # the browser notes the 403
    flash(page, "Votre texte est gardé")
    page.get_by_label("Adresse électronique").fill("hugo@exemple.fr")
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Se connecter").click()
    expect(page.get_by_label("Votre proposition")).to_have_value(BODY)
    page.get_by_role("button", name="Publier").click()
    flash(page, "Votre proposition est publiée")

    words = "Un banc, c’est peu ; cela change tout pour qui attend."
    page.get_by_role("link", name="Modifier ma proposition").click()
    page.get_by_label("Votre proposition").fill(words)
    expire_sessions(platform, "hugo")
    page.get_by_role("button", name="Enregistrer").click()
    flash(page, "Ce que vous avez saisi vous attend ensuite")
    page.get_by_label("Adresse électronique").fill("hugo@exemple.fr")
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Se connecter").click()
    expect(page.get_by_label("Ce que vous aviez écrit (2)")).to_have_value(words)
    page.get_by_role("button", name="Envoyer maintenant").click()
    flash(page, "Votre texte est modifié")
