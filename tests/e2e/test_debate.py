"""A debate by keyboard alone, with and without JavaScript: read side by side or one after the other, argued, voted."""

import contextlib
import datetime as dt
import re

import pytest
from playwright.sync_api import expect

from consult.accounts import policy as accounts
from consult.accounts import service
from consult.actor import Role
from consult.contributions.models import Argument, Proposal, Side
from consult.db import ALL_TENANTS
from tests import factories as f
from tests.e2e.gestures import reach, type_in

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]
BOTH = pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
QUESTION = "Faut-il ouvrir une ligne de nuit ?"
BODY = "Les soignantes rentrent à pied faute de train après minuit."
PLACES = """() => [...document.querySelectorAll(".sides > li")].map(card => ({
    side: card.classList.contains("is-for") ? "for" : "against",
    left: card.getBoundingClientRect().left,
    top: card.getBoundingClientRect().top,
}))"""


class Town:
    """An open debate with twelve arguments for and nine against, a draft one, a participant and an organiser."""

    def __init__(self, app, url):
        self.app, self.url = app, url
        now = dt.datetime.now(dt.UTC)
        with self.writing() as session:
            organisation = f.make_organisation(session)
            whole = f.make_consultation(session, organisation, now=now)
            question = f.make_debate(session, whole, question=QUESTION, slug="debat")
            for side, count in ((Side.FOR, 12), (Side.AGAINST, 9)):
                for n in range(count):
                    f.make_argument(session, question, side=side, body=f"{BODY} {side.value} {n} " + "Et plus. " * n)
            draft = f.make_consultation(session, organisation, opened=False, now=now)
            office = f.make_step(session, draft, kind="debate", slug="debat", title="Le débat à préparer")
            people = f.make_account(session, organisation), f.make_account(session, organisation, Role.ORGANISER)
            self.people = {"citizen": people[0].id, "organiser": people[1].id}
            self.step = f"/consultations/{whole.slug}/debat"
            self.manage = f"/gestion/consultations/{draft.slug}"
            self.office_id = office.id

    def writing(self):
        return self.app.extensions["database"].transaction(tenant=ALL_TENANTS)

    @contextlib.contextmanager
    def tab(self, browser, *, script=True, who=None, width=1280):
        """A French visitor's tab; script errors fail the test."""
        context = browser.new_context(
            base_url=self.url, locale="fr-FR", java_script_enabled=script, viewport={"width": width, "height": 900}
        )
        if who:
            context.add_cookies([self._cookie(who)])
        page, faults = context.new_page(), []
        page.on("pageerror", lambda error: faults.append(str(error)))
        yield page
        assert faults == []
        context.close()

    def _cookie(self, who):
        settings, now = self.app.extensions["settings"], dt.datetime.now(dt.UTC)
        with self.writing() as session:
            token, _ = service.open_session(
                session, session.get_one(f.Account, self.people[who]), now=now, browser="",
                life=accounts.session_life((), settings), second_factor_at=now if who == "organiser" else None,
            )  # fmt: skip
        return {"name": accounts.session_cookie(settings).name, "value": token, "url": self.url}

    def arguments(self, **values):
        with self.writing() as session:
            return [(each.side, each.title, each.body) for each in session.query(Argument).filter_by(**values)]


@pytest.fixture
def town(app, live_server):
    return Town(app, live_server)


def test_sides_stand_side_by_side_on_a_screen_and_in_turn_on_a_phone(town, browser):
    with town.tab(browser) as page:
        page.goto(town.step)
        cards = page.evaluate(PLACES)
        assert [card["side"] for card in cards[:18:2]] == [cards[0]["side"]] * 9
        columns = {side: {card["left"] for card in cards if card["side"] == side} for side in ("for", "against")}
        assert [len(each) for each in columns.values()] == [1, 1]
        assert min(columns[cards[0]["side"]]) < min(columns[cards[1]["side"]]), "the one that begins is on the left"
        for one, other in zip(cards[:18:2], cards[1:18:2], strict=True):
            assert one["top"] == other["top"], "each faces one of the other side"
        page.set_viewport_size({"width": 360, "height": 800})
        narrow = page.evaluate(PLACES)
        assert [card["side"] for card in narrow] == [card["side"] for card in cards]
        assert len({card["left"] for card in narrow}) == 1
        assert [card["top"] for card in narrow] == sorted(card["top"] for card in narrow)


@BOTH
def test_an_argument_is_written_voted_changed_and_withdrawn_by_keyboard_alone(town, browser, script):
    with town.tab(browser, script=script, who="citizen", width=320) as page:
        page.goto(town.step)
        reach(page, "link", "Ajouter un argument")
        page.keyboard.press("Enter")
        page.wait_for_url("**/argumenter")
        reach(page, "radio", "Pour")
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("radio", name="Contre")).to_be_checked()
        type_in(page, "^Titre", "Le prix")
        type_in(page, "^Votre argument", "Court")
        reach(page, "button", "Publier mon argument")
        page.keyboard.press("Enter")
        expect(page.get_by_text("il en faut au moins 10").first).to_be_visible()
        expect(page.get_by_role("radio", name="Contre")).to_be_checked()
        type_in(page, "^Votre argument", "Un train vide coûte cher à toute la ville.")
        reach(page, "button", "Publier mon argument")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/arguments/[0-9a-f-]+$"))
        mine = {"author_id": town.people["citizen"]}
        assert town.arguments(**mine) == [(Side.AGAINST, "Le prix", "Un train vide coûte cher à toute la ville.")]
        reach(page, "button", "Utile")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Ne plus trouver utile")).to_be_visible()
        reach(page, "link", "Modifier mon argument")
        page.keyboard.press("Enter")
        page.wait_for_url("**/modifier")
        type_in(page, "^Titre", "")
        reach(page, "button", "Enregistrer")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/arguments/[0-9a-f-]+$"))
        expect(page.get_by_role("heading", name="Le prix")).to_have_count(0)
        reach(page, "link", "Retirer mon argument")
        page.keyboard.press("Enter")
        reach(page, "button", "Retirer définitivement")
        page.keyboard.press("Enter")
        expect(page.locator("[data-flashes]")).to_contain_text("Votre texte est retiré")


@BOTH
def test_the_list_is_filtered_sorted_and_explained_by_keyboard_alone(town, browser, script):
    with town.tab(browser, script=script, width=320) as page:
        page.goto(town.step)
        reach(page, "combobox", "Montrer")
        page.keyboard.type("Contre")
        reach(page, "button", "Appliquer")
        page.keyboard.press("Enter")
        page.wait_for_url("**camp=contre**")
        expect(page.locator("li.card.is-against")).to_have_count(9)
        expect(page.locator("li.card.is-for")).to_have_count(0)
        expect(page.get_by_role("status")).to_contain_text("9 arguments sur 21")
        page.goto(town.step)
        page.locator("summary", has_text="Pourquoi cet ordre").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("tour à tour")).to_be_visible()
        reach(page, "link", "Comment le refaire")
        page.keyboard.press("Enter")
        page.wait_for_url("**/aide/ordre")
        page.go_back()
        reach(page, "link", "Suivante")
        page.keyboard.press("Enter")
        page.wait_for_url("**arguments=2**")
        expect(page.locator("li.card")).to_have_count(1)


@BOTH
def test_the_question_is_written_by_keyboard_alone(town, browser, script):
    with town.tab(browser, script=script, who="organiser") as page:
        page.goto(town.manage)
        reach(page, "link", re.compile("^Question"))
        page.keyboard.press("Enter")
        page.wait_for_url("**/etapes/debat/debat")
        type_in(page, "^Question", "Trop")
        type_in(page, "^Sources", "https://www.exemple.fr/a Une étude")
        reach(page, "button", "Enregistrer")
        page.keyboard.press("Enter")
        expect(page.get_by_text("il en faut au moins 10").first).to_be_visible()
        type_in(page, "^Question", QUESTION)
        reach(page, "button", "Enregistrer")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{town.manage}")
        with town.writing() as session:
            asked = session.query(Proposal).filter_by(step_id=town.office_id).one()
            assert (asked.title, asked.sources) == (
                QUESTION, [{"url": "https://www.exemple.fr/a", "title": "Une étude"}],
            )  # fmt: skip


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_pages_of_a_debate_are_accessible_and_fit_the_screen(town, browser, axe, width):
    with town.tab(browser, who="citizen", width=width) as page:
        page.emulate_media(reduced_motion="reduce")
        page.goto(town.step)
        first = page.get_by_role("link", name="Adresse de cet argument").first.get_attribute("href")
        write = page.get_by_role("link", name="Ajouter un argument").get_attribute("href")
        for path in (town.step, first, write, f"{town.step}/affichages", "/aide/ordre"):
            page.goto(path)
            for details in page.locator("details").all():
                details.evaluate("node => node.open = true")
            assert axe(page) == {}, path
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
