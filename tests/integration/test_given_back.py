"""Whoever writes first and signs in, or up, afterwards loses nothing: each form that citizens fill (AT-18, issue 4).

The browser here has no JavaScript: it opens a page, fills a form of it, and follows what it is given.
"""

import dataclasses
import datetime as dt
from html.parser import HTMLParser
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from sqlalchemy import delete, update

from consult.accounts.models import LoginSession, UnsentForm
from consult.accounts.unsent import service as unsent
from consult.actor import Role
from consult.db import ALL_TENANTS
from tests import factories as f
from tests.integration.accounts.visits import solve

WORDS = "Un arrêt couvert & éclairé devant « l’école », s’il vous plaît."
HERE = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}


class Forms(HTMLParser):
    """The forms of a page: where each is sent, and what it holds."""

    def __init__(self, page):
        super().__init__()
        self.all, self.links, self._area = [], [], None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "a":
            self.links.append(given.get("href", ""))
        if tag == "form":
            self.all.append(SimpleNamespace(action=given.get("action", ""), fields={}))
        elif tag in {"input", "textarea", "button"} and self.all and given.get("name"):
            chosen = given.get("type") not in {"radio", "checkbox"} or "checked" in given
            if tag != "button" and chosen:
                self.all[-1].fields[given["name"]] = given.get("value", "")
            self._area = given["name"] if tag == "textarea" else None

    def handle_data(self, data):
        if self._area:
            self.all[-1].fields[self._area] += data

    def handle_endtag(self, tag):
        if tag == "textarea" and self._area:
            name, form = self._area, self.all[-1]
            form.fields[name] = form.fields[name].replace("\r\n", "\n").removeprefix("\n")  # as HTML has it
            self._area = None


class Browser:
    """What somebody does with a page at hand."""

    def __init__(self, client):
        self.client, self.path, self.page = client, "/", ""

    def open(self, path):
        reply = self.client.get(path, follow_redirects=True)
        self._at(reply)
        return self

    def form(self, action):
        return next(form for form in Forms(self.page).all if urlsplit(form.action or self.path).path.endswith(action))

    def send(self, action, **typed):
        form = self.form(action)
        reply = self.client.post(
            form.action or self.path, data=form.fields | typed, headers=HERE, follow_redirects=True
        )
        self._at(reply)
        return self

    def _at(self, reply):
        self.path, self.page, self.status = reply.request.full_path.rstrip("?"), reply.text, reply.status_code


@dataclasses.dataclass(frozen=True)
class Kind:
    """A form: its page, the end of the address it is sent to, what is typed, what the page says once it is done."""

    page: str
    action: str
    done: str
    typed: dict
    needs_account: bool = True


KINDS = {
    "proposal": Kind("{idees}/proposer", "/proposer", "Votre proposition est publiée",
                     {"title": "Des abris", "body": WORDS}),
    "proposal edited": Kind("{mine}/modifier", "/modifier", "Votre texte est modifié", {"body": WORDS}),
    "argument": Kind("{other}/argumenter", "/argumenter", "Votre argument est publié", {"side": "for", "body": WORDS}),
    "argument edited": Kind("{argument}/modifier", "/modifier", "Votre texte est modifié", {"body": WORDS}),
    "argument of a debate": Kind("{question}/argumenter", "/argumenter", "Votre argument est publié",
                                 {"side": "against", "body": WORDS}),
    "version of an article": Kind("{article}/recrire", "/recrire", "Votre version est publiée",
                                  {"title": "Pour tous", "body": f"Article. {WORDS}", "reason": "Il pleut souvent ici.",
                                   "sources": ""}),
    "version edited": Kind("{version}/modifier", "/modifier", "Votre texte est modifié",
                           {"title": "Pour tous", "body": f"Article. {WORDS}", "reason": "Il pleut souvent ici.",
                            "sources": ""}),
    "questionnaire": Kind("{questions}/repondre", "/repondre", "Votre réponse est enregistrée", {"asked": WORDS}),
    "vote": Kind("{other}", "/vote", 'aria-pressed="true"', {"position": "mixed"}),
    "right": Kind("/mon-compte/droits", "/mon-compte/droits", "Votre demande est enregistrée",
                  {"right": "objection", "statement": WORDS}),
    "report": Kind("{report}", "{report}", "Votre signalement est enregistré", {"reason": "personal_data",
                   "comment": WORDS}, needs_account=False),
    "choice of mails": Kind("/mon-compte/courriels", "/mon-compte/courriels", "enregistr", {"told_of_answers": "y"}),
}  # fmt: skip
FIRST = ("proposal", "argument", "argument of a debate", "version of an article", "questionnaire")


@pytest.fixture
def town(app):
    """An open consultation with a step of each kind, what zoe wrote there and what somebody else did."""
    now = dt.datetime.now(dt.UTC)
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        organisation = f.make_organisation(session)
        consultation = f.make_consultation(session, organisation, now=now, slug="trajets")
        zoe, other = (f.make_account(session, organisation, email=f"{name}@exemple.fr") for name in ("zoe", "autre"))
        idees = f.make_step(session, consultation, slug="idees")
        mine, others = (f.make_proposal(session, idees, author, created_at=now) for author in (zoe, other))
        argument = f.make_argument(session, others, zoe, created_at=now)
        bill = f.make_step(session, consultation, kind="bill", slug="loi")
        article = f.text_of_article(session, f.make_part(session, bill))
        version = f.make_version(session, article, zoe, created_at=now)
        question = f.make_debate(session, consultation, slug="debat")
        asked = f.make_step(session, consultation, kind="questionnaire", slug="questions")
        field = f.make_question(session, asked)
        session.flush()
        at = {
            "idees": "/consultations/trajets/idees", "questions": "/consultations/trajets/questions",
            "mine": f"/contributions/{mine.id}", "other": f"/contributions/{others.id}",
            "argument": f"/arguments/{argument.id}", "article": f"/contributions/{article.id}",
            "version": f"/contributions/{version.id}", "question": f"/contributions/{question.id}",
            "report": f"/signaler/proposal/{others.id}",
        }  # fmt: skip
    return SimpleNamespace(zoe=zoe, at=at, field=str(field.id), database=app.extensions["database"])


def filled(town, name):
    """The page of that form, where it is sent, what is typed."""
    kind = KINDS[name]
    typed = {(f"q-{town.field}" if key == "asked" else key): value for key, value in kind.typed.items()}
    return kind, kind.page.format(**town.at), kind.action.format(**town.at), typed


def end(town, how):
    with town.database.transaction(tenant=ALL_TENANTS) as session:
        if how == "revoked":
            session.execute(delete(LoginSession))
        else:
            long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
            session.execute(update(LoginSession).values(last_seen_at=long_ago))


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(("database", "how"), [("sqlite", "expired"), ("postgresql", "revoked")], indirect=["database"])
def test_a_form_sent_once_the_session_is_over_is_sent_after_signing_in(client, town, name, how):
    kind, page, action, typed = filled(town, name)
    f.sign_in(client, town.zoe)
    browser = Browser(client).open(page)
    end(town, how)
    browser.send(action, **typed)
    if "Renvoyer le formulaire" in browser.page:  # a form open to all, whose token was of that session
        browser.send(action)
    if kind.needs_account:
        assert browser.path.startswith("/connexion?suite="), browser.path
        browser.send("/connexion", email="zoe@exemple.fr", password=f.PASSWORD)
        assert browser.status == 200
        held = browser.form(action).fields
        assert {key: held[key] for key in typed if key in held or typed[key]} == typed
        browser.send(action)
    assert browser.status == 200
    assert kind.done in browser.page


@pytest.mark.parametrize("name", FIRST)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_who_writes_first_and_signs_up_afterwards_loses_nothing(client, town, name):
    _, page, action, typed = filled(town, name)
    browser = Browser(client).open(page).send(action, **typed)
    assert browser.path.startswith("/connexion?suite=")
    browser.open(next(link for link in Forms(browser.page).links if link.startswith("/inscription")))
    browser.send(
        "/inscription", pseudonym="Nouvelle venue", email="neuve@exemple.fr", password=f.PASSWORD, terms="y",
        proof=solve(client),
    )  # fmt: skip
    assert "Confirmez votre adresse" in browser.page
    browser.open(next(link for link in Forms(browser.page).links if link.startswith(page)))
    held = browser.form(action).fields
    assert {key: held[key] for key in typed} == typed
    assert "dès que vous aurez confirmé votre adresse" in browser.send(action).page


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_only_the_browser_that_sent_a_form_reads_it(app, client, town):
    """Nor can a thief of the database; nor whoever uses that browser once its person signed out."""
    f.sign_in(client, town.zoe)
    browser = Browser(client).open("/mon-compte/droits")
    end(town, "revoked")
    browser.send("/mon-compte/droits", right="objection", statement=WORDS)
    with town.database.transaction(tenant=ALL_TENANTS, write=False) as session:
        (kept,) = session.query(UnsentForm)
        assert kept.sealed.startswith("sealed:")
    elsewhere = app.test_client()
    f.sign_in(elsewhere, town.zoe)
    assert elsewhere.get("/connexion/reprise").status_code == 410
    browser.send("/connexion", email="zoe@exemple.fr", password=f.PASSWORD)
    assert "s’il vous plaît" in browser.page
    assert browser.client.get("/connexion/reprise").headers["Cache-Control"] == "no-store"
    browser.send("/deconnexion")
    f.sign_in(client, town.zoe)
    assert client.get("/connexion/reprise").status_code == 410


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("headers", "typed"),
    [
        ({}, {"statement": WORDS}),
        ({"Sec-Fetch-Site": "cross-site"}, {"statement": WORDS}),
        ({"Origin": "https://ailleurs.example"}, {"statement": WORDS}),
        (HERE, {"password": "crayon wagon brume ocre"}),
        (HERE, {"statement": "é" * 100_000}),
    ],
)
def test_what_another_site_sends_passwords_and_too_much_are_not_kept(client, town, headers, typed):
    page = client.post("/mon-compte/droits", data=typed, headers=headers | {"Referer": "http://localhost/aide"})
    assert page.status_code == 401
    assert "/connexion?suite=/aide" in page.text, "the way back to the page is there all the same"
    with town.database.transaction(tenant=ALL_TENANTS, write=False) as session:
        assert session.query(UnsentForm).count() == 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_connection_keeps_so_many_forms_and_no_more(app, town, monkeypatch):
    monkeypatch.setattr(unsent, "ADDRESS_FORMS", 2)
    visits = [app.test_client().post("/mon-compte/droits", data={"a": "b"}, headers=HERE) for _ in range(3)]
    assert [visit.status_code for visit in visits] == [303, 303, 401]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_staff_whose_second_factor_is_due_send_their_form_after_it(client, town, app):
    with town.database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        organisation = f.make_organisation(session, slug="autre")
        staff = f.make_account(session, organisation, Role.ADMINISTRATOR)
    f.sign_in(client, staff, second_factor=False)
    reply = client.post("/o/autre/gestion/organisation", data={"name": WORDS}, headers=HERE)
    assert reply.status_code == 303
    assert reply.location.endswith("/gestion/second-facteur?suite=/o/autre/connexion/reprise")
