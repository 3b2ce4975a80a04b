"""Replying: one reply per account, edition until closing, drafts, pending replies, registry entries."""

import datetime as dt
import hashlib
import threading
import uuid

import pytest
import rfc8785
from sqlalchemy import func, select

from consult.actor import Actor, Role
from consult.consultations.models import ConsultationStatus, ContentStatus, Origin
from consult.db import ALL_TENANTS
from consult.errors import ClosedError, ConflictError, InvalidError, NotFoundError
from consult.organisations.models import Organisation
from consult.questionnaires import drafts, policy, queries, service
from consult.questionnaires.bindings import QuestionnaireStep, ReplyContent
from consult.questionnaires.models import Answer, AnswerVisibility, OptionKind, Question, Reply, ReplyDraft
from consult.questionnaires.policy import ANONYMOUS, is_anonymous
from consult.registry.models import EntryKind, RegistryEntry
from tests.factories import make_account, make_consultation, make_organisation, make_question, make_reply, make_step


@pytest.fixture
def step(session):
    consultation = make_consultation(session, make_organisation(session))
    session.info["tenant"] = consultation.organisation_id
    return make_step(session, consultation, kind="questionnaire")


@pytest.fixture
def questions(session, step):
    make_question(session, step, "single", ["Oui", "Non"], visibility=AnswerVisibility.AGGREGATES)
    make_question(session, step, "multiple", ["Train", "Vélo", ("Autre", OptionKind.OTHER)])
    make_question(session, step, "long_text", required=True)
    return queries.questions(session, step.id)


@pytest.fixture
def actor(session, step):
    return _actor(make_account(session, _organisation(session, step)))


def _organisation(session, step):
    return session.get_one(Organisation, step.organisation_id)


def _actor(account, **values):
    values = {"account_id": account.id, "confirmed": True, "roles": frozenset({Role.PARTICIPANT})} | values
    return Actor(**values)


def _answers(questions, text="Plus de trains."):
    yes, train, written = questions
    return {
        yes.id: {"text": None, "options": [str(yes.options[0].id)], "other": None},
        train.id: {"text": None, "options": [str(train.options[0].id), str(train.options[2].id)], "other": "À pied"},
        written.id: {"text": text, "options": [], "other": None},
    }


def _entries(session):
    return list(session.scalars(select(RegistryEntry).order_by(RegistryEntry.id)))


def _count(session, model):
    return session.scalar(select(func.count()).select_from(model))


def test_a_reply_is_kept_with_its_registry_entry(session, step, questions, actor, now):
    given = _answers(questions)
    reply = service.submit(session, step, questions, given, actor=actor, seen=0, now=now)
    assert queries.answers_of(session, reply.id) == given
    assert (reply.status, reply.version, reply.received_on) == (ContentStatus.PUBLISHED, 1, dt.date(2026, 3, 2))
    (entry,) = _entries(session)
    assert (entry.kind, entry.ref) == (EntryKind.CONTRIBUTION, reply.registry_ref)
    assert str(actor.account_id) not in str(entry.opening)


def test_the_registry_commits_to_the_public_answers_which_anybody_can_recompute(session, step, questions, actor, now):
    given = _answers(questions)
    service.submit(session, step, questions, given, actor=actor, seen=0, now=now)
    public = {str(key): said for key, said in given.items() if key != questions[0].id}
    assert _entries(session)[0].opening["answers_sha256"] == hashlib.sha256(rfc8785.dumps(public)).hexdigest()


def test_the_same_answers_sent_twice_make_one_reply_and_one_entry(session, step, questions, actor, now):
    first = service.submit(session, step, questions, _answers(questions), actor=actor, seen=0, now=now)
    second = service.submit(session, step, questions, _answers(questions), actor=actor, seen=0, now=now)
    assert (second.id, second.version) == (first.id, 1)
    assert (_count(session, Reply), _count(session, Answer), len(_entries(session))) == (1, 3, 1)


def test_another_tab_does_not_replace_silently(session, step, questions, actor, now):
    service.submit(session, step, questions, _answers(questions, "Premier onglet"), actor=actor, seen=0, now=now)
    with pytest.raises(ConflictError, match="autre onglet"):
        service.submit(session, step, questions, _answers(questions, "Second onglet"), actor=actor, seen=0, now=now)
    edited = service.submit(session, step, questions, _answers(questions, "Second"), actor=actor, seen=1, now=now)
    assert (edited.version, queries.answers_of(session, edited.id)[questions[2].id]["text"]) == (2, "Second")
    assert [entry.kind for entry in _entries(session)] == [EntryKind.CONTRIBUTION, EntryKind.EDIT]


def test_a_question_left_blank_at_the_edition_loses_its_answer(session, step, questions, actor, now):
    reply = service.submit(session, step, questions, _answers(questions), actor=actor, seen=0, now=now)
    shorter = _answers(questions) | {questions[1].id: {"text": None, "options": [], "other": None}}
    service.submit(session, step, questions, shorter, actor=actor, seen=1, now=now)
    assert set(queries.answers_of(session, reply.id)) == {questions[0].id, questions[2].id}


def test_a_refused_answer_changes_nothing(session, step, questions, actor, now):
    missing = _answers(questions, "") | {questions[2].id: {"text": None, "options": [], "other": None}}
    with pytest.raises(InvalidError) as refusal:
        service.submit(session, step, questions, missing, actor=actor, seen=0, now=now)
    assert list(refusal.value.fields) == [str(questions[2].id)]
    assert _count(session, Reply) == 0


@pytest.mark.parametrize("moment", ["before", "after", "closed"])
def test_nothing_is_taken_outside_the_dates(session, step, questions, actor, now, moment):
    if moment == "closed":
        step.consultation.status = ConsultationStatus.CLOSED
    when = {"before": step.opens_at - dt.timedelta(microseconds=1), "after": step.closes_at, "closed": now}[moment]
    with pytest.raises(ClosedError):
        service.submit(session, step, questions, _answers(questions), actor=actor, seen=0, now=when)
    assert _count(session, Reply) == 0


def test_the_last_instant_is_still_open(session, step, questions, actor):
    last = step.closes_at - dt.timedelta(microseconds=1)
    service.submit(session, step, questions, _answers(questions), actor=actor, seen=0, now=last)
    assert _count(session, Reply) == 1


def test_the_reply_of_an_unconfirmed_account_waits_for_confirmation(session, step, questions, now):
    account = make_account(session, _organisation(session, step), confirmed_at=None)
    actor = _actor(account, confirmed=False)
    reply = service.submit(session, step, questions, _answers(questions), actor=actor, seen=0, now=now)
    assert (reply.status, _entries(session)) == (ContentStatus.PENDING, [])
    assert service.census(session, step)["replies"] == 0
    assert service.publish_pending_replies(session, account.id, now) == 1
    assert (reply.status, [entry.ref for entry in _entries(session)]) == (ContentStatus.PUBLISHED, [reply.registry_ref])
    assert service.publish_pending_replies(session, account.id, now) == 0


def test_a_reply_confirmed_after_the_end_stays_out(session, step, questions, now):
    """As a vote or a proposal does: results that were published do not move."""
    account = make_account(session, _organisation(session, step), confirmed_at=None)
    actor = _actor(account, confirmed=False)
    reply = service.submit(session, step, questions, _answers(questions), actor=actor, seen=0, now=now)
    assert service.publish_pending_replies(session, account.id, step.closes_at) == 0
    assert (reply.status, _entries(session)) == (ContentStatus.PENDING, [])


def test_a_reply_still_waiting_is_published_when_sent_again_once_confirmed(session, step, questions, now):
    """It was sent while the address was being confirmed in another tab."""
    account = make_account(session, _organisation(session, step))
    late = _actor(account, confirmed=False)
    service.submit(session, step, questions, _answers(questions), actor=late, seen=0, now=now)
    again = service.submit(session, step, questions, _answers(questions), actor=_actor(account), seen=1, now=now)
    assert (again.status, len(_entries(session))) == (ContentStatus.PUBLISHED, 1)


def test_a_withdrawn_reply_is_not_counted_and_can_be_sent_again(session, step, questions, actor, now):
    reply = service.submit(session, step, questions, _answers(questions), actor=actor, seen=0, now=now)
    service.withdraw(session, reply.id, actor=actor, now=now)
    service.withdraw(session, reply.id, actor=actor, now=now)
    assert service.census(session, step)["replies"] == 0
    again = service.submit(session, step, questions, _answers(questions), actor=actor, seen=1, now=now)
    assert (again.id, again.status) == (reply.id, ContentStatus.PUBLISHED)
    kinds = [entry.kind for entry in _entries(session)]
    assert kinds == [EntryKind.CONTRIBUTION, EntryKind.TOMBSTONE, EntryKind.EDIT]


def test_a_reply_withdrawn_before_it_was_public_goes_whole(session, step, questions, now):
    """The log never knew it: kept, it would be one more than was submitted."""
    waiting = _actor(make_account(session, _organisation(session, step)), confirmed=False)
    reply = service.submit(session, step, questions, _answers(questions), actor=waiting, seen=0, now=now)
    service.withdraw(session, reply.id, actor=waiting, now=now)
    assert (_count(session, Reply), _entries(session)) == (0, [])
    assert queries.states(session, step.consultation_id) == {}
    service.submit(session, step, questions, _answers(questions), actor=waiting, seen=0, now=now)
    assert _count(session, Reply) == 1


def test_nobody_withdraws_somebody_elses_reply(session, step, questions, actor, now):
    reply = service.submit(session, step, questions, _answers(questions), actor=actor, seen=0, now=now)
    stranger = _actor(make_account(session, _organisation(session, step)))
    with pytest.raises(NotFoundError):
        service.withdraw(session, reply.id, actor=stranger, now=now)
    with pytest.raises(NotFoundError):
        service.withdraw(session, make_reply(session, step).id, actor=Actor(), now=now)


def test_a_hidden_reply_can_be_neither_edited_nor_withdrawn(session, step, questions, actor, now):
    reply = service.submit(session, step, questions, _answers(questions), actor=actor, seen=0, now=now)
    service.hide(session, reply.id, "insult")
    with pytest.raises(ClosedError):
        service.submit(session, step, questions, _answers(questions, "Autre"), actor=actor, seen=1, now=now)
    with pytest.raises(ClosedError):
        service.withdraw(session, reply.id, actor=actor, now=now)


def test_hiding_and_restoring_a_reply_moves_the_counts(session, step, questions, actor, now):
    reply = service.submit(session, step, questions, _answers(questions), actor=actor, seen=0, now=now)
    content = ReplyContent()
    content.hide(session, reply.id, "off_topic")
    assert (reply.status_reason, service.census(session, step)["replies"]) == ("off_topic", 0)
    assert queries.tallies(session, step.id) == {}
    with pytest.raises(ConflictError):
        content.hide(session, reply.id, "insult")
    content.restore(session, reply.id)
    assert (reply.status_reason, service.census(session, step)["replies"]) == (None, 1)
    assert queries.tallies(session, step.id)[questions[2].id, Origin.LIVE].answered == 1


def test_a_moderator_reads_the_open_answers_that_are_published(session, step, questions, actor, now):
    secret = make_question(session, step, "long_text", visibility=AnswerVisibility.ADMINISTRATION)
    asked = queries.questions(session, step.id)
    given = _answers(questions) | {secret.id: {"text": "Rien pour le public", "options": [], "other": None}}
    reply = service.submit(session, step, asked, given, actor=actor, seen=0, now=now)
    item = ReplyContent().items(session, [reply.id, uuid.uuid4()])[reply.id]
    assert item.body == f"{questions[1].wording}\nÀ pied\n\n{questions[2].wording}\nPlus de trains."
    assert (item.author_id, item.status, item.address) == (actor.account_id, "published", f"/reponses/{reply.id}")


def test_counts_by_option_equal_a_recount(session, step, questions, now):
    organisation = _organisation(session, step)
    for rank in range(7):
        actor = _actor(make_account(session, organisation))
        given = _answers(questions)
        if rank % 2:
            given[questions[1].id] = {"text": None, "options": [str(questions[1].options[1].id)], "other": None}
        service.submit(session, step, questions, given, actor=actor, seen=0, now=now)
    make_reply(session, step, answers={questions[1]: [questions[1].options[1]]}, origin=Origin.IMPORTED)
    found = queries.tallies(session, step.id)
    train, bike, other = (str(option.id) for option in questions[1].options)
    assert found[questions[1].id, Origin.LIVE] == queries.Tally(7, {train: 4, other: 4, bike: 3})
    assert found[questions[1].id, Origin.IMPORTED] == queries.Tally(1, {bike: 1})
    assert found[questions[0].id, Origin.LIVE] == queries.Tally(7, {str(questions[0].options[0].id): 7})
    assert service.census(session, step) == {"replies": 7, "imported_replies": 1, "questions": 3}


def test_a_draft_is_taken_up_again_then_dropped_when_sent(session, step, questions, actor, now):
    account_id = actor.account_id
    first, second = {questions[0].id: _answers(questions)[questions[0].id]}, _answers(questions, "Suite")
    drafts.save(session, step, first, drafts.Holder(account_id, None), now=now)
    drafts.save(session, step, second, drafts.Holder(account_id, None), now=now + dt.timedelta(minutes=1))
    (draft,) = queries.drafts(session, step.id, account_id=account_id, browser=None)
    assert policy.from_json(draft.answers, questions) == second
    service.submit(session, step, questions, second, actor=actor, seen=0, now=now)
    assert _count(session, ReplyDraft) == 0


def test_what_a_browser_began_goes_over_to_the_account(session, step, questions, actor, now):
    drafts.save(session, step, _answers(questions, "Avant"), drafts.Holder(browser="b" * 64), now=now)
    found = queries.drafts(session, step.id, account_id=actor.account_id, browser="b" * 64)
    assert queries.merge(found)[str(questions[2].id)]["text"] == "Avant"
    drafts.save(session, step, {}, drafts.Holder(actor.account_id, "b" * 64), now=now)
    (draft,) = session.scalars(select(ReplyDraft)).all()
    assert (draft.account_id, draft.answers[str(questions[2].id)]["text"]) == (actor.account_id, "Avant")


def test_a_duplicated_step_asks_the_same_and_holds_no_reply(session, step, questions, actor, now):
    service.submit(session, step, questions, _answers(questions), actor=actor, seen=0, now=now)
    copy = make_step(session, step.consultation, kind="questionnaire")
    step.introduction, step.settings = "<p>Dites-nous.</p>", {ANONYMOUS: True}
    kind = QuestionnaireStep(lambda *_: "")
    kind.duplicate(session, step, copy)
    assert (copy.introduction, is_anonymous(copy)) == ("<p>Dites-nous.</p>", True)
    assert copy.settings is not step.settings

    def shape(rules):
        hidden = {"id", "step", "options", "cells"}
        return [
            {**{k: v for k, v in q.items() if k not in hidden}, "options": [o["label"] for o in q["options"]]}
            for q in rules["questions"]
        ]

    assert shape(kind.rules(session, copy)) == shape(kind.rules(session, step))
    assert kind.census(session, copy) == {"replies": 0, "imported_replies": 0, "questions": 3}
    ids = set(session.scalars(select(Question.id)))
    assert len(ids) == 6


def test_a_questionnaire_without_question_cannot_be_opened(session, step):
    with pytest.raises(InvalidError, match="aucune question"):
        service.rules(session, step)


def test_test_traces_go_and_live_replies_stay(session, step, questions):
    make_reply(session, step, origin=Origin.TEST, answers={questions[2]: "essai"})
    live = make_reply(session, step, answers={questions[2]: "vrai"})
    assert service.purge_test_traces(session, step) == 1
    assert session.scalars(select(Reply.id)).all() == [live.id]
    assert _count(session, Answer) == 1


def test_two_tabs_at_the_same_instant_make_one_reply(database, now):
    with database.transaction(tenant=ALL_TENANTS) as session:
        step = make_step(session, make_consultation(session, make_organisation(session)), kind="questionnaire")
        make_question(session, step)
        actor = _actor(make_account(session, _organisation(session, step)))
        step_id, organisation_id = step.id, step.organisation_id
    barrier, outcomes = threading.Barrier(8), []

    def send(rank: int) -> None:
        barrier.wait()
        try:
            with database.transaction(tenant=organisation_id) as session:
                mine = session.get_one(type(step), step_id)
                asked = queries.questions(session, step_id)
                given = {asked[0].id: {"text": f"Onglet {rank % 2}", "options": [], "other": None}}
                service.submit(session, mine, asked, given, actor=actor, seen=0, now=now)
                outcomes.append("kept")
        except ConflictError:
            outcomes.append("conflict")

    threads = [threading.Thread(target=send, args=(rank,)) for rank in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.transaction(tenant=ALL_TENANTS, write=False) as session:
        assert (_count(session, Reply), _count(session, Answer), _count(session, RegistryEntry)) == (1, 1, 1)
    assert (outcomes.count("kept"), outcomes.count("conflict")) == (4, 4)


def test_a_reply_sent_for_good_is_withdrawn_never_changed(session, step, questions, actor, now):
    step.settings = {"final": True}
    given = _answers(questions)
    reply = service.submit(session, step, questions, given, actor=actor, seen=0, now=now)
    assert service.submit(session, step, questions, given, actor=actor, seen=0, now=now) is reply
    with pytest.raises(ClosedError, match="ne puisse plus être modifiée"):
        service.submit(session, step, questions, _answers(questions, "Autre chose."), actor=actor, seen=1, now=now)
    assert queries.answers_of(session, reply.id) == given
    service.withdraw(session, reply.id, actor=actor, now=now)
    with pytest.raises(ClosedError, match="ne puisse plus être modifiée"):
        service.submit(session, step, questions, given, actor=actor, seen=1, now=now)
    assert reply.status is ContentStatus.WITHDRAWN
