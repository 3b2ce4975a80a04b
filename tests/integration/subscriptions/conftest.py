"""An organisation, and what the tests of other features build with."""

from tests.integration.accounts.conftest import mails, make, organisation, rows  # noqa: F401  # fixtures
