"""The town, and what the application binds."""

import pytest

from consult.app import PERSONAL_DATA
from consult.protocols import Bindings
from tests.integration.privacy.town import Town


@pytest.fixture
def bindings() -> Bindings:
    return Bindings(personal_data=PERSONAL_DATA)


@pytest.fixture
def town(session) -> Town:
    town = Town(session)
    town.live()
    return town
