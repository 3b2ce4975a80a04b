import pytest

from tests.integration.followup.world import World


@pytest.fixture
def world(session) -> World:
    return World(session)
