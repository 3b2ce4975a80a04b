"""What browser tests share: the accessibility audit of a page by axe-core."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

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
        run = (
            f"axe.configure({{locale: {locale}}}); axe.run({{resultTypes: ['violations']}})"
            ".then(found => JSON.stringify(found.violations.map(v => [v.id, v.nodes.map(n => n.target.join(' '))])))"
        )
        reply = session.send("Runtime.evaluate", {"expression": run, "awaitPromise": True, "returnByValue": True})
        session.detach()
        return dict(json.loads(reply["result"]["value"]))

    return audit
