"""Legal notice and addresses of an organisation."""

import datetime as dt

import pytest

from consult.organisations import policy
from consult.organisations.models import Organisation
from consult.settings import Settings


def test_the_gaps_of_the_legal_notice_are_named_until_filled():
    """AT-17.1."""
    organisation = Organisation(slug="a", name="A", created_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    for name in policy.LEGAL_NOTICE:
        setattr(organisation, name, "")
    assert policy.legal_notice_gaps(organisation) == list(policy.LEGAL_NOTICE.values())
    organisation.phone = "   "
    assert policy.LEGAL_NOTICE["phone"] in policy.legal_notice_gaps(organisation)
    for name in policy.LEGAL_NOTICE:
        setattr(organisation, name, "rempli")
    assert policy.legal_notice_gaps(organisation) == []


@pytest.mark.parametrize(
    ("hosts", "at_root", "address"),
    [
        ("", True, "https://consultation.example"),
        ("", False, "https://consultation.example/o/agence"),
        ("participer.example=agence,autre.example=autre", False, "https://participer.example"),
    ],
)
def test_addresses_in_mails_come_from_the_settings_never_from_the_request(hosts, at_root, address):
    settings = Settings(public_url="https://consultation.example/", hosts=hosts)
    assert policy.site_url(settings, "agence", at_root=at_root) == address
