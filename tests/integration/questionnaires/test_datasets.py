"""What the open data say of a questionnaire: the announced answers of published replies, and nothing else."""

import datetime as dt
import gc
import tracemalloc
import uuid

import pytest
from sqlalchemy import insert

from consult.consultations.models import ContentStatus, Origin
from consult.organisations.models import Organisation
from consult.questionnaires.bindings import AnswersDataset, QuestionsDataset, RepliesDataset
from consult.questionnaires.models import Answer, AnswerVisibility, Reply
from tests.factories import make_account, make_consultation, make_organisation, make_question, make_reply, make_step

DATASETS = [QuestionsDataset(), RepliesDataset(), AnswersDataset()]


@pytest.fixture
def consultation(session):
    consultation = make_consultation(session, make_organisation(session))
    session.info["tenant"] = consultation.organisation_id
    return consultation


def _key(row):
    return row.get("id") or f"{row['reply']}:{row['question']}"


def _fill(session, consultation, count=3):
    for _ in range(2):
        step = make_step(session, consultation, kind="questionnaire")
        choice = make_question(session, step, "single", ["Oui", "Non"])
        written = make_question(session, step, "long_text")
        hidden = make_question(session, step, "short_text", visibility=AnswerVisibility.AGGREGATES)
        kept = make_question(session, step, "short_text", visibility=AnswerVisibility.ADMINISTRATION)
        for _ in range(count):
            answers = {choice: [choice.options[1]], written: "Plus de trains.", hidden: "75011", kept: "Réservé"}
            make_reply(session, step, None, answers)
    return step, written


def test_columns_are_those_of_the_dump_and_rows_come_in_a_stable_order(session, consultation):
    _fill(session, consultation)
    for dataset in DATASETS:
        rows = list(dataset.rows(session, consultation.id))
        assert rows
        assert all(list(row) == list(dataset.columns) for row in rows)
        assert [_key(row) for row in rows] == sorted(_key(row) for row in rows)


def test_only_questions_announced_row_by_row_give_answers(session, consultation):
    _fill(session, consultation)
    rows = list(AnswersDataset().rows(session, consultation.id))
    assert {row["text"] for row in rows} == {None, "Plus de trains."}
    assert len(rows) == 12
    assert {row["visibility"] for row in QuestionsDataset().rows(session, consultation.id)} == {
        "rows",
        "aggregates",
        "administration",
    }


@pytest.mark.parametrize("size", [1, 2, 5])
def test_walking_by_pages_gives_each_row_once(session, consultation, size):
    _fill(session, consultation, count=4)
    for dataset in DATASETS:
        whole, walked, after = list(dataset.rows(session, consultation.id)), [], None
        while page := list(dataset.rows(session, consultation.id, after=after, limit=size)):
            assert len(page) <= size
            walked += page
            after = _key(page[-1])
        assert walked == whole


@pytest.mark.parametrize("status", [each for each in ContentStatus if each is not ContentStatus.PUBLISHED])
def test_a_reply_that_is_not_published_leaves_no_row(session, consultation, status):
    step, written = _fill(session, consultation, count=1)
    reason = "insult" if status is ContentStatus.HIDDEN else None
    reply = make_reply(session, step, None, {written: "Introuvable"}, status=status, status_reason=reason)
    test = make_reply(session, step, None, {written: "Essai"}, origin=Origin.TEST)
    for dataset in DATASETS[1:]:
        told = str(list(dataset.rows(session, consultation.id)))
        assert str(reply.id) not in told
        assert str(test.id) not in told
        assert "Introuvable" not in told
    # A cursor left on it goes on with what follows, and gives none of its answers.
    after = f"{reply.id}:{uuid.UUID(int=0)}"
    assert "Introuvable" not in str(list(AnswersDataset().rows(session, consultation.id, after=after)))


def test_no_account_and_no_instant_is_in_the_rows(session, consultation):
    step, written = _fill(session, consultation, count=1)
    account = make_account(session, _organisation(session, consultation))
    reply = make_reply(session, step, account, {written: "Un avis"})
    told = str([row for dataset in DATASETS for row in dataset.rows(session, consultation.id)])
    assert str(account.id) not in told
    assert reply.received_at.isoformat()[11:16] not in told
    assert "'received_on': '2026-03-02'" in told


def test_a_draft_consultation_and_another_one_give_nothing(session, consultation):
    _fill(session, consultation, count=1)
    draft = make_consultation(session, _organisation(session, consultation), opened=False)
    make_question(session, make_step(session, draft, kind="questionnaire"))
    for dataset in DATASETS:
        assert list(dataset.rows(session, draft.id)) == []
        assert list(dataset.rows(session, uuid.uuid4())) == []


def _organisation(session, consultation):
    return session.get_one(Organisation, consultation.organisation_id)


@pytest.mark.slow
@pytest.mark.sqlite_first
def test_memory_does_not_follow_the_number_of_replies(session, consultation):
    step = make_step(session, consultation, kind="questionnaire")
    written = make_question(session, step, "long_text")
    own = {"organisation_id": consultation.organisation_id}

    def add(count):
        ids = [uuid.uuid4() for _ in range(count)]
        common = own | {"consultation_id": consultation.id, "step_id": step.id}
        at = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
        replies = [common | {"id": key, "received_on": at.date(), "received_at": at} for key in ids]
        session.execute(insert(Reply), replies)
        answers = [own | {"reply_id": key, "question_id": written.id, "text": "a" * 500} for key in ids]
        session.execute(insert(Answer), answers)

    def peak():
        gc.collect()
        gc.freeze()  # the collections below look at what the walk makes, not at all that the process holds
        tracemalloc.start()
        count = 0
        for count, _ in enumerate(AnswersDataset().rows(session, consultation.id), 1):
            if count % 500 == 0:
                gc.collect()  # what is held is measured, not what waits for the collector
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        gc.unfreeze()
        return count, size

    add(2000)
    peak()  # statements are compiled and kept at the first use
    few = peak()
    add(6000)
    many = peak()
    assert (few[0], many[0]) == (2000, 8000)
    assert many[1] <= 1.2 * few[1]
