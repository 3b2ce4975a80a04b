import pytest

from tests.integration.jobs.counting import effects


@pytest.fixture(autouse=True)
def _effects(database):
    effects.create(database.engine)
    yield
    effects.drop(database.engine)
