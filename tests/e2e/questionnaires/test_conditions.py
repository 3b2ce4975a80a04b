"""Questions appear and vanish with the answers, by the script or page after page without it; the same reply is kept."""

import pytest

from consult.questionnaires.models import Question
from tests.e2e.questionnaires.test_kinds import Platform as Kinds
from tests.factories import make_question

pytestmark = pytest.mark.browser


class Platform(Kinds):
    """Two pages: a choice on which two questions hang, then one that hangs on the second of these."""

    def __init__(self, app, url):
        super().__init__(app, url, cases=[])
        with self.writing() as session:
            step = session.get_one(type(self.step), self.step.id)
            self.car = make_question(session, step, "single", ["Oui", "Non"], wording="Une voiture ?", position=1)
            yes = str(self.car.options[0].id)
            only = {"all": [{"question": str(self.car.id), "is": "chosen", "value": yes}]}
            self.far = self._asked(session, step, 2, 1, only, "number", "Combien de kilomètres ?")
            many = {"any": [{"question": str(self.far.id), "is": "at_least", "value": "50"}]}
            self.why = self._asked(session, step, 3, 1, many, "short_text", "Pourquoi si loin ?")
            self.train = self._asked(session, step, 4, 2, many, "short_text", "Et le train ?")
            session.flush()
            session.expunge_all()

    @staticmethod
    def _asked(session, step, position, page, condition, kind, wording) -> Question:
        how = {"settings": {"condition": condition}, "required": True, "wording": wording}
        return make_question(session, step, kind, position=position, page=page, **how)

    def box(self, page, question):
        return page.locator(f'[data-question="{question.id}"]')

    def said(self):
        names = {each.id: name for name, each in vars(self).items() if isinstance(each, Question)}
        return {names[key]: rest[0] for key, rest in self.stored().items() if rest[0]}


@pytest.fixture
def platform(app, live_server):
    return Platform(app, live_server)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_script_shows_what_concerns_the_person(platform, browser, axe):
    with platform.tab(browser) as page:
        page.goto(f"{platform.path}/repondre")
        shown = lambda: [platform.box(page, each).is_visible() for each in (platform.far, platform.why)]  # noqa: E731
        assert shown() == [False, False]
        page.get_by_label("Oui").check()
        assert shown() == [True, False]
        page.locator(f'[name="q-{platform.far.id}"]').fill("1 000,5")
        assert shown() == [True, True]
        assert axe(page) == {}
        page.get_by_label("Non").check()
        assert shown() == [False, False]
        page.get_by_role("button", name="Enregistrer et continuer").click()
        page.get_by_text("Plus aucune question ne vous concerne").wait_for()
        page.get_by_role("button", name="Envoyer ma réponse").click()
        page.wait_for_url(lambda url: "/repondre" not in url)
    assert platform.said() == {}, "what was typed to a question that vanished is not kept"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_without_the_script_the_condition_is_told_and_the_server_judges(platform, browser):
    with platform.tab(browser, script=False) as page:
        page.goto(f"{platform.path}/repondre")
        assert "Si vous avez choisi" in platform.box(page, platform.far).inner_text()
        page.get_by_label("Oui").check()
        page.get_by_role("button", name="Enregistrer et continuer").click()
        page.get_by_text("Écrivez un nombre").first.wait_for()
        page.locator(f'[name="q-{platform.far.id}"]').fill("49,9")
        page.locator(f'[name="q-{platform.why.id}"]').fill("en trop")
        page.get_by_role("button", name="Enregistrer et continuer").click()
        page.get_by_text("Plus aucune question ne vous concerne").wait_for()
        page.get_by_role("button", name="Page précédente").click()
        page.locator(f'[name="q-{platform.far.id}"]').fill("50")
        page.get_by_role("button", name="Enregistrer et continuer").click()
        page.locator(f'[name="q-{platform.train.id}"]').fill("oui")
        page.get_by_role("button", name="Envoyer ma réponse").click()
        page.wait_for_url(lambda url: "/repondre" not in url)
    assert platform.said() == {"far": "50", "why": "en trop", "train": "oui"}
