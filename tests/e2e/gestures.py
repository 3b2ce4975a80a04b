"""The gestures that browser tests share: sign up, find a proposal, vote, write, answer."""

import re

import pytest
from playwright.sync_api import Page, expect

from consult.accounts.models import Account
from consult.contributions.models import Vote
from tests.e2e.live import PASSWORD, PROPOSALS, QUESTIONNAIRE, address_in

TITLE = "Un abri et un banc à chaque arrêt"
BODY = "On attend debout sous la pluie. Un toit, un banc et un plan lisible coûtent peu et servent à toutes et à tous."


def flash(page: Page, words: str) -> None:
    """The message that follows an act."""
    expect(page.locator("[data-flashes]")).to_contain_text(words)


def fill_sign_up(page: Page, name: str) -> None:
    page.get_by_label("Pseudonyme").fill(name)
    page.get_by_label("Adresse électronique").fill(f"{name}@exemple.fr")
    page.locator("#password").fill(PASSWORD)
    page.get_by_label("J’accepte les conditions").check()


def newcomer(page: Page, platform, name: str) -> None:
    """Sign up by the form, follow the link of the mail, sign in if need be."""
    page.goto("/inscription")
    fill_sign_up(page, name)
    page.get_by_role("button", name="Créer mon compte").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirmez votre adresse")
    page.goto(address_in(platform.mail(f"{name}@exemple.fr", "Confirmez votre adresse"), "/inscription/confirmer/"))
    page.get_by_role("button", name="Confirmer mon adresse").click()
    flash(page, "Votre adresse est confirmée")


def open_proposal(page: Page, title: str = "Rouvrir la ligne") -> str:
    """Find a proposal by the search and open it; gives its identifier."""
    page.goto(PROPOSALS)
    page.get_by_label("Rechercher").fill(title)
    page.get_by_role("button", name="Appliquer").click()
    page.get_by_role("main").get_by_role("article").get_by_role("link").first.click()
    page.wait_for_url("**/contributions/*")
    return page.url.rsplit("/", 1)[1].split("#")[0].split("?")[0]


def vote_button(page: Page, name: str):
    return page.locator("#vote").get_by_role("button", name=name, exact=True)


def account_of(platform, name: str) -> Account:
    return platform.rows(Account, pseudonym=name)[0]


def votes_of(platform, name: str) -> list[tuple[str, bool]]:
    return [(vote.value.value, vote.counted) for vote in platform.rows(Vote, account_id=account_of(platform, name).id)]


def write_proposal(page: Page, *, title: str = TITLE, body: str = BODY) -> None:
    page.goto(f"{PROPOSALS}/proposer")
    page.get_by_label("Titre").fill(title)
    page.get_by_label("Thème").select_option(label="Bus, cars et trains")
    page.get_by_label("Votre proposition").fill(body)


def answer_questionnaire(page: Page, words: str) -> None:
    """Answer what is mandatory, and one open question."""
    page.goto(QUESTIONNAIRE)
    page.get_by_role("link", name="Répondre au questionnaire").click()
    page.get_by_label("Le vélo (électrique ou non)").check()
    page.get_by_label("Plutôt satisfait").check()
    page.get_by_label(re.compile("faciliterait")).fill(words)
    page.get_by_role("button", name="Envoyer ma réponse").click()
    flash(page, "Votre réponse est enregistrée")


def reach(page: Page, role: str, name: str | re.Pattern, most: int = 120) -> None:
    """Tab until the focus is on what has that role and name, as somebody without a mouse does."""
    wanted = page.get_by_role(role, name=name).first
    expect(wanted).to_be_attached()
    for _ in range(most):
        page.keyboard.press("Tab")
        if wanted.evaluate("node => node === document.activeElement"):
            return
    pytest.fail(f"no {role} « {name} » is reached by Tab", pytrace=False)


def type_in(page: Page, name: str, text: str) -> None:
    """Replace what a field holds, as a keyboard does."""
    reach(page, "textbox", re.compile(name))
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")  # a text of no word replaces too
    for place, line in enumerate(text.split("\n")):
        if place:
            page.keyboard.press("Enter")
        page.keyboard.type(line)
