"""Tokens that a provider encrypts for us, as FranceConnect+ does: a real provider, then what is forged."""

import base64
import dataclasses
import json

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey, KeySet, RSAKey

from consult.accounts.identities import keys
from consult.settings import UnsafeSettingsError
from tests.integration.accounts.identities.test_forged import Forger, forged, forger  # noqa: F401  # a fixture
from tests.integration.accounts.identities.visits import CITIZEN, NEW, identify, press, proven
from tests.integration.accounts.visits import post

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def encrypted_by(app, alg):
    """Have FranceConnect be the client of the real provider that asks for that encryption."""
    named = {"franceconnect_client_id": f"es256-{alg}", "franceconnect_client_secret": f"secret-es256-{alg}"}
    app.extensions["settings"] = dataclasses.replace(app.extensions["settings"], **named)


@pytest.mark.parametrize("alg", ["RSA-OAEP", "RSA-OAEP-256", "ECDH-ES"])
def test_a_citizen_signs_up_by_tokens_that_a_real_provider_encrypts(app, client, organisation, alg):
    """The identity and the information of the person are both encrypted; leaving gives the provider its own token."""
    encrypted_by(app, alg)
    assert "n’ouvre encore aucun compte" in proven(client, "citizen-plus", acr="eidas2").text
    assert press(client, f"{CITIZEN}/compte", **NEW).status_code == 303
    assert post(client, "/deconnexion", page="/mon-compte").location == f"{CITIZEN}/fin"
    leaving = client.get(f"{CITIZEN}/sortie").location
    hint = leaving.partition("id_token_hint=")[2].partition("&")[0]
    assert hint.count(".") == 2, "signed, no longer encrypted"
    assert "n’ouvre encore aucun compte" not in proven(client, "citizen-plus").text


def test_without_a_key_an_encrypted_token_proves_nothing(app, client, organisation, caplog):
    encrypted_by(app, "RSA-OAEP")
    app.extensions["identity_keys"] = KeySet([])
    page = identify(client, "citizen-plus")
    assert page.status_code == 403
    assert "page de connexion" in page.text
    assert "CONSULT_IDENTITY_KEY_FILES" in caplog.text
    assert client.get(f"{CITIZEN}/cles").status_code == 404


def test_the_public_keys_are_given_to_the_provider_and_never_the_private_ones(client, organisation, own_keys):
    given = client.get(f"{CITIZEN}/cles").get_json()["keys"]
    assert [(key["kty"], key["use"]) for key in given] == [("RSA", "enc"), ("EC", "enc")]
    assert not {"d", "p", "q", "dp", "dq", "qi"} & {name for key in given for name in key}
    assert {key["kid"] for key in given} == {key.kid for key in keys.load(own_keys).keys}
    assert client.get("/connexion/avec/autre/cles").status_code == 404


class Encrypting(Forger):
    """Encrypts what it forges; `inside` replaces the signed token."""

    def __init__(self, own_keys):
        super().__init__()
        self.to, self.alg, self.more, self.inside = keys.load(own_keys).keys[0], "RSA-OAEP-256", {}, None

    def id_token(self):
        signed = (self.inside or super().id_token()).encode()
        header = {"alg": self.alg, "enc": "A256GCM", "kid": self.to.kid, "cty": "JWT"} | self.more
        return jwe.encrypt_compact(header, signed, self.to, algorithms=[*keys.ALGORITHMS, "ECDH-ES+A256KW", "DEF"])


@pytest.fixture
def encrypting(own_keys):
    encrypting = Encrypting(own_keys)
    yield encrypting
    encrypting.server.shutdown()
    encrypting.server.server_close()


def test_encryption_vouches_for_nobody(app, organisation, encrypting):
    assert forged(app, encrypting).status_code == 303, "signed by the provider, encrypted for us: taken"
    encrypting.signer = encrypting.other
    assert forged(app, encrypting).status_code == 403, "signed by another key"
    encrypting.signer, encrypting.header = encrypting.key, {"alg": "none"}
    assert forged(app, encrypting).status_code == 403, "not signed"
    encrypting.header = {"alg": "ES256", "kid": "k1"}
    for inside in ("{}", "é", "a.b.c", json.dumps({"sub": "citizen"})):
        encrypting.inside = inside
        assert forged(app, encrypting).status_code == 403, inside


def test_only_the_algorithms_listed_open_a_token(app, organisation, encrypting, own_keys):
    rsa, elliptic = keys.load(own_keys).keys
    encrypting.alg, encrypting.to = "ECDH-ES+A256KW", elliptic
    assert forged(app, encrypting).status_code == 403
    encrypting.alg, encrypting.to, encrypting.more = "RSA-OAEP-256", rsa, {"zip": "DEF"}
    assert forged(app, encrypting).status_code == 403, "a small token could hold gigabytes"
    encrypting.more, encrypting.to = {}, RSAKey.generate_key(2048, {"use": "enc", "kid": "k2"})
    assert forged(app, encrypting).status_code == 403, "encrypted for somebody else"
    encrypting.inside = ".".join(base64.urlsafe_b64encode(b"x").decode() for _ in range(5))
    assert forged(app, encrypting).status_code == 403


def test_a_file_that_holds_no_key_of_ours_is_told_at_the_start(database, tmp_path):
    public = RSAKey.generate_key(2048).as_pem(private=False)
    for name, content in {"vide": b"", "publique": public, "p384": ECKey.generate_key("P-384").as_pem()}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UnsafeSettingsError, match=name):
            keys.load(str(tmp_path / name))
    with pytest.raises(UnsafeSettingsError, match="ne se lit pas"):
        keys.load(str(tmp_path / "absente"))
    assert keys.load("").keys == []
