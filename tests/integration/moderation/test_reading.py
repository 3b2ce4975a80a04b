"""When texts are read: chosen by step, changed in public; what waits is shown to its author alone (AT-U2.1)."""

import datetime as dt
import html
import re

import pytest
from sqlalchemy import select

from consult.actor import Actor, Role
from consult.audit.models import AuditEntry
from consult.consultations import reading as hours
from consult.consultations.labels import AWAITING
from consult.consultations.models import ContentStatus, OffHours, Reading, Step
from consult.contributions import service as contributions
from consult.contributions.models import Proposal
from consult.db import ALL_TENANTS
from consult.errors import ClosedError, ConflictError, ForbiddenError, InvalidError
from consult.jobs.models import Job
from consult.mail.models import OutgoingMail
from consult.moderation import queries
from consult.moderation.jobs import FlagTraces
from consult.moderation.models import Act, Decision, ReadingChange
from consult.moderation.reading import service
from consult.registry.models import EntryKind, RegistryEntry
from tests import factories as f
from tests.integration.moderation.world import CONTENTS, World

NOW = dt.datetime.now(dt.UTC)
SECRET = "xylophone-attendu"
CHOICE = {"off_hours": OffHours.QUEUE, "charter": ""}


@pytest.fixture
def world(session):
    return World(session)


def step_of(world):
    return world.session.get_one(Step, world.items["proposal"].step_id)


def write(world, now, how, title="Un tramway de nuit"):
    step_of(world).reading = how
    world.session.flush()
    made = contributions.submit_proposal(
        world.session, step=step_of(world), account_id=world.author.id, title=title, theme_id=None,
        body="Il en faudrait un par heure, tous les jours.", submission_key=title, now=now,
    )  # fmt: skip
    world.items["proposal"] = made
    return made


def test_two_different_moderators_read_a_text_on_a_divisive_subject(world, now):
    """AT-U2.1, AT-U2.4."""
    made = write(world, now, Reading.TWICE)
    assert (made.status, made.status_reason) == (ContentStatus.HIDDEN, AWAITING)
    with pytest.raises(ConflictError):
        world.decide(now, Act.PUBLISH)
    world.decide(now, Act.READ, message="")
    for act in (Act.READ, Act.DISMISS):
        with pytest.raises(ConflictError):
            world.decide(now, act, seen=1, actor=world.actor(1))
    with pytest.raises(ForbiddenError, match="première lecture"):
        world.decide(now, Act.PUBLISH, seen=1)
    assert world.session.scalars(select(OutgoingMail)).all() == [], "nothing is decided yet"
    world.decide(now, Act.PUBLISH, seen=1, actor=world.actor(1), message="")
    assert made.status is ContentStatus.PUBLISHED
    assert [each.template for each in world.session.scalars(select(OutgoingMail))] == ["moderation_published"]
    world.decide(now, Act.HIDE, seen=2)
    with pytest.raises(ForbiddenError, match="une autre personne"):
        world.decide(now, Act.RESTORE, seen=3)
    world.decide(now, Act.RESTORE, seen=3, actor=world.actor(1))


def test_a_text_passed_on_is_decided_by_an_administrator_alone(world, now):
    made = write(world, now, Reading.BEFORE)
    world.decide(now, Act.ESCALATE, message="Je ne sais pas si ce texte vise une personne.")
    assert world.queue()[0] == 1, "it still waits"
    with pytest.raises(ForbiddenError, match="administrateur"):
        world.decide(now, Act.PUBLISH, seen=1, actor=world.actor(1))
    chief = Actor(world.moderators[1].id, roles=frozenset({Role.ADMINISTRATOR}))
    world.decide(now, Act.PUBLISH, seen=1, actor=chief)
    assert (made.status, world.queue()) == (ContentStatus.PUBLISHED, (0, []))


def test_a_text_that_changed_since_it_was_read_is_not_decided_on(world, now):
    made = write(world, now, Reading.AFTER)
    wanted = {"title": made.title, "body": "Tout autre chose, écrit pendant la lecture.", "theme_id": None}
    contributions.edit(
        world.session, made, step=step_of(world), account_id=world.author.id, version=1, now=now, **wanted
    )
    with pytest.raises(ConflictError, match="modifié ce texte"):
        world.decide(now, Act.HIDE, version=1)
    assert world.decide(now, Act.HIDE, version=2).version == 2


def test_the_author_of_a_text_that_waits_may_withdraw_it_not_edit_it(world, now):
    made = write(world, now, Reading.BEFORE)
    assert write(world, now, Reading.BEFORE).id == made.id, "the same text sent again is the same text"
    with pytest.raises(ConflictError, match="retirez-le"):
        contributions.edit(
            world.session, made, step=step_of(world), account_id=world.author.id, title="Autre titre",
            body="Un autre texte, plus long que le premier.", theme_id=None, version=1, now=now,
        )  # fmt: skip
    contributions.withdraw(world.session, made, account_id=world.author.id, now=now)
    assert (made.status, made.status_reason, world.queue()) == (ContentStatus.WITHDRAWN, None, (0, []))


def test_moderators_are_called_once_for_the_texts_that_wait(world, now):
    def calls():
        for _ in FlagTraces(CONTENTS, lambda: now).run(world.session, {}, {}):
            pass
        return world.session.scalars(select(Job.kind)).all()

    world.consultation.opens_at, world.consultation.closes_at = now, now + dt.timedelta(days=9)
    assert calls() == []
    write(world, now, Reading.BEFORE)
    assert calls() == calls() == ["moderation.notify"]


@pytest.mark.parametrize(
    ("instant", "attended"),
    [
        ("2026-03-02T06:59:59+00:00", False),  # a Monday, 7 h 59 in Paris
        ("2026-03-02T07:00:00+00:00", True),
        ("2026-03-06T18:59:59+00:00", True),  # a Friday, 19 h 59
        ("2026-03-06T19:00:00+00:00", False),
        ("2026-03-07T11:00:00+00:00", False),  # a Saturday
        ("2026-06-01T06:00:00+00:00", True),  # a Monday of summer time, 8 h
    ],
)
def test_at_night_and_in_the_week_end_a_step_waits_or_closes(instant, attended):
    when = dt.datetime.fromisoformat(instant)
    assert hours.attended(when) is attended
    step = Step(reading=Reading.TWICE, off_hours=OffHours.CLOSE)
    assert hours.takes_texts(step, when) is attended
    for other in (Step(reading=Reading.TWICE, off_hours=OffHours.QUEUE), Step(reading=Reading.BEFORE)):
        assert hours.takes_texts(other, when)


def test_a_closed_night_refuses_texts_and_takes_votes(world, now):
    night = now.replace(hour=23)
    step_of(world).off_hours = OffHours.CLOSE
    with pytest.raises(ClosedError, match="du lundi au vendredi"):
        write(world, night, Reading.TWICE)
    write(world, now, Reading.TWICE)


def test_a_change_after_the_opening_is_logged_journalled_and_public(world, now):
    """AT-U2.1: the switch is in the registry, in the journal, and shown."""
    step, actor = step_of(world), world.actor()
    assert service.choose(
        world.session,
        step,
        actor=actor,
        how=Reading.TWICE,
        off_hours=OffHours.CLOSE,
        charter="Restez courtois.",
        now=now,
    )
    assert not service.choose(
        world.session,
        step,
        actor=actor,
        how=Reading.TWICE,
        off_hours=OffHours.CLOSE,
        charter="Restez courtois.",
        now=now,
    )
    (entry,) = world.session.scalars(select(RegistryEntry).where(RegistryEntry.kind == EntryKind.CONTENT))
    assert (entry.opening["moderation"], entry.opening["off_hours"]) == ("divisive", "close")
    assert entry.opening["charter"] == "Restez courtois."
    ((change, title),) = queries.reading_changes(world.session)
    assert (change.registry_ref, title) == (entry.ref, step.title)
    assert [each.id for each in queries.read_first(world.session)] == [step.id]
    assert [each.action for each in world.session.scalars(select(AuditEntry))] == ["step.reading"]
    service.choose(world.session, step, actor=actor, how=Reading.AFTER, **CHOICE, now=now)
    assert (step.reading, step.off_hours, step.charter) == (Reading.AFTER, OffHours.QUEUE, "")


def test_a_questionnaire_is_read_after_publication(world, now):
    step = world.session.get_one(Step, world.items["reply"].step_id)
    with pytest.raises(InvalidError) as refusal:
        service.choose(world.session, step, actor=world.actor(), how=Reading.BEFORE, **CHOICE, now=now)
    assert "reading" in refusal.value.fields


# Pages --------------------------------------------------------------------------------------------------------------


class Site:
    """A step read before publication, somebody who writes in it, a moderator and an organiser."""

    def __init__(self, app):
        self.app = app
        with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
            organisation = f.make_organisation(session)
            self.consultation = f.make_consultation(session, organisation, now=NOW)
            self.step = f.make_step(session, self.consultation, reading=Reading.BEFORE)
            people = [
                f.make_account(session, organisation, *role) for role in ((), (Role.MODERATOR,), (Role.ORGANISER,))
            ]
            session.flush()
            session.expunge_all()
        self.author, self.moderator, self.organiser = (app.test_client() for _ in people)
        for client, account in zip((self.author, self.moderator, self.organiser), people, strict=True):
            f.sign_in(client, account)
        self.public = f"/consultations/{self.consultation.slug}/{self.step.slug}"
        self.path = f"/gestion/consultations/{self.consultation.slug}/etapes/{self.step.slug}/moderation"

    def one(self, model):
        with self.app.extensions["database"].session(write=False, tenant=ALL_TENANTS) as session:
            (found,) = session.scalars(select(model))
            session.expunge_all()
        return found

    def post(self, client, path, **form):
        return client.post(path, data={"csrf_token": f.csrf_token(client, "/mon-compte"), **form})


@pytest.fixture
def site(app):
    return Site(app)


def text_of(response):
    plain = re.sub(r"<[^>]+>", " ", response.get_data(as_text=True))
    return re.sub(r"\s+", " ", html.unescape(plain))


def test_a_text_waits_for_a_moderator_then_is_published(site):
    sent = site.post(
        site.author, f"{site.public}/proposer", title=f"Titre {SECRET}", body="Un tramway assez long pour être pris.",
        submission_key="k",
    )  # fmt: skip
    assert sent.status_code == 303
    made = site.one(Proposal)
    own = text_of(site.author.get(sent.location))
    assert "Une personne la lira avant qu’elle soit publiée" in own
    assert SECRET in own
    assert "En attente de lecture" in own
    visitor = site.app.test_client()
    gone = visitor.get(sent.location)
    assert gone.status_code == 404
    assert "En attente de lecture par la modération" in text_of(gone)
    api = f"/api/v1/consultations/{site.consultation.slug}/contributions"
    for path in (sent.location, site.public, f"{site.public}?q=tramway", api, "/corbeille"):
        assert SECRET not in visitor.get(path).get_data(as_text=True)
    queue = text_of(site.moderator.get("/gestion/moderation"))
    assert SECRET in queue
    assert "À lire avant publication" in queue
    page = f"/gestion/moderation/proposal/{made.id}"
    assert "Publier ce contenu" in text_of(site.moderator.get(page))
    form = {"act": "publish", "seen": 0, "version": 1, "publish-message": ""}
    assert site.post(site.moderator, page, **form).status_code == 303
    assert SECRET in visitor.get(sent.location).get_data(as_text=True)
    assert site.one(Decision).act is Act.PUBLISH


def test_an_organiser_changes_when_texts_are_read_and_everybody_sees_it(site):
    refused = site.post(site.organiser, site.path, reading="zzz", off_hours="queue", charter="")
    assert refused.status_code == 422
    long = site.post(site.organiser, site.path, reading="divisive", off_hours="close", charter="x" * 2001)
    assert (long.status_code, "trop longue" in text_of(long)) == (422, True)
    charter = "Restez courtois <script>alert(1)</script>."
    saved = site.post(site.organiser, site.path, reading="divisive", off_hours="close", charter=charter)
    assert (saved.status_code, saved.location) == (303, site.path)
    assert site.one(ReadingChange).reading is Reading.TWICE
    visitor = site.app.test_client()
    step, figures = (visitor.get(path).get_data(as_text=True) for path in (site.public, "/moderation"))
    assert "Restez courtois &lt;script&gt;" in step
    assert "par deux personnes" in step
    assert "Sujet clivant" in html.unescape(figures)
    assert site.one(ReadingChange).registry_ref[:8] in figures
    assert "Modération" in text_of(site.organiser.get(f"/gestion/consultations/{site.consultation.slug}"))


def test_other_steps_and_other_people_have_no_such_page(site):
    with site.app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        whole = session.get_one(type(site.consultation), site.consultation.id)
        form = f.make_step(session, whole, kind="questionnaire")
        session.flush()
        slug = form.slug
    assert site.organiser.get(site.path.replace(site.step.slug, slug)).status_code == 404
    assert site.moderator.get(site.path).status_code == 403
    token = {"reading": "a_posteriori", "off_hours": "queue", "charter": ""}
    assert site.organiser.post(site.path, data=token).status_code in {400, 403}, "no token"
