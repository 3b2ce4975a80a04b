"""The pages of anonymous replies, without JavaScript: what is told before, the code after, and what it opens."""

import dataclasses
import datetime as dt
import html
import logging

import pytest
from sqlalchemy import func, select

from consult.actor import Role
from consult.app import create_app
from consult.audit.models import AuditEntry
from consult.consultations.models import Step
from consult.db import ALL_TENANTS
from consult.logs import SECURITY_LOGGER
from consult.questionnaires import jobs, policy
from consult.questionnaires.anonymous import batches, urns
from consult.questionnaires.by_code import codes
from consult.questionnaires.models import HasReplied, Reply, ReplyDraft, ReplyUrn
from tests import factories as f

NOW = dt.datetime.now(dt.UTC)
DAYS = dt.timedelta(days=60)
HOSTILE = ["", "abc", "' OR 1=1 --", "\u0000" * 40, "é" * 5000, "A" * 31 + "<", "../../etc/passwd"]


class Site:
    """An anonymous questionnaire of two pages, and a browser on it."""

    def __init__(self, app):
        self.app, self.client = app, app.test_client()
        with self.writing() as session:
            organisation = f.make_organisation(session)
            consultation = f.make_consultation(session, organisation, now=NOW)
            step = f.make_step(session, consultation, kind="questionnaire", settings={policy.ANONYMOUS: True})
            self.choice = f.make_question(session, step, "single", ["Oui", "Non"], required=True)
            self.words = f.make_question(session, step, "long_text", page=2, required=True)
            self.yes, self.no = (str(option.id) for option in self.choice.options)
            self.account = f.make_account(session, organisation)
            self.organisation, self.consultation, self.step = organisation, consultation, step
            session.flush()
            session.expunge_all()
        self.path = f"/consultations/{consultation.slug}/{step.slug}"

    def writing(self):
        return self.app.extensions["database"].transaction(tenant=ALL_TENANTS)

    def count(self, model):
        with self.writing() as session:
            return session.scalar(select(func.count()).select_from(model))

    def post(self, path, client=None, **fields):
        client = client or self.client
        token = f.csrf_token(client, "/reponse-par-code")
        return client.post(path, data={"csrf_token": token, **fields})

    def send(self, text="Plus de trains.", code="", client=None, account=None):
        client = client or self.client
        if account is not None:
            f.sign_in(client, account)
        self.post(f"{self.path}/repondre", client, page=1, action="next", **{f"q-{self.choice.id}": self.yes})
        fields = {f"q-{self.words.id}": text, "code": code}
        return self.post(f"{self.path}/repondre", client, page=2, action="send", **fields)

    def fill(self, count):
        for _ in range(count):
            with self.writing() as session:
                account = f.make_account(session, self.organisation)
                session.expunge_all()
            assert self.send(client=self.app.test_client(), account=account).status_code == 200
        with self.writing() as session:
            list(jobs.FlushReplies(urns.keyring("")).run(session, {}, {}))


@pytest.fixture
def site(app):
    return Site(app)


def _text(response):
    return html.unescape(response.get_data(as_text=True)).replace("\u00a0", " ").replace("\u202f", " ")


def _code(response):
    return _text(response).split("<code>")[1].split("</code>")[0]


def test_what_anonymous_means_is_told_before_anything_is_written(site):
    for path in (site.path, f"{site.path}/repondre"):
        page = _text(site.client.get(path))
        for words in ("Ce questionnaire est anonyme", "lots d’au moins 20", "Ce qui peut encore vous trahir", "code"):
            assert words in page


def test_the_code_is_shown_once_and_opens_the_reply_without_an_account(site):
    sent = site.send(account=site.account)
    assert (sent.status_code, sent.headers["Cache-Control"]) == (200, "no-store")
    code = _code(sent)
    assert codes.clean(code) == code
    assert (site.count(ReplyDraft), site.count(HasReplied), site.count(ReplyUrn)) == (0, 1, 1)
    step = _text(site.client.get(site.path))
    assert "Vous avez répondu à ce questionnaire" in step
    assert code not in step
    assert site.client.get(f"{site.path}/repondre").status_code == 303  # there is no form to fill twice
    assert site.step.title in _text(site.client.get("/mon-compte/reponses"))
    stranger = site.app.test_client()
    page = _text(site.post("/reponse-par-code", stranger, code=code.lower().replace("-", " ")))
    assert "Plus de trains." in page
    assert "attend son lot" in page


def test_a_form_sent_twice_is_one_reply_with_the_same_code(site):
    f.sign_in(site.client, site.account)
    form = _text(site.client.get(f"{site.path}/repondre?page=2"))
    code = form.split('name="code" value="')[1].split('"')[0]
    first = site.send(code=code)
    assert _code(first) == code
    # The draft, with the first page in it, went with the reply: the browser sends the last page again.
    fields = {f"q-{site.words.id}": "Plus de trains."}
    again = site.post(f"{site.path}/repondre", page=2, action="send", code=code, **fields)
    assert (again.status_code, _code(again)) == (200, code)
    others = {f"q-{site.words.id}": "Autre chose."}
    for sent in ({**fields, "code": codes.draw()}, {**others, "code": code}):
        refused = site.post(f"{site.path}/repondre", page=2, action="send", **sent)
        assert (refused.status_code, "a déjà envoyé" in _text(refused)) == (409, True)
    with site.writing() as session:
        assert session.scalars(select(ReplyUrn.count)).all() == [1]


def test_a_visitor_begins_then_signs_in_and_the_draft_stays_with_the_browser(site):
    went = site.send()
    assert (went.status_code, "/connexion" in went.location) == (303, True)
    with site.writing() as session:
        draft = session.scalars(select(ReplyDraft)).one()
        assert (draft.account_id, "trains" in str(draft.answers)) == (None, False)
    f.sign_in(site.client, site.account)
    assert "Plus de trains." in _text(site.client.get(f"{site.path}/repondre?page=2"))
    elsewhere = site.app.test_client()
    f.sign_in(elsewhere, site.account)
    assert "Plus de trains." not in _text(elsewhere.get(f"{site.path}/repondre?page=2"))


def test_an_unconfirmed_account_keeps_what_it_wrote_and_is_told_why(site):
    with site.writing() as session:
        newcomer = f.make_account(session, site.organisation, confirmed_at=None)
        session.expunge_all()
    refused = site.send(account=newcomer)
    assert refused.status_code == 403
    page = _text(refused)
    assert "Confirmez d’abord votre adresse" in page
    assert "Plus de trains." in page
    assert site.count(HasReplied) == 0


def test_the_code_as_a_file(site):
    code = codes.draw()
    kept = site.post("/reponse-par-code/fichier", code=code)
    assert kept.headers["Content-Disposition"] == 'attachment; filename="code-de-reponse.txt"'
    assert code in kept.text
    assert "/reponse-par-code" in kept.text


@pytest.mark.slow
def test_a_published_reply_is_changed_then_withdrawn_by_its_code(site):
    code = _code(site.send(account=site.account))
    site.fill(urns.LEAST - 1)
    visitor = site.app.test_client()
    page = _text(site.post("/reponse-par-code", visitor, code=code))
    assert "Récépissé de ce lot" in page
    assert "Plus de trains." in _text(site.post("/reponse-par-code/modifier", visitor, code=code))
    fields = {f"q-{site.choice.id}": site.no, f"q-{site.words.id}": ""}
    wrong = site.post("/reponse-par-code/modifier", visitor, code=code, action="save", **fields)
    assert (wrong.status_code, "obligatoire. Écrivez" in _text(wrong)) == (422, True)
    fields[f"q-{site.words.id}"] = "Moins de bruit."
    saved = _text(site.post("/reponse-par-code/modifier", visitor, code=code, action="save", **fields))
    assert "paraîtra ainsi avec au moins 19 autres modifications" in saved
    assert "Moins de bruit." in saved
    assert "vous ne pourrez pas répondre de nouveau" in _text(
        site.post("/reponse-par-code/retirer", visitor, code=code)
    )
    gone = _text(site.post("/reponse-par-code/retirer", visitor, code=code, action="confirm"))
    assert "Votre retrait est enregistré" in gone
    assert "cessera d’être publiée et comptée avec au moins 19 autres" in gone
    with site.writing() as session:
        batches.flush(session, session.get_one(Step, site.step.id), keys=urns.keyring(""), now=NOW + DAYS)
    page = _text(site.post("/reponse-par-code", visitor, code=code))
    assert "n’est plus publiée ni comptée" in page
    assert "Moins de bruit." not in page
    assert site.count(Reply) == urns.LEAST


def test_personal_data_in_a_change_are_told_before_it_is_taken(site):
    code = _code(site.send(account=site.account))
    fields = {f"q-{site.choice.id}": site.no, f"q-{site.words.id}": "Appelez-moi au 06 12 34 56 78."}
    told = site.post("/reponse-par-code/modifier", code=code, action="save", **fields)
    assert (told.status_code, 'name="sure"' in told.text) == (422, True)
    assert "Appelez-moi" not in _text(site.post("/reponse-par-code", code=code))
    site.post("/reponse-par-code/modifier", code=code, action="save", sure="y", **fields)
    assert "Appelez-moi" in _text(site.post("/reponse-par-code", code=code))


def test_a_reply_that_waits_goes_at_once(site):
    code = _code(site.send(account=site.account))
    gone = site.post("/reponse-par-code/retirer", code=code, action="confirm")
    assert "il n’en reste rien" in _text(gone)
    assert site.post("/reponse-par-code", code=code).status_code == 404


@pytest.mark.parametrize("path", ["", "/modifier", "/retirer"])
@pytest.mark.parametrize("typed", [*HOSTILE, "Y3BS-YA6P-7BXD-EBMV-OU4W-M3OD-6YBG-KEC7"])
def test_a_code_that_opens_nothing_is_refused_in_french(site, path, typed):
    refused = site.post(f"/reponse-par-code{path}", code=typed)
    assert refused.status_code == 404
    assert "huit groupes de quatre signes" in _text(refused)
    assert "<script" not in typed


def test_a_code_opens_nothing_in_another_organisation(site):
    code = _code(site.send(account=site.account))
    with site.writing() as session:
        other = f.make_organisation(session).slug
    client = site.app.test_client()
    token = f.csrf_token(client, f"/o/{other}/reponse-par-code")
    refused = client.post(f"/o/{other}/reponse-par-code", data={"csrf_token": token, "code": code})
    assert refused.status_code == 404


@pytest.mark.parametrize("path", ["", "/fichier", "/modifier", "/retirer"])
def test_another_site_cannot_send_these_forms(site, path):
    assert site.client.post(f"/reponse-par-code{path}", data={"code": codes.draw()}).status_code == 403


@pytest.mark.slow
def test_codes_are_tried_a_limited_number_of_times(settings, database, organisation_id):
    app = create_app(dataclasses.replace(settings, rate_limits=True))
    client = app.test_client()
    form = {"csrf_token": f.csrf_token(client, "/reponse-par-code"), "code": codes.draw()}
    for path in ("", "/fichier", "/modifier", "/retirer"):
        statuses = [client.post(f"/reponse-par-code{path}", data=form).status_code for _ in range(61)]
        assert statuses == [200 if path == "/fichier" else 404] * 60 + [429]
    app.extensions["database"].dispose()


def test_the_organiser_chooses_the_mode_before_the_opening_alone(site):
    with site.writing() as session:
        organiser = f.make_account(session, site.organisation, Role.ORGANISER)
        draft = f.make_consultation(session, site.organisation, opened=False)
        step = f.make_step(session, draft, kind="questionnaire")
        roots = [
            f"/gestion/consultations/{each.slug}/etapes/{own.slug}"
            for each, own in ((draft, step), (site.consultation, site.step))
        ]
        step_id = step.id
        session.expunge_all()
    f.sign_in(site.client, organiser)
    assert site.post(f"{roots[0]}/mode", mode="anonymous").status_code == 303
    with site.writing() as session:
        assert policy.is_anonymous(session.get_one(Step, step_id))
        assert "questionnaire.mode" in set(session.scalars(select(AuditEntry.action)))
    wrong = site.post(f"{roots[0]}/mode", mode="secret")
    assert (wrong.status_code, "Choisissez une des possibilités" in _text(wrong)) == (422, True)
    frozen = site.post(f"{roots[1]}/mode", mode="attributed")
    assert (frozen.status_code, "figées" in _text(frozen)) == (409, True)


def test_the_security_journal_names_neither_account_nor_connection_of_those_who_use_a_code(site, caplog):
    """With the day of a lone change, it would name the author."""
    code = _code(site.send(account=site.account))
    f.sign_in(site.client, site.account)
    journal = logging.getLogger(SECURITY_LOGGER)
    journal.addHandler(caplog.handler)
    try:
        for path in ("", "/modifier", "/retirer", "/fichier"):
            site.post(f"/reponse-par-code{path}", code=code)
        site.post("/reponse-par-code", code="inconnu")
        site.post(f"{site.path}/repondre", page=1)
    finally:
        journal.removeHandler(caplog.handler)
    lines = {record.getMessage(): record.fields for record in caplog.records if record.name == SECURITY_LOGGER}
    named = lines.pop("questionnaires.reply")
    assert (named["account"], named["address"]) == (str(site.account.id), "127.0.0.1")
    assert lines.keys() == {f"questionnaires.by_code.{name}" for name in ("show", "edit", "withdraw", "download")}
    assert {(fields["account"], fields["address"]) for fields in lines.values()} == {(None, None)}
