"""A page of answers saved, in a questionnaire of 60 questions on 10 pages: how many times a bare page."""

from __future__ import annotations

import http.client
import itertools
import re
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import serving
from sqlalchemy import select

from consult.consultations.models import Step
from consult.db import ALL_TENANTS, Database
from consult.questionnaires.models import Question
from tests import factories

SECONDS = {"small": 1.0, "full": 3.0}
ROUNDS = {"small": 5, "full": 9}
PAGES = 10
PEOPLE = 8  # one a thread
KINDS = ("single", "multiple", "scale", "short_text", "long_text", "departement")  # of each page
CLOSED, OPTIONS = {"single", "multiple"}, ["Toujours", "Souvent", "Parfois", "Jamais"]


def run(scale: str) -> list[dict]:
    """On both databases."""
    rows = []
    with tempfile.TemporaryDirectory() as folder, serving.databases(Path(folder)) as urls:
        for name, url in urls.items():
            scene = serving.seed(url, proposals=200, accounts_count=PEOPLE)
            form = Form(url, scene, _ask(url, scene))
            with (
                serving.served("consult.wsgi:app", url, Path(folder)) as ours,
                serving.served("bare:app", url, Path(folder)) as bare,
            ):
                rows += _saving(scale, ours, bare, form, name)
    return rows


def _saving(scale: str, ours: int, bare: int, form: Form, name: str) -> list[dict]:
    """How many times what a bare page takes, and what one bare row inserted and committed takes."""
    form.learn_tokens(ours)
    beside = {"page": (("GET", "/", None, {}), "<= 120"), "insert": (("POST", "/insert", "", {}), "<= 30")}
    where = f"{PAGES * len(KINDS)} questions, {PAGES} pages, {name}"
    rows = []
    for against, (request, budget) in beside.items():
        share, loads = serving.side_by_side(
            lambda: serving.load(ours, form.requests, threads=PEOPLE, seconds=SECONDS[scale]),
            lambda request=request: serving.load(
                bare, lambda _: itertools.repeat(request), threads=PEOPLE, seconds=SECONDS[scale]
            ),
            rounds=ROUNDS[scale],
        )
        rate = statistics.median(load.rate for load in loads)
        p95 = statistics.median(load.p95 for load in loads)
        rows.append({"name": f"page of answers saved ({where})", "value": 1 / share, "unit": f"× bare {against}",
                     "budget": budget, "note": f"{rate:.0f} pages/s here, p95 {p95:.0f} ms"})  # fmt: skip
    return rows


class Form:
    """What each person sends: one page after the other, again and again."""

    def __init__(self, url: str, scene: serving.Scene, path: str) -> None:
        self.path, self.cookies = path, [{"Cookie": f"consult_session={token}"} for token in scene.tokens]
        self.csrf: list[str] = []
        self.bodies: list[dict[str, str]] = []
        database = Database(url)
        with database.transaction(tenant=ALL_TENANTS, write=False) as session:
            step = session.scalars(select(Step).where(Step.slug == path.split("/")[3])).one()
            asked = session.scalars(select(Question).where(Question.step_id == step.id)).unique().all()
            for page in range(1, PAGES + 1):
                said = {f"q-{each.id}": _answer(each) for each in asked if each.page == page}
                self.bodies.append({"page": str(page), "action": "next", **said})
        database.dispose()

    def learn_tokens(self, port: int) -> None:
        """Read each person's form token from the form, as a browser does."""
        for cookie in self.cookies:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", self.path, headers=cookie)
            page = connection.getresponse().read().decode()
            self.csrf.append(re.search(r'name="csrf_token" value="([0-9a-f]+)"', page)[1])
            connection.close()

    def requests(self, person: int) -> Iterator[serving.Request]:
        """Endless pages of one person, each saved by « Enregistrer et continuer », but for the last."""
        headers = self.cookies[person] | {"Content-Type": "application/x-www-form-urlencoded"}
        for body in itertools.cycle(self.bodies[:-1]):
            yield "POST", self.path, urlencode({"csrf_token": self.csrf[person], **body}), headers


def _answer(question: Question) -> str:
    if question.options:
        return str(question.options[1].id)
    return {"scale": "7", "departement": "29"}.get(question.kind, "Un train le soir, vraiment. " * 5)


def _ask(url: str, scene: serving.Scene) -> str:
    """A step of those questions beside the list of proposals; the address of its form."""
    database = Database(url)
    with database.transaction(tenant=ALL_TENANTS) as session:
        beside = session.scalars(select(Step).where(Step.slug == scene.list_path.split("/")[3])).one()
        step = factories.make_step(session, beside.consultation, kind="questionnaire")
        for page in range(1, PAGES + 1):
            for kind in KINDS:
                factories.make_question(session, step, kind, OPTIONS if kind in CLOSED else (), page=page)
        path = f"/consultations/{beside.consultation.slug}/{step.slug}/repondre"
    database.dispose()
    return path
