"""AT-U2.2, AT-U2.4: two moderators never hold the same content, and nothing is decided twice."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from consult.actor import Actor, Role
from consult.audit.models import AuditEntry
from consult.contributions.bindings import ProposalContent
from consult.db import ALL_TENANTS
from consult.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from consult.moderation import service
from consult.moderation.holding import queries
from consult.moderation.holding import service as holding
from consult.moderation.holding.models import Hold
from consult.moderation.models import Act, Decision, Report
from consult.moderation.service import Wanted
from consult.organisations.models import Organisation
from consult.privacy import retention
from consult.registry.models import RegistryEntry
from tests.factories import csrf_token, make_account, make_organisation, make_proposal, make_step, sign_in
from tests.integration.moderation.test_pages import Site, _text
from tests.integration.moderation.world import CONTENTS, LINKS, WORDS, World

MODERATORS, ITEMS = 20, 5
MINUTE = dt.timedelta(minutes=1)


class Desk(World):
    """Moderators who take contents, and an administrator."""

    def __init__(self, session):
        super().__init__(session)
        self.admin = make_account(session, self.organisation, Role.ADMINISTRATOR)
        self.boss = Actor(self.admin.id, self.admin.pseudonym, confirmed=True, roles=frozenset({Role.ADMINISTRATOR}))

    def take(self, now, rank=0, *, kind="proposal", actor=None):
        return holding.take(
            self.session,
            CONTENTS[kind],
            self.items[kind].id,
            actor=actor or self.actor(rank),
            organisation_id=self.organisation.id,
            now=now,
        )

    def entrust(self, now, holder, *, actor=None, kind="proposal"):
        return holding.entrust(
            self.session,
            CONTENTS[kind],
            self.items[kind].id,
            str(holder),
            actor=actor or self.boss,
            organisation_id=self.organisation.id,
            now=now,
        )

    def holder(self, now, kind="proposal"):
        held = queries.held(self.session, [self.items[kind].id], now)
        return held[kind, self.items[kind].id].holder_id if held else None


@pytest.fixture
def desk(session):
    return Desk(session)


@pytest.mark.parametrize("kind", CONTENTS)
def test_what_one_holds_another_neither_takes_nor_decides_on(desk, now, kind):
    until = desk.take(now, kind=kind)
    assert until == now + holding.TAKEN
    desk.report(now, kind=kind)
    with pytest.raises(ConflictError, match=f"{desk.moderators[0].pseudonym} examine ce contenu jusqu’au"):
        desk.take(now, 1, kind=kind)
    with pytest.raises(ConflictError, match=f"{desk.moderators[0].pseudonym} examine ce contenu jusqu’au"):
        desk.decide(now, Act.HIDE, kind=kind, actor=desk.actor(1))
    assert desk.count(Decision) == 0
    assert desk.decide(now, Act.HIDE, kind=kind).number == 1
    assert desk.count(Hold) == 0, "a decision ends the hold"


def test_a_hold_that_is_over_stops_nobody(desk, now):
    until = desk.take(now)
    with pytest.raises(ConflictError):
        desk.take(until - dt.timedelta(seconds=1), 1)
    desk.take(until, 1)
    assert desk.holder(until) == desk.moderators[1].id
    desk.report(until)
    with pytest.raises(ConflictError):
        desk.decide(until, Act.HIDE)
    assert desk.decide(until + holding.TAKEN, Act.HIDE).number == 1
    assert desk.count(Hold) == 0


def test_a_hold_is_made_longer_or_given_back_by_its_holder_alone(desk, now):
    desk.take(now)
    assert desk.take(now + MINUTE) == now + MINUTE + holding.TAKEN
    item = CONTENTS["proposal"].get(desk.session, desk.items["proposal"].id)
    holding.release(desk.session, item, actor=desk.actor(1))
    assert desk.holder(now) == desk.moderators[0].id
    holding.release(desk.session, item, actor=desk.actor(0))
    assert desk.holder(now) is None
    desk.take(now, 1)


def test_an_administrator_entrusts_a_content_whoever_holds_it(desk, now):
    desk.take(now)
    assert desk.entrust(now, desk.moderators[1].id) == now + holding.ENTRUSTED
    assert desk.holder(now) == desk.moderators[1].id
    with pytest.raises(ConflictError):
        desk.take(now)
    assert desk.take(now, 1) == now + holding.ENTRUSTED, "taking it makes no hold shorter"
    (entry,) = desk.session.scalars(select(AuditEntry))
    assert (entry.action, entry.detail) == ("moderation.entrust", {"holder": str(desk.moderators[1].id)})
    with pytest.raises(ForbiddenError):
        desk.entrust(now, desk.moderators[0].id, actor=desk.actor(1))
    stranger = make_account(desk.session, desk.organisation, Role.ANALYST)
    for nobody in (desk.author.id, stranger.id, "zzz", ""):
        with pytest.raises(InvalidError):
            desk.entrust(now, nobody)
    assert desk.holder(now) == desk.moderators[1].id


def test_nobody_holds_what_they_wrote_nor_what_they_do_not_moderate(desk, now):
    """AT-U2.4."""
    author = Actor(desk.author.id, desk.author.pseudonym, confirmed=True, roles=frozenset({Role.MODERATOR}))
    other = make_account(desk.session, desk.organisation)
    for actor in (author, Actor(other.id, other.pseudonym, confirmed=True)):
        with pytest.raises(ForbiddenError):
            desk.take(now, actor=actor)
    desk.session.info["tenant"] = make_organisation(desk.session).id
    with pytest.raises(NotFoundError):
        desk.take(now)
    desk.session.info["tenant"] = ALL_TENANTS
    assert desk.count(Hold) == 0


def test_holds_that_are_over_are_deleted_after_a_day(desk, now):
    (rule,) = [rule for rule in retention.RULES if rule.tables == ("moderation_hold",)]
    until = desk.take(now)
    rule.sweep(desk.session, until + dt.timedelta(days=1))
    assert desk.count(Hold) == 1
    rule.sweep(desk.session, until + dt.timedelta(days=1, seconds=1))
    assert desk.count(Hold) == 0


def test_twenty_moderators_at_once_never_hold_nor_decide_on_the_same_content(database, now):
    """Issue 6: each of twenty tries to take all that waits, then to decide; each is decided on once, by its holder."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        desk = Desk(session)
        accounts = [make_account(session, desk.organisation, Role.MODERATOR) for _ in range(MODERATORS)]
        step = make_step(session, desk.consultation)
        ids = [make_proposal(session, step, desk.author).id for _ in range(ITEMS)]
        organisation_id = desk.organisation.id
        for item_id in ids:
            service.report(
                session, ProposalContent(), item_id, organisation_id=organisation_id, reason="insult", comment="",
                reporter="a", now=now,
            )  # fmt: skip
        actors = [
            Actor(each.id, each.pseudonym, confirmed=True, roles=frozenset({Role.MODERATOR})) for each in accounts
        ]
    together = Barrier(MODERATORS)

    def alone(actor, write):
        try:
            with database.transaction(tenant=organisation_id) as session:
                write(session, actor)
        except ConflictError:
            return False
        return True

    def take(item_id):
        def act(session, actor):
            holding.take(
                session, ProposalContent(), item_id, actor=actor, organisation_id=organisation_id, now=now
            )  # fmt: skip

        return act

    def decide(item_id):
        def act(session, actor):
            service.decide(
                session, ProposalContent(), item_id, Wanted(Act.HIDE, 0, "insult", WORDS), actor=actor,
                organisation=session.get_one(Organisation, organisation_id), links=LINKS, now=now,
            )  # fmt: skip

        return act

    def work(actor, deed):
        together.wait()
        return [item_id for item_id in ids if alone(actor, deed(item_id))]

    with ThreadPoolExecutor(MODERATORS) as pool:
        taken = list(pool.map(lambda actor: work(actor, take), actors))
        assert sorted(item_id for each in taken for item_id in each) == sorted(ids), "each is taken by one"
        decided = list(pool.map(lambda actor: work(actor, decide), actors))
    assert decided == taken, "by whom holds it, though all tried"
    with database.transaction(tenant=ALL_TENANTS, write=False) as session:
        rows = session.execute(select(Decision.item_id, Decision.number)).all()
        assert sorted(rows) == sorted((item_id, 1) for item_id in ids)
        entries = select(func.count()).select_from(RegistryEntry).where(RegistryEntry.consultation_id.is_not(None))
        assert session.scalar(entries) == ITEMS
        assert session.scalar(select(func.count()).select_from(Hold)) == 0
        assert session.scalar(select(func.count()).select_from(Report).where(Report.decision_id.is_(None))) == 0


# Pages --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def site(app):
    return Site(app, app.test_client())


def _hold(site, client, action, **fields):
    form = {"csrf_token": csrf_token(client, site.path), "action": action}
    return client.post(f"{site.path}/prise", data=form | fields)


def test_a_hold_is_shown_with_its_end_and_the_other_is_refused(site):
    site.report()
    second = site.app.test_client()
    sign_in(second, site.second)
    assert site.client.get(site.path).status_code == 200
    assert site.rows(Hold) == [], "opening the page takes nothing"
    assert _hold(site, site.client, "take").location == site.path
    assert "Il est à vous jusqu’au" in _text(site.client.get(site.path))
    assert "À vous jusqu’au" in _text(site.client.get("/gestion/moderation"))
    name = site.moderator.pseudonym
    for path in (site.path, "/gestion/moderation"):
        assert f"{name} l’examine jusqu’au" in _text(second.get(path))
    for refused in (_hold(site, second, "take"), site.decide(client=second)):
        assert refused.status_code == 409
        assert f"{name} examine ce contenu jusqu’au" in _text(refused)
    kept = site.decide(client=second)
    assert WORDS in _text(kept), "what the second wrote is not lost"
    assert site.rows(Decision) == []
    assert _hold(site, site.client, "release").status_code == 303
    assert site.decide(client=second).status_code == 303


def test_an_administrator_entrusts_on_the_page(site):
    with site.writing() as session:
        organisation = session.get_one(type(site.organisation), site.organisation.id)
        account = make_account(session, organisation, Role.ADMINISTRATOR)
        session.flush()
        session.expunge_all()
    admin = site.app.test_client()
    sign_in(admin, account)
    _hold(site, site.client, "take")
    assert "Confier ce contenu" not in _text(site.client.get(site.path))
    assert "Confier ce contenu" in _text(admin.get(site.path))
    assert _hold(site, site.client, "entrust", holder=str(site.second.id)).status_code == 403
    assert _hold(site, admin, "entrust", holder=str(site.author.id)).status_code == 422
    assert _hold(site, admin, "entrust", holder=str(site.second.id)).status_code == 303
    (hold,) = site.rows(Hold)
    assert hold.holder_id == site.second.id


@pytest.mark.parametrize("action", ["", "zzz", "take'--"])
def test_hostile_fields_take_nothing(site, action):
    assert _hold(site, site.client, action).status_code == 422
    assert site.client.post(f"{site.path}/prise", data={"action": "take"}).status_code == 403
    with site.writing() as session:
        slug = make_organisation(session).slug
    form = {"csrf_token": csrf_token(site.client, site.path), "action": "take"}
    assert site.client.post(f"/o/{slug}{site.path}/prise", data=form).status_code == 401
    assert site.rows(Hold) == []
