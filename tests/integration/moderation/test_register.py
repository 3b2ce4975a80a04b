"""The moderators' register: who moderates, since when, how much, and what appeals reversed (AT-U2.3)."""

import csv
import datetime as dt
import io

from sqlalchemy import event, select

from consult import clock
from consult.accounts.models import Membership
from consult.actor import Actor, Role
from consult.db import ALL_TENANTS
from consult.moderation import service
from consult.moderation.models import Act
from consult.moderation.register import queries
from consult.moderation.register.labels import COLUMNS
from consult.security import digest, new_token
from tests.factories import make_account, make_organisation, sign_in
from tests.integration.moderation.world import World

PAGE = "/gestion/moderation/registre.csv"


def contest(world, decision, now) -> None:
    token = new_token()
    decision.contest_digest = digest(token)
    service.contest(world.session, token, "", now=now)


def moderated(session, now) -> World:
    """The first moderator hid three contents: one reversed on appeal, one upheld, one reversed without any appeal."""
    world = World(session)
    for kind in ("proposal", "argument", "reply"):
        hidden = world.decide(now, Act.HIDE, kind=kind)
        if kind != "reply":
            contest(world, hidden, now)
    world.decide(now, Act.RESTORE, kind="proposal", seen=1, actor=world.actor(1))
    world.decide(now, Act.UPHOLD, kind="argument", seen=1, actor=world.actor(1))
    world.decide(now, Act.RESTORE, kind="reply", seen=1)
    return world


def by_name(session):
    return {line.pseudonym: line for line in queries.register(session)}


def test_each_moderator_with_their_decisions_and_what_appeals_reversed(session, now):
    world = moderated(session, now)
    first, second = (by_name(session)[each.pseudonym] for each in world.moderators)
    assert (first.decisions, first.contested, first.overturned) == (4, 2, 1)
    assert (second.decisions, second.contested, second.overturned) == (2, 0, 0)
    assert (first.roles, first.since, first.until) == ((Role.MODERATOR,), now, None)
    session.info["tenant"] = make_organisation(session).id
    assert queries.register(session) == [], "another organisation has its own"


def test_an_administrator_is_there_once_they_decide_and_who_left_stays_with_a_date(session, now):
    world = World(session)
    administrator = make_account(session, world.organisation, Role.ADMINISTRATOR)
    make_account(session, world.organisation, Role.ORGANISER)
    assert set(by_name(session)) == {each.pseudonym for each in world.moderators}
    roles = frozenset({Role.ADMINISTRATOR})
    actor = Actor(administrator.id, administrator.pseudonym, confirmed=True, roles=roles)
    world.decide(now, Act.HIDE, actor=actor)
    left = world.moderators[0]
    held = session.scalars(select(Membership).where(Membership.account_id == left.id)).one()
    held.revoked_at, held.revocation_reason = now + dt.timedelta(days=3), "Fin de mission"
    session.flush()
    lines = queries.register(session)
    assert by_name(session)[administrator.pseudonym].decisions == 1
    assert (lines[-1].pseudonym, lines[-1].until) == (left.pseudonym, now + dt.timedelta(days=3))
    assert len(lines) == 3


def test_the_register_takes_three_queries_whatever_the_number_of_moderators(session, database, now):
    world = moderated(session, now)
    for _ in range(10):
        make_account(session, world.organisation, Role.MODERATOR)
    seen = []
    for engine in database.engines:
        event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    assert len(queries.register(session)) == 12
    assert len(seen) == 3


def test_administrators_alone_download_it_without_formulas(app):
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        world = moderated(session, clock.now())
        world.moderators[0].pseudonym = "=1+1"
        administrator = make_account(session, world.organisation, Role.ADMINISTRATOR)
        session.info["tenant"] = ALL_TENANTS
        session.flush()
        session.expunge_all()
    client = app.test_client()
    sign_in(client, world.moderators[1])
    assert client.get(PAGE).status_code == 403
    client = app.test_client()
    sign_in(client, administrator)
    reply = client.get(PAGE)
    assert (reply.status_code, reply.mimetype, reply.headers["Cache-Control"]) == (200, "text/csv", "no-store")
    assert "registre-des-moderateurs-" in reply.headers["Content-Disposition"]
    head, *lines = csv.reader(io.StringIO(reply.data.decode("utf-8-sig"), newline=""), delimiter=";")
    assert tuple(head) == COLUMNS
    assert [line[-3:] for line in lines if line[0] == "'=1+1"] == [["4", "2", "1"]]
    assert PAGE in client.get("/gestion/acces").text
