"""A real provider, the settings that name it, somebody of each kind."""

import dataclasses
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from joserfc.jwk import ECKey, RSAKey

from consult.accounts.identities import keys
from consult.actor import Role
from consult.settings import Settings
from tests import factories as f
from tests.conftest import missing
from tests.integration.accounts.identities.visits import AGENT, CITIZEN, SITE

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="session")
def own_keys(tmp_path_factory) -> str:
    """The files of the keys of the platform, as the setting names them."""
    made = (RSAKey.generate_key(2048), ECKey.generate_key("P-256"))
    files = [tmp_path_factory.mktemp("keys") / f"{key.key_type}.pem" for key in made]
    for file, key in zip(files, made, strict=True):
        file.write_bytes(key.as_pem(private=True))
    return ", ".join(map(str, files))


@pytest.fixture(scope="session")
def issuer(own_keys):
    """The address of a real provider, started once."""
    node = shutil.which("node")
    if node is None or not (ROOT / "node_modules" / "oidc-provider").exists():
        missing("no Node or no oidc-provider: run « npm ci »")
    backs = [f"{SITE}{path}/retour" for path in (CITIZEN, AGENT, f"/o/ailleurs{CITIZEN}")]
    command = [
        node,
        "tests/oidc_provider.mjs",
        json.dumps(backs),
        json.dumps(keys.load(own_keys).as_dict(private=False)),
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture
def settings(settings, issuer, own_keys) -> Settings:
    return dataclasses.replace(
        settings,
        franceconnect_issuer=issuer,
        franceconnect_client_id="es256-jwt",
        franceconnect_client_secret="secret-es256-jwt",
        proconnect_issuer=issuer,
        proconnect_client_id="rs256-json",
        proconnect_client_secret="secret-rs256-json",
        proconnect_pkce=True,
        identity_key_files=own_keys,
        proconnect_second_factor_acr="eidas2 eidas3",
    )


@pytest.fixture
def agent(make, organisation):
    return make(f.make_account, organisation, Role.ORGANISER, email="agent@exemple.fr", password_for_staff=True)


@pytest.fixture
def account(make, organisation):
    return make(f.make_account, organisation, email="zephyr@exemple.fr")
