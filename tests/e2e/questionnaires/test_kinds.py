"""Every kind of question with every sort of value, in a real Chromium with and without JavaScript.

What was entered is compared with the database, the pages, the API and the open data.
"""

import contextlib
import datetime as dt
import json
import urllib.request
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from consult.accounts import policy as accounts
from consult.accounts import service
from consult.consultations.models import ContentStatus
from consult.db import ALL_TENANTS
from consult.organisations.models import Organisation
from consult.questionnaires import kinds
from consult.questionnaires.bindings import AnswersDataset
from consult.questionnaires.models import Answer, OptionKind, Reply
from tests.factories import (
    make_account,
    make_consultation,
    make_organisation,
    make_picture,
    make_question,
    make_step,
)

pytestmark = pytest.mark.browser
ROWS = [("Le train", "row"), ("Le vélo", "row")]
MENTIONS = ["Bien", "Moyen", "Mal"]


@dataclass
class Case:
    """A question, and ways to answer it: what each part is given, what is kept, what is shown."""

    kind: str
    options: list = field(default_factory=list)
    settings: dict = field(default_factory=dict)
    ways: list = field(default_factory=list)  # (entered by part, text, option keys by label, other, shown)


CASES = [
    Case("single", ["Train", ("Autre", "other")], {}, [
        ({"": "Train"}, None, ["Train"], None, ["Train"]),
        ({"": "Autre", "other": "À <b>pied</b>"}, None, ["Autre"], "À <b>pied</b>", ["Autre\u00a0: À <b>pied</b>"]),
    ]),
    Case("multiple", ["Train", "Vélo", ("Aucun", "exclusive")], {"maximum": 2}, [
        ({"": ["Vélo", "Train"]}, None, ["Train", "Vélo"], None, ["Train", "Vélo"]),
        ({"": ["Aucun"]}, None, ["Aucun"], None, ["Aucun"]),
    ]),
    Case("dropdown", [f"Commune {n}" for n in range(1, 301)], {}, [
        ({"": "Commune 299"}, None, ["Commune 299"], None, ["Commune 299"]),
        ({"": "Commune 1"}, None, ["Commune 1"], None, ["Commune 1"]),
    ]),
    Case("picture_single", ["Tilleuls", "Marché", ("Autre", "other")], {}, [
        ({"": "Marché"}, None, ["Marché"], None, ["Marché"]),
        ({"": "Autre", "other": "Un lac"}, None, ["Autre"], "Un lac", ["Autre\u00a0: Un lac"]),
    ]),
    Case("picture_multiple", ["Banc", "Fontaine", "Kiosque"], {"maximum": 2}, [
        ({"": ["Kiosque", "Banc"]}, None, ["Banc", "Kiosque"], None, ["Banc", "Kiosque"]),
        ({"": ["Fontaine"]}, None, ["Fontaine"], None, ["Fontaine"]),
    ]),
    Case("short_text", [], {}, [
        ({"": "Où ? 👍🏽"}, "Où ? 👍🏽", [], None, ["Où ? 👍🏽"]),
        ({"": "=1+1"}, "=1+1", [], None, ["=1+1"]),
    ]),
    Case("long_text", [], {}, [
        ({"": "Un\n\ndeux"}, "Un\n\ndeux", [], None, ["Un", "deux"]),
        ({"": "&amp; {{ 7*7 }}"}, "&amp; {{ 7*7 }}", [], None, ["&amp; {{ 7*7 }}"]),
    ]),
    Case("ranking", ["A", "B", "C"], {}, [
        ({"A": "2", "B": "1", "C": "3"}, None, ["B:1", "A:2", "C:3"], None, ["1. B", "2. A", "3. C"]),
        ({"C": "1", "A": "", "B": ""}, None, ["C:1"], None, ["1. C"]),
    ]),
    Case("matrix", [*ROWS, "Souvent", "Jamais"], {}, [
        ({"Le train": "Jamais", "Le vélo": "Souvent"}, None, ["Le train:Jamais", "Le vélo:Souvent"], None,
         ["Le train\u00a0: Jamais", "Le vélo\u00a0: Souvent"]),
        ({"Le train": "", "Le vélo": "Jamais"}, None, ["Le vélo:Jamais"], None, ["Le vélo\u00a0: Jamais"]),
    ]),
    Case("matrix_multiple", [*ROWS, "Semaine", "Week-end"], {}, [
        ({"Le train": ["Semaine", "Week-end"], "Le vélo": []}, None, ["Le train:Semaine", "Le train:Week-end"], None,
         ["Le train\u00a0: Semaine, Week-end"]),
        ({"Le train": [], "Le vélo": ["Week-end"]}, None, ["Le vélo:Week-end"], None, ["Le vélo\u00a0: Week-end"]),
    ]),
    Case("judgement", [*ROWS, *MENTIONS], {}, [
        ({"Le train": "Bien", "Le vélo": "Mal"}, None, ["Le train:Bien", "Le vélo:Mal"], None,
         ["Le train\u00a0: Bien", "Le vélo\u00a0: Mal"]),
        ({"Le train": "Moyen", "Le vélo": "Moyen"}, None, ["Le train:Moyen", "Le vélo:Moyen"], None,
         ["Le train\u00a0: Moyen", "Le vélo\u00a0: Moyen"]),
    ]),
    Case("scale", [], {"low": "jamais", "high": "toujours"}, [
        ({"": "0"}, None, ["0"], None, ["0 sur une échelle de 0 à 10"]),
        ({"": "10"}, None, ["10"], None, ["10 sur une échelle de 0 à 10"]),
    ]),
    Case("satisfaction", ["Satisfait", "Mécontent"], {}, [
        ({"": "Satisfait"}, None, ["Satisfait"], None, ["Satisfait"]),
        ({"": "Mécontent"}, None, ["Mécontent"], None, ["Mécontent"]),
    ]),
    Case("number", [], {"unit": "km"}, [
        ({"": "1 234,50"}, "1234.5", [], None, ["1\u202f234,5\u00a0km"]),
        ({"": "-3"}, "-3", [], None, ["\u22123\u00a0km"]),
    ]),
    Case("date", [], {}, [
        ({"": "2026-07-14"}, "2026-07-14", [], None, ["14/07/2026"]),
        ({"": "1931-02-01"}, "1931-02-01", [], None, ["01/02/1931"]),
    ]),
    Case("departement", [], {}, [
        ({"": "2A"}, None, ["2A"], None, ["Corse-du-Sud (2A)"]),
        ({"": "", "postcode": "97411"}, None, ["974"], None, ["La Réunion (974)"]),
    ]),
    Case("quiz", ["1958", "1789"], {"right": "1958", "explanation": "La Constitution."}, [
        ({"": "1958"}, None, ["1958"], None, ["1958"]),
        ({"": "1789"}, None, ["1789"], None, ["1789"]),
    ]),
    Case("section", [], {}, []),
    Case("explanation", [], {}, []),
]  # fmt: skip


class Platform:
    """One questionnaire of all kinds, and an account."""

    def __init__(self, app, url, cases=CASES):
        self.app, self.url = app, url
        now = dt.datetime.now(dt.UTC)
        with self.writing() as session:
            organisation = make_organisation(session)
            consultation = make_consultation(session, organisation, now=now)
            self.step = step = make_step(session, consultation, kind="questionnaire")
            self.asked = [
                (case, make_question(session, step, case.kind, case.options, settings=case.settings, position=rank))
                for rank, case in enumerate(cases, 1)
            ]
            for each in (question for case, question in self.asked if kinds.every()[case.kind].pictured):
                for option in each.options:
                    if option.kind == OptionKind.NORMAL:
                        make_picture(session, option)
            self.keys = {
                question.id: {option.label: str(option.id) for option in question.options} for _, question in self.asked
            }
            self.consultation_id, self.organisation_id = consultation.id, organisation.id
            self.api = f"{url}/api/v1/consultations/{consultation.slug}/answers"
            self.path = f"/consultations/{consultation.slug}/{step.slug}"
            session.flush()
            session.expunge_all()

    def writing(self):
        return self.app.extensions["database"].transaction(tenant=ALL_TENANTS)

    @contextlib.contextmanager
    def tab(self, browser, *, script=True, width=1280, **options):
        """The tab of somebody signed in; script errors fail the test."""
        options |= {"java_script_enabled": script, "viewport": {"width": width, "height": 900}}
        context = browser.new_context(base_url=self.url, locale="fr-FR", **options)
        context.set_default_timeout(60_000)
        settings, now = self.app.extensions["settings"], dt.datetime.now(dt.UTC)
        with self.writing() as session:
            account = make_account(session, session.get_one(Organisation, self.organisation_id))
            life = accounts.session_life((), settings)
            token, _ = service.open_session(session, account, now=now, life=life, browser="Chromium")
        context.add_cookies([{"name": accounts.session_cookie(settings).name, "value": token, "url": self.url}])
        page, faults = context.new_page(), []
        page.on("pageerror", lambda error: faults.append(str(error)))
        yield page
        context.close()
        assert faults == []

    def key(self, question, told):
        """The key of an answer, from the labels that make it."""
        known = self.keys[question.id]
        return ":".join(known.get(part, part) for part in told.split(":"))

    def expected(self, way):
        return {
            question.id: (text, [self.key(question, told) for told in chosen], other)
            for case, question in self.asked
            if case.ways
            for _, text, chosen, other, _ in [case.ways[way]]
        }

    def stored(self):
        columns = (Answer.question_id, Answer.text, Answer.options, Answer.other)
        with self.writing() as session:
            return {key: rest for key, *rest in map(tuple, session.execute(select(*columns)))}

    def published(self):
        with self.app.extensions["database"].transaction(tenant=self.organisation_id, write=False) as session:
            return list(AnswersDataset().rows(session, self.consultation_id))

    def told_by_api(self):
        with urllib.request.urlopen(f"{self.api}?limit=100") as answer:
            return json.load(answer)["data"]

    def reply_id(self):
        with self.writing() as session:
            return session.scalars(select(Reply.id).where(Reply.status == ContentStatus.PUBLISHED)).one()

    def enter(self, page, question, entered, *, script):
        for part, value in entered.items():
            name = f"q-{question.id}" + (f"-{self.key(question, part)}" if part else "")
            fields = page.locator(f'[name="{name}"]')
            on_map = page.locator(f'[data-list="{name}"] [role=radio][data-code="{value}"]')
            kind = fields.first.get_attribute("type")
            if script and value and (question.kind, part) == ("departement", ""):
                on_map.click()
            elif fields.first.evaluate("one => one.tagName") == "SELECT":
                fields.select_option(self.key(question, value))
            elif kind == "radio":
                page.locator(f'[name="{name}"][value="{self.key(question, value)}"]').check()
            elif kind == "checkbox":
                for box in fields.all():
                    box.set_checked(box.get_attribute("value") in {self.key(question, each) for each in value})
            else:
                fields.fill(value)


@pytest.fixture
def platform(app, live_server):
    return Platform(app, live_server)


def test_every_kind_is_tried():
    assert {case.kind for case in CASES} == set(kinds.every())


@pytest.mark.parametrize(
    ("database", "script"),
    [
        pytest.param("sqlite", True, id="sqlite-javascript"),
        pytest.param("postgresql", False, id="postgresql-without"),
        pytest.param("sqlite", False, id="sqlite-without", marks=pytest.mark.audit),
        pytest.param("postgresql", True, id="postgresql-javascript", marks=pytest.mark.audit),
    ],
    indirect=["database"],
)
def test_each_answer_of_each_kind_comes_back_everywhere(platform, browser, script):
    with platform.tab(browser, script=script) as page:
        for way in (0, 1):
            page.goto(f"{platform.path}/repondre")
            for number in (1, 2):
                for case, question in platform.asked:
                    if case.ways and page.locator(f'[name^="q-{question.id}"]').count():
                        platform.enter(page, question, case.ways[way][0], script=script)
                if number == 1:
                    page.get_by_role("button", name="Enregistrer et continuer").click()
                    page.get_by_text("page 2 sur 2").first.wait_for()
            page.get_by_role("button", name="Envoyer ma réponse").click()
            page.wait_for_url(lambda url: "/repondre" not in url)
            expected = platform.expected(way)
            assert {key: tuple(rest) for key, rest in platform.stored().items()} == expected
            rows = {row["question"]: (row["text"], row["options"], row["other"]) for row in platform.published()}
            assert rows == {str(key): said for key, said in expected.items()}
            told = {row["question"]: (row["text"], row["options"], row["other"]) for row in platform.told_by_api()}
            assert told == rows
            page.goto(f"/reponses/{platform.reply_id()}")
            shown = page.locator("dl.answer-list").inner_text()
            for case, _ in platform.asked:
                for line in case.ways[way][4] if case.ways else []:
                    assert line in shown
            assert "Bonne réponse\u00a0: 1958. La Constitution." in shown


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("width", [320, 1280])
def test_the_form_of_every_kind_is_accessible_and_fits(platform, browser, axe, width):
    with platform.tab(browser, width=width) as page:
        for address in (f"{platform.path}/repondre", f"{platform.path}/repondre?page=2", platform.path):
            page.goto(address, wait_until="networkidle")
            wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
            assert (axe(page), wide) == ({}, False)
            lost = "[...document.images].filter(each => each.complete && !each.naturalWidth).map(each => each.src)"
            assert page.evaluate(lost) == []
