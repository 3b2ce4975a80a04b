"""Every kind of question for whoever has no mouse, a narrow screen, a page twice as large, or colours of their own."""

import pytest

from tests.e2e.questionnaires.test_kinds import Platform

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]
MOST_TABS = 60  # between two fields of a page
FOCUS = """() => {
    const node = document.activeElement, box = node.getBoundingClientRect(), style = getComputedStyle(node);
    const card = node.closest(".check, svg") ?? node, around = getComputedStyle(card);
    const drawn = [style, around].some(each => each.outlineStyle !== "none" && each.outlineStyle !== "hidden");
    const seen = box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
    const place = node.closest("[data-kind]")?.dataset.kind ?? "page";
    return { name: `${place}: ${node.tagName} ${node.innerText} ${style.outline}`, seen: drawn && seen };
}"""


@pytest.fixture
def platform(app, live_server):
    return Platform(app, live_server)


class Keyboard:
    """Hands that never leave the keyboard."""

    def __init__(self, page):
        self.page = page

    def reach(self, target):
        for _ in range(MOST_TABS):
            if target.evaluate("node => node === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        pytest.fail(f"Tab never reaches {target}", pytrace=False)

    def reach_one_of(self, name):
        """The button of a group that Tab stops at."""
        for _ in range(MOST_TABS):
            if self.page.evaluate("document.activeElement.name") == name:
                return
            self.page.keyboard.press("Tab")
        pytest.fail(f"Tab never reaches {name}", pytrace=False)

    def choose(self, name, value):
        self.reach_one_of(name)
        wanted = self.page.locator(f'[name="{name}"][value="{value}"]')
        if wanted.evaluate("node => node === document.activeElement"):
            self.page.keyboard.press("Space")
        for _ in range(20):
            if wanted.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
        pytest.fail(f"the arrows never choose {value}", pytrace=False)

    def enter(self, platform, question, entered):
        for part, value in entered.items():
            name = f"q-{question.id}" + (f"-{platform.key(question, part)}" if part else "")
            fields = self.page.locator(f'[name="{name}"]')
            kind = fields.first.evaluate("one => one.tagName === 'SELECT' ? 'select' : one.type")
            if kind == "radio":
                self.choose(name, platform.key(question, value) if value else "")
            elif kind == "checkbox":
                wanted = {platform.key(question, each) for each in value}
                for box in fields.all():
                    if box.get_attribute("value") in wanted:
                        self.reach(box)
                        self.page.keyboard.press("Space")
            elif value:
                self.reach(fields)
                if kind == "date":
                    self.type_day(fields, value)
                else:
                    self.page.keyboard.type(value)

    def type_day(self, field, value):
        """The day or the month first, as the system of whoever runs this wants."""
        year, month, day = value.split("-")
        for order in (month + day, day + month):
            self.page.keyboard.type(order + year)
            if field.input_value() == value:
                return
            for _ in range(3):
                self.page.keyboard.press("ArrowLeft")
        pytest.fail(f"{value} is not taken", pytrace=False)


@pytest.mark.parametrize("script", [True, False], ids=["javascript", "without"])
def test_each_kind_is_answered_by_keyboard_alone_at_320_px(platform, browser, script):
    """AT-2.2."""
    with platform.tab(browser, script=script, width=320) as page:
        page.goto(f"{platform.path}/repondre", wait_until="networkidle")
        hands = Keyboard(page)
        steps = {
            "Enregistrer et continuer": lambda url: "page=2" in url,
            "Envoyer ma réponse": lambda url: "/repondre" not in url,
        }
        for button, gone in steps.items():
            for case, question in platform.asked:
                if case.ways and page.locator(f'[name^="q-{question.id}"]').count():
                    hands.enter(platform, question, case.ways[0][0])
            hands.reach(page.get_by_role("button", name=button))
            page.keyboard.press("Enter")
            page.wait_for_url(gone, wait_until="networkidle")
    assert {key: tuple(rest) for key, rest in platform.stored().items()} == platform.expected(0)


WAYS = {
    "320 px": {"width": 320},
    "200 %": {"width": 640, "device_scale_factor": 2},  # what 1,280 px become
    "forced colours": {"width": 1280, "forced_colors": "active"},
}


@pytest.mark.parametrize("way", WAYS)
def test_wherever_tab_leads_in_each_kind_the_focus_is_seen(platform, browser, axe, way):
    """AT-2.2."""
    with platform.tab(browser, **WAYS[way]) as page:
        for number in (1, 2):
            page.goto(f"{platform.path}/repondre?page={number}", wait_until="networkidle")
            last = page.get_by_role("button", name="Enregistrer le brouillon")
            unseen = []
            for _ in range(200):
                page.keyboard.press("Tab")
                focus = page.evaluate(FOCUS)
                unseen += [] if focus["seen"] else [focus["name"]]
                if last.evaluate("node => node === document.activeElement"):
                    break
            else:
                pytest.fail("Tab never reaches the end of the form", pytrace=False)
            wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
            assert (unseen, wide, axe(page)) == ([], False, {})
