"""The pages of moderation: reporting, deciding, contesting, and what the public may see."""

import datetime as dt
import html
import re

import pytest
from sqlalchemy import select

from consult.accounts.models import Account
from consult.actor import Role
from consult.consultations.models import ContentStatus
from consult.contributions.models import Proposal
from consult.db import ALL_TENANTS
from consult.mail.models import OutgoingMail
from consult.moderation.models import Act, Contest, Decision, Report
from consult.registry.models import RegistryEntry
from tests.factories import (
    csrf_token,
    make_account,
    make_consultation,
    make_organisation,
    make_proposal,
    make_step,
    sign_in,
)

NOW = dt.datetime.now(dt.UTC)
SECRET = "xylophone-interdit"
WORDS = "Le texte insulte une personne nommée."


class Site:
    """A published proposal, its author, and a moderator signed in on `client`."""

    def __init__(self, app, client):
        self.app, self.client = app, client
        with self.writing() as session:
            self.organisation = make_organisation(session)
            self.consultation = make_consultation(session, self.organisation, now=NOW)
            self.step = make_step(session, self.consultation)
            self.author = make_account(session, self.organisation)
            self.moderator = make_account(session, self.organisation, Role.MODERATOR)
            self.second = make_account(session, self.organisation, Role.MODERATOR)
            body = f"Un texte rude : {SECRET}."
            self.item = make_proposal(session, self.step, self.author, title="Titre rude", body=body)
            session.flush()
            session.expunge_all()
        self.report_path = f"/signaler/proposal/{self.item.id}"
        self.path = f"/gestion/moderation/proposal/{self.item.id}"
        sign_in(client, self.moderator)

    def writing(self):
        return self.app.extensions["database"].transaction(tenant=ALL_TENANTS)

    def rows(self, model):
        with self.writing() as session:
            found = list(session.scalars(select(model)))
            session.expunge_all()
        return found

    def report(self, client=None, **fields):
        client = client or self.client
        form = {"csrf_token": csrf_token(client, self.report_path), "reason": "insult", "comment": "", **fields}
        return client.post(self.report_path, data=form)

    def decide(self, act=Act.HIDE, *, seen=0, client=None, action="", **fields):
        client = client or self.client
        words = {f"{act}-message": WORDS} | ({f"{act}-ground": "insult"} if act is Act.HIDE else {})
        form = {"csrf_token": csrf_token(client, self.path), "act": act.value, "seen": seen, "action": action}
        return client.post(self.path, data=form | words | fields)


@pytest.fixture
def site(app):
    return Site(app, app.test_client())


def _text(response):
    """The page with plain spaces: typography is not what these tests are about."""
    return html.unescape(response.get_data(as_text=True)).replace("\u00a0", " ").replace("\u202f", " ")


def test_anybody_reports_once_and_is_thanked(site):
    visitor = site.app.test_client()
    first = site.report(visitor)
    assert (first.status_code, first.location) == (303, f"/contributions/{site.item.id}")
    assert "signalement est enregistré" in _text(visitor.get(site.report_path))
    site.report(visitor, reason="off_topic")
    assert "aviez déjà signalé" in _text(visitor.get(site.report_path))
    other = site.app.test_client()
    site.report(other)
    site.report()
    assert len(site.rows(Report)) == 3
    assert all(str(site.moderator.id) not in row.reporter_key for row in site.rows(Report))


def test_a_refused_report_keeps_its_comment(site):
    refused = site.report(reason="", comment="Un commentaire à garder <script>")
    page = refused.get_data(as_text=True)
    assert refused.status_code == 422
    assert "Choisissez une raison" in page
    assert "Un commentaire à garder &lt;script&gt;" in page
    assert site.rows(Report) == []


@pytest.mark.parametrize("path", ["/signaler/zzz/{id}", "/signaler/proposal/{other}", "/signaler/argument/{id}"])
def test_what_does_not_exist_cannot_be_reported(site, path):
    address = path.format(id=site.item.id, other=site.author.id)
    assert site.client.get(address).status_code == 404
    token = csrf_token(site.client, site.report_path)
    assert site.client.post(address, data={"csrf_token": token, "reason": "insult"}).status_code == 404


def test_a_content_of_a_draft_or_of_another_organisation_cannot_be_reported(site):
    with site.writing() as session:
        organisation = session.get_one(type(site.organisation), site.organisation.id)
        draft = make_step(session, make_consultation(session, organisation, opened=False))
        hidden = make_proposal(session, draft)
        slug, hidden_id = make_organisation(session).slug, hidden.id
    visitor = site.app.test_client()
    assert visitor.get(f"/signaler/proposal/{hidden_id}").status_code == 404
    assert visitor.get(f"/o/{slug}{site.report_path}").status_code == 404


def test_reports_and_decisions_need_the_token_of_their_form(site):
    assert site.client.post(site.report_path, data={"reason": "insult"}).status_code == 403
    assert site.client.post(site.path, data={"act": "hide", "hide-ground": "insult"}).status_code == 403
    assert site.rows(Report) == site.rows(Decision) == []


def test_the_queue_shows_reports_grouped_with_their_reasons(site):
    for reason in ("insult", "insult", "off_topic"):
        visitor = site.app.test_client()
        site.report(visitor, reason=reason)
    page = _text(site.client.get("/gestion/moderation"))
    assert "3 signalements" in page
    assert re.search(r"Injure, menace ou attaque personnelle\s*:\s*2", page)
    assert "Titre rude" in page
    assert "Un contenu attend." in page
    filtered = _text(site.client.get("/gestion/moderation?type=argument"))
    assert "Rien n’attend" in filtered


def test_the_mail_is_previewed_before_the_decision(site):
    previewed = site.decide(action="preview")
    page = _text(previewed)
    assert (previewed.status_code, "Aperçu du courriel" in page) == (200, True)
    assert "Aucune machine n’a pris part" in page
    assert page.count(WORDS) >= 2  # in the preview, and kept in the form
    assert site.rows(Decision) == site.rows(OutgoingMail) == []


def test_hiding_without_ground_or_words_is_refused_and_keeps_what_was_typed(site):
    refused = site.decide(**{"hide-ground": "", "hide-message": "Trop court"})
    page = _text(refused)
    assert refused.status_code == 422
    assert "Choisissez l’article" in page
    assert "en 20 caractères au moins" in page
    assert "Trop court" in page
    assert site.rows(Decision) == []


def test_the_text_of_a_hidden_content_is_nowhere(site):
    """AT-U2.2: page, list, search, bin, figures, mails, registry, journal of the public: the tombstone alone."""
    site.report()
    assert site.decide().status_code == 303
    slug, step = site.consultation.slug, site.step.slug
    gone = site.app.test_client().get(f"/contributions/{site.item.id}")
    assert gone.status_code == 410
    assert "Injure" in _text(gone)
    for path in (
        f"/contributions/{site.item.id}",
        f"/consultations/{slug}/{step}",
        f"/consultations/{slug}/{step}?q={SECRET}",
        f"/consultations/{slug}",
        "/corbeille",
        "/moderation",
        site.report_path,
        "/",
    ):
        page = _text(site.app.test_client().get(path)).replace(f'value="{SECRET}"', "")
        assert SECRET not in page.replace(f"q={SECRET}", ""), path
        assert "Titre rude" not in page, path
    datasets = site.app.extensions["bindings"].public_datasets.values()
    with site.writing() as session:
        session.info["tenant"] = site.organisation.id
        told = str([row for each in datasets for row in each.rows(session, site.consultation.id)])
        shown = [entry.opening for entry in session.scalars(select(RegistryEntry)) if not entry.withheld]
    assert SECRET not in told
    assert "Titre rude" not in told
    assert SECRET not in str(shown)
    assert [mail.recipient for mail in site.rows(OutgoingMail) if SECRET in mail.text] == [site.author.email]
    bin_page = _text(site.client.get("/corbeille"))
    assert str(site.item.id) in bin_page
    assert "article 3" in bin_page


@pytest.mark.parametrize("reachable", [True, False])
def test_the_tombstone_says_that_the_author_was_told_only_if_a_mail_left(site, reachable):
    if not reachable:
        with site.writing() as session:
            session.get_one(Account, site.author.id).email = None
    site.decide()
    page = _text(site.app.test_client().get(f"/contributions/{site.item.id}"))
    assert ("Son auteur a été prévenu" in page) == reachable == bool(site.rows(OutgoingMail))


def test_restoring_brings_everything_back(site):
    """AT-U2.2."""
    before = _text(site.app.test_client().get(f"/contributions/{site.item.id}"))
    site.decide()
    other = site.app.test_client()
    sign_in(other, site.second)
    assert site.decide(Act.RESTORE, seen=1, client=other).status_code == 303
    after = _text(site.app.test_client().get(f"/contributions/{site.item.id}"))
    assert SECRET in after
    assert re.sub(r"\d+", "", after) == re.sub(r"\d+", "", before)
    assert "Aucun contenu n’est masqué" in _text(site.client.get("/corbeille"))
    assert f"/signaler/proposal/{site.item.id}" in after


def test_the_second_moderator_reads_what_the_first_decided(site):
    site.report()
    other = site.app.test_client()
    sign_in(other, site.second)
    token = csrf_token(other, site.path)
    site.decide()
    form = {"csrf_token": token, "act": "dismiss", "seen": 0, "dismiss-message": "Rien de grave, on garde."}
    late = other.post(site.path, data=form)
    page = _text(late)
    assert late.status_code == 409
    assert f"{site.moderator.pseudonym} a masqué ce contenu" in page
    assert "Votre décision n’a rien changé" in page
    assert len(site.rows(Decision)) == 1


def test_nobody_is_offered_to_moderate_their_own_content(site):
    """AT-U2.4."""
    with site.writing() as session:
        session.get_one(Proposal, site.item.id).author_id = site.moderator.id
    page = _text(site.client.get(site.path))
    assert "une autre personne doit le modérer" in page
    assert "Masquer ce contenu" not in page
    assert site.decide().status_code == 403
    assert site.rows(Decision) == []


def test_a_moderator_of_one_consultation_sees_and_touches_it_alone(site):
    with site.writing() as session:
        organisation = session.get_one(type(site.organisation), site.organisation.id)
        elsewhere = make_account(
            session, organisation, Role.MODERATOR, consultation=make_consultation(session, organisation)
        )
        session.flush()
        session.expunge_all()
    site.report()
    other = site.app.test_client()
    sign_in(other, elsewhere)
    assert "Titre rude" not in _text(other.get("/gestion/moderation"))
    assert other.get(site.path).status_code == 404
    form = {"csrf_token": csrf_token(other, "/gestion/moderation"), "act": "hide", "seen": 0}
    assert other.post(site.path, data=form).status_code == 404
    assert site.rows(Decision) == []


@pytest.mark.parametrize("role", [None, Role.READER, Role.ANALYST, Role.ORGANISER])
def test_the_queue_is_for_moderators(site, role):
    with site.writing() as session:
        organisation = session.get_one(type(site.organisation), site.organisation.id)
        account = make_account(session, organisation, *([role] if role else []))
        session.flush()
        session.expunge_all()
    other = site.app.test_client()
    sign_in(other, account)
    assert other.get("/gestion/moderation").status_code == 403
    assert other.get(site.path).status_code == 403
    token = csrf_token(other, site.report_path)
    assert other.post(site.path, data={"csrf_token": token, "act": "hide"}).status_code == 403


@pytest.mark.parametrize("fields", [{"act": "zzz"}, {"act": ""}, {"seen": "-1"}, {"seen": "9" * 50}])
def test_hostile_fields_decide_nothing(site, fields):
    form = {"csrf_token": csrf_token(site.client, site.path), "act": "hide", "seen": "0", "hide-message": ""}
    assert site.client.post(site.path, data=form | fields).status_code == 422
    assert site.rows(Decision) == []


def _contest_link(site):
    (mail,) = [mail for mail in site.rows(OutgoingMail) if mail.template == "moderation_hidden"]
    return re.search(r"https?://\S+(/moderation/contester/\S+)", mail.text).group(1)


def test_the_author_contests_from_the_mail_and_somebody_else_answers(site):
    """AT-U2.2: opening the link changes nothing; another moderator decides."""
    site.decide()
    link = _contest_link(site)
    author = site.app.test_client()
    page = _text(author.get(link))
    assert "Contester la décision" in page
    assert SECRET not in page
    assert site.rows(Contest) == []
    form = {"csrf_token": csrf_token(author, link), "statement": "C’était de l’humour."}
    assert author.post(link, data=form).status_code == 303
    assert "Une autre personne examine" in _text(author.get(link))
    assert "Contestations à examiner" in _text(site.client.get("/gestion/moderation"))
    refused = site.decide(Act.UPHOLD, seen=1)
    assert (refused.status_code, "une autre personne doit l’examiner" in _text(refused)) == (403, True)
    other = site.app.test_client()
    sign_in(other, site.second)
    assert "C’était de l’humour." in _text(other.get(site.path))
    assert site.decide(Act.RESTORE, seen=1, client=other).status_code == 303
    assert site.rows(Proposal)[0].status is ContentStatus.PUBLISHED
    author = site.app.test_client()
    assert "a reçu une réponse" in _text(author.get(link))
    assert site.client.get("/moderation/contester/zzz").status_code == 404


def test_public_figures_tell_acts_and_grounds(site):
    """AT-U2.3."""
    site.report()
    site.decide()
    page = _text(site.client.get("/moderation"))
    assert "Injure, menace ou attaque personnelle" in page
    assert "0 h 0 min" in page
    with site.writing() as session:
        slug = make_organisation(session).slug
    for path in ("/moderation", "/corbeille"):
        other = _text(site.client.get(f"/o/{slug}{path}"))
        assert "Injure" not in other
        assert str(site.item.id) not in other
