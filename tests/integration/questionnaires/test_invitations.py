"""Replying on invitation: a link that confirms, a draft that it keeps, one reply for each, whoever sends at once."""

import dataclasses
import threading

import pytest
from sqlalchemy import select

from consult.app import create_app
from consult.consultations.models import Consultation
from consult.questionnaires import policy as questionnaires
from consult.questionnaires.anonymous import urns
from consult.questionnaires.by_code import codes
from consult.questionnaires.invitations import service
from consult.questionnaires.invitations.models import Invitation
from consult.questionnaires.models import Answer, Reply, ReplyDraft, ReplyUrn
from consult.questionnaires.policy import Access
from tests import factories as f
from tests.integration.questionnaires.invited import Invited
from tests.integration.questionnaires.test_pages import _text


@pytest.fixture
def site(app):
    return Invited(app)


@pytest.fixture
def secret(app):
    return Invited(app, anonymous=True)


def test_the_link_confirms_then_opens_the_form_and_the_reply_is_sent(site):
    (code,) = site.codes()
    assert "Sur invitation, sans compte" in _text(site.client.get(site.path))
    page, opened = site.follow(code)
    assert (page.status_code, "Votre quotidien" in page.text) == (200, True)
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert (opened.status_code, opened.location) == (303, f"{site.path}/repondre")
    assert "Quels moyens" in site.client.get(opened.location).text
    sent = site.reply(code, client=site.client)
    assert (sent.status_code, "Gardez votre code" in _text(sent)) == (200, True)
    (reply,) = site.rows(Reply)
    assert (reply.account_id, reply.batch_ref) == (None, None)
    assert "Plus de trains le soir." in {each.text for each in site.rows(Answer)}
    assert [each.used for each in site.rows(Invitation)] == [True]
    assert "Base : 1 réponse en ligne. Une réponse par invitation" in _text(site.client.get(f"{site.path}/reponses"))


def test_reading_the_page_of_a_link_writes_nothing(site):
    (code,) = site.codes()
    site.client.get(f"/invitation?code={code}")
    site.client.get(f"/invitation?code={code}")
    assert [each.used for each in site.rows(Invitation)] == [False]
    assert site.rows(ReplyDraft) == []


def test_a_code_is_typed_as_it_was_printed(site):
    (code,) = site.codes()
    assert "Code de votre invitation" in site.client.get("/invitation").text
    shown = site.client.get("/invitation", query_string={"code": code.lower().replace("-", " ")})
    assert (shown.status_code, "Répondre au questionnaire" in _text(shown)) == (200, True)


@pytest.mark.parametrize("typed", ["0", "é" * 300, "' OR 1=1 --", "<script>", "A" * 32, "A" * 5000])
def test_what_is_no_invitation_opens_nothing(site, typed):
    site.codes()
    shown = site.client.get("/invitation", query_string={"code": typed})
    assert (shown.status_code, "Aucune invitation ne correspond" in _text(shown)) == (404, True)
    token = f.csrf_token(site.client, "/reponse-par-code")
    assert site.client.post("/invitation", data={"csrf_token": token, "code": typed}).status_code == 404
    assert "<script>" not in shown.text.replace("<script ", "")


def test_guessing_is_stopped_and_following_a_link_is_not(settings):
    """AT-19.6: an office that opens its invitations from one connection is not slowed down."""
    app = create_app(dataclasses.replace(settings, rate_limits=True))
    drawn = Invited(app).codes(30)
    assert {app.test_client().get(f"/invitation?code={code}").status_code for code in drawn} == {200}
    tried = [app.test_client().get(f"/invitation?code={codes.draw()}").status_code for _ in range(22)]
    app.extensions["database"].dispose()
    assert (tried[:20], tried[20:]) == ([404] * 20, [429] * 2)


def test_without_an_invitation_the_form_takes_nothing(site):
    site.codes()
    gone = site.client.get(f"{site.path}/repondre")
    assert (gone.status_code, gone.location) == (303, "/invitation")
    refused = site.post(1, "next", site.first())
    assert (refused.status_code, "Ce questionnaire est sur invitation" in _text(refused)) == (403, True)
    assert "À pied" in _text(refused), "what was typed is shown"
    f.sign_in(site.client, site.account)
    assert site.post(1, "next", site.first()).status_code == 403, "an account is no invitation"
    assert site.rows(Reply) == []


def test_the_draft_waits_under_the_link_on_another_device(site):
    (code,) = site.codes()
    site.follow(code)
    kept = site.post(1, "save", site.first())
    assert kept.status_code == 303
    assert "le lien ou le code de votre invitation les rouvre" in _text(site.client.get(kept.location))
    (draft,) = site.rows(ReplyDraft)
    assert (draft.account_id, code in str(vars(draft))) == (None, False)
    other = site.app.test_client()
    site.follow(code, other)
    assert "À pied" in _text(other.get(f"{site.path}/repondre"))
    stranger = site.app.test_client()
    site.follow(site.codes()[0], stranger)
    assert "À pied" not in _text(stranger.get(f"{site.path}/repondre"))
    assert site.reply(code, client=other).status_code == 200
    assert site.rows(ReplyDraft) == [], "sent from either device, it is gone"


def test_an_anonymous_draft_is_opened_by_its_link_alone(secret):
    code, *_ = secret.codes(urns.LEAST)
    secret.follow(code)
    secret.post(1, "save", secret.first())
    (draft,) = secret.rows(ReplyDraft)
    assert draft.answers.keys() == {"sealed"}
    assert "À pied" not in str(draft.answers)
    assert draft.holder_digest not in {each.digest for each in secret.rows(Invitation)}
    other = secret.app.test_client()
    secret.follow(code, other)
    assert "À pied" in _text(other.get(f"{secret.path}/repondre"))


def test_an_invitation_serves_once(site):
    (code,) = site.codes()
    assert site.reply(code).status_code == 200
    page, opened = site.follow(code)
    assert "Cette invitation a déjà servi" in _text(page)
    assert opened.location.startswith("/invitation?code=")
    refused = site.post(1, "next", site.first())
    assert (refused.status_code, "a déjà servi" in _text(refused)) == (409, True)
    assert len(site.rows(Reply)) == 1


def test_a_reply_sent_again_is_acknowledged_again(site):
    """The first acknowledgement may have been lost on its way."""
    (code,) = site.codes()
    site.follow(code)
    site.post(1, "next", site.first())
    carried = codes.draw()
    first = site.post(2, "send", site.second() | {"code": carried})
    again = site.post(2, "send", site.second() | {"code": carried})
    assert (first.status_code, again.status_code, carried in _text(again)) == (200, 200, True)
    other = site.post(2, "send", site.second("Autre chose.") | {"code": carried})
    assert (other.status_code, "Autre chose." in _text(other)) == (409, True)
    assert len(site.rows(Reply)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("mode", [{}, {"anonymous": True}])
def test_two_hundred_sends_at_once_are_one_reply(app, mode):
    """AT-18.3: from twenty browsers that followed the same link, each with its own form."""
    site = Invited(app, **mode)
    code, *_ = site.codes(urns.LEAST)
    clients = [app.test_client() for _ in range(20)]
    for client in clients:
        site.follow(code, client)
    site.post(1, "next", site.first(), clients[0])  # the draft of all of them
    forms = [
        {
            "csrf_token": f.csrf_token(client, "/reponse-par-code"), "page": 2, "action": "send",
            "code": codes.draw(), **site.second(f"Idée {n}"),
        }
        for n, client in enumerate(clients)
    ]  # fmt: skip
    sent, together = [], threading.Barrier(len(clients))

    def press(client, form):
        together.wait()
        sent.extend(client.post(f"{site.path}/repondre", data=form).status_code for _ in range(10))

    threads = [threading.Thread(target=press, args=each) for each in zip(clients, forms, strict=True)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(sent) == 200
    assert set(sent) <= {200, 409, 422}, "one form is acknowledged, the others are refused"
    assert 200 in sent
    with site.writing() as session:
        held = sum(urn.count for urn in session.scalars(select(ReplyUrn))) + len(session.scalars(select(Reply)).all())
    assert (held, site.count(Invitation, Invitation.used)) == (1, 1)


def test_an_invitation_opens_its_own_questionnaire_alone(app, site):
    """AT-4.3: neither another step, nor another organisation."""
    elsewhere = Invited(app)
    (code,) = elsewhere.codes()
    assert site.client.get(f"/invitation?code={code}").status_code == 404, "an organisation knows its own"
    there = f"/o/{elsewhere.organisation.slug}"
    assert app.test_client().get(f"{there}/invitation?code={code}").status_code == 200
    with site.writing() as session:
        other = f.make_step(
            session, session.get_one(Consultation, site.consultation.id), kind="questionnaire",
            settings={questionnaires.ACCESS: Access.INVITATIONS.value},
        )  # fmt: skip
        f.make_question(session, other, "long_text")
        slug = other.slug
    site.follow(site.codes()[0])
    gone = site.client.get(f"/consultations/{site.consultation.slug}/{slug}/repondre")
    assert (gone.status_code, gone.location) == (303, "/invitation")
    with site.writing() as session:
        step = site.step_of(session)
        assert service.use(session, step, code) is False
