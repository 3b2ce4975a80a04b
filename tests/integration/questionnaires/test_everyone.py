"""A questionnaire open to all: no account, a robot check with or without JavaScript, and a code for each reply."""

import datetime as dt
import re
import threading

import pytest
import time_machine
from sqlalchemy import func, select

from consult.accounts.sign_up import policy as robots
from consult.consultations.models import ContentStatus, Step
from consult.db import ALL_TENANTS
from consult.questionnaires import jobs, policy
from consult.questionnaires.anonymous import urns
from consult.questionnaires.bindings import RepliesDataset
from consult.questionnaires.models import Answer, HasReplied, Reply, ReplyDraft, ReplyUrn
from consult.questionnaires.policy import Access
from consult.registry import conservation
from consult.registry.models import EntryKind, RegistryEntry
from consult.sealing import Keyring
from tests.factories import csrf_token, sign_in
from tests.integration.accounts.visits import solve
from tests.integration.questionnaires.test_pages import NOW, Site, _text
from tests.registers import settle

HOSTILE = ["", "0", "e30=", "x" * 5000, "é", "' OR 1=1 --", "1-2.3"]
CLEAR = Keyring([], "anonymous replies")


class Open(Site):
    """A questionnaire of two pages that everybody may answer."""

    def __init__(self, app, **settings):
        super().__init__(app, app.test_client())
        with self.writing() as session:
            session.get_one(Step, self.step.id).settings = {policy.ACCESS: Access.EVERYONE.value, **settings}

    def stamp(self, ago=60):
        secret = self.app.extensions["settings"].secret_key
        return robots.stamp(secret, dt.datetime.now(dt.UTC) - dt.timedelta(seconds=ago))

    def begin(self, client=None):
        """Answer the first page, then read the code that the last one carries."""
        client = client or self.client
        self.post(client, 1, "next", self.first())
        return re.search(r'name="code" value="([A-Z2-7-]+)"', client.get(f"{self.path}/repondre?page=2").text)[1]

    def post(self, client, page, action, fields):
        form = {"csrf_token": csrf_token(client, "/reponse-par-code"), "page": page, "action": action}
        return client.post(f"{self.path}/repondre", data={**form, **fields})

    def finish(self, code, text="Plus de trains le soir.", client=None, **proof):
        proof = proof or {"stamp": self.stamp()}
        return self.post(client or self.client, 2, "send", self.second(text) | {"code": code, **proof})

    def with_code(self, path, code, **fields):
        form = {"csrf_token": csrf_token(self.client, "/reponse-par-code"), "code": code, **fields}
        return self.client.post(f"/reponse-par-code{path}", data=form)

    def count(self, model):
        with self.writing() as session:
            return session.scalar(select(func.count()).select_from(model))


@pytest.fixture
def site(app):
    return Open(app)


@pytest.fixture
def secret(app):
    return Open(app, anonymous=True)


def test_a_visitor_without_javascript_answers_without_an_account(site):
    """AT-18.3."""
    page = _text(site.client.get(site.path))
    assert "Ouvert à tous, sans compte" in page
    assert "Un compte est demandé" not in page
    with time_machine.travel(NOW, tick=False) as clock:
        assert site.post(site.client, 1, "next", site.first()).status_code == 303
        form = site.client.get(f"{site.path}/repondre?page=2").text
        assert "Sans JavaScript, attendez au moins cinq secondes" in form
        known = {name: re.search(rf'name="{name}" value="([^"]+)"', form)[1] for name in ("code", "stamp")}
        quick = site.finish(**known)
        assert (quick.status_code, "cinq secondes" in _text(quick), "Plus de trains" in _text(quick)) == (
            422,
            True,
            True,
        )
        assert site.rows(Reply) == []
        clock.shift(dt.timedelta(seconds=6))
        sent = site.finish(**known)
    assert (sent.status_code, known["code"] in _text(sent)) == (200, True)
    (reply,) = site.rows(Reply)
    assert (reply.account_id, reply.batch_ref, reply.status) == (None, None, ContentStatus.PUBLISHED)
    assert reply.edit_key
    assert {each.text for each in site.rows(Answer)} == {None, "Plus de trains le soir."}
    assert site.rows(ReplyDraft) == []
    shown = _text(site.app.test_client().get(f"{site.path}/reponses"))
    assert "Base : 1 réponse en ligne. Ouvert à tous, non dédoublonné" in shown
    assert "Plus de trains le soir." in shown


def test_a_browser_that_computes_need_not_wait(site):
    """AT-18.3."""
    form = site.client.get(f"{site.path}/repondre?page=2").text
    assert "altcha-widget" in form
    assert "altcha-widget" not in site.client.get(f"{site.path}/repondre").text  # where nothing is sent
    assert site.finish(site.begin(), proof=solve(site.client)).status_code == 200


@pytest.mark.parametrize("name", ["stamp", "proof"])
def test_what_proves_no_person_sends_nothing_and_loses_nothing(site, name):
    code = site.begin()
    for value in HOSTILE:
        refused = site.finish(code, **{name: value})
        assert (refused.status_code, "Plus de trains" in _text(refused)) == (422, True), value
    assert site.rows(Reply) == []
    assert len(site.rows(ReplyDraft)) == 1


def test_a_proof_serves_one_reply(site):
    proof = {"stamp": site.stamp()}
    assert site.finish(site.begin(), **proof).status_code == 200
    again = site.finish(site.begin(), "Autre chose.", **proof)
    assert (again.status_code, "a déjà servi" in _text(again), "Autre chose." in _text(again)) == (409, True, True)
    assert len(site.rows(Reply)) == 1


@pytest.mark.parametrize("mode", [{}, {"anonymous": True}])
def test_the_same_form_sent_again_is_the_same_reply(app, mode):
    site = Open(app, **mode)
    code = site.begin()
    assert site.finish(code).status_code == 200
    again = site.finish(code)  # the first page went with the draft
    assert (again.status_code, code in _text(again)) == (200, True)
    other = site.finish(code, "Autre chose.")
    assert (other.status_code, "déjà été envoyé" in _text(other), "Autre chose." in _text(other)) == (409, True, True)
    assert (site.count(Reply), site.count(ReplyUrn)) == ((0, 1) if mode else (1, 0))


@pytest.mark.slow
@pytest.mark.parametrize("mode", [{}, {"anonymous": True}])
def test_two_hundred_times_the_same_form_at_once_is_one_reply(app, mode):
    site = Open(app, **mode)
    code, sent = site.begin(), []
    clients = [app.test_client() for _ in range(20)]
    for client in clients:
        client._cookies.update(site.client._cookies)  # tabs of one browser
    proof, token = site.stamp(), csrf_token(site.client, "/reponse-par-code")
    form = {"csrf_token": token, "page": 2, "action": "send", "code": code, "stamp": proof, **site.second()}

    together = threading.Barrier(len(clients))

    def press(client):
        together.wait()
        sent.extend(client.post(f"{site.path}/repondre", data=form).status_code for _ in range(10))

    threads = [threading.Thread(target=press, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(sent), set(sent)) == (200, {200})
    with site.writing() as session:
        held = sum(urn.count for urn in session.scalars(select(ReplyUrn)))
    assert site.count(Reply) + held == 1


def test_the_code_alone_opens_changes_and_withdraws_the_reply_at_once(site):
    code = site.begin()
    site.finish(code)
    page = _text(site.with_code("", code))
    assert "Plus de trains le soir." in page
    assert "Récépissé de cette réponse" in page
    said = site.first() | site.second("Plus de cars.")
    assert site.with_code("/modifier", code, action="save", **said).status_code == 200
    (reply,) = site.rows(Reply)
    assert (reply.version, reply.edited_at is None) == (2, False)
    assert "Plus de cars." in _text(site.app.test_client().get(f"{site.path}/reponses"))
    assert "vous ne pourrez pas répondre de nouveau" not in _text(site.with_code("/retirer", code))
    assert "retirée" in _text(site.with_code("/retirer", code, action="confirm"))
    assert (site.rows(Reply)[0].status, site.rows(Answer)) == (ContentStatus.WITHDRAWN, [])
    with site.writing() as session:
        kinds = session.scalars(select(RegistryEntry.kind).order_by(RegistryEntry.id)).all()
    assert kinds == [EntryKind.CONTRIBUTION, EntryKind.EDIT, EntryKind.TOMBSTONE]


def test_a_final_reply_is_withdrawn_never_changed(app):
    site = Open(app, final=True)
    code = site.begin()
    assert "relire ou retirer" in _text(site.finish(code))
    said = site.first() | site.second("Plus de cars.")
    assert site.with_code("/modifier", code, action="save", **said).status_code == 403
    assert "retirée" in _text(site.with_code("/retirer", code, action="confirm"))


def test_a_browser_that_sent_one_is_told_so_and_may_send_another(site):
    assert "déjà été envoyée depuis ce navigateur" not in _text(site.client.get(f"{site.path}/repondre"))
    site.finish(site.begin())
    assert "déjà été envoyée depuis ce navigateur" in _text(site.client.get(f"{site.path}/repondre"))
    assert site.finish(site.begin(), "D’une autre personne.").status_code == 200
    assert len(site.rows(Reply)) == 2


def test_a_signed_in_account_is_tied_to_nothing(site):
    sign_in(site.client, site.account)
    site.finish(site.begin())
    (reply,) = site.rows(Reply)
    assert (reply.account_id, site.count(HasReplied), site.rows(ReplyDraft)) == (None, 0, [])
    assert site.step.title not in _text(site.client.get("/mon-compte/reponses"))


@pytest.mark.slow
def test_anonymous_replies_of_all_go_through_the_urn(secret):
    page = _text(secret.client.get(secret.path))
    assert "Ce questionnaire est anonyme" in page
    assert "la même personne peut répondre plusieurs fois" in page
    for _ in range(urns.LEAST):
        client = secret.app.test_client()
        assert secret.finish(secret.begin(client), client=client).status_code == 200
    assert (secret.count(Reply), secret.count(HasReplied)) == (0, 0)
    with secret.writing() as session:
        list(jobs.FlushReplies(CLEAR).run(session, {}, {}))
    assert {bool(each.batch_ref) for each in secret.rows(Reply)} == {True}
    assert len(secret.rows(Reply)) == urns.LEAST


def test_the_step_that_ended_keeps_what_was_typed_on_the_page(site):
    code = site.begin()
    with site.writing() as session:
        session.get_one(Step, site.step.id).closes_at = dt.datetime.now(dt.UTC)
    late = site.finish(code)
    assert (late.status_code, "Plus de trains" in _text(late), site.rows(Reply)) == (403, True, [])


def test_the_log_the_census_and_the_open_data_tell_how_it_came(site):
    site.finish(site.begin())
    with site.app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        settle(session)
        (line,) = [each for each in conservation.all_of(session)[site.consultation.id] if each.type == "reply"]
        assert (line.logged, line.published, line.balanced) == (1, 1, True)
        (row,) = RepliesDataset().rows(session, site.consultation.id)
    assert (row["access"], row["batch"]) == ("everyone", None)
    (told,) = site.client.get(f"/api/v1/consultations/{site.consultation.slug}/replies").get_json()["data"]
    assert told["access"] == "everyone"
