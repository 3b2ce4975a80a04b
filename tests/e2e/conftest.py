"""What browser tests share: the accessibility audit of a page by axe-core, the demonstration served for real."""

import contextlib
import datetime as dt
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from consult import app
from consult.actor import Role
from consult.db import Database
from consult.demo.load import analyse, load
from consult.settings import Settings
from tests.e2e.live import Platform, serving, sign_in_as, watched_tab

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core"


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], dict[str, list[str]]]:
    """A function that audits the open page and gives its violations, rule → faulty elements; {} when there is none."""
    if not AXE.is_dir():
        pytest.fail("no axe-core: run `npm ci`", pytrace=False)
    source = (AXE / "axe.min.js").read_text(encoding="utf-8")
    locale = (AXE / "locales" / "fr.json").read_text(encoding="utf-8")

    def audit(page: Page) -> dict[str, list[str]]:
        session = page.context.new_cdp_session(page)  # the page's own policy refuses foreign scripts
        session.send("Runtime.evaluate", {"expression": source})
        # Colours that another scheme has just changed are between two for one frame, reduced motion or not.
        run = (
            f"axe.configure({{locale: {locale}}});"
            "Promise.all(document.getAnimations().filter(each => isFinite(each.effect.getComputedTiming().endTime))"
            ".map(each => each.finished.catch(() => null)))"
            ".then(() => axe.run({resultTypes: ['violations']}))"
            ".then(found => JSON.stringify(found.violations.map(v => [v.id, v.nodes.map(n => n.target.join(' '))])))"
        )
        reply = session.send("Runtime.evaluate", {"expression": run, "awaitPromise": True, "returnByValue": True})
        session.detach()
        return dict(json.loads(reply["result"]["value"]))

    return audit


@pytest.fixture(scope="session")
def _demonstration(_sqlite_template, tmp_path_factory) -> Path:
    """A folder with the demonstration: its SQLite file, and the files of its published analysis.

    Made once for all the processes of a run: it takes half a minute of processor.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demonstration"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            _make_demonstration(folder, _sqlite_template)
            (folder / "made").touch()
    return folder


def _make_demonstration(folder: Path, template: Path) -> None:
    shutil.copy(template, folder / "consult.db")
    settings = Settings(database_url=f"sqlite:///{folder}/consult.db", data_dir=str(folder / "data"))
    database, bindings, now = Database(settings.database_url), app.bindings(settings), dt.datetime.now(dt.UTC)
    assert load(database, bindings, settings, now=now)
    assert analyse(database, bindings, now=now)
    database.dispose()


@pytest.fixture(scope="module")
def platform(_demonstration, tmp_path_factory) -> Iterator[Platform]:
    """The demonstration served by gunicorn and a worker, on a copy that the tests of one module share."""
    folder = tmp_path_factory.mktemp("platform") / "copy"
    shutil.copytree(_demonstration, folder)
    settings = {"CONSULT_RATE_LIMITS": "0", "CONSULT_ALTCHA_MAX_NUMBER": "5000"}
    with serving(folder, **settings) as platform:
        yield platform


@pytest.fixture
def tab(browser, platform) -> Iterator[Callable[..., Page]]:
    """Opens tabs on `platform`, each of another visitor; see `watched_tab`."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(watched_tab(browser, platform, **options))


@pytest.fixture(scope="module")
def _signed_in() -> dict[Role, dict]:
    """The cookies of each role: a one-time code serves once."""
    return {}


@pytest.fixture
def tab_of(tab, _signed_in) -> Callable[..., Page]:
    """Opens a tab of the demonstration's visitor who holds a role."""

    def opened(role: Role, **options) -> Page:
        page = tab(storage_state=_signed_in.get(role), **options)
        if role not in _signed_in:
            sign_in_as(page, role)
            _signed_in[role] = page.context.storage_state()
        return page

    return opened
