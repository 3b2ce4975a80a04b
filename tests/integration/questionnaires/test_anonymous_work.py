"""What the worker makes of urns: in its own session, which serves every organisation, beside authors who act."""

import dataclasses
import datetime as dt
import threading

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from consult.actor import Actor, Role
from consult.console import Platform
from consult.consultations.models import ContentStatus, Step
from consult.db import ALL_TENANTS
from consult.errors import ConflictError, UnavailableError
from consult.jobs import service as work
from consult.jobs.models import Job, JobState
from consult.jobs.worker import Worker
from consult.organisations.models import Organisation
from consult.questionnaires import bindings, jobs, policy, queries
from consult.questionnaires.anonymous import batches, urns
from consult.questionnaires.by_code import codes, service
from consult.questionnaires.cli import questionnaires
from consult.questionnaires.models import Answer, Reply, ReplyUrn
from consult.registry.models import EntryKind, RegistryEntry
from tests.factories import make_account, make_consultation, make_organisation, make_question, make_step

PHRASE = "une phrase assez longue pour sceller"
KEYS = urns.keyring(PHRASE)


class Scene:
    """Anonymous questionnaires of several organisations, their authors, and the worker that serves them all."""

    def __init__(self, database, now):
        self.database, self.now = database, now
        self.done = 0

    def writing(self, tenant=ALL_TENANTS):
        return self.database.transaction(tenant=tenant)

    def open(self):
        """A step of a new organisation."""
        with self.writing() as session:
            consultation = make_consultation(session, make_organisation(session))
            step = make_step(session, consultation, kind="questionnaire", settings={policy.ANONYMOUS: True})
            make_question(session, step, "long_text", required=True)
            session.expunge_all()
        return step

    def send(self, step, count=urns.LEAST, text="Plus de trains.", code=None, keys=KEYS):
        """The codes of that many replies; `code`: the one that the form carried."""
        given = []
        with self.writing(step.organisation_id) as session:
            organisation = session.get_one(Organisation, step.organisation_id)
            asked, own = queries.questions(session, step.id), session.get_one(Step, step.id)
            for _ in range(count):
                account = make_account(session, organisation)
                actor = Actor(account_id=account.id, confirmed=True, roles={Role.PARTICIPANT})
                sent = {"actor": actor, "code": code or codes.draw(), "keys": keys, "now": self.now}
                given.append(service.submit(session, own, asked, self.said(asked, text), **sent))
        return given

    @staticmethod
    def said(asked, text):
        return {asked[0].id: {"text": text, "options": [], "other": None}}

    def change(self, step, code, text, keys=KEYS):
        with self.writing(step.organisation_id) as session:
            asked = queries.questions(session, step.id)
            service.change(session, step.organisation_id, code, self.said(asked, text), keys=keys, now=self.now)

    @staticmethod
    def held(session, step, code, **options):
        return service.find(session, step.organisation_id, code, keys=KEYS, **options)

    @staticmethod
    def words(held):
        return [said["text"] for said in held.answers.values()]

    def slug(self, step):
        with self.writing() as session:
            return session.get_one(Step, step.id).consultation.slug

    @staticmethod
    def end(step):
        return step.closes_at + batches.MARGIN

    def work(self, now=None, keys=KEYS):
        """One turn of the job, by the worker itself; what is left of it."""
        self.done += 1
        with self.writing() as session:
            key = f"essai:{self.done}"
            kind = jobs.FlushReplies.kind
            work.enqueue(session, kind, {}, organisation_id=None, now=self.now, unique_key=key, max_attempts=1)
        handler = jobs.FlushReplies(keys, lambda: now or self.now)
        assert Worker(self.database, {handler.kind: handler}, now=lambda: self.now).run_once()
        with self.writing() as session:
            return session.scalars(select(Job).where(Job.unique_key == key)).one().state

    def texts(self, step):
        with self.writing(step.organisation_id) as session:
            query = select(Answer.text).join(Reply, Reply.id == Answer.reply_id).where(Reply.step_id == step.id)
            return sorted(session.scalars(query))


@pytest.fixture
def scene(database, now):
    return Scene(database, now)


@pytest.fixture
def run(scene, settings):
    """`consult questionnaires give-up`, as an operator types it: its refusal, if any, and what it told."""

    def run(*arguments):
        told = []

        class Serve:
            def platform(self):
                with_keys = dataclasses.replace(settings, seal_keys=PHRASE)
                return Platform(with_keys, scene.database, None, None, told.append)

        done = CliRunner().invoke(questionnaires, ["give-up", *arguments], obj=Serve())
        assert done.exception is None or isinstance(done.exception, ConflictError), done.exception
        return done.exception, told

    return run


@pytest.mark.slow
def test_a_change_comes_out_in_the_session_of_the_worker_for_every_organisation(scene):
    steps = [scene.open(), scene.open()]
    for step in steps:
        given = scene.send(step)
        assert scene.work() is JobState.DONE
        for code in given:
            scene.change(step, code, "Moins de bruit.")
    assert scene.work() is JobState.DONE
    for step in steps:
        assert scene.texts(step) == ["Moins de bruit."] * urns.LEAST


# Changes ------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_lone_change_waits_for_others_or_for_the_end_however_many_days_pass(scene):
    step = scene.open()
    first, *others = scene.send(step)
    scene.work()
    scene.change(step, first, "Moins de bruit.")
    for day in range(1, 20):
        scene.work(scene.now + dt.timedelta(days=day))
    assert "Moins de bruit." not in scene.texts(step)
    for code in others[:-1]:
        scene.change(step, code, "Plus d’arbres.")
    scene.change(step, first, "Moins de bruit, vraiment.")  # twice the same reply: still nineteen
    scene.change(step, others[-1], "Plus de trains.")  # what it says already: nothing will show of it
    scene.work()
    assert scene.texts(step) == ["Plus de trains."] * urns.LEAST
    scene.change(step, others[-1], "Plus d’arbres.")
    scene.work()
    assert scene.texts(step) == ["Moins de bruit, vraiment."] + ["Plus d’arbres."] * (urns.LEAST - 1)
    scene.change(step, first, "Enfin.")
    scene.work(scene.end(step))
    assert "Enfin." in scene.texts(step)


def test_a_change_undone_before_it_comes_out_waits_no_more(scene):
    step = scene.open()
    first, *others = scene.send(step)
    scene.work()
    scene.change(step, first, "Moins de bruit.")
    scene.change(step, first, "Plus de trains.")
    for code in others:
        scene.change(step, code, "Plus d’arbres.")
    scene.work()
    assert scene.texts(step) == ["Plus de trains."] * urns.LEAST


def test_a_change_of_a_hidden_reply_is_not_counted_and_waits_for_it_to_be_restored(scene):
    step = scene.open()
    given = scene.send(step)
    scene.work()
    for code in given:
        scene.change(step, code, "Moins de bruit.")
    moderated = bindings.ReplyContent()
    with scene.writing(step.organisation_id) as session:
        hidden = scene.held(session, step, given[0]).reply.id
        moderated.hide(session, hidden, "insult")
    scene.work()
    assert scene.texts(step) == ["Plus de trains."] * urns.LEAST
    with scene.writing(step.organisation_id) as session:
        moderated.restore(session, hidden)
    scene.work()
    assert scene.texts(step) == ["Moins de bruit."] * urns.LEAST


def test_a_withdrawal_that_was_accepted_stands_although_moderation_hides_the_reply_meanwhile(scene):
    step = scene.open()
    first, *_ = scene.send(step)
    scene.work()
    with scene.writing(step.organisation_id) as session:
        service.withdraw(session, step.organisation_id, first, keys=KEYS, now=scene.now)
        reply = scene.held(session, step, first).reply
        bindings.ReplyContent().hide(session, reply.id, "insult")
        hidden = reply.id
    assert scene.work(scene.end(step)) is JobState.DONE
    with scene.writing(step.organisation_id) as session:
        reply = session.get_one(Reply, hidden)
        assert (reply.status, reply.status_reason, reply.batch_salt) == (ContentStatus.WITHDRAWN, None, None)
        assert session.scalars(select(Answer).where(Answer.reply_id == hidden)).all() == []
        kinds = [entry.kind for entry in session.scalars(select(RegistryEntry).order_by(RegistryEntry.id))]
        assert kinds == [EntryKind.REPLIES, EntryKind.TOMBSTONE]


# An urn whose key is lost -------------------------------------------------------------------------------------------

OTHER = urns.keyring("une tout autre phrase, assez longue")


def test_an_urn_whose_key_is_lost_stops_neither_the_other_steps_nor_the_other_urns(scene):
    lost, sound = scene.open(), scene.open()
    scene.send(lost, urns.LEAST + 3, keys=OTHER)
    scene.send(lost, urns.LEAST)  # the same step: another urn is filled
    (code, *_) = scene.send(sound, urns.LEAST + 1)
    assert scene.work() is JobState.DONE
    assert [len(scene.texts(step)) for step in (lost, sound)] == [urns.LEAST] * 2
    with scene.writing(sound.organisation_id) as session:
        assert scene.held(session, sound, code) is not None
    assert scene.work(scene.end(lost)) is JobState.DONE
    assert [len(scene.texts(step)) for step in (lost, sound)] == [urns.LEAST, urns.LEAST + 1]
    with scene.writing() as session:
        assert {step.id for step in (lost, sound)} & set(session.scalars(select(ReplyUrn.step_id))) == {lost.id}
        waiting = queries.awaiting_batches(session)
    assert len(waiting) == 1  # the other consultation is sealed
    assert scene.work(scene.end(lost), keys=OTHER) is JobState.DONE  # the key was found again
    assert len(scene.texts(lost)) == 2 * urns.LEAST + 3


def test_a_change_waits_for_the_key_of_those_before_it_so_that_none_undoes_a_later_one(scene):
    step = scene.open()
    first, second, *_ = scene.send(step)
    scene.work()
    scene.change(step, first, "Moins de bruit.", keys=OTHER)
    with scene.writing(step.organisation_id) as session:
        assert scene.held(session, step, first).answers is not None  # what was published is read
    with pytest.raises(UnavailableError):
        scene.change(step, second, "Plus d’arbres.")


def test_what_is_lost_is_given_up_by_a_command_that_says_so_in_the_public_log(scene, run):
    lost, sound = scene.open(), scene.open()
    (out, *_) = scene.send(lost)
    scene.work()
    scene.send(lost, 3, keys=OTHER)
    scene.change(lost, out, "Moins de bruit.", keys=OTHER)
    scene.send(sound, 2)
    refused, told = run()
    assert "confirmez par --yes" in refused.message
    (line,) = told
    assert line == f"{scene.slug(lost)} / {lost.slug}, réponses perdues\u00a0: 3, changements perdus\u00a0: 1."
    with scene.writing() as session:
        assert set(session.scalars(select(ReplyUrn.step_id))) == {lost.id, sound.id}
    refused, told = run("--yes")
    assert (refused, len(told)) == (None, 2)
    with scene.writing() as session:
        assert set(session.scalars(select(ReplyUrn.step_id))) == {sound.id}
        entry = session.scalars(select(RegistryEntry).where(RegistryEntry.kind == EntryKind.INCIDENT)).one()
        assert entry.organisation_id == lost.organisation_id
        assert entry.opening == {"what": "replies", "step": str(lost.id), "replies": 3, "changes": 1}
    assert run("--yes") == (None, ["Les clés de CONSULT_SEAL_KEYS ouvrent tout ce qui attend."])


# Beside the worker --------------------------------------------------------------------------------------------------


def test_an_author_and_the_worker_do_not_wait_for_each_other(scene):
    """The author holds the reply that the worker is about to change, and needs the urn that the worker is emptying."""
    step = scene.open()
    given = scene.send(step)
    scene.work()
    for code in given:
        scene.change(step, code, "Moins de bruit.")
    ended, late = [], scene.end(step)

    def flush():
        with scene.writing() as session:
            ended.append(batches.flush(session, session.get_one(Step, step.id), keys=KEYS, now=late))

    worker = threading.Thread(target=flush)
    with scene.writing(step.organisation_id) as session:
        service.find(session, step.organisation_id, given[0], keys=KEYS, lock=True)
        worker.start()
        worker.join(0.5)
        assert worker.is_alive()  # waits for the author, who goes on
        asked = queries.questions(session, step.id)
        said = scene.said(asked, "Plus d’arbres.")
        service.change(session, step.organisation_id, given[0], said, keys=KEYS, now=scene.now)
    worker.join(30)
    assert ended == [True]
    assert scene.texts(step) == ["Moins de bruit."] * (urns.LEAST - 1) + ["Plus d’arbres."]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # elsewhere a writer is alone
def test_what_is_locked_is_read_anew(scene):
    """A session that has read a reply and its urn sees what another one made of them before it got the lock."""
    step = scene.open()
    waiting, *given = scene.send(step, urns.LEAST - 1)
    with scene.writing(step.organisation_id) as session:
        assert scene.held(session, step, waiting).reply is None
        scene.change(step, waiting, "Moins de bruit.")
        assert scene.words(scene.held(session, step, waiting, lock=True)) == ["Moins de bruit."]
    scene.send(step, 1)
    scene.work()
    with scene.writing(step.organisation_id) as session:
        assert scene.words(scene.held(session, step, given[0])) == ["Plus de trains."]
        scene.change(step, given[0], "Plus d’arbres.")
        assert scene.words(scene.held(session, step, given[0])) == ["Plus d’arbres."]
        held = scene.held(session, step, given[0])
        scene.work(scene.end(step))
        assert held.reply.version == 1
        again = scene.held(session, step, given[0], lock=True)
        assert (again.reply.version, again.changing) == (2, False)


def test_a_code_opens_one_reply_and_a_second_account_gets_another_code(scene):
    step, other = scene.open(), scene.open()
    (code,) = scene.send(step, 1)
    (again,) = scene.send(step, 1, text="Moins de bruit.", code=code)  # the form of before, after signing in anew
    assert again != code
    with scene.writing(step.organisation_id) as session:
        assert scene.words(scene.held(session, step, code)) == ["Plus de trains."]
        assert scene.words(scene.held(session, step, again)) == ["Moins de bruit."]
    scene.send(step, urns.LEAST - 2)
    scene.work()
    (third,) = scene.send(step, 1, code=code)  # the first came out meanwhile
    assert third not in {code, again}
    assert scene.send(other, 1, code=code) == [code]  # elsewhere it opens nothing
