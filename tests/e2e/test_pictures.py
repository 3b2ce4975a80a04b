"""The pictures of the README and of the guides: taken here with CONSULT_PICTURES=1, else checked."""

import os
import struct
from pathlib import Path

import pytest

from consult.actor import Role
from tests.e2e.live import CONSULTATION, PROPOSALS, QUESTIONNAIRE

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("demonstration")]

FOLDER = Path(__file__).parents[2] / "deploy" / "images"
LIGHTEST, HEAVIEST = 5_000, 200_000  # bytes
# name: who sees it, where, the width and height of the screen
PICTURES = {
    "accueil.png": (None, "/", 1280, 860),
    "proposition.png": (Role.PARTICIPANT, "{proposal}", 1280, 860),
    "telephone-consultation.png": (None, CONSULTATION, 390, 844),
    "telephone-proposition.png": (Role.PARTICIPANT, "{proposal}", 390, 844),
    "telephone-questionnaire.png": (Role.PARTICIPANT, f"{QUESTIONNAIRE}/repondre", 390, 844),
}


def most_discussed(page) -> str:
    """A proposal with votes and arguments on both sides, always the same one."""
    page.goto(f"{PROPOSALS}?q=rouvrir")
    return page.get_by_role("article").get_by_role("link").first.get_attribute("href")


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_a_page_that_answers(name, tab, tab_of):
    role, path, width, height = PICTURES[name]
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
    assert LIGHTEST < len(kept) < HEAVIEST
    assert kept[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", kept[16:24]) == (width, height)
