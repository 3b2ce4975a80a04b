"""The pages of a questionnaire, as browsers without JavaScript use them."""

import datetime as dt
import html
import re

import pytest
from sqlalchemy import select

from consult.consultations.models import ConsultationStatus, ContentStatus
from consult.db import ALL_TENANTS
from consult.questionnaires import queries, service
from consult.questionnaires.models import Answer, AnswerVisibility, OptionKind, Question, Reply, ReplyDraft
from tests.factories import (
    csrf_token,
    make_account,
    make_consultation,
    make_organisation,
    make_question,
    make_reply,
    make_step,
    sign_in,
)

NOW = dt.datetime.now(dt.UTC)


class Site:
    """One open questionnaire of two pages, and a browser on it."""

    def __init__(self, app, client, **values):
        self.app, self.client = app, client
        with self.writing() as session:
            organisation = make_organisation(session)
            consultation = make_consultation(session, organisation, now=NOW, **values)
            step = make_step(session, consultation, kind="questionnaire", title="Votre quotidien")
            choice = [("Train", OptionKind.NORMAL), ("Vélo", OptionKind.NORMAL), ("Autre", OptionKind.OTHER)]
            self.choice = make_question(session, step, "multiple", choice, wording="Quels moyens ?", required=True)
            self.written = make_question(session, step, "long_text", wording="Que changer ?", page=2, required=True)
            age = make_question(
                session, step, "single", ["Moins de 25 ans", "Plus"], wording="Quel âge ?", page=2,
                visibility=AnswerVisibility.AGGREGATES,
            )  # fmt: skip
            self.organisation, self.consultation, self.step, self.age = organisation, consultation, step, age
            self.account = make_account(session, organisation)
            self.train, self.bike, self.other = (str(option.id) for option in self.choice.options)
            session.expunge_all()
        self.path = f"/consultations/{self.consultation.slug}/{self.step.slug}"

    def writing(self):
        return self.app.extensions["database"].transaction(tenant=ALL_TENANTS)

    def rows(self, model):
        with self.writing() as session:
            found = list(session.scalars(select(model)))
            session.expunge_all()
        return found

    def send(self, page, action, fields=(), *, seen=0, path=None):
        path = path or f"{self.path}/repondre"
        form = {"csrf_token": csrf_token(self.client, path), "page": page, "action": action, "seen": seen}
        return self.client.post(path, data={**form, **dict(fields)})

    def first(self, **extra):
        return {f"q-{self.choice.id}": [self.train, self.other], f"q-{self.choice.id}-other": "À pied", **extra}

    def second(self, text="Plus de trains le soir."):
        return {f"q-{self.written.id}": text, f"q-{self.age.id}": ""}


@pytest.fixture
def site(app):
    return Site(app, app.test_client())


def _text(response):
    """The page with plain spaces: typography is not what these tests are about."""
    return html.unescape(response.get_data(as_text=True)).replace("\u00a0", " ").replace("\u202f", " ")


def test_the_step_tells_what_is_asked_and_who_will_see_the_answers(site):
    page = _text(site.client.get(site.path))
    for words in ("Quels moyens ?", "Que changer ?", "Réponses publiées ligne à ligne", "en totaux seulement", "3"):
        assert words in page
    assert "csrf_token" not in page  # it may be kept for every visitor


def test_two_pages_are_answered_then_sent(site):
    sign_in(site.client, site.account)
    went = site.send(1, "next", site.first())
    assert (went.status_code, went.location) == (303, f"{site.path}/repondre?page=2")
    assert "page 2 sur 2" in _text(site.client.get(went.location))
    sent = site.send(2, "send", site.second())
    assert (sent.status_code, sent.location) == (303, site.path)
    (reply,) = site.rows(Reply)
    said = {answer.question_id: answer for answer in site.rows(Answer)}
    assert reply.status is ContentStatus.PUBLISHED
    assert (said[site.choice.id].options, said[site.choice.id].other) == ([site.train, site.other], "À pied")
    assert said[site.written.id].text == "Plus de trains le soir."
    assert site.age.id not in said
    assert site.rows(ReplyDraft) == []
    assert "Vous avez répondu" in _text(site.client.get(site.path))


def test_a_refused_page_keeps_what_was_typed_and_names_what_to_mend(site):
    sign_in(site.client, site.account)
    refused = site.send(1, "next", {f"q-{site.choice.id}": [site.other], f"q-{site.choice.id}-other": ""})
    page = _text(refused)
    assert refused.status_code == 422
    assert "Votre précision pour « Autre » : Vous avez choisi « Autre ». Précisez" in page
    assert re.search(rf'<input[^>]*checked[^>]*value="{site.other}"', page)
    assert page.count("<title>Erreur") == 1
    assert site.rows(Reply) == []
    assert site.rows(ReplyDraft)[0].answers[str(site.choice.id)]["options"] == [site.other]  # even if the tab is closed


def test_a_text_that_everybody_would_read_warns_its_author_who_may_insist(site):
    """Personal data in a free answer: as for proposals, what was typed is kept."""
    sign_in(site.client, site.account)
    told = site.send(1, "next", site.first() | {f"q-{site.choice.id}-other": "Demandez à Mme Marie Durand"})
    assert told.status_code == 422
    assert "semble contenir le nom d’une personne" in _text(told)
    assert "Demandez à Mme Marie Durand" in _text(told)
    assert 'name="sure"' in told.text
    went = site.send(
        1, "next", site.first() | {f"q-{site.choice.id}-other": "Demandez à Mme Marie Durand", "sure": "y"}
    )
    assert went.status_code == 303
    text = "Appelez-moi au 06 12 34 56 78 pour en parler."
    told = site.send(2, "send", site.second(text))
    assert (told.status_code, text in _text(told)) == (422, True)
    assert "un numéro de téléphone" in _text(told)
    assert site.rows(Reply) == []
    assert site.rows(ReplyDraft)[0].answers[str(site.written.id)]["text"] == text
    assert site.send(2, "send", site.second(text) | {"sure": "y"}).status_code == 303
    assert [answer.text for answer in site.rows(Answer) if answer.question_id == site.written.id] == [text]


def test_a_text_that_the_administration_alone_reads_raises_no_warning(site):
    with site.writing() as session:
        question = session.get_one(Question, site.written.id)
        question.visibility = AnswerVisibility.ADMINISTRATION
    sign_in(site.client, site.account)
    site.send(1, "next", site.first())
    assert site.send(2, "send", site.second("Appelez-moi au 06 12 34 56 78.")).status_code == 303


def test_an_earlier_page_left_empty_is_shown_again_at_the_end(site):
    sign_in(site.client, site.account)
    refused = site.send(2, "send", site.second())
    page = _text(refused)
    assert (refused.status_code, "page 1 sur 2" in page) == (422, True)
    assert "Cochez au moins une réponse" in page
    again = _text(site.client.get(f"{site.path}/repondre?page=2"))
    assert "Plus de trains le soir." in again


def test_going_back_and_saving_a_draft_refuse_nothing(site):
    sign_in(site.client, site.account)
    back = site.send(2, "previous", {f"q-{site.written.id}": "Un début"})
    assert back.location == f"{site.path}/repondre?page=1"
    saved = site.send(1, "save", {})
    assert saved.status_code == 303
    assert "Un début" in _text(site.client.get(f"{site.path}/repondre?page=2"))


def test_who_writes_first_and_signs_in_afterwards_loses_nothing(site):
    site.send(1, "next", site.first())
    left = site.send(2, "send", site.second())
    assert left.status_code == 303
    assert "/connexion?suite=" in left.location
    assert site.rows(Reply) == []
    sign_in(site.client, site.account)
    assert "Plus de trains le soir." in _text(site.client.get(f"{site.path}/repondre?page=2"))
    sent = site.send(2, "send", site.second())
    assert (sent.status_code, sent.location) == (303, site.path)
    assert {answer.other for answer in site.rows(Answer)} == {"À pied", None}


def test_another_browser_does_not_see_what_this_one_began(site):
    site.send(1, "next", site.first())
    other = site.app.test_client()
    assert "À pied" not in _text(other.get(f"{site.path}/repondre"))


def test_a_reply_is_edited_until_closing(site):
    sign_in(site.client, site.account)
    site.send(1, "next", site.first())
    site.send(2, "send", site.second())
    page = _text(site.client.get(f"{site.path}/repondre?page=2"))
    assert "Modifier ma réponse" in page
    assert 'name="seen" value="1"' in page
    site.send(2, "send", site.second("Autre chose"), seen=1)
    assert {answer.text for answer in site.rows(Answer)} == {"Autre chose", None}
    assert site.rows(Reply)[0].version == 2


def test_a_second_tab_is_told_and_can_replace_knowingly(site):
    sign_in(site.client, site.account)
    site.send(1, "next", site.first())
    site.send(2, "send", site.second("Premier onglet"))
    late = site.send(2, "send", {**site.second("Second onglet")}, seen=0)
    page = _text(late)
    assert late.status_code == 409
    assert "depuis un autre onglet" in page
    assert "Second onglet" in page
    assert 'name="seen" value="1"' in page
    site.send(2, "send", site.second("Second onglet"), seen=1)
    assert {answer.text for answer in site.rows(Answer)} == {"Second onglet", None}


def test_a_form_begun_before_closing_comes_back_with_its_text(site):
    sign_in(site.client, site.account)
    token = csrf_token(site.client, f"{site.path}/repondre")
    with site.writing() as session:
        consultation = session.get_one(type(site.consultation), site.consultation.id)
        consultation.status, consultation.closed_at = ConsultationStatus.CLOSED, NOW
    late = site.client.post(
        f"{site.path}/repondre", data={"csrf_token": token, "page": 2, "action": "send", **site.second("Trop tard")}
    )
    assert (late.status_code, "Trop tard" in _text(late)) == (403, True)
    assert "ne reçoit pas de réponse" in _text(late)
    assert 'name="action"' not in _text(late)  # no button that could only be refused again
    assert f'href="{site.path}"' in _text(late)
    assert site.rows(Reply) == []
    assert site.client.get(f"{site.path}/repondre").location == site.path


def test_an_unconfirmed_account_is_told_that_its_reply_waits(site):
    with site.writing() as session:
        organisation = session.get_one(type(site.organisation), site.organisation.id)
        account = make_account(session, organisation, confirmed_at=None)
        session.expunge_all()
    sign_in(site.client, account)
    site.send(1, "next", site.first())
    sent = site.send(2, "send", site.second())
    assert "confirmé votre adresse" in _text(site.client.get(sent.location))
    assert site.rows(Reply)[0].status is ContentStatus.PENDING
    assert "Plus de trains le soir." not in _text(site.client.get(f"{site.path}/reponses"))


def test_public_pages_show_only_what_was_announced(site):
    with site.writing() as session:
        step = session.get_one(type(site.step), site.step.id)
        asked = {question.id: question for question in queries.questions(session, step.id)}
        answers = {asked[site.written.id]: "Un avis public", asked[site.age.id]: [asked[site.age.id].options[0]]}
        reply = make_reply(session, step, answers=answers)
        reply_id = reply.id
    for address in (f"{site.path}/reponses", f"/reponses/{reply_id}"):
        page = _text(site.client.get(address))
        assert "Un avis public" in page
        assert "Moins de 25 ans" not in page
        assert f"/signaler/reply/{reply_id}" in page


def test_a_hidden_reply_leaves_its_ground_and_nothing_of_its_text(site):
    with site.writing() as session:
        step = session.get_one(type(site.step), site.step.id)
        written = session.get_one(Question, site.written.id)
        reply = make_reply(session, step, answers={written: "Un texte injurieux"})
        service.hide(session, reply.id, "insult")
        reply_id = reply.id
    gone = site.client.get(f"/reponses/{reply_id}")
    assert gone.status_code == 410
    assert "Injure" in _text(gone)
    assert "article 3" in _text(gone)
    for address in (f"/reponses/{reply_id}", f"{site.path}/reponses", site.path):
        assert "injurieux" not in _text(site.client.get(address))


def test_my_replies_are_mine_alone(site):
    sign_in(site.client, site.account)
    site.send(1, "next", site.first())
    site.send(2, "send", site.second())
    (reply,) = site.rows(Reply)
    assert "Votre quotidien" in _text(site.client.get("/mon-compte/reponses"))
    assert "Plus de trains le soir." in _text(site.client.get(f"/mon-compte/reponses/{reply.id}"))
    with site.writing() as session:
        stranger = make_account(session, session.get_one(type(site.organisation), site.organisation.id))
        session.expunge_all()
    other = site.app.test_client()
    sign_in(other, stranger)
    assert other.get(f"/mon-compte/reponses/{reply.id}").status_code == 404
    token = csrf_token(other, "/mon-compte/reponses")
    answer = other.post(f"/mon-compte/reponses/{reply.id}/retirer", data={"csrf_token": token})
    assert answer.status_code == 404
    token = csrf_token(site.client, "/mon-compte/reponses")
    assert site.client.post(f"/mon-compte/reponses/{reply.id}/retirer", data={"csrf_token": token}).status_code == 303
    assert site.rows(Reply)[0].status is ContentStatus.WITHDRAWN
    assert "Plus de trains" not in _text(site.client.get(f"{site.path}/reponses"))


def test_another_organisation_finds_nothing(site):
    with site.writing() as session:
        other = make_organisation(session)
        reply = make_reply(session, session.get_one(type(site.step), site.step.id))
        slug, reply_id = other.slug, reply.id
    for path in (site.path, f"{site.path}/repondre", f"{site.path}/reponses", f"/reponses/{reply_id}"):
        assert site.client.get(f"/o/{slug}{path}").status_code == 404


def test_a_draft_consultation_is_nobodys_business(app, client):
    site = Site(app, client, opened=False)
    for path in (site.path, f"{site.path}/repondre", f"{site.path}/reponses"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"page": "-1"},
        {"page": "99999999999999999999"},
        {"page": "²"},
        {"seen": "-1"},
        {"seen": "9" * 400},
        {"action": "zzz"},
        {"action": ""},
        {"q-": "x", "q-zzz": "y"},
    ],
)
def test_hostile_fields_never_break_the_form(site, fields):
    sign_in(site.client, site.account)
    path = f"{site.path}/repondre"
    form = {"csrf_token": csrf_token(site.client, path), "page": "1", "action": "next", "seen": "0", **site.first()}
    assert site.client.post(path, data=form | fields).status_code in {303, 422}


def test_what_is_typed_is_shown_as_text(site):
    sign_in(site.client, site.account)
    hostile = '</textarea><script>alert(1)</script><img src=x onerror="alert(1)">'
    refused = site.send(2, "send", {f"q-{site.written.id}": hostile})
    assert "<script>alert" not in refused.get_data(as_text=True)
    site.send(1, "next", site.first(**{f"q-{site.choice.id}-other": hostile[:300]}))
    site.send(2, "send", site.second(hostile))
    (reply,) = site.rows(Reply)
    for address in (f"{site.path}/reponses", f"/reponses/{reply.id}", f"/mon-compte/reponses/{reply.id}"):
        page = site.client.get(address).get_data(as_text=True)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;" in page


def test_sending_without_the_token_of_the_form_changes_nothing(site):
    sign_in(site.client, site.account)
    form = {"page": 1, "action": "next", **site.first()}
    assert site.client.post(f"{site.path}/repondre", data=form).status_code == 403
    assert site.rows(ReplyDraft) == []


def test_the_list_of_replies_is_read_by_pages(site):
    with site.writing() as session:
        step, written = session.get_one(type(site.step), site.step.id), session.get_one(Question, site.written.id)
        for rank in range(45):
            make_reply(session, step, answers={written: f"Avis numéro {rank}."})
    seen, address = [], f"{site.path}/reponses"
    while address:
        page = _text(site.client.get(address))
        seen += re.findall(r"Avis numéro \d+\.", page)
        following = re.search(r'href="([^"]+)">Page suivante', page)
        address = following.group(1) if following else None
    assert sorted(seen) == sorted(f"Avis numéro {rank}." for rank in range(45))
    assert site.client.get(f"{site.path}/reponses?apres=zzz").status_code == 404


def test_two_hundred_questions_and_a_thousand_options_still_work(app, client):
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        organisation = make_organisation(session)
        step = make_step(session, make_consultation(session, organisation, now=NOW), kind="questionnaire")
        many = make_question(session, step, "multiple", [f"Réponse {n}" for n in range(1000)])
        for _ in range(199):
            make_question(session, step, "short_text")
        account = make_account(session, organisation)
        path = f"/consultations/{step.consultation.slug}/{step.slug}/repondre"
        chosen = [str(option.id) for option in many.options[::2]]
        question_id = many.id
        session.expunge_all()
    sign_in(client, account)
    form = {"csrf_token": csrf_token(client, path), "page": 1, "seen": 0, f"q-{question_id}": chosen}
    assert client.post(path, data=form).status_code == 303
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        assert session.scalars(select(Answer)).one().options == chosen
