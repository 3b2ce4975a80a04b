"""A bill is read article by article: its contents, each article with its votes and arguments, its open data."""

import datetime as dt
import html
import re

import pytest

from consult.consultations.models import Consultation, ConsultationStatus
from consult.contributions.bill import queries
from consult.contributions.bindings import ProposalContent
from consult.contributions.models import Level
from consult.db import ALL_TENANTS
from tests import factories as f
from tests.plans import watched
from tests.registers import settle


@pytest.fixture
def bill(app):
    """An open bill of two titles and three articles, and somebody who reads it."""
    now = dt.datetime.now(dt.UTC)
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        organisation = f.make_organisation(session)
        consultation = f.make_consultation(session, organisation, now=now, slug="loi")
        step = f.make_step(session, consultation, kind="bill", slug="texte")
        title = f.make_part(session, step, Level.TITLE, heading="Des trajets")
        articles = [
            f.make_part(session, step, parent=title, heading="Gratuité", body="Les autocars sont gratuits."),
            f.make_part(session, step, parent=title, body="Un décret précise les horaires."),
            f.make_part(session, step, body="La loi entre en vigueur."),
        ]
        texts = [f.text_of_article(session, article) for article in articles]
        reader = f.make_account(session, organisation)
        session.flush()
        session.expunge_all()
    return app, step, texts, reader


def text_of(response):
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.get_data(as_text=True).replace("\u00a0", " ")))
    return html.unescape(plain)


def test_the_contents_lead_to_each_article_and_each_article_to_its_neighbours(bill, client):
    _, _, texts, _ = bill
    contents = client.get("/consultations/loi/texte")
    assert "Titre Ier – Des trajets" in text_of(contents)
    for text in texts:
        assert f'href="/contributions/{text.id}"' in contents.get_data(as_text=True)
    middle = client.get(f"/contributions/{texts[1].id}")
    page = middle.get_data(as_text=True)
    assert "Texte de loi" not in page
    assert "Titre Ier – Des trajets" in text_of(middle)
    assert re.search(rf'href="/contributions/{texts[0].id}" rel="prev"', page)
    assert re.search(rf'href="/contributions/{texts[2].id}" rel="next"', page)
    assert "Un décret précise les horaires." in page
    assert "/signaler/proposal/" not in page
    assert 'rel="prev"' not in client.get(f"/contributions/{texts[0].id}").get_data(as_text=True)


def test_words_are_found_in_the_bill(bill, client):
    found = text_of(client.get("/consultations/loi/texte?q=HORAIRE"))
    assert "Article 2" in found
    assert "Gratuité" not in found
    assert "Aucun article ne correspond" in text_of(client.get("/consultations/loi/texte?q=zeppelin"))


def test_people_vote_and_argue_on_an_article(bill):
    app, step, texts, reader = bill
    client = app.test_client()
    f.sign_in(client, reader)
    token = f.csrf_token(client, f"/contributions/{texts[0].id}")
    where = f"/contributions/{texts[0].id}"
    assert client.post(f"{where}/vote", data={"csrf_token": token, "position": "mixed"}).status_code == 303
    typed = {"csrf_token": token, "side": "against", "body": "Rien n’est gratuit.", "submission_key": "k"}
    assert client.post(f"{where}/argumenter", data=typed).status_code == 303
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        settle(session)
        assert queries.census(session, step) == {
            "contributions": 0, "arguments": 1, "votes": 1, "imported_votes": 0,
        }  # fmt: skip
    page = text_of(client.get(where))
    assert "Mitigé : 1 (100" in page.replace("  ", " ")
    assert "Rien n’est gratuit." in page
    contents = text_of(client.get("/consultations/loi/texte"))
    assert "Article 1er – Gratuité 0 version · 1 vote · 1 argument" in contents
    for act in ("modifier", "retirer"):
        assert client.get(f"{where}/{act}").status_code == 404
        assert client.post(f"{where}/{act}", data={"csrf_token": token}).status_code == 404
    mine = text_of(client.get("/mon-compte/contributions/votes"))
    assert "Article 1er – Gratuité" in mine


def test_what_the_administration_submits_is_not_moderated(bill):
    app, _, texts, _ = bill
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        assert ProposalContent().get(session, texts[0].id) is None
    assert app.test_client().get(f"/signaler/proposal/{texts[0].id}").status_code == 404


def test_a_draft_bill_is_read_by_its_staff_alone(bill, client):
    app, step, texts, _ = bill
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        whole = session.get_one(Consultation, step.consultation_id)
        whole.status, whole.opened_at = ConsultationStatus.DRAFT, None
    assert client.get("/consultations/loi/texte").status_code == 404
    assert client.get(f"/contributions/{texts[0].id}").status_code == 404
    assert client.get("/api/v1/consultations/loi/articles").status_code == 404


def test_the_api_gives_the_tree_and_the_texts(bill, client):
    _, _, texts, _ = bill
    parts = client.get("/api/v1/consultations/loi/articles").json["data"]
    assert {(part["name"], part["heading"], part["level"]) for part in parts} == {
        ("Titre Ier", "Des trajets", "title"), ("Article 1er", "Gratuité", "article"), ("Article 2", "", "article"),
        ("Article 3", "", "article"),
    }  # fmt: skip
    title = next(part for part in parts if part["level"] == "title")
    assert sorted(part["position"] for part in parts if part["parent"] == title["id"]) == [0, 1]
    rows = client.get("/api/v1/consultations/loi/contributions").json["data"]
    assert {(row["kind"], row["author"], row["title"]) for row in rows} == {
        ("article", None, text.title) for text in texts
    }
    assert {row["article"] for row in rows} == {part["id"] for part in parts if part["level"] == "article"}


@pytest.mark.slow
def test_120_articles_cost_no_more_statements_than_three(bill):
    app, step, texts, _ = bill
    client = app.test_client()
    database = app.extensions["database"]
    few = {}
    for path in ("/consultations/loi/texte", f"/contributions/{texts[0].id}"):
        with watched(database) as seen:
            assert client.get(path).status_code == 200
        few[path] = len(seen)
    with database.transaction(tenant=ALL_TENANTS) as session:
        for _ in range(117):
            f.make_part(session, session.merge(step))
    for path, count in few.items():
        with watched(database) as seen:
            page = client.get(path)
        assert page.status_code == 200
        assert len(seen) <= count
    assert client.get("/consultations/loi/texte").get_data(as_text=True).count("/contributions/") == 120
