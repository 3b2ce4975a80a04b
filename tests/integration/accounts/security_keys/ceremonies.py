"""Ceremonies of security keys, as a browser and its key go through them."""

import html
import json
import re

from tests import factories as f
from tests.integration.accounts.visits import hidden, post

PAGE = "/gestion/second-facteur"
MEANS = "/gestion/seconds-facteurs"
KEYS = f"{PAGE}/cles"
ORIGIN = "http://localhost"


def asked(client, page) -> dict:
    """What the page asks of a key."""
    text = client.get(page).text
    return options_of(text) | {"signed": hidden(text, "challenge")}


def options_of(text: str) -> dict:
    return json.loads(html.unescape(re.search(r'data-options="([^"]*)"', text)[1]))


def enrol(client, key, *, page=PAGE, name="clé du bureau", origin=ORIGIN, **changes):
    options = asked(client, page)
    credential = key.create(options, origin=origin, **changes)
    return post(client, KEYS, page=page, name=name, credential=credential, challenge=options["signed"])


def prove(client, key, *, page=PAGE, origin=ORIGIN, suite="", **changes):
    options = asked(client, page)
    credential = key.get(options, origin=origin, **changes)
    return post(client, f"{KEYS}/preuve", page=page, credential=credential, challenge=options["signed"], suite=suite)


def again(app, account):
    """Another browser, whose person gave the password alone."""
    client = app.test_client()
    f.sign_in(client, account, second_factor=False)
    return client
