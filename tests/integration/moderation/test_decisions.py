"""Reports and decisions on real contents, on both databases (AT-U2.2, AT-U2.4)."""

import datetime as dt
import threading
import uuid

import pytest
from sqlalchemy import event, func, select

from consult.actor import Actor, Role
from consult.audit.models import AuditEntry
from consult.consultations.labels import GROUNDS
from consult.consultations.models import ContentStatus
from consult.contributions.bindings import ProposalContent
from consult.db import ALL_TENANTS
from consult.errors import ConflictError, ForbiddenError, GoneError, InvalidError, NotFoundError
from consult.jobs.models import Job
from consult.mail.models import OutgoingMail
from consult.moderation import figures, policy, queries, service
from consult.moderation.models import Act, Contest, Decision, Report
from consult.moderation.service import Wanted
from consult.organisations.models import Organisation
from consult.registry import queries as registry
from consult.registry.models import EntryKind, RegistryEntry
from consult.security import digest, new_token
from tests.factories import (
    make_consultation,
    make_organisation,
    make_proposal,
)
from tests.integration.moderation.world import CONTENTS, LINKS, WORDS, World
from tests.registers import check_removals


@pytest.fixture
def world(session):
    return World(session)


@pytest.mark.parametrize("kind", CONTENTS)
def test_every_type_goes_from_report_to_tombstone_and_back(world, now, kind):
    """AT-U2.2: ground, article and words are kept; the registry and the journal hold each act; a reversal restores."""
    refs = world.log(now, kind)
    assert world.report(now, kind=kind)
    later = now + dt.timedelta(hours=2)
    hidden = world.decide(later, Act.HIDE, kind=kind)
    item = world.items[kind]
    assert (item.status, item.status_reason) == (ContentStatus.HIDDEN, "insult")
    withheld = select(RegistryEntry.ref).where(RegistryEntry.withheld).order_by(RegistryEntry.id)
    assert world.session.scalars(withheld).all() == refs
    check_removals(world.session)
    assert (hidden.article, hidden.reports, hidden.delay_seconds) == (GROUNDS["insult"].article, 1, 7200)
    total, (stone,) = queries.tombstones(world.session)
    assert (total, stone.item_id, stone.ground, stone.article) == (1, item.id, "insult", 3)
    world.decide(later, Act.RESTORE, kind=kind, seen=1, actor=world.actor(1))
    assert (item.status, item.status_reason, queries.tombstones(world.session)) == (
        ContentStatus.PUBLISHED,
        None,
        (0, []),
    )
    entries = world.session.scalars(select(RegistryEntry).order_by(RegistryEntry.id)).all()
    assert [entry.kind for entry in entries[-2:]] == [EntryKind.MODERATION, EntryKind.MODERATION_REVERSED]
    assert (entries[-2].opening["item"], entries[-2].opening["ground"]) == (str(item.id), "insult")
    assert entries[-2].opening["entries"] == entries[-1].opening["entries"] == refs
    assert world.session.scalars(withheld).all() == []
    check_removals(world.session)
    journal = world.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.action for entry in journal] == ["moderation.hide", "moderation.restore"]


def test_only_a_decision_that_hides_removes_something_from_the_public(world, now):
    """AT-21.5: exports stop being served for what they still show, not for reports that were found groundless."""

    def removals():
        return registry.removals(world.session, [world.consultation.id]).get(world.consultation.id, 0)

    world.report(now)
    world.decide(now, Act.DISMISS)
    assert removals() == 0
    hidden = world.decide(now, Act.HIDE, seen=1)
    assert removals() == 1
    token = new_token()
    hidden.contest_digest = digest(token)
    service.contest(world.session, token, "Je conteste.", now=now)
    world.decide(now, Act.UPHOLD, seen=2, actor=world.actor(1))
    assert removals() == 1, "what was hidden stays so"
    kinds = world.session.scalars(select(RegistryEntry.kind).order_by(RegistryEntry.id)).all()
    assert kinds == [EntryKind.MODERATION_KEPT, EntryKind.MODERATION, EntryKind.MODERATION_KEPT]


@pytest.mark.parametrize("kind", CONTENTS)
def test_nobody_moderates_their_own_content(world, now, kind):
    """AT-U2.4."""
    own = Actor(world.author.id, roles=frozenset({Role.MODERATOR, Role.ADMINISTRATOR}))
    world.report(now, kind=kind)
    for act in (Act.HIDE, Act.DISMISS):
        with pytest.raises(ForbiddenError, match="le vôtre"):
            world.decide(now, act, kind=kind, actor=own)
    assert world.count(Decision) == 0


@pytest.mark.parametrize(
    ("ground", "message", "field"),
    [
        ("", WORDS, "ground"),
        ("other", WORDS, "ground"),
        ("insult", "   ", "message"),
        ("insult", "x" * 2001, "message"),
    ],
)
def test_nothing_is_hidden_without_a_ground_and_words(world, now, ground, message, field):
    """AT-U2.2."""
    with pytest.raises(InvalidError) as refusal:
        world.decide(now, Act.HIDE, ground=ground, message=message)
    assert set(refusal.value.fields) == {field}
    assert world.items["proposal"].status is ContentStatus.PUBLISHED


def test_the_second_moderator_is_told_what_the_first_decided(world, now):
    world.report(now)
    world.decide(now, Act.HIDE)
    with pytest.raises(ConflictError, match=r"a masqué ce contenu.*Injure.*n’a rien changé") as told:
        world.decide(now, Act.DISMISS, actor=world.actor(1))
    assert world.moderators[0].pseudonym in told.value.message
    assert (world.count(Decision), world.count(OutgoingMail)) == (1, 1)


def test_a_double_click_decides_once(world, now):
    first = world.decide(now, Act.HIDE)
    assert world.decide(now, Act.HIDE).id == first.id
    assert (world.count(Decision), world.count(RegistryEntry), world.count(OutgoingMail)) == (1, 1, 1)


def test_a_moderator_of_one_consultation_decides_on_it_alone(world, now):
    other = make_consultation(world.session, world.organisation)
    elsewhere = Actor(
        world.moderators[0].id, by_consultation={other.id: frozenset({Role.MODERATOR})}, roles=frozenset()
    )
    world.report(now)
    with pytest.raises(ForbiddenError):
        world.decide(now, Act.HIDE, actor=elsewhere)
    assert world.queue(scope=policy.scope(elsewhere)) == (0, [])
    here = Actor(
        world.moderators[0].id, by_consultation={world.consultation.id: frozenset({Role.MODERATOR})}, roles=frozenset()
    )
    assert world.queue(scope=policy.scope(here))[0] == 1
    assert world.decide(now, Act.HIDE, actor=here).act is Act.HIDE


def test_a_person_reports_once_and_a_wave_of_reports_makes_one_mail(world, now):
    assert world.report(now)
    assert not world.report(now)
    assert world.report(now, reporter="b", reason="other", comment="Ce n’est pas drôle.")
    assert world.report(now, reporter="b", kind="argument")
    assert world.count(Report) == 3
    assert world.session.scalars(select(Job.kind)).all() == ["moderation.notify"]


@pytest.mark.parametrize(
    ("reason", "comment", "field"),
    [("", "", "reason"), ("zzz", "", "reason"), ("other", "  ", "comment"), ("insult", "é" * 1001, "comment")],
)
def test_a_report_says_why(world, now, reason, comment, field):
    with pytest.raises(InvalidError) as refusal:
        world.report(now, reason=reason, comment=comment)
    assert (set(refusal.value.fields), world.count(Report)) == ({field}, 0)


def test_what_is_not_published_cannot_be_reported(world, now):
    world.decide(now, Act.HIDE)
    with pytest.raises(GoneError):
        world.report(now)
    world.items["proposal"].id = world.items["argument"].id  # an id of another type names nothing
    with world.session.no_autoflush, pytest.raises(NotFoundError):
        world.report(now)
    world.session.expire_all()


def test_the_queue_lists_the_longest_waiting_first_and_forgets_what_is_answered(world, now):
    for minutes, kind in enumerate(("reply", "proposal", "argument")):
        world.report(now + dt.timedelta(minutes=minutes), kind=kind)
    world.report(now + dt.timedelta(hours=1), kind="reply", reporter="b", reason="off_topic")
    total, waiting = world.queue()
    assert (total, [each.item_type for each in waiting]) == (3, ["reply", "proposal", "argument"])
    assert (waiting[0].reports, waiting[0].reasons) == (2, {"insult": 1, "off_topic": 1})
    assert waiting[0].item.body.endswith("Un texte rude.")
    assert [each.item_type for each in world.queue(item_type="argument")[1]] == ["argument"]
    assert world.queue(consultation_id=uuid.uuid4()) == (0, [])
    world.decide(now, Act.DISMISS, kind="reply", message="")
    assert world.queue()[0] == 2
    world.report(now + dt.timedelta(hours=3), kind="reply", reporter="c")
    assert [each.item_type for each in world.queue()[1]] == ["proposal", "argument", "reply"]
    assert world.queue()[1][2].reports == 1


def test_the_queue_is_read_in_a_bounded_number_of_queries(world, now, database):
    step = world.session.get(type(world.consultation.steps[0]), world.items["proposal"].step_id)
    for rank in range(30):
        world.items["proposal"] = make_proposal(world.session, step, world.author)
        world.report(now + dt.timedelta(seconds=rank))
    seen = []
    world.session.flush()
    for engine in database.engines:
        event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    total, waiting = world.queue()
    assert (total, len(waiting)) == (30, queries.PAGE_SIZE)
    assert len(seen) <= 4


def _token(world):
    mail = world.session.scalars(select(OutgoingMail).where(OutgoingMail.template == "moderation_hidden")).one()
    return mail.text.split("https://exemple.fr/c/")[1].split()[0]


def test_a_contested_decision_is_examined_by_somebody_else(world, now):
    """AT-U2.2: the second moderator decides."""
    world.decide(now, Act.HIDE)
    contest = service.contest(world.session, _token(world), "C’était de l’humour.", now=now)
    assert service.contest(world.session, _token(world), "Encore moi.", now=now).id == contest.id
    assert [found.id for found, _ in queries.open_contests(world.session, None)] == [contest.id]
    for act in (Act.RESTORE, Act.UPHOLD):
        with pytest.raises(ForbiddenError, match="une autre personne"):
            world.decide(now, act, seen=1)
    upheld = world.decide(now, Act.UPHOLD, seen=1, actor=world.actor(1))
    assert (contest.answer_id, queries.open_contests(world.session, None)) == (upheld.id, [])
    assert world.items["proposal"].status is ContentStatus.HIDDEN
    assert queries.tombstones(world.session)[0] == 1
    templates = world.session.scalars(select(OutgoingMail.template)).all()
    assert sorted(templates) == ["moderation_hidden", "moderation_upheld"]


def test_the_link_of_a_decision_since_replaced_contests_nothing(world, now):
    """Otherwise who took the last decision could examine it themselves, as if it were the first."""
    world.decide(now, Act.HIDE)
    former = _token(world)
    world.decide(now, Act.RESTORE, seen=1, actor=world.actor(1))
    world.decide(now, Act.HIDE, seen=2, actor=world.actor(1))
    with pytest.raises(ConflictError, match="dernier courriel"):
        service.contest(world.session, former, "", now=now)
    assert queries.open_contests(world.session, None) == []


def test_a_contest_has_its_time_and_its_link(world, now):
    world.decide(now, Act.HIDE)
    token = _token(world)
    with pytest.raises(NotFoundError):
        service.contest(world.session, token + "x", "", now=now)
    with pytest.raises(GoneError):
        service.contest(world.session, token, "", now=now + dt.timedelta(days=184))
    with pytest.raises(InvalidError):
        service.contest(world.session, token, "x" * 2001, now=now)
    world.decide(now, Act.RESTORE, seen=1)
    with pytest.raises(ConflictError):
        service.contest(world.session, token, "", now=now)
    assert world.count(Contest) == 0


@pytest.mark.parametrize(("act", "seen"), [(Act.RESTORE, 0), (Act.UPHOLD, 0), (Act.DISMISS, 0)])
def test_what_the_state_does_not_allow_is_refused(world, now, act, seen):
    with pytest.raises(ConflictError):
        world.decide(now, act, seen=seen)
    assert world.count(Decision) == 0


def test_public_figures_equal_a_recount_and_the_registry(world, now):
    """AT-U2.3."""
    hours = {"proposal": 1, "argument": 3, "reply": 8}
    for kind in hours:
        world.report(now, kind=kind)
    world.report(now, kind="reply", reporter="b")
    for kind, wait in hours.items():
        act = Act.DISMISS if kind == "argument" else Act.HIDE
        ground = "off_topic" if kind == "reply" else "insult"
        world.decide(now + dt.timedelta(hours=wait), act, kind=kind, ground=ground)
    world.decide(now + dt.timedelta(hours=9), Act.RESTORE, kind="reply", seen=1)
    world.report(now + dt.timedelta(hours=10), kind="reply", reporter="c")
    found = figures.statistics(world.session)
    assert (found.reports, found.waiting_reports, found.automated, found.contests) == (5, 1, 0, 0)
    assert found.acts == {Act.HIDE: 2, Act.DISMISS: 1, Act.RESTORE: 1}
    assert found.hidden_by_ground == {"insult": 1, "off_topic": 1}
    assert found.hidden_by_type == {"proposal": 1, "reply": 1}
    assert found.median_delay == dt.timedelta(hours=3)
    logged = [entry.opening["act"] for entry in world.session.scalars(select(RegistryEntry))]
    assert {act: logged.count(act.value) for act in found.acts} == found.acts


def test_figures_without_any_decision(world):
    found = figures.statistics(world.session)
    assert (found.reports, found.acts, found.median_delay) == (0, {}, None)


def test_another_organisation_sees_and_touches_nothing(world, now):
    world.report(now)
    world.decide(now, Act.HIDE)
    other = make_organisation(world.session)
    world.session.info["tenant"] = other.id
    assert queries.tombstones(world.session) == (0, [])
    assert figures.statistics(world.session).reports == 0
    assert world.queue() == (0, [])
    with pytest.raises(NotFoundError):
        world.decide(now, Act.RESTORE, seen=1)
    world.session.info["tenant"] = ALL_TENANTS


def test_two_moderators_at_the_same_instant_decide_once(database, now):
    with database.transaction(tenant=ALL_TENANTS) as session:
        world = World(session)
        world.report(now)
        actors, organisation_id = [world.actor(0), world.actor(1)], world.organisation.id
        item_id = world.items["proposal"].id
        session.info["tenant"] = ALL_TENANTS
    barrier, outcomes = threading.Barrier(2), []

    def act(actor, chosen):
        barrier.wait()
        try:
            with database.transaction(tenant=organisation_id) as session:
                service.decide(
                    session,
                    ProposalContent(),
                    item_id,
                    Wanted(chosen, 0, "insult" if chosen is Act.HIDE else "", WORDS),
                    actor=actor,
                    organisation=session.get_one(Organisation, organisation_id),
                    links=LINKS,
                    now=now,
                )
                outcomes.append("done")
        except ConflictError as error:
            outcomes.append(error.message)

    pairs = list(zip(actors, (Act.HIDE, Act.DISMISS), strict=True))
    threads = [threading.Thread(target=act, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome == "done" for outcome in outcomes) == [False, True]
    assert any("n’a rien changé" in outcome for outcome in outcomes)
    with database.transaction(tenant=ALL_TENANTS, write=False) as session:
        assert session.scalar(select(func.count()).select_from(Decision)) == 1
        assert session.scalar(select(func.count()).select_from(RegistryEntry)) == 1
