"""Anonymous replies: once per account, out in batches, changed by the code alone."""

# Over 400 lines: the life of one reply, from its sending to what is left of it.
import datetime as dt
import threading
import uuid

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from consult.accounts.models import Account
from consult.actor import Actor, Role
from consult.consultations.models import ConsultationStatus, ContentStatus, Origin
from consult.db import ALL_TENANTS
from consult.errors import ClosedError, ConflictError, ForbiddenError, InvalidError, NotFoundError, UnavailableError
from consult.moderation import queries as moderation
from consult.organisations.models import Organisation
from consult.privacy import retention
from consult.questionnaires import bindings, drafts, jobs, policy, queries
from consult.questionnaires import service as replies
from consult.questionnaires.anonymous import batches, urns
from consult.questionnaires.builder import service as builder
from consult.questionnaires.by_code import codes, service
from consult.questionnaires.models import Answer, HasReplied, Reply, ReplyDraft, ReplyUrn
from consult.registry import conservation
from consult.registry import service as registry
from consult.registry.models import EntryKind, RegistryEntry
from consult.sealing import Keyring
from tests.factories import make_account, make_consultation, make_organisation, make_question, make_reply, make_step
from tests.registers import features, settle

KEYS = urns.keyring("une phrase assez longue pour sceller")
DAY = dt.timedelta(days=1)


@pytest.fixture
def step(session):
    consultation = make_consultation(session, make_organisation(session))
    session.info["tenant"] = consultation.organisation_id
    return make_step(session, consultation, kind="questionnaire", settings={policy.ANONYMOUS: True})


@pytest.fixture
def questions(session, step):
    make_question(session, step, "single", ["Oui", "Non"])
    make_question(session, step, "long_text", required=True)
    return queries.questions(session, step.id)


def _people(session, step, count, **values):
    organisation = session.get_one(Organisation, step.organisation_id)
    return [
        Actor(account_id=make_account(session, organisation, **values).id, confirmed=True, roles={Role.PARTICIPANT})
        for _ in range(count)
    ]


@pytest.fixture
def actor(session, step):
    return _people(session, step, 1)[0]


def _said(questions, text="Plus de trains."):
    choice, words = questions
    return {
        choice.id: {"text": None, "options": [str(choice.options[0].id)], "other": None},
        words.id: {"text": text, "options": [], "other": None},
    }


def _send(session, step, questions, actors, now, code=None, text="Plus de trains."):
    given = [code or codes.draw() for _ in actors]
    for actor, each in zip(actors, given, strict=True):
        service.submit(session, step, questions, _said(questions, text), actor=actor, code=each, keys=KEYS, now=now)
    return given


def _count(session, model):
    return session.scalar(select(func.count()).select_from(model))


def _out(session, step, questions, now, count=urns.LEAST):
    """Codes of replies that came out in one batch."""
    given = _send(session, step, questions, _people(session, step, count), now)
    assert batches.flush(session, step, keys=KEYS, now=now)
    return given


def _come_out(session, step):
    """All that waits, at the end."""
    while batches.flush(session, step, keys=KEYS, now=step.closes_at + batches.MARGIN):
        pass


def _entries(session, kind=None):
    found = session.scalars(select(RegistryEntry).order_by(RegistryEntry.id))
    return [entry for entry in found if kind in (None, entry.kind)]


def _find(session, step, code):
    return service.find(session, step.organisation_id, code, keys=KEYS)


# Sending ------------------------------------------------------------------------------------------------------------


def test_a_reply_waits_sealed_beside_a_mark_that_tells_nothing_of_it(session, step, questions, actor, now):
    (code,) = _send(session, step, questions, [actor], now)
    assert (_count(session, Reply), _count(session, Answer), _entries(session)) == (0, 0, [])
    (mark,), (urn,) = session.scalars(select(HasReplied)).all(), session.scalars(select(ReplyUrn)).all()
    assert set(HasReplied.__table__.columns.keys()) == {"organisation_id", "step_id", "account_id"}
    assert (mark.account_id, urn.count, urn.open) == (actor.account_id, 1, True)
    assert "trains" not in urn.sealed
    assert str(actor.account_id) not in str(urns.content(urn, KEYS))
    with pytest.raises(UnavailableError):
        urns.content(urn, urns.keyring("une tout autre phrase, assez longue"))
    assert code not in str(urns.content(urn, KEYS))


def test_an_account_replies_once_and_the_same_form_sent_again_changes_nothing(session, step, questions, actor, now):
    (code,) = _send(session, step, questions, [actor], now)
    _send(session, step, questions, [actor], now, code)  # its acknowledgement was lost on the way
    with pytest.raises(ConflictError, match="déjà envoyé"):
        _send(session, step, questions, [actor], now)
    with pytest.raises(ConflictError):  # its own code, other answers: a change is made by the code, not by the account
        _send(session, step, questions, [actor], now, code, "Autre chose.")
    assert (_count(session, HasReplied), session.scalar(select(ReplyUrn.count))) == (1, 1)


def test_the_same_form_sent_again_after_the_batch_changes_nothing(session, step, questions, now):
    people = _people(session, step, urns.LEAST)
    given = _send(session, step, questions, people, now)
    batches.flush(session, step, keys=KEYS, now=now)
    _send(session, step, questions, people[:1], now, given[0])
    assert (_count(session, Reply), _count(session, ReplyUrn)) == (urns.LEAST, 0)


def test_refusals_leave_no_mark(session, step, questions, now):
    (newcomer,) = _people(session, step, 1, confirmed_at=None)
    unconfirmed = Actor(account_id=newcomer.account_id, confirmed=False, roles=newcomer.roles)
    with pytest.raises(ForbiddenError, match="Confirmez d’abord"):
        _send(session, step, questions, [unconfirmed], now)
    with pytest.raises(InvalidError):
        _send(session, step, questions, [newcomer], now, text=None)
    with pytest.raises(ClosedError):
        _send(session, step, questions, [newcomer], step.closes_at)
    assert (_count(session, HasReplied), _count(session, ReplyUrn)) == (0, 0)


def test_a_crash_leaves_the_mark_and_the_reply_or_neither(database, now):
    """Never two replies, never a lost acknowledged one: both join one transaction."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        step, asked = _scene(session)
        (actor,) = _people(session, step, 1)
        step_id = step.id
    for crash in (True, False):
        try:
            with database.transaction(tenant=ALL_TENANTS) as session:
                step = session.get_one(type(step), step_id)
                _send(session, step, queries.questions(session, step_id), [actor], now)
                assert not crash
        except AssertionError:
            pass
        with database.transaction(tenant=ALL_TENANTS) as session:
            assert _count(session, HasReplied) == _count(session, ReplyUrn) == (0 if crash else 1)
    assert len(asked) == 2


def _scene(session):
    step = make_step(
        session,
        make_consultation(session, make_organisation(session)),
        kind="questionnaire",
        settings={policy.ANONYMOUS: True},
    )
    make_question(session, step, "single", ["Oui", "Non"])
    make_question(session, step, "long_text", required=True)
    return step, queries.questions(session, step.id)


def test_many_at_once_lose_nothing_and_an_account_at_once_twice_gives_one(database, now):
    with database.transaction(tenant=ALL_TENANTS) as session:
        step, _ = _scene(session)
        people, step_id = _people(session, step, 24), step.id
    refused = []

    def send(actor):
        try:
            with database.transaction(tenant=ALL_TENANTS) as session:
                step = session.get_one(type(scene_step), step_id)
                _send(session, step, queries.questions(session, step_id), [actor], now)
        except ConflictError:
            refused.append(actor)

    scene_step = step
    threads = [threading.Thread(target=send, args=[actor]) for actor in [*people, *people[:4]]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.transaction(tenant=ALL_TENANTS) as session:
        held = [urns.content(urn, KEYS) for urn in session.scalars(select(ReplyUrn))]
        assert (sum(map(len, held)), sorted(map(len, held))) == (24, [4, 20])
        assert (len(refused), _count(session, HasReplied)) == (4, 24)


# Batches ------------------------------------------------------------------------------------------------------------


def test_nothing_comes_out_below_twenty_while_the_step_is_open(session, step, questions, now):
    _send(session, step, questions, _people(session, step, urns.LEAST - 1), now)
    assert not batches.flush(session, step, keys=KEYS, now=now)
    assert _count(session, Reply) == 0


def test_a_batch_names_nobody_tells_a_day_and_has_one_entry(session, step, questions, now):
    _out(session, step, questions, now)
    found = session.scalars(select(Reply)).all()
    (entry,) = _entries(session)
    assert len(found) == urns.LEAST
    assert {(row.account_id, row.batch_ref, row.received_on, row.registry_ref) for row in found} == {
        (None, entry.ref, dt.date(2026, 3, 2), None)
    }
    assert {row.received_at for row in found} == {dt.datetime(2026, 3, 1, 23, tzinfo=dt.UTC)}
    assert (entry.kind, entry.opening["count"], entry.opening["day"]) == (EntryKind.REPLIES, urns.LEAST, "2026-03-02")
    assert set(entry.opening["replies"]) == {str(row.id) for row in found}
    for row in found:
        public = policy.public_answers(questions, queries.answers_of(session, row.id))
        committed = registry.commitment(bytes.fromhex(row.batch_salt), public).hex()
        assert entry.opening["replies"][str(row.id)] == committed


def test_what_is_left_comes_out_once_the_step_is_over(session, step, questions, now):
    _send(session, step, questions, _people(session, step, urns.LEAST + 3), now)
    late = step.closes_at + batches.MARGIN
    assert batches.flush(session, step, keys=KEYS, now=late - dt.timedelta(seconds=1))
    assert not batches.flush(session, step, keys=KEYS, now=late - dt.timedelta(seconds=1))
    assert _count(session, Reply) == urns.LEAST
    while batches.flush(session, step, keys=KEYS, now=late):
        pass
    assert (_count(session, Reply), _count(session, ReplyUrn)) == (urns.LEAST + 3, 0)


def test_the_last_ones_go_with_a_full_urn_when_there_is_one(session, step, questions, now):
    _send(session, step, questions, _people(session, step, urns.LEAST + 3), now)
    assert batches.flush(session, step, keys=KEYS, now=step.closes_at + batches.MARGIN)
    assert [entry.opening["count"] for entry in _entries(session)] == [urns.LEAST + 3]


def test_an_urn_thinned_by_withdrawals_waits_for_another(session, step, questions, now):
    given = _send(session, step, questions, _people(session, step, urns.LEAST), now)
    service.withdraw(session, step.organisation_id, given[3], keys=KEYS, now=now)
    assert not batches.flush(session, step, keys=KEYS, now=now)
    _send(session, step, questions, _people(session, step, urns.LEAST), now)
    assert batches.flush(session, step, keys=KEYS, now=now)
    assert _count(session, Reply) == 2 * urns.LEAST - 1


def test_the_database_refuses_an_anonymous_reply_that_names_an_account(session, step, actor):
    with pytest.raises(IntegrityError), session.begin_nested():
        make_reply(session, step, session.get_one(Account, actor.account_id), edit_key="e" * 64, batch_ref="b" * 32)
    with pytest.raises(IntegrityError), session.begin_nested():
        make_reply(session, step, batch_ref="b" * 32)


def test_the_job_flushes_every_step_and_seals_again_under_the_new_key(session, step, questions, now):
    _send(session, step, questions, _people(session, step, urns.LEAST + 1), now)
    both = Keyring(["la nouvelle phrase assez longue", "une phrase assez longue pour sceller"], "anonymous replies")
    assert [each.done for each in jobs.FlushReplies(both, lambda: now).run(session, {}, {})] == [1, 1]
    assert (_count(session, Reply), session.scalar(select(ReplyUrn.count))) == (urns.LEAST, 1)
    (urn,) = session.scalars(select(ReplyUrn))
    assert len(urns.content(urn, urns.keyring("la nouvelle phrase assez longue"))) == 1


# The log ------------------------------------------------------------------------------------------------------------


def _line(session, step):
    session.expire_all()
    return next(line for line in conservation.all_of(session)[step.consultation_id] if line.type == "reply")


def test_the_census_adds_up_with_replies_still_in_an_urn(session, step, questions, now):
    given = _out(session, step, questions, now)
    _send(session, step, questions, _people(session, step, 3), now)
    settle(session)
    line = _line(session, step)
    assert (line.logged, line.published, line.awaiting, line.submitted, line.balanced) == (20, 20, 3, 23, True)
    service.withdraw(session, step.organisation_id, given[0], keys=KEYS, now=now)
    _come_out(session, step)
    settle(session)
    line = _line(session, step)
    assert (line.logged, line.published, line.withdrawn, line.balanced) == (23, 22, 1, True)


def test_a_consultation_is_not_sealed_before_its_last_batch(session, step, questions, now):
    _send(session, step, questions, _people(session, step, 2), now)
    late = step.closes_at + DAY
    assert features().closed(session, late) == []
    while batches.flush(session, step, keys=KEYS, now=late):
        pass
    assert [each.consultation_id for each in features().closed(session, late)] == [step.consultation_id]


# The code -----------------------------------------------------------------------------------------------------------


def test_a_code_is_read_however_it_is_typed():
    code = codes.draw()
    assert len(code.split("-")) == 8
    for typed in (code.lower(), code.replace("-", ""), code.replace("-", "\u00a0 "), f"  {code}\n"):
        assert codes.clean(typed) == code
    assert codes.clean(code.replace("O", "0").replace("L", "1").replace("B", "8")) == code
    for typed in ("", code[:-1], code + "A", "é" * 32, "9" * 32, "A" * 100_000):
        assert codes.clean(typed) is None


def test_a_code_opens_one_reply_of_its_organisation_alone(session, step, questions, now):
    (first, *_), (waiting,) = _out(session, step, questions, now), _send(
        session, step, questions, _people(session, step, 1), now, text="La dernière."
    )  # fmt: skip
    assert _find(session, step, first).reply.edit_key == codes.edit_key(step.organisation_id, first)
    held = _find(session, step, waiting)
    assert (held.reply, held.answers[str(questions[1].id)]["text"]) == (None, "La dernière.")
    assert _find(session, step, codes.draw()) is None
    assert service.find(session, uuid.uuid4(), first, keys=KEYS) is None


def test_a_reply_that_waits_is_changed_and_withdrawn_at_once(session, step, questions, actor, now):
    (code,) = _send(session, step, questions, [actor], now)
    own = step.organisation_id
    service.change(session, own, code, _said(questions, "Moins de bruit."), keys=KEYS, now=now)
    assert _find(session, step, code).answers[str(questions[1].id)]["text"] == "Moins de bruit."
    assert service.withdraw(session, own, code, keys=KEYS, now=now) is False
    assert _find(session, step, code) is None
    with pytest.raises(ConflictError):  # which account it was is not known: it has replied
        _send(session, step, questions, [actor], now)
    with pytest.raises(NotFoundError):
        service.withdraw(session, own, code, keys=KEYS, now=now)
    assert batches.flush(session, step, keys=KEYS, now=step.closes_at + DAY)  # an empty urn goes, without a batch
    assert (_count(session, Reply), _count(session, ReplyUrn), _entries(session)) == (0, 0, [])


def test_a_change_of_a_published_reply_comes_out_as_a_version_that_tells_a_day(session, step, questions, now):
    code, *others = _out(session, step, questions, now)
    service.change(session, step.organisation_id, code, _said(questions, "Autre."), keys=KEYS, now=now)
    reply = _find(session, step, code).reply
    assert not batches.flush(session, step, keys=KEYS, now=now + DAY)
    assert (reply.version, queries.answers_of(session, reply.id)[questions[1].id]["text"]) == (1, "Plus de trains.")
    for each in others:
        service.withdraw(session, step.organisation_id, each, keys=KEYS, now=now)
    assert batches.flush(session, step, keys=KEYS, now=now + DAY)
    session.refresh(reply)
    assert (reply.version, reply.batch_salt, reply.edited_at) == (2, None, dt.datetime(2026, 3, 2, 23, tzinfo=dt.UTC))
    assert queries.answers_of(session, reply.id)[questions[1].id]["text"] == "Autre."
    (edit,) = _entries(session, EntryKind.EDIT)
    assert (edit.opening["reply"], edit.opening["version"], reply.registry_ref) == (str(reply.id), 2, None)
    assert not batches.flush(session, step, keys=KEYS, now=now + 2 * DAY)


def test_changes_come_out_at_closing_without_waiting_for_the_day(session, step, questions, now):
    late = step.closes_at - dt.timedelta(minutes=5)
    code, *_ = _out(session, step, questions, late)
    service.change(session, step.organisation_id, code, _said(questions, "Autre."), keys=KEYS, now=late)
    assert batches.flush(session, step, keys=KEYS, now=step.closes_at + batches.MARGIN)
    assert _find(session, step, code).reply.version == 2


def test_the_same_answers_given_again_make_no_entry(session, step, questions, now):
    code, *_ = _out(session, step, questions, now)
    service.change(session, step.organisation_id, code, _said(questions), keys=KEYS, now=now)
    assert not _find(session, step, code).changing
    _come_out(session, step)
    assert (_find(session, step, code).reply.version, _entries(session, EntryKind.EDIT)) == (1, [])


def test_a_withdrawal_empties_the_reply_and_destroys_its_edits_but_not_its_batch(session, step, questions, now):
    code, *others = _out(session, step, questions, now)
    own = step.organisation_id
    for each in (code, *others):
        service.change(session, own, each, _said(questions, "Autre."), keys=KEYS, now=now)
    assert batches.flush(session, step, keys=KEYS, now=now)
    service.withdraw(session, own, code, keys=KEYS, now=now)
    assert _find(session, step, code).withdrawn
    with pytest.raises(ClosedError, match="retirée"):
        service.change(session, own, code, _said(questions), keys=KEYS, now=now)
    _come_out(session, step)
    held = _find(session, step, code)
    assert (held.withdrawn, held.reply.status, held.answers) == (True, ContentStatus.WITHDRAWN, {})
    batch, *edits, tombstone = _entries(session)
    (edit,) = (each for each in edits if each.salt is None)
    assert batch.salt is not None
    assert (tombstone.kind, tombstone.opening["entries"]) == (EntryKind.TOMBSTONE, [edit.ref])
    with pytest.raises(ClosedError, match="retirée"):
        service.change(session, own, code, _said(questions), keys=KEYS, now=now)


def test_moderation_hides_one_reply_of_a_batch_and_its_change_is_dropped(session, step, questions, now):
    code, *_ = _out(session, step, questions, now)
    service.change(session, step.organisation_id, code, _said(questions, "Autre."), keys=KEYS, now=now)
    reply = _find(session, step, code).reply
    content = bindings.ReplyContent()
    item = content.get(session, reply.id)
    assert (item.author_id, "Plus de trains." in item.body) == (None, True)
    assert content.hide(session, reply.id, "insult") == []  # the batch still opens, for the nineteen others
    batches.flush(session, step, keys=KEYS, now=now + DAY)
    assert (reply.version, reply.status) == (1, ContentStatus.HIDDEN)
    with pytest.raises(ClosedError, match="masquée"):
        service.change(session, step.organisation_id, code, _said(questions), keys=KEYS, now=now + DAY)
    content.restore(session, reply.id)
    assert reply.status is ContentStatus.PUBLISHED


@pytest.mark.parametrize("act", ["change", "withdraw"])
def test_nothing_changes_after_the_end(session, step, questions, now, act):
    code, *_ = _out(session, step, questions, now)
    answers = [_said(questions)] if act == "change" else []
    with pytest.raises(ClosedError):
        getattr(service, act)(session, step.organisation_id, code, *answers, keys=KEYS, now=step.closes_at)


def test_what_a_batch_brought_is_searched_for_personal_data_although_it_tells_a_day_alone(
    session, step, questions, now
):  # fmt: skip
    _out(session, step, questions, now)
    since = now - dt.timedelta(hours=1)  # the replies are dated of the midnight before
    assert len(moderation.published_since(session, step.id, since)) == 2 * urns.LEAST
    assert moderation.published_since(session, step.id, now + DAY) == []


# What goes, what stays ----------------------------------------------------------------------------------------------


def test_erasing_the_account_takes_the_mark_and_leaves_the_reply(session, step, questions, now):
    people = _people(session, step, urns.LEAST)
    _send(session, step, questions, people, now)
    batches.flush(session, step, keys=KEYS, now=now)
    account_id = people[0].account_id
    exported = {data.table: list(data.export(session, account_id)) for data in bindings.PERSONAL_DATA}
    assert exported["has_replied"] == [{"step_id": str(step.id)}]
    assert (exported["reply"], exported["answer"]) == ([], [])
    for data in bindings.PERSONAL_DATA:
        data.erase(session, account_id, now)
    assert (_count(session, HasReplied), _count(session, Reply)) == (urns.LEAST - 1, urns.LEAST)


def test_marks_are_forgotten_a_year_after_the_end(session, step, questions, now):
    _send(session, step, questions, _people(session, step, 2), now)
    for late, left in ((retention.YEAR, 2), (retention.YEAR + DAY, 0)):
        list(retention.sweep_all(session, step.closes_at + late))
        assert _count(session, HasReplied) == left


def test_marks_are_counted_from_the_true_end_and_go_in_chunks(session, step, questions, now, monkeypatch):
    """A consultation closed before its term: nobody is remembered for longer because of dates that never came."""
    monkeypatch.setattr(retention, "CHUNK", 2)
    _send(session, step, questions, _people(session, step, 5), now)
    closed = step.opens_at + DAY
    assert closed < step.closes_at
    step.consultation.closed_at, step.consultation.status = closed, ConsultationStatus.CLOSED
    session.flush()
    (rule,) = [each for each in retention.RULES if each.tables == ("has_replied",)]
    assert rule.sweep(session, closed + retention.YEAR - DAY) == 0
    after = closed + retention.YEAR + DAY
    assert [rule.sweep(session, after) for _ in range(4)] == [2, 2, 1, 0]
    assert _count(session, HasReplied) == 0


def test_a_draft_of_an_anonymous_step_is_the_browser_s_sealed_and_of_a_round_weight(session, step, questions, now):
    holder = drafts.Holder(None, "b" * 64, None, Keyring(["le jeton du navigateur"], "anonymous draft"))
    weights = set()
    for text in ("Court.", "Un texte un peu plus long. " * 20):
        drafts.save(session, step, _said(questions, text), holder, now=now)
        (draft,) = session.scalars(select(ReplyDraft))
        weights.add((draft.size, len(str(draft.answers))))
        assert (draft.account_id, "texte" in str(draft.answers), "Court" in str(draft.answers)) == (None, False, False)
    assert len(weights) == 1
    assert drafts.kept(session, step, holder)[str(questions[1].id)]["text"] == text
    drafts.forget(session, step, holder)
    assert _count(session, ReplyDraft) == 0


def test_the_mode_is_chosen_before_the_opening_and_frozen_with_the_rules(session, now):
    consultation = make_consultation(session, make_organisation(session), opened=False)
    step = make_step(session, consultation, kind="questionnaire")
    for chosen in (True, False, True):
        builder.set_mode(session, step, anonymous=chosen, actor=Actor(), now=now)
        assert (policy.is_anonymous(step), step.settings) == (chosen, {policy.ANONYMOUS: True} if chosen else {})
    consultation.status, consultation.opened_at = ConsultationStatus.OPEN, now
    session.flush()
    with pytest.raises(ConflictError, match="figée"):
        builder.set_mode(session, step, anonymous=False, actor=Actor(), now=now)
    assert policy.is_anonymous(step)


def test_totals_and_rows_count_what_came_out(session, step, questions, now):
    _out(session, step, questions, now)
    _send(session, step, questions, _people(session, step, 2), now)
    assert queries.tallies(session, step.id)[questions[0].id, Origin.LIVE].answered == urns.LEAST
    assert replies.census(session, step)["replies"] == urns.LEAST
    rows = list(bindings.RepliesDataset().rows(session, step.consultation_id))
    assert {(row["received_on"], len(row["batch"]), len(row["salt"])) for row in rows} == {("2026-03-02", 32, 64)}
    assert len(list(bindings.AnswersDataset().rows(session, step.consultation_id))) == 2 * urns.LEAST
