"""Who holds a cookie: expiry, revocation, tenants, roles; and the page where one sees one's sessions."""

import datetime as dt

import pytest
import time_machine

from consult.accounts import policy, service
from consult.accounts.models import AccountStatus, LoginSession, Membership
from consult.accounts.queries import identify
from consult.actor import Role
from consult.db import ALL_TENANTS
from consult.settings import Settings
from tests import factories as f
from tests.integration.accounts.visits import post

HOUR = dt.timedelta(hours=1)


def opened(session, account, *, now=f.NOW, life=(HOUR, 24 * HOUR), **values):
    return service.open_session(session, account, now=now, life=life, **values)


def who(session, token, organisation, now=f.NOW):
    return identify(session.connection(), token=token, organisation_id=organisation.id, now=now)


def test_a_session_names_its_person_until_it_is_over(session):
    """AT-19.5: idle and absolute ends."""
    organisation = f.make_organisation(session)
    account = f.make_account(session, organisation)
    token, row = opened(session, account)
    identity = who(session, token, organisation)
    assert identity.actor.account_id == identity.account_id == account.id
    assert identity.actor.roles == {Role.PARTICIPANT}
    assert identity.actor.confirmed
    assert not identity.touch_due
    assert who(session, token, organisation, f.NOW + HOUR - dt.timedelta(seconds=1)).touch_due
    assert who(session, token, organisation, f.NOW + HOUR) is None, "idle"
    for hours in range(1, 25):
        service.touch(session, row.id, f.NOW + hours * HOUR - dt.timedelta(minutes=1))
    assert who(session, token, organisation, f.NOW + 24 * HOUR - dt.timedelta(seconds=1)) is not None
    assert who(session, token, organisation, f.NOW + 24 * HOUR) is None, "whole life"
    assert who(session, "x" * 43, organisation) is None
    assert who(session, "", organisation) is None


@pytest.mark.parametrize("state", ["blocked", "erased"])
def test_a_blocked_account_is_nobody_at_once(session, state):
    """AT-19.5."""
    organisation = f.make_organisation(session)
    account = f.make_account(session, organisation)
    token, _ = opened(session, account)
    account.status = AccountStatus(state)
    session.flush()
    assert who(session, token, organisation) is None


def test_a_session_of_one_organisation_is_nobody_in_another(session):
    home, other = f.make_organisation(session), f.make_organisation(session)
    for roles in ((), (Role.ADMINISTRATOR,)):
        token, _ = opened(session, f.make_account(session, home, *roles), second_factor_at=f.NOW)
        assert who(session, token, home) is not None
        assert who(session, token, other) is None


@pytest.mark.parametrize("role", [Role.DITP, Role.OPERATOR])
def test_platform_staff_are_themselves_everywhere_with_that_role_alone(session, role):
    home, other = f.make_organisation(session), f.make_organisation(session)
    account = f.make_account(session, home, role, Role.ADMINISTRATOR)
    token, _ = opened(session, account, second_factor_at=f.NOW)
    assert who(session, token, home).actor.roles == {Role.PARTICIPANT, role, Role.ADMINISTRATOR}
    assert who(session, token, other).actor.roles == {Role.PARTICIPANT, role}
    due, _ = opened(session, account)
    assert who(session, due, other).actor.second_factor_due


def test_staff_roles_wait_for_the_second_factor_of_this_session(session):
    """AT-D.5."""
    organisation = f.make_organisation(session)
    consultation = f.make_consultation(session, organisation)
    account = f.make_account(session, organisation, Role.MODERATOR, consultation=consultation)
    session.add(Membership(organisation_id=organisation.id, account_id=account.id, role=Role.READER, granted_at=f.NOW))
    session.flush()
    due, _ = opened(session, account)
    actor = who(session, due, organisation).actor
    assert (actor.roles, actor.by_consultation, actor.second_factor_due) == ({Role.PARTICIPANT}, {}, True)
    given, _ = opened(session, account, second_factor_at=f.NOW)
    actor = who(session, given, organisation).actor
    assert actor.roles == {Role.PARTICIPANT, Role.READER}
    assert actor.by_consultation == {consultation.id: {Role.MODERATOR}}
    assert not actor.second_factor_due
    account.password_for_staff = False
    session.flush()
    assert who(session, given, organisation).actor.second_factor_due, "its password is too short for staff"


def test_a_withdrawn_role_no_longer_counts(session):
    organisation = f.make_organisation(session)
    account = f.make_account(session, organisation, Role.MODERATOR)
    token, _ = opened(session, account, second_factor_at=f.NOW)
    (held,) = session.query(Membership).all()
    held.revoked_at, held.revocation_reason = f.NOW, "départ"
    session.flush()
    actor = who(session, token, organisation).actor
    assert (actor.roles, actor.second_factor_due) == ({Role.PARTICIPANT}, False)


def test_identifying_takes_one_query(session, database):
    from sqlalchemy import event

    organisation = f.make_organisation(session)
    account = f.make_account(session, organisation, Role.MODERATOR, Role.READER, Role.DITP)
    token, _ = opened(session, account, second_factor_at=f.NOW)
    statements = []
    for engine in database.engines:
        event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    assert len(who(session, token, organisation).actor.roles) == 4
    assert len(statements) == 1


def test_reading_pages_keeps_the_session_awake(client, organisation, make, rows):
    """AT-19.5: a GET writes nothing, the touch runs after it."""
    account = make(f.make_account, organisation)
    settings = Settings()
    with time_machine.travel(f.NOW, tick=False) as clock:
        f.sign_in(client, account)
        for _ in range(5):
            clock.shift(dt.timedelta(minutes=settings.session_idle_minutes - 1))
            assert client.get("/mon-compte").status_code == 200
        assert rows(LoginSession)[0].last_seen_at == f.NOW + 5 * dt.timedelta(minutes=settings.session_idle_minutes - 1)
        clock.shift(dt.timedelta(minutes=settings.session_idle_minutes))
        assert client.get("/mon-compte").status_code == 303


def test_one_sees_and_closes_ones_sessions(client, app, organisation, make, rows):
    """AT-19.5."""
    account = make(f.make_account, organisation)
    stranger = make(f.make_account, organisation)
    phone = app.test_client()
    f.sign_in(client, account)
    f.sign_in(phone, account)
    f.sign_in(app.test_client(), stranger)
    page = client.get("/mon-compte/sessions").text
    assert page.count("Firefox sous Linux</th>") + page.count("Firefox sous Linux <") >= 1
    assert "cette session" in page
    theirs = next(row for row in rows(LoginSession) if row.account_id == stranger.id)
    assert post(client, f"/mon-compte/sessions/{theirs.id}/fermer", page="/mon-compte/sessions").status_code == 404
    closing = page.split('action="/mon-compte/sessions/')[1].split('"')[0]
    assert post(client, f"/mon-compte/sessions/{closing}", page="/mon-compte/sessions").status_code == 303
    assert phone.get("/mon-compte").status_code == 303
    assert client.get("/mon-compte").status_code == 200
    f.sign_in(phone, account)
    assert post(client, "/mon-compte/sessions/fermer", page="/mon-compte/sessions").location == "/connexion"
    assert phone.get("/mon-compte").status_code == client.get("/mon-compte").status_code == 303
    assert [row.account_id for row in rows(LoginSession)] == [stranger.id]


def test_the_token_of_a_form_dies_with_its_session(client, app, organisation, make):
    """AT-19.3: a token is bound to the session it was shown in."""
    account = make(f.make_account, organisation)
    f.sign_in(client, account)
    token = f.csrf_token(client, "/mon-compte")
    f.sign_in(client, account)
    reply = client.post("/mon-compte/sessions/fermer", data={"csrf_token": token})
    assert reply.status_code == 403


def test_sessions_of_staff_end_sooner(client, organisation, make, rows):
    make(f.make_account, organisation, Role.READER, email="lecteur@exemple.fr")
    post(client, "/connexion", email="lecteur@exemple.fr", password=f.PASSWORD)
    (row,) = rows(LoginSession)
    assert row.expires_at - row.created_at == dt.timedelta(hours=Settings().staff_session_hours)
    assert row.idle_seconds == policy.STAFF_IDLE.total_seconds()


def test_a_role_given_meanwhile_asks_for_the_second_factor(client, organisation, make, database):
    """AT-18.7."""
    account = make(f.make_account, organisation)
    f.sign_in(client, account)
    assert client.get("/mon-compte").status_code == 200
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.add(
            Membership(organisation_id=organisation.id, account_id=account.id, role=Role.READER, granted_at=f.NOW)
        )
    reply = client.get("/mon-compte")
    assert reply.location == "/gestion/second-facteur?suite=/mon-compte"
