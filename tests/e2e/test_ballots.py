"""Ballots in a browser: points counted as they are typed, a ranking made by keyboard, both without a script."""

import datetime as dt
import shutil

import pytest
from playwright.sync_api import expect

from consult.app import create_app
from consult.db import ALL_TENANTS, Database
from consult.settings import Settings
from tests import factories as f
from tests.e2e.live import serving, sign_in, watched_tab
from tests.e2e.site_map import Walker

pytestmark = [pytest.mark.browser, pytest.mark.slow]
IDEAS = ("Un bus toutes les dix minutes", "Des trottoirs plus larges devant l’école", "Des arceaux pour les vélos")
POINTS, RANKING = "/consultations/priorites/points", "/consultations/priorites/classement"


@pytest.fixture(scope="module")
def platform(tmp_path_factory, _sqlite_template):
    folder = tmp_path_factory.mktemp("ballots")
    shutil.copy(_sqlite_template, folder / "consult.db")
    database = Database(f"sqlite:///{folder}/consult.db")
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = f.make_organisation(session)
        now = dt.datetime.now(dt.UTC)
        whole = f.make_consultation(session, organisation, now=now, slug="priorites", title="Nos priorités")
        for slug, title, settings in (
            ("points", "Vos points", {"vote": "points", "points": 10, "points_most": 6}),
            ("classement", "Votre classement", {"vote": "ranking", "ranked": 2}),
        ):
            step = f.make_step(session, whole, slug=slug, title=title, settings=settings)
            for idea in IDEAS:
                f.make_proposal(session, step, title=idea, created_at=now)
        f.make_account(session, organisation, email="votante@exemple.fr")
    database.dispose()
    with serving(folder) as served:
        yield served


@pytest.fixture
def voter(browser, platform):
    """A function: a signed-in tab, with these options."""
    with watched_tab(browser, platform) as page:
        sign_in(page, "votante@exemple.fr", f.PASSWORD)
        yield page


def test_points_are_counted_as_they_are_typed_and_too_many_are_refused(voter, axe):
    voter.goto(POINTS)
    voter.get_by_role("link", name="Mon bulletin").click()
    voter.get_by_label(IDEAS[0]).fill("6")
    expect(voter.get_by_text("Il vous reste 4 points sur 10.")).to_be_visible()
    voter.get_by_label(IDEAS[1]).fill("5")
    expect(voter.get_by_text("1 point de trop")).to_be_visible()
    voter.get_by_label(IDEAS[1]).press("Enter")
    voter.get_by_role("alert").get_by_text("11 points sur 10").wait_for()
    expect(voter.get_by_label(IDEAS[1])).to_have_value("5")
    assert axe(voter) == {}
    voter.faults.clear()  # the browser says 422
    voter.get_by_label(IDEAS[1]).fill("4")
    voter.get_by_role("button", name="Enregistrer mon bulletin").click()
    expect(voter.get_by_text("Il vous reste 0 point sur 10.")).to_be_visible()
    voter.get_by_role("link", name=IDEAS[0]).click()
    voter.get_by_label("Vos points pour cette proposition").fill("2")
    voter.get_by_role("button", name="Enregistrer mes points").click()
    expect(voter.get_by_text("Il vous reste 4 points sur 10.")).to_be_visible()
    expect(voter.locator('[data-figure="points"]')).to_contain_text("2")
    assert axe(voter) == {}


def test_a_ranking_is_made_by_keyboard_and_the_focus_follows(voter, axe):
    voter.goto(f"{RANKING}/bulletin")
    for idea in IDEAS[:2]:
        voter.get_by_role("button", name=f"Ajouter à mon classement\u00a0: {idea}").press("Enter")
        expect(voter.get_by_role("button", name=f"Retirer\u00a0: {idea}")).to_be_visible()
    expect(voter.get_by_text("Votre classement est complet")).to_be_visible()
    up = voter.get_by_role("button", name=f"Monter\u00a0: {IDEAS[1]}")
    up.press("Enter")
    expect(voter.get_by_role("listitem").filter(has_text="1.")).to_contain_text(IDEAS[1])
    expect(voter.locator("#vote :focus")).to_have_count(1)
    assert axe(voter) == {}
    voter.get_by_role("button", name="Retirer mon bulletin").click()
    expect(voter.get_by_text("Vous n’avez encore classé aucune proposition")).to_be_visible()


def test_every_page_of_a_ballot_is_whole_on_a_narrow_screen(browser, platform):
    """AT-1.2: without a script, at 320 px."""
    routes = create_app(Settings(database_url="sqlite:///unused.db"))
    with watched_tab(browser, platform) as page:
        sign_in(page, "votante@exemple.fr", f.PASSWORD)
        for step in (POINTS, RANKING):
            page.goto(step)
            found = Walker(page, routes, times=1, within=step).follow(step)
            assert not found.faults, "\n".join(found.faults)
            assert "contributions.ballots.show" in {route.split()[0] for route in found.reached}
    with watched_tab(browser, platform, java_script_enabled=False) as page:
        sign_in(page, "votante@exemple.fr", f.PASSWORD)
        page.goto(f"{RANKING}/bulletin")
        page.get_by_role("button", name=f"Ajouter à mon classement\u00a0: {IDEAS[2]}").click()
        expect(page.get_by_text("1 proposition sur 2 au plus.")).to_be_visible()
        page.goto(f"{POINTS}/bulletin")
        page.get_by_label(IDEAS[2]).fill("1")
        page.get_by_role("button", name="Enregistrer mon bulletin").click()
        expect(page.get_by_label(IDEAS[2])).to_have_value("1")
