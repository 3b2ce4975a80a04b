"""Answers of a provider that are forged, and a provider that is away."""

import base64
import dataclasses
import datetime as dt
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

from tests.integration.accounts.identities.visits import (
    CITIZEN,
)

pytestmark = pytest.mark.slow  # each makes keys of its own


class Forger:
    """A provider of ours that answers whatever a test wants, signed or not as it wants."""

    def __init__(self):
        self.key = ECKey.generate_key("P-256", {"kid": "k1", "alg": "ES256", "use": "sig"})
        self.other = ECKey.generate_key("P-256", {"kid": "k1", "alg": "ES256", "use": "sig"})
        self.header, self.signer, self.status = {"alg": "ES256", "kid": "k1"}, self.key, 200
        self.claims, self.told = {}, {}
        forger = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.reply(forger.answer(self.path))

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.reply({"access_token": "a", "token_type": "Bearer", "id_token": forger.id_token()})

            def reply(self, told):
                body = json.dumps(told).encode()
                self.send_response(forger.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path):
        if path == "/me":
            return {"sub": "citizen", "given_name": "Zoé"} | self.told
        if path == "/jwks":
            return KeySet([self.key]).as_dict(private=False)
        ends = {"authorization": "auth", "token": "token", "userinfo": "me"}
        return {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/jwks"} | {
            f"{name}_endpoint": f"{self.issuer}/{end}" for name, end in ends.items()
        }

    def id_token(self):
        if self.header["alg"] == "none":
            raw = [json.dumps(part).encode() for part in (self.header, self.claims)]
            return ".".join(oidc_base64(part) for part in raw) + "."
        return jwt.encode(self.header, self.claims, self.signer, algorithms=["ES256", "HS256"])


def oidc_base64(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.fixture
def forger():
    forger = Forger()
    yield forger
    forger.server.shutdown()
    forger.server.server_close()


def forged(app, forger, **changes):
    """Come back from the forger with a good answer but for these changes of its claims; None leaves one out."""
    app.extensions["settings"] = dataclasses.replace(app.extensions["settings"], franceconnect_issuer=forger.issuer)
    client = app.test_client()
    asked = parse_qs(urlsplit(client.get(CITIZEN).location).query)
    now = int(dt.datetime.now(dt.UTC).timestamp())
    good = {"iss": forger.issuer, "aud": "es256-jwt", "sub": "citizen", "nonce": asked["nonce"][0], "acr": "eidas1"}
    claims = good | {"iat": now, "exp": now + 60} | changes
    forger.claims = {name: value for name, value in claims.items() if value is not None}
    return client.get(f"{CITIZEN}/retour", query_string={"state": asked["state"][0], "code": "c"})


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_answer_that_proves_nothing_is_refused(app, organisation, forger):
    assert forged(app, forger).location == f"{CITIZEN}/suite", "the forger's own answer, unforged, is taken"
    for changes in (
        {"iss": "https://ailleurs.example"}, {"aud": "another"}, {"aud": ["es256-jwt", "another"], "azp": "another"},
        {"nonce": "of another request"}, {"nonce": None}, {"exp": 1}, {"exp": None}, {"sub": None}, {"sub": ""},
        {"sub": 7}, {"iat": None}, {"sub": "somebody else"}, {"acr": "eidas0"}, {"acr": None}, {"at_hash": "zzz"},
    ):  # fmt: skip
        page = forged(app, forger, **changes)
        assert page.status_code == 403, changes
        assert "page de connexion" in page.text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("how", ["another key", "no signature", "the secret as key", "userinfo of somebody else"])
def test_a_signature_that_is_not_the_provider_s_is_refused(app, organisation, forger, how):
    if how == "another key":
        forger.signer = forger.other
    elif how == "no signature":
        forger.header = {"alg": "none"}
    elif how == "the secret as key":
        forger.header, forger.signer = {"alg": "HS256"}, OctKey.import_key("secret-es256-jwt" * 3)
    else:
        forger.told = {"sub": "somebody else"}
    assert forged(app, forger).status_code == 403


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_new_keys_of_the_provider_are_learnt(app, organisation, forger):
    assert forged(app, forger).status_code == 303
    forger.key = forger.signer = forger.other
    assert forged(app, forger).status_code == 303


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_provider_that_is_away_is_told_and_other_ways_in_stay(app, organisation, forger):
    forger.status = 500
    app.extensions["settings"] = dataclasses.replace(app.extensions["settings"], franceconnect_issuer=forger.issuer)
    page = app.test_client().get(CITIZEN)
    assert page.status_code == 503
    assert "FranceConnect ne répond pas" in page.text
    forger.server.shutdown()
    forger.server.server_close()
    assert app.test_client().get(CITIZEN).status_code == 503
    assert app.test_client().get("/connexion").status_code == 200
