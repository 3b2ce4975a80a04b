"""What the tests of proposals share."""

import datetime as dt
from types import SimpleNamespace

import pytest

from consult.db import ALL_TENANTS
from tests import factories


@pytest.fixture
def world(app):
    """A site with an open step, themes, a published proposal, its author and someone else: ids and addresses."""
    now = dt.datetime.now(dt.UTC)
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(session)
        consultation = factories.make_consultation(session, organisation, now=now, slug="trajets")
        step = factories.make_step(session, consultation, slug="idees")
        theme = factories.make_theme(session, step, title="Le train")
        author, other = (factories.make_account(session, organisation) for _ in range(2))
        proposal = factories.make_proposal(
            session, step, author, theme_id=theme.id, created_at=now, title="Plus de trains la nuit"
        )
        session.flush()
        world = SimpleNamespace(
            organisation=organisation.id,
            step=step.id,
            consultation=consultation.id,
            theme=str(theme.id),
            proposal=proposal.id,
            author=author,
            other=other,
            list="/consultations/trajets/idees",
            write="/consultations/trajets/idees/proposer",
            page=f"/contributions/{proposal.id}",
            now=now,
        )
        session.commit()
        for account in (author, other):
            session.refresh(account)
        session.expunge_all()
    return world


@pytest.fixture
def database_of(app):
    """A function that opens a transaction on every organisation."""
    return lambda: app.extensions["database"].transaction(tenant=ALL_TENANTS)


@pytest.fixture
def person(app, world):
    """A function: a signed-in browser, with `.send(path, referrer=None, **typed)` that posts a form."""

    def signed_in(account):
        client = app.test_client()
        factories.sign_in(client, account)
        token = factories.csrf_token(client, world.write)
        client.send = lambda path, referrer=None, **typed: client.post(
            path, data=typed | {"csrf_token": token}, headers={"Referer": referrer} if referrer else {}
        )
        return client

    return signed_in
