"""Every kind of question, every sort of value, in a real Chromium with and without JavaScript.

What was typed is compared with the database, the pages and the open data, character by character.
"""

import contextlib
import datetime as dt

import pytest
from sqlalchemy import select

from consult.accounts import policy as accounts
from consult.accounts import service
from consult.consultations.models import ContentStatus
from consult.db import ALL_TENANTS
from consult.organisations.models import Organisation
from consult.questionnaires.bindings import AnswersDataset
from consult.questionnaires.models import Answer, OptionKind, Reply
from tests.factories import make_account, make_consultation, make_organisation, make_question, make_step

pytestmark = pytest.mark.browser
SHORT = {
    "accents": "Où ? Là-bas, naïf cœur d’été — « ça » œuvre",
    "emoji": "Oui 👍🏽 👩‍👩‍👧‍👦 🇫🇷",
    "markup": '<script>alert("1")</script><b>gras</b>',
    "formula": '=HYPERLINK("http://x";"y")+1&\'',
    "quotes": "\"guillemets\" & 'apostrophes' &amp; \\ % {{ 7*7 }}",
    "spaces": "deux\u00a0insécables\u202fet\u2009fine",
    "right to left": "مرحبا \u202etxet\u202c עברית",
}
LONG = {
    "lines": "Première ligne\n\n- un\n- deux\n\n    quatre espaces\n\ttabulation\nfin **gras** *italique* > citation",
    "long": "Un mot très utile, œuvre d’été. " * 2016 + "!" * 25,
    "only emoji": "🙂" * 500,
}
assert len(LONG["long"]) == 64_537


class Platform:
    """One page with each kind of question, and an account."""

    def __init__(self, app, url):
        self.app, self.url = app, url
        now = dt.datetime.now(dt.UTC)
        with self.writing() as session:
            organisation = make_organisation(session)
            step = make_step(session, make_consultation(session, organisation, now=now), kind="questionnaire")
            special = [("Train", OptionKind.NORMAL), ("Vélo", OptionKind.NORMAL), ("Autre", OptionKind.OTHER)]
            self.single = make_question(session, step, "single", special, wording="Un seul mode ?")
            self.multiple = make_question(
                session, step, "multiple", [*special, ("Aucun", OptionKind.EXCLUSIVE)], wording="Plusieurs modes ?"
            )
            self.short = make_question(session, step, "short_text", wording="En un mot ?")
            self.long = make_question(
                session, step, "long_text", wording="Et encore ?", settings={"max_length": 100_000}
            )
            self.options = {
                question.id: {option.label: str(option.id) for option in question.options}
                for question in (self.single, self.multiple)
            }
            self.consultation_id, self.organisation_id = step.consultation_id, organisation.id
            self.path = f"/consultations/{step.consultation.slug}/{step.slug}"
            session.flush()
            session.expunge_all()

    def writing(self):
        return self.app.extensions["database"].transaction(tenant=ALL_TENANTS)

    @contextlib.contextmanager
    def tab(self, browser, *, script=True, signed_in=True, width=1280):
        """A French visitor's tab; requests to elsewhere and script errors fail the test."""
        context = browser.new_context(
            base_url=self.url, locale="fr-FR", java_script_enabled=script, viewport={"width": width, "height": 900}
        )
        context.set_default_timeout(60_000)
        if signed_in:
            context.add_cookies([self._cookie()])
        page, faults = context.new_page(), []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: (faults.append("dialog"), dialog.dismiss()))
        local = (self.url, "data:")
        page.on("request", lambda sent: None if sent.url.startswith(local) else faults.append(sent.url))
        yield page
        context.close()
        assert faults == []

    def _cookie(self):
        settings, now = self.app.extensions["settings"], dt.datetime.now(dt.UTC)
        with self.writing() as session:
            account = make_account(session, session.get_one(Organisation, self.organisation_id))
            token, _ = service.open_session(
                session, account, now=now, life=accounts.session_life((), settings), browser="Chromium"
            )
        return {"name": accounts.session_cookie(settings).name, "value": token, "url": self.url}

    def stored(self):
        with self.writing() as session:
            return {
                question_id: (text, options, other)
                for question_id, text, options, other in session.execute(
                    select(Answer.question_id, Answer.text, Answer.options, Answer.other)
                )
            }

    def published(self):
        with self.app.extensions["database"].transaction(tenant=self.organisation_id, write=False) as session:
            return {
                row["question"]: (row["text"], row["options"], row["other"])
                for row in AnswersDataset().rows(session, self.consultation_id)
            }

    def reply_id(self):
        with self.writing() as session:
            return session.scalars(select(Reply.id).where(Reply.status == ContentStatus.PUBLISHED)).one()


@pytest.fixture
def platform(app, live_server):
    return Platform(app, live_server)


def _submit(page):
    page.get_by_role("button", name="Envoyer ma réponse").click()
    page.wait_for_url(lambda url: not url.endswith("/repondre"))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("script", [True, False], ids=["javascript", "without"])
def test_each_value_comes_back_as_it_was_typed(platform, browser, script):
    values = [*((short, LONG["lines"]) for short in SHORT.values()), *(("x", long) for long in LONG.values())]
    with platform.tab(browser, script=script) as page:
        for rank, (short, long) in enumerate(values):
            page.goto(f"{platform.path}/repondre")
            other = f"{short} {rank}"
            page.get_by_role("group", name="Plusieurs modes ?").get_by_label("Vélo").check()
            page.get_by_role("group", name="Plusieurs modes ?").get_by_label("Autre").check()
            page.locator(f'[name="q-{platform.multiple.id}-other"]').fill(other)
            page.get_by_role("radiogroup", name="Un seul mode ?").get_by_label("Train").check()
            page.locator(f'[name="q-{platform.short.id}"]').fill(short)
            page.locator(f'[name="q-{platform.long.id}"]').fill(long)
            _submit(page)
            modes = platform.options[platform.multiple.id]
            expected = {
                platform.single.id: (None, [platform.options[platform.single.id]["Train"]], None),
                platform.multiple.id: (None, [modes["Vélo"], modes["Autre"]], other),
                platform.short.id: (short, [], None),
                platform.long.id: (long, [], None),
            }
            assert platform.stored() == expected
            assert platform.published() == {str(key): value for key, value in expected.items()}
            page.goto(f"{platform.path}/repondre")
            assert page.locator(f'[name="q-{platform.short.id}"]').input_value() == short
            assert page.locator(f'[name="q-{platform.long.id}"]').input_value() == long
            assert page.locator(f'[name="q-{platform.multiple.id}-other"]').input_value() == other
            page.goto(f"/reponses/{platform.reply_id()}")
            shown = page.locator("dl.answer-list").inner_text()
            assert " ".join(short.split()) in " ".join(shown.split())


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_optional_choice_can_be_taken_back(platform, browser):
    with platform.tab(browser, script=False) as page:
        page.goto(f"{platform.path}/repondre")
        page.get_by_role("radiogroup", name="Un seul mode ?").get_by_label("Train").check()
        _submit(page)
        page.goto(f"{platform.path}/repondre")
        page.get_by_role("radiogroup", name="Un seul mode ?").get_by_label("Je ne réponds pas").check()
        page.locator(f'[name="q-{platform.short.id}"]').fill("oui")
        _submit(page)
    assert set(platform.stored()) == {platform.short.id}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_double_click_sends_once(platform, browser):
    with platform.tab(browser) as page:
        page.goto(f"{platform.path}/repondre")
        page.locator(f'[name="q-{platform.short.id}"]').fill("une fois")
        page.get_by_role("button", name="Envoyer ma réponse").dblclick()
        page.wait_for_url(lambda url: not url.endswith("/repondre"))
        with platform.writing() as session:
            assert len(session.scalars(select(Reply)).all()) == 1
            assert len(session.scalars(select(Answer)).all()) == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_form_is_answered_by_keyboard_alone(platform, browser):
    with platform.tab(browser) as page:
        page.goto(f"{platform.path}/repondre")
        page.locator(f'[name="q-{platform.single.id}"]').first.focus()
        page.keyboard.press("Space")
        page.keyboard.press("ArrowDown")
        page.locator(f'[name="q-{platform.short.id}"]').focus()
        page.keyboard.type("au clavier")
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: not url.endswith("/repondre"))
    stored = platform.stored()
    assert stored[platform.single.id][1] == [platform.options[platform.single.id]["Vélo"]]
    assert stored[platform.short.id][0] == "au clavier"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("width", [320, 768, 1280])
def test_every_page_is_accessible_and_fits(platform, browser, axe, width):
    with platform.tab(browser, width=width) as page:
        page.goto(f"{platform.path}/repondre")
        page.get_by_role("group", name="Plusieurs modes ?").get_by_label("Autre").check()
        page.get_by_role("button", name="Envoyer ma réponse").click()
        page.get_by_role("alert").first.wait_for()
        assert axe(page) == {}
        page.locator(f'[name="q-{platform.multiple.id}-other"]').fill("À pied")
        page.locator(f'[name="q-{platform.long.id}"]').fill("Un texte " + "sansespace" * 30)
        _submit(page)
        found = {}
        for path in (
            platform.path,
            f"{platform.path}/repondre",
            f"{platform.path}/reponses",
            f"/reponses/{platform.reply_id()}",
            "/mon-compte/reponses",
            f"/mon-compte/reponses/{platform.reply_id()}",
            f"/signaler/reply/{platform.reply_id()}",
            "/corbeille",
            "/moderation",
        ):
            page.goto(path)
            assert page.locator("h1").count() == 1
            wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
            found |= {f"{path} {rule}": where for rule, where in axe(page).items()}
            found |= {path: "too wide"} if wide else {}
        assert found == {}
