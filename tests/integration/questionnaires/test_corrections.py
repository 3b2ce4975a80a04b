"""The text of a question is corrected once the consultation is open: what it said before stays, and is told."""

import datetime as dt
import json

import pytest
from sqlalchemy import select

from consult.consultations.models import ConsultationStatus
from consult.questionnaires import queries
from consult.questionnaires.anonymous import urns
from consult.questionnaires.bindings import QuestionsDataset
from consult.questionnaires.by_code import codes
from consult.questionnaires.models import Question, QuestionVersion, Reply, ReplyUrn
from consult.registry.models import EntryKind, RegistryEntry
from consult.sealing import Keyring
from tests.factories import csrf_token, make_account, make_question, sign_in
from tests.integration.questionnaires.test_builder import Office, _text


class Running(Office):
    """An open questionnaire of one question, an organiser and a citizen signed in."""

    def __init__(self, app, client, **settings):
        super().__init__(app, client)
        with self.writing() as session:
            step = session.get_one(type(self.step), self.step.id)
            consultation = session.get_one(type(self.consultation), self.consultation.id)
            self.question = make_question(session, step, "short_text", wording="Que voullez-vous ?", help="En un mot.")
            step.settings = settings
            consultation.status, consultation.opened_at = ConsultationStatus.OPEN, consultation.opens_at
            consultation.closes_at = step.closes_at = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
            person = make_account(session, session.get_one(type(self.organisation), self.organisation.id))
            session.flush()
            session.expunge_all()
        self.citizen = app.test_client()
        sign_in(self.citizen, person)
        self.public = f"/consultations/{self.consultation.slug}/{self.step.slug}"

    def correct(self, wording="Que voulez-vous ?", seen=1, help="En un mot."):  # noqa: A002  # the field's name
        return self.post(f"questions/{self.question.id}/corriger", wording=wording, help=help, seen=str(seen))

    def by_code(self, path, **fields):
        token = csrf_token(self.citizen, "/reponse-par-code")
        return self.citizen.post(f"/reponse-par-code/{path}".rstrip("/"), data={"csrf_token": token, **fields})

    def reply(self, text, texts, **more):
        path = f"{self.public}/repondre"
        fields = {
            "csrf_token": csrf_token(self.citizen, path),
            "page": "1",
            "action": "send",
            "texts": str(texts),
        } | more
        return self.citizen.post(path, data=fields | {f"q-{self.question.id}": text})

    def rows(self, model):
        with self.writing() as session:
            found = session.scalars(select(model)).all()
            session.expunge_all()
        return found


@pytest.fixture
def running(app):
    return Running(app, app.test_client())


def test_a_corrected_question_says_what_it_said_before(running):
    assert f"questions/{running.question.id}/corriger" in running.client.get(f"{running.path}/questions").text
    assert running.correct().status_code == 303
    (question,), (before,) = running.rows(Question), running.rows(QuestionVersion)
    assert (question.wording, question.version) == ("Que voulez-vous ?", 2)
    assert (before.number, before.wording, before.help) == (1, "Que voullez-vous ?", "En un mot.")
    page = _text(running.app.test_client().get(running.public))
    assert "Avant : « Que voullez-vous ? »" in page
    with running.writing() as session:
        (row,) = QuestionsDataset().rows(session, running.consultation.id)
        entries = session.scalars(select(RegistryEntry).order_by(RegistryEntry.id)).all()
        published = [json.dumps(each.opening, ensure_ascii=False) for each in entries if each.kind is EntryKind.RULES]
    assert row["version"] == 2
    assert [(each["version"], each["wording"]) for each in row["earlier"]] == [(1, "Que voullez-vous ?")]
    assert "Que voulez-vous ?" in published[-1]


def test_the_same_correction_twice_makes_one_version_and_a_stale_one_none(running):
    assert [running.correct().status_code, running.correct().status_code] == [303, 303]
    stale = running.correct("Que désirez-vous ?", seen=1)
    assert (stale.status_code, "Quelqu’un d’autre a corrigé" in _text(stale)) == (409, True)
    assert "Que désirez-vous ?" in _text(stale)
    assert len(running.rows(QuestionVersion)) == 1
    assert running.correct("  ", seen=2).status_code == 422


def test_a_page_shown_before_the_correction_is_shown_again_and_keeps_what_was_typed(running):
    running.correct()
    stale = running.reply("La paix", texts=1)
    assert (stale.status_code, "a été corrigé depuis" in _text(stale)) == (409, True)
    assert 'value="La paix"' in _text(stale)
    assert running.rows(Reply) == []
    assert running.reply("La paix", texts=2).status_code == 303
    assert len(running.rows(Reply)) == 1


def test_an_anonymous_questionnaire_is_corrected_and_no_reply_says_which_text_it_was_given_to(app):
    anonymous = Running(app, app.test_client(), anonymous=True)
    code = codes.draw()
    assert anonymous.reply("La paix", texts=1, code=code).status_code == 200
    assert anonymous.correct().status_code == 303
    page = _text(anonymous.app.test_client().get(anonymous.public))
    assert "Avant : « Que voullez-vous ? »" in page
    assert "parue après cette date peut avoir été écrite avant" in page
    with anonymous.writing() as session:
        (urn,) = session.scalars(select(ReplyUrn)).all()
        (held,) = urns.content(urn, Keyring([], "anonymous replies")).values()
    assert set(held) == {"holder", "answers"}
    change = {"code": code, f"q-{anonymous.question.id}": "L’eau", "action": "save"}
    stale = anonymous.by_code("modifier", **change, texts="1")
    assert (stale.status_code, "a été corrigé depuis" in _text(stale)) == (409, True)
    assert "L’eau" in _text(stale)
    assert anonymous.by_code("modifier", **change, texts="2").status_code == 200
    assert "L’eau" in _text(anonymous.by_code("", code=code))


def test_a_draft_is_changed_not_corrected(app):
    office = Office(app, app.test_client())
    with office.writing() as session:
        question = make_question(session, session.get_one(type(office.step), office.step.id))
        key = question.id
    refused = office.post(f"questions/{key}/corriger", wording="Autre", help="", seen="1")
    assert (refused.status_code, "n’est pas ouverte" in _text(refused)) == (409, True)
    with office.writing() as session:
        assert queries.earlier_texts(session, [key]) == {}
