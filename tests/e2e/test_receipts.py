"""A vote, its receipt, and the proof of it, in a real browser: without JavaScript on a small screen, then with both."""

import datetime as dt
import re
import subprocess
import sys
import threading

import pytest
from playwright.sync_api import expect

from consult.db import ALL_TENANTS
from consult.registry import verifier
from consult.registry.publishing import Stores
from consult.registry.sequencer import Sequencer
from consult.registry.store import Store
from tests import factories as f
from tests.registers import SEED, features

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]


@pytest.fixture
def voter(app, database):
    """Somebody who may vote on a proposal: the cookie of their session, and the address of the proposal."""
    now = dt.datetime.now(dt.UTC)
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        organisation = f.make_organisation(session, slug="agence")
        consultation = f.make_consultation(session, organisation, now=now)
        step = f.make_step(session, consultation)
        author, person = (f.make_account(session, organisation) for _ in range(2))
        proposal = f.make_proposal(session, step, author, created_at=now, title="Des trains la nuit")
    token = f.sign_in(app.test_client(), person)
    return token, f"/contributions/{proposal.id}"


@pytest.fixture
def sequencing(app, database, settings):
    """A function that starts the sequencer, in a thread, until the end of the test."""
    stop, threads = threading.Event(), []
    stores = Stores(Store(settings.registry_path), Store(settings.registry_second_path))

    def start():
        working = Sequencer(database, stores, SEED, host="consultations.example", features=features())
        threads.append(threading.Thread(target=working.run_forever, args=[stop]))
        threads[0].start()

    yield start
    stop.set()
    for thread in threads:
        thread.join(20)


def test_a_voter_takes_a_receipt_without_javascript_and_has_it_judged(
    browser, live_server, voter, sequencing, settings, tmp_path
):
    """AT-20.3, from the vote to the verdict."""
    token, address = voter
    context = browser.new_context(
        base_url=live_server, locale="fr-FR", java_script_enabled=False, viewport={"width": 360, "height": 800}
    )
    context.add_cookies([{"name": "consult_session", "value": token, "url": live_server}])
    page = context.new_page()
    page.goto(address)
    page.get_by_role("button", name="Mitigé").click()
    page.get_by_role("link", name="Récépissés de mes actes").click()
    page.get_by_role("link", name="Vote, sur « Des trains la nuit »").click()
    expect(page.get_by_text("dans la seconde")).to_be_visible()
    sequencing()
    expect(page.get_by_role("link", name="Télécharger le récépissé")).to_be_visible(timeout=25_000)  # by itself
    expect(page.get_by_role("cell", name="Mitigé")).to_be_visible()
    command = page.locator("pre").inner_text()
    with page.expect_download() as taken:
        page.get_by_role("link", name="Télécharger le récépissé").click()
    receipt = tmp_path / taken.value.suggested_filename
    taken.value.save_as(receipt)
    page.get_by_role("link", name="vérifiez-le ici").click()
    page.get_by_label("Fichier du récépissé").set_input_files(receipt)
    page.get_by_role("button", name="Vérifier").click()
    expect(page.get_by_text("Récépissé valable")).to_be_visible()
    # The command that the page gave, as it is, offline.
    key = re.search(r"--key '(.+)'", command)[1]
    assert receipt.name in command
    program = [sys.executable, "-I", verifier.__file__, receipt, "--key", key]
    assert subprocess.run(program, capture_output=True, check=False, timeout=60).returncode == 0
    altered = tmp_path / "autre.tlog-proof"
    altered.write_bytes(receipt.read_bytes().replace(b"index ", b"index 9"))
    page.get_by_label("Fichier du récépissé").set_input_files(altered)
    page.get_by_role("button", name="Vérifier").click()
    expect(page.get_by_text("Récépissé non valable")).to_be_visible()
    context.close()


def test_the_pages_of_receipts_are_accessible_and_fit(page, live_server, voter, sequencing, axe):
    """AT-2.1, at the three sizes."""
    token, address = voter
    page.context.add_cookies([{"name": "consult_session", "value": token, "url": live_server}])
    sequencing()
    page.goto(address)
    with page.expect_response(lambda reply: reply.url.endswith("/vote")):
        page.get_by_role("button", name="Mitigé").click()
    page.goto("/recepisse")
    page.get_by_role("link", name="Vote, sur").click()
    page.get_by_role("link", name="Télécharger le récépissé").wait_for(timeout=25_000)
    shown = [page.url, "/recepisse", "/recepisse/verifier", "/registry/"]
    for width in (320, 768, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        for each in shown:
            page.goto(each)
            assert axe(page) == {}, each
            assert page.evaluate("document.documentElement.scrollWidth") <= width, each
    assert page.faults == []
