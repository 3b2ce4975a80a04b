"""The map beside the list of départements, in a real Chromium: by mouse and keyboard, and without what it needs."""

import gzip
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from consult.departements import DEPARTEMENTS
from tests.e2e.questionnaires.test_kinds import Case
from tests.e2e.questionnaires.test_kinds import Platform as Kinds

pytestmark = pytest.mark.browser
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
DRAWING = Path(__file__).parents[3] / "consult" / "static" / "dist" / "map" / "departements.svg"


class Platform(Kinds):
    def __init__(self, app, url):
        super().__init__(app, url, cases=[Case("departement")])
        self.list = f'[name="q-{self.asked[0][1].id}"]'

    def send(self, page):
        page.get_by_role("button", name="Envoyer ma réponse").click()
        page.wait_for_url(lambda url: "/repondre" not in url, wait_until="networkidle")
        [(_, chosen, _)] = self.stored().values()
        return chosen


@pytest.fixture
def platform(app, live_server):
    return Platform(app, live_server)


def radio(page, name):
    return page.get_by_role("radio", name=name)


def test_the_drawing_is_light_and_holds_every_territory():
    drawn = DRAWING.read_text(encoding="utf-8")
    assert len(gzip.compress(drawn.encode())) <= 60_000
    codes = re.findall(r'data-code="(\w+)"(?! data-again)', drawn)
    assert sorted(codes) == sorted(DEPARTEMENTS)
    assert not re.search(r"style=|<script|href", drawn)


@on_sqlite
def test_a_click_on_the_map_is_said_and_sent(platform, browser, axe):
    with platform.tab(browser) as page:
        page.goto(f"{platform.path}/repondre")
        said = page.locator(".departement-map").get_by_role("status")
        expect(said).to_have_text(re.compile("^Aucun département choisi"))
        radio(page, "29 – Finistère").click()
        expect(page.locator(platform.list)).to_have_value("29")
        expect(said).to_have_text("Choisi : 29 – Finistère")
        page.locator(platform.list).select_option("974")
        expect(radio(page, "974 – La Réunion")).to_be_checked()
        expect(said).to_have_text("Choisi : 974 – La Réunion")
        expect(radio(page, "29 – Finistère")).not_to_be_checked()
        page.locator('[data-again][data-code="75"]').dispatch_event("click")  # small on the map: larger in the corner
        expect(radio(page, "75 – Paris")).to_be_checked()
        assert axe(page) == {}
        assert platform.send(page) == ["75"]
        page.goto(f"{platform.path}/repondre")
        expect(radio(page, "75 – Paris")).to_be_checked()


@on_sqlite
def test_the_map_is_one_stop_and_arrows_go_everywhere(platform, browser):
    with platform.tab(browser) as page:
        page.goto(f"{platform.path}/repondre")
        radio(page, "99 – Hors de France").wait_for()
        page.locator(platform.list).focus()
        page.keyboard.press("Tab")  # the postcode
        page.keyboard.press("Tab")
        expect(radio(page, "01 – Ain")).to_be_focused()
        page.keyboard.press("ArrowRight")
        expect(radio(page, "74 – Haute-Savoie")).to_be_focused()
        expect(page.locator(platform.list)).to_have_value("")
        page.keyboard.press("Space")
        expect(page.locator(platform.list)).to_have_value("74")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('svg')") is None
        lost = page.evaluate(UNREACHED)
        assert lost == []
        assert platform.send(page) == ["74"]


UNREACHED = """async () => {
  const { nearest } = await import(document.querySelector('script[src*="departement-map"]').src);
  const places = [...document.querySelectorAll('[role=radio]')].map(shape => {
    const box = shape.getBoundingClientRect();
    return { code: shape.dataset.code, x: box.left + box.width / 2, y: box.top + box.height / 2 };
  });
  const lost = new Set();
  for (const start of [places[0], places.at(-1)]) {
    const seen = new Set([start]), next = [start];
    while (next.length) {
      const one = next.pop();
      for (const way of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        const other = nearest(one, places.filter(each => each !== one), way);
        if (other && !seen.has(other)) { seen.add(other); next.push(other); }
      }
    }
    for (const each of places) if (!seen.has(each)) lost.add(each.code);
  }
  return [...lost];
}"""


@on_sqlite
@pytest.mark.parametrize("script", [True, False], ids=["no drawing", "no script"])
def test_the_list_is_enough(platform, browser, script):
    with platform.tab(browser, script=script) as page:
        page.route("**/departements.svg*", lambda route: route.abort())
        page.goto(f"{platform.path}/repondre")
        expect(page.locator(".departement-map")).to_be_hidden()
        page.locator(platform.list).select_option("2B")
        assert platform.send(page) == ["2B"]


@on_sqlite
def test_forced_colours_and_a_narrow_screen_keep_it_whole(platform, browser, axe):
    with platform.tab(browser, width=320) as page:
        page.emulate_media(forced_colors="active")
        page.goto(f"{platform.path}/repondre")
        radio(page, "13 – Bouches-du-Rhône").click()
        chosen, other = (
            radio(page, name).evaluate("one => getComputedStyle(one).fill")
            for name in ("13 – Bouches-du-Rhône", "83 – Var")
        )
        assert chosen != other
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert axe(page) == {}
