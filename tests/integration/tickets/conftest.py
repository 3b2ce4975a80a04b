import pytest

from tests.integration.tickets.world import World


@pytest.fixture
def world(session) -> World:
    return World(session)
