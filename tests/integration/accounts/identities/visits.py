"""What a person's browser does, here and at the provider."""

from urllib.parse import urljoin

import requests

from tests.integration.accounts.visits import post

SITE = "http://127.0.0.1:8000"
CITIZEN, AGENT = "/connexion/avec/franceconnect", "/connexion/avec/proconnect"
NEW = {"pseudonym": "Nouvelle venue", "email": "neuve@exemple.fr", "terms": "y"}


def at_provider(address, subject, **told):
    """What the person's browser does at the provider: the address that it is sent back to."""
    headers = {"x-subject": subject} | {f"x-{name}": value for name, value in told.items()}
    with requests.Session() as visit:
        while not address.startswith(SITE):
            reply = visit.get(address, headers=headers, allow_redirects=False, timeout=10)
            assert reply.status_code in {302, 303}, reply.text
            address = urljoin(address, reply.headers["Location"])
    return address.removeprefix(SITE)


def identify(client, subject, path=CITIZEN, *, suite=None, **told):
    """Go to the provider and come back; the reply to coming back."""
    away = client.get(path, query_string={"suite": suite} if suite else {})
    assert away.status_code == 303
    return client.get(at_provider(away.location, subject, **told))


def proven(client, subject, path=CITIZEN, **told):
    reply = identify(client, subject, path, **told)
    assert (reply.status_code, reply.location) == (303, f"{path}/suite"), reply.text
    return client.get(reply.location)


def press(client, path, **data):
    return post(client, path, page=path.rpartition("/")[0] + "/suite", **data)


def signed_in(client):
    return client.get("/mon-compte").status_code == 200
