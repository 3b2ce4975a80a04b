"""The pictures of the README and of the guides: taken here with CONSULT_PICTURES=1, else compared with the pages."""

import io
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import consult
from consult.actor import Role
from consult.registry.models import RegistryEntry
from consult.site.guides import PICTURES
from tests.e2e.live import CONSULTATION, PROPOSALS, QUESTIONNAIRE, STAFF, watched_tab
from tests.servers import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FOLDER = Path(consult.__file__).parent / "static" / PICTURES
HEAVIEST = 200_000  # bytes
BLOCK = 8  # px: smaller than a line of text, larger than what fonts drawn by another machine move
SEEN = 16  # of 256 levels of grey: a block that a person sees change
# Share of the blocks that may change: the dates and ages of the demonstration follow the calendar. A line of text more
# or less moves all that follows it, and changes many more; a word for another of its length is not seen.
TOLERANCE = 0.02
AUTHOR = "Cathy-de-banlieue"  # another proposal bears the same title
DISCUSSED = re.compile("^Rouvrir la ligne Ravelonne . Castelvigne aux voyageurs$")
# name: who sees it, where, the width and height of the screen
TAKEN = {
    "accueil.png": (None, "/", 1280, 860),
    "proposition.png": (Role.PARTICIPANT, "{proposal}", 1280, 860),
    "registre.png": (None, "/registre", 1280, 1080),
    "gestion.png": (Role.ORGANISER, STAFF, 1280, 860),
    "file.png": (Role.MODERATOR, "/gestion/moderation", 1280, 760),
    "resultats.png": (None, f"{CONSULTATION}/resultats", 1280, 1080),
    "telephone-consultation.png": (None, CONSULTATION, 390, 844),
    "telephone-proposition.png": (Role.PARTICIPANT, "{proposal}", 390, 844),
    "telephone-questionnaire.png": (Role.PARTICIPANT, f"{QUESTIONNAIRE}/repondre", 390, 844),
    "telephone-compte.png": (Role.PARTICIPANT, "/mon-compte", 390, 844),
}


def most_discussed(page) -> str:
    """A proposal with votes and arguments on both sides, always the same one: the default order is drawn by lot."""
    page.goto(f"{PROPOSALS}?q=rouvrir")
    article = page.get_by_role("article").filter(has_text=AUTHOR)
    return article.get_by_role("link", name=DISCUSSED).get_attribute("href")


def changed(kept: bytes, taken: bytes) -> float:
    """The share of blocks whose mean grey differs between two pictures of one size."""
    greys = []
    for picture in (kept, taken):
        with Image.open(io.BytesIO(picture), formats=["PNG"]) as image:
            greys.append(np.asarray(image.convert("L").reduce(BLOCK), dtype=float))
    assert greys[0].shape == greys[1].shape
    return float((np.abs(greys[0] - greys[1]) > SEEN).mean())


@pytest.fixture(scope="module")
def _counted(platform, browser) -> None:
    """Waits until every act of the demonstration has its place in the public log: the figures shown move with it."""
    last = len(platform.rows(RegistryEntry)) - 1  # what jobs add meanwhile comes after
    with watched_tab(browser, platform) as page:

        def stands() -> bool:
            page.wait_for_timeout(500)
            page.goto("/")
            shown = page.locator("[data-position]")
            return shown.count() == 1 and int(shown.get_attribute("data-position")) >= last

        wait_until(stands, seconds=60, what="the figures of the home page at the end of the log")


@pytest.mark.usefixtures("_counted")
@pytest.mark.parametrize("name", TAKEN)
def test_a_picture_shows_its_page_as_it_is(name, tab, tab_of):
    role, path, width, height = TAKEN[name]
    size = {"viewport": {"width": width, "height": height}}
    page = tab_of(role, **size) if role else tab(**size)
    reply = page.goto(path.format(proposal=most_discussed(page)), wait_until="networkidle")
    assert reply.status == 200
    page.evaluate("document.fonts.ready")
    picture = page.screenshot()
    if os.environ.get("CONSULT_PICTURES") == "1":
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / name).write_bytes(picture)
    kept = (FOLDER / name).read_bytes()
    assert len(kept) < HEAVIEST
    assert changed(kept, picture) <= TOLERANCE, "stale: take it again with CONSULT_PICTURES=1"

    page.locator("main h1").evaluate("title => title.insertAdjacentHTML('afterend', '<p>Une phrase de plus.</p>')")
    assert changed(kept, page.screenshot()) > TOLERANCE, "this comparison would not see a stale picture"
