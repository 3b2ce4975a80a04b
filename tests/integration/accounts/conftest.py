"""An organisation, its mails, its rows."""

import pytest
from sqlalchemy import select

from consult.db import ALL_TENANTS
from consult.mail.models import OutgoingMail
from tests import factories as f


@pytest.fixture
def organisation(database):
    """The organisation served at `/`, committed."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        return f.make_organisation(
            session, slug="agence", name="Agence des trajets", access_register_email="rssi@exemple.fr"
        )


@pytest.fixture
def make(database):
    """Call a factory in a transaction of its own; the row keeps its values afterwards."""

    def build(factory, *arguments, **values):
        with database.transaction(tenant=ALL_TENANTS) as session:
            session.expire_on_commit = False
            return factory(session, *arguments, **values)

    return build


@pytest.fixture
def mails(database):
    """The texts of the mails queued with that template."""

    queued = select(OutgoingMail).order_by(OutgoingMail.created_at)

    def of(template):
        with database.transaction(tenant=ALL_TENANTS, write=False) as session:
            rows = session.scalars(queued.where(OutgoingMail.template == template))
            return [(row.recipient, row.text) for row in rows]

    return of


@pytest.fixture
def rows(database):
    """The rows of a model, read afresh."""

    def of(model, *criteria):
        with database.transaction(tenant=ALL_TENANTS, write=False) as session:
            session.expire_on_commit = False
            return session.scalars(select(model).where(*criteria)).all()

    return of
