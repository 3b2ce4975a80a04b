"""A bill by keyboard alone, with and without JavaScript, on a phone and on a screen: read, rewritten, put in order."""

import contextlib
import datetime as dt
import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from consult.accounts import policy as accounts
from consult.accounts import service
from consult.actor import Role
from consult.contributions.bill import queries
from consult.contributions.bill.numbering import outline
from consult.contributions.models import Level, Proposal
from consult.db import ALL_TENANTS
from tests import factories as f
from tests.e2e.gestures import reach, type_in

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]
TEXT = "Les autocars sont gratuits pour les apprentis.\n\nUn décret précise les horaires."
BOTH = pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])


class Town:
    """An open bill with a version, a draft one, a participant and an organiser."""

    def __init__(self, app, url):
        self.app, self.url = app, url
        now = dt.datetime.now(dt.UTC)
        with self.writing() as session:
            organisation = f.make_organisation(session)
            step = f.make_step(session, f.make_consultation(session, organisation, now=now), kind="bill")
            title = f.make_part(session, step, Level.TITLE, heading="Des trajets")
            f.make_part(session, step, parent=title, heading="Gratuité", body=TEXT)
            f.make_part(session, step, parent=title, body="La loi entre en vigueur.")
            text = session.scalars(select(Proposal).where(Proposal.title.contains("Gratuité"))).one()
            people = [f.make_account(session, organisation) for _ in range(2)]
            body = TEXT.replace("apprentis", "apprentis et les lycéens")
            self.version = f.make_version(session, text, people[1], body=body, title="Les lycéens aussi").id
            draft = f.make_consultation(session, organisation, opened=False, now=now)
            office = f.make_step(session, draft, kind="bill")
            agent = f.make_account(session, organisation, Role.ORGANISER)
            self.people, self.office_id = {"citizen": people[0].id, "organiser": agent.id}, office.id
            self.step = f"/consultations/{step.consultation.slug}/{step.slug}"
            self.text = f"/contributions/{text.id}"
            self.office = f"/gestion/consultations/{draft.slug}/etapes/{office.slug}/texte"

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

    def titles(self):
        with self.writing() as session:
            return ["·" * line.depth + line.title for line in outline(queries.parts(session, self.office_id))]


@pytest.fixture
def town(app, live_server):
    return Town(app, live_server)


@BOTH
def test_an_article_is_rewritten_and_voted_by_keyboard_alone(town, browser, script):
    with town.tab(browser, script=script, who="citizen", width=320) as page:
        page.goto(town.step)
        reach(page, "link", "Article 1er – Gratuité")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{town.text}")
        reach(page, "link", "Récrire cet article")
        page.keyboard.press("Enter")
        page.wait_for_url("**/recrire")
        type_in(page, "^Titre de votre version", "Pour tout le monde")
        type_in(page, "^Texte récrit", TEXT.replace("les apprentis", "tous"))
        type_in(page, "^Exposé des motifs", "Trop court.")
        type_in(page, "^Sources", "https://www.exemple.fr/enquete Enquête")
        reach(page, "button", "Publier ma version")
        page.keyboard.press("Enter")
        expect(page.get_by_text("il en faut au moins 20").first).to_be_visible()
        type_in(page, "^Exposé des motifs", "Chacun a le droit d’aller où il travaille.")
        reach(page, "button", "Publier ma version")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/contributions/[0-9a-f-]+$"))
        expect(page.get_by_role("group", name=re.compile("Ce qui change"))).to_contain_text("les apprentis")
        assert page.locator("del").filter(has_text="apprentis").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        reach(page, "button", "Mitigé")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Mitigé")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_pages_of_a_bill_are_accessible_and_fit_the_screen(town, browser, axe, width):
    with town.tab(browser, who="citizen", width=width) as page:
        version = f"/contributions/{town.version}"
        for path in (town.step, town.text, version, f"{version}/recrire", f"{version}/versions"):
            page.goto(path)
            page.emulate_media(reduced_motion="reduce")
            assert axe(page) == {}, path
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_what_changed_is_said_and_told_apart_without_colours(town, browser):
    """AT-2.1: marks are underlined or struck, and a screen reader hears where they begin and end."""
    with town.tab(browser, width=360) as page:
        page.emulate_media(forced_colors="active")
        page.goto(f"/contributions/{town.version}")
        new = page.locator(".differences ins").first
        assert re.sub(r"\s+", " ", new.text_content()).strip() == "[ajouté : et les lycéens fin]"
        assert new.evaluate("node => getComputedStyle(node).textDecorationLine") == "underline"


@BOTH
def test_a_bill_is_put_in_order_by_keyboard_alone(town, browser, script):
    with town.tab(browser, script=script, who="organiser") as page:
        page.goto(town.office)
        for level, heading, body in (("Titre", "Des trajets", ""), ("Article", "Gratuité", "Tout est gratuit.")):
            reach(page, "link", "Ajouter une partie")
            page.keyboard.press("Enter")
            page.wait_for_url("**/nouveau")
            reach(page, "combobox", re.compile("^Nature"))
            page.keyboard.type(level)
            type_in(page, "^Intitulé", heading)
            if body:
                type_in(page, "^Texte de l’article", body)
            reach(page, "button", "Enregistrer")
            page.keyboard.press("Enter")
            page.wait_for_url(f"**{town.office}")
        assert town.titles() == ["Titre Ier – Des trajets", "Article 1er – Gratuité"]
        reach(page, "button", re.compile("^Placer dans la partie précédente"))
        page.keyboard.press("Enter")
        page.wait_for_url("**#partie-*")
        assert town.titles() == ["Titre Ier – Des trajets", "·Article 1er – Gratuité"]
