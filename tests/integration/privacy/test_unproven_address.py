"""Whoever signs up with somebody else's address neither reads nor stops the mails to it."""

import pytest
from sqlalchemy import select

from consult.accounts.bindings import MailData
from consult.db import ALL_TENANTS
from consult.mail import service as mail
from consult.mail.models import OutgoingMail
from tests import factories

ADDRESS = "titulaire@exemple.fr"


@pytest.fixture
def organisation(session):
    found = factories.make_organisation(session)
    session.info["tenant"] = found.id
    mail.send(
        session,
        organisation_id=found.id,
        to=ADDRESS,
        template="accounts_reset",
        context={
            "organisation_name": found.name,
            "site_url": "https://exemple.fr",
            "pseudonym": "Titulaire",
            "link": "https://exemple.fr/mot-de-passe/jeton",
        },
        now=factories.NOW,
    )
    yield found
    session.info["tenant"] = ALL_TENANTS


def test_an_account_whose_address_is_not_confirmed_sees_and_erases_no_mail(session, organisation):
    impostor = factories.make_account(session, organisation, email=ADDRESS, confirmed_at=None)
    assert list(MailData().export(session, impostor.id)) == [], "the subject would tell whether the address is known"
    assert MailData().erase(session, impostor.id, factories.NOW) == 0
    assert session.scalars(select(OutgoingMail.recipient)).all() == [ADDRESS]


def test_who_confirmed_the_address_does(session, organisation):
    holder = factories.make_account(session, organisation, email=ADDRESS)
    assert [row["recipient"] for row in MailData().export(session, holder.id)] == [ADDRESS]
    assert MailData().erase(session, holder.id, factories.NOW) == 1
    assert session.scalars(select(OutgoingMail)).all() == []
