"""What the main pages weigh in a real Chromium that has kept nothing, and how many requests each makes.

Nothing is compressed between the two: nginx, which compresses texts to about a quarter, is left out.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import serving
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import select

from consult.consultations.models import Step
from consult.db import ALL_TENANTS, Database
from consult.media.pictures import recoded
from consult.questionnaires.kinds.pictures import MOST_PICTURES
from consult.questionnaires.pictures.service import attach
from tests import factories

PHONE = {"width": 360, "height": 800}
BUDGET = "<= 500"  # kB, with all that the page asks for


def run(scale: str) -> list[dict]:
    """One row a page, of the same size at every scale."""
    del scale
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.db"
        paths = _pages(url, serving.seed(url, proposals=100, votes=2_000))
        with serving.served("consult.wsgi:app", url, Path(folder)) as port, _chromium() as browser:
            return [_weighed(browser, f"http://127.0.0.1:{port}", name, path) for name, path in paths.items()]


@contextlib.contextmanager
def _chromium() -> Iterator[Browser]:
    program = os.environ.get("CONSULT_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise SystemExit("no Chromium: install it, or give CONSULT_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def _weighed(browser: Browser, site: str, name: str, path: str) -> dict:
    context = browser.new_context(base_url=site, locale="fr-FR", viewport=PHONE)
    page, answers = context.new_page(), []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108  # Playwright marks the function
    page.goto(path, wait_until="networkidle")
    for picture in page.locator("img").all():
        picture.scroll_into_view_if_needed()  # those lower down come when they are looked at
    page.wait_for_load_state("networkidle")
    refused = [answer.url for answer in answers if answer.status >= 400 or not answer.url.startswith(site)]
    if refused:
        raise SystemExit(f"{name}: {refused}")
    weights = [len(answer.body()) / 1_000 for answer in answers]
    context.close()
    note = f"{len(weights)} requests, the page itself {weights[0]:.0f} kB"
    return {"name": f"weight, {name}", "value": sum(weights), "unit": "kB", "budget": BUDGET, "note": note}


def _pages(url: str, scene: serving.Scene) -> dict[str, str]:
    """The address of each page weighed, once the database holds what it shows."""
    database = Database(url)
    with database.transaction(tenant=ALL_TENANTS) as session:
        beside = session.scalars(select(Step).where(Step.slug == scene.list_path.split("/")[3])).one()
        consultation = beside.consultation
        plain, drawn, pictured = (factories.make_step(session, consultation, kind="questionnaire") for _ in range(3))
        for kind in ("single", "multiple", "scale", "short_text", "long_text", "ranking"):
            factories.make_question(session, plain, kind, ["Toujours", "Souvent", "Parfois"])
        factories.make_question(session, drawn, "departement")
        places = factories.make_question(
            session, pictured, "picture_single", [f"Lieu {n}" for n in range(MOST_PICTURES)]
        )
        for option, picture in zip(places.options, recoded(_heavy_pictures()), strict=True):
            attach(option, picture, "Du bruit, ce qui pèse le plus")
        for _ in range(12):
            factories.make_total(session, plain, counts=(31, 24, 18, 12))
        base = f"/consultations/{consultation.slug}"
        found = {
            "home": "/",
            "consultation": base,
            "list of proposals": scene.list_path,
            "proposal": f"/contributions/{scene.proposals[0]}",
            "page of a questionnaire": f"{base}/{plain.slug}/repondre",
            "map of the départements": f"{base}/{drawn.slug}/repondre",
            f"{MOST_PICTURES} pictures as heavy as can be": f"{base}/{pictured.slug}/repondre",
            "results of 12 questions": f"{base}/{plain.slug}/reponses",
        }
    database.dispose()
    return found


def _heavy_pictures() -> list[bytes]:
    raws = []
    with tempfile.TemporaryDirectory() as folder:
        for rank in range(MOST_PICTURES):
            path = Path(folder) / f"{rank}.png"
            Image.effect_noise((600, 600), 120 + rank).save(path)
            raws.append(path.read_bytes())
    return raws
