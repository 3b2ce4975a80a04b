"""The town, and what the application binds."""

import argon2
import pytest

from consult.accounts.passwords import service as passwords
from consult.app import PERSONAL_DATA
from consult.protocols import Bindings
from tests.integration.privacy.town import Town


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch):
    """Argon2id still, with lighter parameters."""
    monkeypatch.setattr(passwords, "HASHER", argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))


@pytest.fixture
def bindings() -> Bindings:
    return Bindings(personal_data=PERSONAL_DATA)


@pytest.fixture
def town(session) -> Town:
    town = Town(session)
    town.live()
    return town
