"""Citizens rewrite an article, or another version of it: what changes is shown, argued, voted, and taken back."""

import datetime as dt
import html
import re
import uuid

import pytest
from sqlalchemy import func, select

from consult.contributions import pending
from consult.contributions.bindings import ProposalContent, ProposalData
from consult.contributions.models import ContentStatus, ContentVersion, Level, Proposal
from consult.db import ALL_TENANTS
from consult.moderation.queries import published_since
from tests import factories as f
from tests.plans import watched
from tests.registers import settle

TEXT = "Les autocars sont gratuits pour les apprentis."
REWRITTEN = "Les autocars et les trains sont gratuits pour tous."
REASON = "Un apprenti prend aussi le train, et ses parents paient."
SOURCE = "https://www.exemple.fr/enquete Enquête sur les trajets"
TYPED = {
    "title": "Gratuité pour tous", "body": REWRITTEN, "reason": REASON, "sources": SOURCE, "submission_key": "k1",
}  # fmt: skip


class Town:
    """An open bill with one article, and people."""

    def __init__(self, app):
        self.app, self.database = app, app.extensions["database"]
        self.now = dt.datetime.now(dt.UTC)
        with self.writing() as session:
            session.expire_on_commit = False
            organisation = f.make_organisation(session)
            whole = f.make_consultation(session, organisation, now=self.now, slug="loi")
            self.step = f.make_step(session, whole, kind="bill", slug="texte")
            title = f.make_part(session, self.step, Level.TITLE)
            article = f.make_part(session, self.step, parent=title, heading="Gratuité", body=TEXT)
            self.text = f.text_of_article(session, article)
            self.people = [f.make_account(session, organisation) for _ in range(3)]
            self.newcomer = f.make_account(session, organisation, confirmed_at=None)
            session.flush()
            session.expunge_all()
        self.page = f"/contributions/{self.text.id}"

    def writing(self):
        return self.database.transaction(tenant=ALL_TENANTS)

    def sign_in(self, person):
        client = self.app.test_client()
        f.sign_in(client, person)
        token = f.csrf_token(client, f"{self.page}/recrire")
        client.send = lambda path, **typed: client.post(path, data=typed | {"csrf_token": token})
        return client

    def rewrite(self, client, of=None, **typed):
        """The path of the version that was published."""
        reply = client.send(f"{of or self.page}/recrire", **(TYPED | typed))
        assert reply.status_code == 303, text_of(reply)
        return reply.location

    def row(self, path):
        with self.writing() as session:
            session.expire_on_commit = False
            return session.get_one(Proposal, uuid.UUID(path.rpartition("/")[2]))


@pytest.fixture
def town(app):
    return Town(app)


def text_of(response):
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.get_data(as_text=True).replace("\u00a0", " ")))
    return html.unescape(plain)


def test_a_version_shows_what_it_changes_why_and_on_what_it_rests(town, client):
    path = town.rewrite(town.sign_in(town.people[0]))
    page = client.get(path)
    shown = text_of(page)
    assert "Les autocars [ajouté : et les trains fin] sont gratuits pour" in shown
    assert "[supprimé : les apprentis fin] [ajouté : tous fin] ." in shown
    assert "4 mots ajoutés , 2 mots supprimés" in shown
    assert REASON in shown
    assert (
        '<a href="https://www.exemple.fr/enquete" rel="nofollow noopener noreferrer ugc">Enquête sur les trajets</a>'
        in page.get_data(as_text=True)
    )
    assert f'<a href="{town.page}">Article 1er – Gratuité</a>' in page.get_data(as_text=True)
    article = client.get(town.page)
    assert f'href="{path}"' in article.get_data(as_text=True)
    assert "Versions proposées (1)" in text_of(article)
    assert "1 version ·" in text_of(client.get("/consultations/loi/texte"))
    row = town.row(path)
    assert (row.kind, row.rewrites_id, row.article_id) == ("version", town.text.id, town.text.article_id)


def test_a_version_of_a_version_is_compared_with_it_or_with_the_article(town, client):
    first = town.rewrite(town.sign_in(town.people[0]))
    trains = REWRITTEN.replace("Les autocars et l", "L")
    second = town.rewrite(town.sign_in(town.people[1]), first, title="Les trains surtout", body=trains)
    assert town.row(second).rewrites_id == town.row(first).id
    assert town.row(second).article_id == town.text.article_id
    shown = text_of(client.get(second))
    assert "0 mot ajouté , 3 mots supprimé" in shown
    whole = text_of(client.get(f"{second}?comparer=article"))
    assert "par rapport à « Article 1er – Gratuité »" in whole
    assert "[supprimé : autocars fin]" in whole
    assert "Versions proposées (2)" in text_of(client.get(town.page))
    assert "récrit « Gratuité pour tous »" in text_of(client.get(town.page))
    assert "Versions de cette version (1)" in text_of(client.get(first))
    assert "Versions de cette version (0)" in text_of(client.get(second))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"body": TEXT}, "dit la même chose"),
        ({"body": " "}, "Le texte est vide"),
        ({"title": "Bof"}, "il en faut au moins 5"),
        ({"reason": "Parce que."}, "il en faut au moins 20"),
        ({"sources": "javascript:alert(1) Mon site"}, "Source 1 : une adresse qui commence par"),
        ({"body": f"{REWRITTEN} Appelez le 06 12 34 56 78."}, "publier quand même"),
    ],
)
def test_what_is_refused_comes_back_as_it_was_typed(town, typed, said):
    reply = town.sign_in(town.people[0]).send(f"{town.page}/recrire", **(TYPED | typed))
    assert reply.status_code == 422
    assert said in text_of(reply)
    kept = html.unescape(reply.get_data(as_text=True))
    for value in (TYPED | typed).values():
        assert value.strip() in kept
    with town.writing() as session:
        assert session.scalar(select(func.count()).where(Proposal.kind == "version")) == 0


def test_hostile_text_stays_text(town, client):
    hostile = '<img src=x onerror="alert(1)">{{ 7*7 }}'
    words = {
        "title": hostile,
        "body": f"{TEXT} {hostile}",
        "reason": hostile,
        "sources": f"https://exemple.fr {hostile}",
    }
    path = town.rewrite(town.sign_in(town.people[0]), **words)
    for page in (path, town.page, "/consultations/loi/texte"):
        assert "<img src=x" not in client.get(page).get_data(as_text=True)
    assert "onerror" in text_of(client.get(path))


def test_the_same_version_sent_twice_is_one(town):
    client = town.sign_in(town.people[0])
    first = town.rewrite(client)
    assert town.rewrite(client) == first
    assert town.rewrite(client, submission_key="k2") == first


def test_only_an_article_or_a_version_is_rewritten(town):
    client = town.sign_in(town.people[0])
    with town.writing() as session:
        step = f.make_step(session, session.get_one(type(town.step), town.step.id).consultation)
        proposal = f.make_proposal(session, step).id
    for path in (f"/contributions/{proposal}/recrire", "/contributions/00000000-0000-0000-0000-000000000007/recrire"):
        assert client.get(path).status_code == 404
        assert client.send(path, **TYPED).status_code == 404


def test_a_closed_step_keeps_what_was_written_on_the_page(town):
    client = town.sign_in(town.people[0])
    with town.writing() as session:
        step = session.get_one(type(town.step), town.step.id)
        step.closes_at = town.now - dt.timedelta(minutes=1)
    reply = client.send(f"{town.page}/recrire", **TYPED)
    assert reply.status_code == 403
    assert REASON in html.unescape(reply.get_data(as_text=True))


def test_who_signs_in_after_writing_finds_the_version_again(town, app):
    visitor = app.test_client()
    token = f.csrf_token(visitor, f"{town.page}/recrire")
    sent = visitor.post(f"{town.page}/recrire", data=TYPED | {"csrf_token": token})
    assert sent.status_code == 303
    back = re.search(r"brouillon%3D([\w-]+)", sent.location)[1]
    client = town.sign_in(town.people[0])
    page = html.unescape(client.get(f"{town.page}/recrire?brouillon={back}").get_data(as_text=True))
    for value in (REWRITTEN, REASON, SOURCE, "Gratuité pour tous"):
        assert value in page


def test_a_version_is_edited_by_its_author_and_its_history_is_public(town, client):
    author, stranger = town.sign_in(town.people[0]), town.sign_in(town.people[1])
    path = town.rewrite(author)
    assert stranger.get(f"{path}/modifier").status_code == 404
    form = html.unescape(author.get(f"{path}/modifier").get_data(as_text=True))
    for value in (REWRITTEN, REASON, SOURCE):
        assert value in form
    changed = TYPED | {"version": "1", "reason": f"{REASON} Et le train pollue moins.", "sources": ""}
    assert author.send(f"{path}/modifier", **changed).status_code == 303
    row = town.row(path)
    assert (row.version, row.sources, row.body) == (2, [], REWRITTEN)
    assert author.send(f"{path}/modifier", **changed).status_code == 409
    assert author.send(f"{path}/modifier", **(changed | {"version": "2", "body": TEXT})).status_code == 422
    history = text_of(client.get(f"{path}/versions"))
    assert "pollue moins" in history
    assert "Enquête sur les trajets" in history
    with town.writing() as session:
        former = session.scalars(select(ContentVersion)).one()
        assert (former.reason, former.sources[0]["title"]) == (REASON, "Enquête sur les trajets")


def test_what_waits_for_an_address_is_published_once_it_is_confirmed(town, client):
    path = town.rewrite(town.sign_in(town.newcomer))
    assert client.get(path).status_code == 404
    assert "Versions proposées (0)" in text_of(client.get(town.page))
    with town.writing() as session:
        session.get_one(type(town.newcomer), town.newcomer.id).confirmed_at = town.now
        assert pending.publish_pending(session, town.newcomer.id, town.now) == 1
    assert client.get(path).status_code == 200


def test_a_hidden_version_is_told_nowhere_not_even_by_what_rewrote_it(town, client):
    secret = "Zanzibar"
    first = town.rewrite(town.sign_in(town.people[0]), body=f"{TEXT} Sauf à {secret}.", title=f"Sauf à {secret}")
    second = town.rewrite(town.sign_in(town.people[1]), first, body=REWRITTEN, title="Sans exception")
    hidden = town.row(first).id
    with town.writing() as session:
        assert ProposalContent().get(session, hidden).body.count(REASON) == 1
        ProposalContent().hide(session, hidden, "off_topic")
    assert client.get(first).status_code == 410
    for path in (first, second, f"{second}?comparer=article", town.page, f"{second}/recrire",
                 "/consultations/loi/texte?q=zanzibar", "/api/v1/consultations/loi/contributions",
                 f"{first}/versions"):  # fmt: skip
        assert secret not in client.get(path).get_data(as_text=True), path
    assert "n’est plus publiée" in text_of(client.get(second))
    assert "récrit une version qui n’est plus publiée" in text_of(client.get(town.page))
    assert client.get(f"{first}/recrire").status_code == 404


def test_an_erased_account_leaves_nothing_of_its_version(town, client):
    path = town.rewrite(town.sign_in(town.people[0]))
    with town.writing() as session:
        assert ProposalData().erase(session, town.people[0].id, town.now) == 1
    row = town.row(path)
    assert (row.status, row.title, row.body, row.reason, row.sources) == (ContentStatus.ERASED, "", "", None, None)
    assert client.get(path).status_code == 410


def test_versions_are_argued_and_voted_as_articles_are(town):
    path = town.rewrite(town.sign_in(town.people[0]))
    reader = town.sign_in(town.people[1])
    assert reader.send(f"{path}/vote", position="for").status_code == 303
    assert (
        reader.send(f"{path}/argumenter", side="for", body="Cela simplifie tout.", submission_key="a").status_code
        == 303
    )
    with town.writing() as session:
        settle(session)
    shown = text_of(reader.get(path)).replace("  ", " ")
    assert "D’accord : 1" in shown
    assert "Cela simplifie tout." in shown
    mine = text_of(town.sign_in(town.people[0]).get("/mon-compte/contributions"))
    assert "Version d’un article, déposée le" in mine


def test_words_of_a_version_lead_to_its_article_and_its_words_are_read_by_the_machine(town, client):
    path = town.rewrite(town.sign_in(town.people[0]))
    found = text_of(client.get("/consultations/loi/texte?q=trains"))
    assert "Article 1er – Gratuité" in found
    with town.writing() as session:
        (name, item, texts), *others = published_since(session, town.step.id, town.now - dt.timedelta(minutes=5))
    assert not others  # the article is the administration's
    assert (name, item, texts) == (
        "proposal", town.row(path).id, ("Gratuité pour tous", REWRITTEN, REASON, "Enquête sur les trajets"),
    )  # fmt: skip


def test_lists_of_versions_are_paged_and_cost_no_more_statements(town, client):
    with town.writing() as session:
        text = session.get_one(Proposal, town.text.id)
        f.make_version(session, text, town.people[0])
    with watched(town.database) as few:
        assert client.get(town.page).status_code == 200
    with town.writing() as session:
        text = session.get_one(Proposal, town.text.id)
        for number in range(44):
            f.make_version(session, text, town.people[number % 3], title=f"Version {number}", votes_total=number)
    with watched(town.database) as many:
        page = client.get(f"{town.page}?versions=3&sort=voted")
    assert len(many) <= len(few) + 1
    assert "Versions proposées (45)" in text_of(page)
    assert page.get_data(as_text=True).count('class="card is-link"') == 5
    assert "Version 43" in text_of(client.get(f"{town.page}?sort=voted"))
