"""A site where security keys serve, and a person who has one."""

import dataclasses

import pytest

from consult.actor import Role
from tests import factories as f
from tests.authenticator import Authenticator
from tests.integration.accounts.security_keys.ceremonies import ORIGIN, enrol


@pytest.fixture
def settings(settings):
    """A site at a name that keys accept."""
    return dataclasses.replace(settings, public_url=ORIGIN)


@pytest.fixture
def newcomer(make, organisation):
    """Staff without any second factor."""
    return make(
        f.make_account, organisation, Role.MODERATOR, email="a@exemple.fr", totp_enrolled_at=None, totp_secret=None
    )


@pytest.fixture
def key(client, newcomer):
    """A key enrolled by `newcomer`, whose browser is `client`."""
    key = Authenticator()
    f.sign_in(client, newcomer)
    assert enrol(client, key).status_code == 200
    return key
