"""What a real browser tells a Matomo: the page and nothing of the person; nothing at all where it is refused or off."""

import threading
from dataclasses import asdict

import pytest
from werkzeug.serving import make_server

from consult.app import create_app
from consult.audience import policy
from consult.db import ALL_TENANTS
from consult.settings import Settings
from tests import factories as f
from tests.integration.audience.matomo_server import serving
from tests.servers import wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),  # no query differs
]
TOLD = {"idsite", "rec", "apiv", "send_image", "url", "action_name", "rand"}


@pytest.fixture
def site(settings, database):
    """Serves an application of these settings: the address, what Matomo was told, a page with an identifier."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = f.make_organisation(session, slug="ville")
        proposal = f.make_proposal(session, f.make_step(session, f.make_consultation(session, organisation)))
        path = f"/contributions/{proposal.id}"
    stop = []

    def serve(matomo, **values):
        on = {"audience": "matomo", "matomo_url": matomo.address, "matomo_sites": "ville=3"}
        app = create_app(Settings(**{**asdict(settings), **on, **values}))
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        stop.append((server, thread, app))
        return f"http://127.0.0.1:{server.server_port}"

    serve.path = path
    yield serve
    for server, thread, app in stop:
        server.shutdown()
        server.server_close()
        thread.join()
        app.extensions["database"].dispose()


def test_AT_22_1_and_AT_22_3_a_browser_tells_the_page_and_keeps_nothing(browser, site):
    with serving() as matomo:
        address = site(matomo)
        context = browser.new_context()
        page, refused = context.new_page(), []
        page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
        page.goto(f"{address}{site.path}?q=mot-secret&jeton=secret#ancre", referer="https://exemple.fr/page?q=secret")
        wait_until(lambda: matomo.told, what="a visit is told")
        page.get_by_role("link", name="Mentions légales").click()
        wait_until(lambda: len(matomo.told) == 2, what="the second page is told")
        (first, headers), (second, _) = matomo.told
        assert first["url"] == f"{address}/contributions/*"
        assert first["urlref"] == "https://exemple.fr/"
        assert set(second) == TOLD
        assert set(first) == TOLD | {"urlref"}
        assert (first["idsite"], second["action_name"]) == ("3", "/mentions-legales")
        assert not {"Cookie", "Referer"} & set(headers)
        assert context.cookies() == []
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0
        assert refused == [], "the policy of the page lets it tell that server"
        context.close()


@pytest.mark.parametrize("refusal", ["cookie", "dnt", "gpc"])
def test_AT_22_1_nothing_is_told_of_who_refuses(browser, site, refusal):
    with serving() as matomo:
        address = site(matomo)
        context = browser.new_context()
        if refusal == "cookie":
            context.add_cookies([{"name": policy.OBJECTION, "value": "1", "url": address}])
        else:
            name, value = {"dnt": ("doNotTrack", "'1'"), "gpc": ("globalPrivacyControl", "true")}[refusal]
            context.add_init_script(f"Object.defineProperty(navigator, '{name}', {{ value: {value} }})")
        page = context.new_page()
        page.goto(address + site.path, wait_until="networkidle")
        assert matomo.told == []
        context.close()


@pytest.mark.parametrize("audience", ["counters", "off"])
def test_AT_22_4_nothing_leaves_for_another_machine_once_it_is_off(browser, site, audience):
    with serving() as matomo:
        address = site(matomo, audience=audience)
        context = browser.new_context()
        page, asked = context.new_page(), []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address + site.path, wait_until="networkidle")
        assert asked
        assert all(each.startswith(address) for each in asked)
        assert matomo.told == []
        context.close()
