"""Organisers put a bill in order with plain forms while the consultation is a draft."""

import html
import re

import pytest
from sqlalchemy import func, select

from consult.actor import Role
from consult.audit.models import AuditEntry
from consult.consultations.models import Consultation, ConsultationStatus
from consult.contributions.bill import queries
from consult.contributions.bill.bindings import BillStep
from consult.contributions.bill.builder import service
from consult.contributions.bill.builder.service import PartDraft, Way
from consult.contributions.bill.numbering import outline
from consult.contributions.models import Article, Level, Proposal
from consult.db import ALL_TENANTS
from consult.errors import ConflictError, InvalidError, NotFoundError
from consult.search import queries as search
from tests import factories as f


class Office:
    """A draft with a bill, and an organiser signed in."""

    def __init__(self, app, client):
        self.app, self.client = app, client
        with self.writing() as session:
            self.organisation = f.make_organisation(session)
            self.consultation = f.make_consultation(session, self.organisation, opened=False)
            self.step = f.make_step(session, self.consultation, kind="bill")
            organiser = f.make_account(session, self.organisation, Role.ORGANISER)
            session.flush()
            session.expunge_all()
        self.path = f"/gestion/consultations/{self.consultation.slug}/etapes/{self.step.slug}/texte"
        f.sign_in(client, organiser)

    def writing(self):
        return self.app.extensions["database"].transaction(tenant=ALL_TENANTS)

    def lines(self):
        with self.writing() as session:
            return outline(queries.parts(session, self.step.id))

    def titles(self):
        return ["·" * line.depth + line.title for line in self.lines()]

    def named(self, title):
        return next(line.id for line in self.lines() if line.title.startswith(title))

    def post(self, path="", **fields):
        token = f.csrf_token(self.client, f"{self.path}/nouveau")
        return self.client.post(f"{self.path}{path}", data={"csrf_token": token, **fields})

    def add(self, level, inside="", **fields):
        reply = self.post(f"/nouveau?dans={inside}" if inside else "/nouveau", level=level, **fields)
        assert reply.status_code == 303, text_of(reply)
        return self.lines()[-1].id

    def move(self, part_id, way):
        return self.post(f"/{part_id}/deplacer", sens=way)


@pytest.fixture
def office(app):
    return Office(app, app.test_client())


def text_of(response):
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.get_data(as_text=True).replace("\u00a0", " ")))
    return html.unescape(plain)


def test_a_bill_is_built_moved_and_cut(office):
    title = office.add("title", heading="Des trajets")
    chapter = office.add("chapter", title, heading="Les autocars")
    office.add("article", chapter, heading="Gratuité", body="Les trajets sont gratuits.\r\n\r\nSans condition.")
    office.add("article", title, body="Il entre en vigueur.")
    office.add("article", body="Un décret précise.", number="3 bis")
    assert office.titles() == [
        "Titre Ier – Des trajets", "·Chapitre Ier – Les autocars", "··Article 1er – Gratuité", "·Article 2",
        "Article 3 bis",
    ]  # fmt: skip
    assert office.move(office.named("Article 2"), "haut").status_code == 303
    assert office.titles()[1:4] == ["·Article 1er", "·Chapitre Ier – Les autocars", "··Article 2 – Gratuité"]
    assert office.move(office.named("Article 3 bis"), "dedans").status_code == 303
    assert office.move(office.named("Article 3 bis"), "dedans").status_code == 303
    assert office.titles()[-1] == "··Article 3 bis"
    assert office.move(office.named("Article 3 bis"), "dehors").status_code == 303
    assert office.titles()[-1] == "·Article 3 bis"
    with office.writing() as session:
        texts = queries.texts(session, office.step.id)
        assert {text.title: text.body for text in texts.values()} == {
            "Article 1er": "Il entre en vigueur.",
            "Article 2 – Gratuité": "Les trajets sont gratuits.\n\nSans condition.",
            "Article 3 bis": "Un décret précise.",
        }
        assert session.scalar(select(func.count()).where(AuditEntry.action == "bill.move")) == 4
    page = text_of(office.client.get(f"{office.path}/{chapter}/supprimer"))
    assert "Article 2 – Gratuité" in page
    assert "Article 3 bis" not in page
    assert office.post(f"/{chapter}/supprimer").status_code == 303
    assert office.titles() == ["Titre Ier – Des trajets", "·Article 1er", "·Article 3 bis"]
    with office.writing() as session:
        assert session.scalar(select(func.count()).select_from(Proposal)) == 2
        assert list(session.scalars(search.find(session, office.step.id, "gratuits"))) == []
        assert len(list(session.scalars(search.find(session, office.step.id, "décret")))) == 1


def test_a_part_is_changed_and_its_form_comes_back_filled(office):
    article = office.add("article", heading="Gratuité", body="Les trajets sont gratuits.")
    page = office.client.get(f"{office.path}/{article}").get_data(as_text=True)
    assert "Les trajets sont gratuits." in page
    assert office.post(f"/{article}", level="article", heading="Prix", body="Un euro.").status_code == 303
    assert office.titles() == ["Article 1er – Prix"]
    refused = office.post(f"/{article}", level="title", heading="Prix", body="Un euro, texte gardé.")
    assert refused.status_code == 422
    assert "Un article ne devient pas une division" in text_of(refused)
    assert "Un euro, texte gardé." in text_of(refused)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"level": "article", "body": " "}, "Le texte de l’article est vide"),
        ({"level": "article", "body": "x" * 20_001}, "20 000 au plus"),
        ({"level": "title", "heading": "x" * 151}, "150 au plus"),
        ({"level": "title", "number": "9" * 21}, "20 au plus"),
        ({"level": "heading"}, "donnez-lui un intitulé"),
        ({"level": "loi"}, "Choisissez une nature dans la liste"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_reason(office, fields, said):
    refused = office.post("/nouveau", **fields)
    assert refused.status_code == 422
    assert said in text_of(refused)
    assert office.lines() == []


def test_hostile_text_stays_text(office):
    hostile = "<script>alert(1)</script>\x00{{ 7*7 }}"
    office.add("article", heading=hostile, body=hostile)
    page = office.client.get(office.path).get_data(as_text=True)
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}" in page


def test_an_article_holds_nothing_and_twelve_levels_at_most(office):
    article = office.add("article", body="Seul.")
    assert office.post(f"/nouveau?dans={article}", level="section").status_code == 404
    assert office.post("/nouveau?dans=00000000-0000-0000-0000-000000000007", level="section").status_code == 404
    inside = ""
    for _ in range(11):
        inside = office.add("section", inside)
    office.add("article", inside, body="Le plus profond.")
    refused = office.post(f"/nouveau?dans={inside}", level="section")
    assert refused.status_code == 303  # at the same depth as the article
    too_deep = office.post(f"/nouveau?dans={office.lines()[-1].id}", level="article", body="Trop profond.")
    assert too_deep.status_code == 422
    assert "Douze niveaux au plus" in text_of(too_deep)


def test_what_would_stand_too_deep_does_not_move(office):
    with office.writing() as session:
        step = session.get_one(type(office.step), office.step.id)
        parent = None
        for _ in range(11):
            parent = f.make_part(session, step, Level.SECTION, parent)
        alone = f.make_part(session, step, Level.TITLE)
        f.make_part(session, step, parent=alone)
        moved = {"actor": f.SYSTEM, "now": f.NOW}
        for _ in range(10):
            service.move(session, step, alone.id, way=Way.INTO, **moved)
        before = [(line.id, line.depth) for line in outline(queries.parts(session, step.id))]
        with pytest.raises(InvalidError, match="Douze niveaux"):
            service.move(session, step, alone.id, way=Way.INTO, **moved)
        assert [(line.id, line.depth) for line in outline(queries.parts(session, step.id))] == before
        assert max(depth for _, depth in before) == 11


def test_nothing_moves_beyond_the_ends(office):
    first, last = office.add("title"), office.add("article", body="Seul.")
    for part, way in ((first, "haut"), (last, "bas"), (first, "dehors"), (first, "dedans")):
        assert office.move(part, way).status_code == 303
        assert office.titles() == ["Titre Ier", "Article 1er"]
    assert office.move(first, "ailleurs").status_code == 400
    assert office.move("00000000-0000-0000-0000-000000000007", "haut").status_code == 404


def test_the_bill_is_frozen_at_opening(office):
    article = office.add("article", body="Ancien.")
    with office.writing() as session:
        consultation = session.get_one(Consultation, office.consultation.id)
        consultation.status, consultation.opened_at = ConsultationStatus.OPEN, f.NOW
    assert office.client.get(office.path).get_data(as_text=True).count("figé depuis l’ouverture") == 1
    refused = office.post(f"/{article}", level="article", body="Nouveau.")
    assert refused.status_code == 409
    assert "Nouveau." in text_of(refused)
    assert office.post("/nouveau", level="article", body="Nouveau.").status_code == 409
    assert office.move(article, "bas").status_code == 409
    assert office.post(f"/{article}/supprimer").status_code == 409
    with office.writing() as session:
        assert session.scalars(select(Proposal.body)).all() == ["Ancien."]
        with pytest.raises(ConflictError):
            service.add(
                session, session.get_one(type(office.step), office.step.id), PartDraft(Level.TITLE),
                parent_id=None, actor=f.SYSTEM, now=f.NOW,
            )  # fmt: skip


def test_an_empty_bill_cannot_be_opened(office):
    with office.writing() as session, pytest.raises(InvalidError, match="au moins un article"):
        BillStep(page=None).rules(session, session.get_one(type(office.step), office.step.id))


def test_a_copy_has_the_whole_text_and_none_of_what_citizens_wrote(office):
    title = office.add("title", heading="Des trajets")
    office.add("article", title, heading="Gratuité", body="Les trajets sont gratuits.")
    with office.writing() as session:
        source = session.get_one(type(office.step), office.step.id)
        f.make_argument(session, session.scalars(select(Proposal)).one(), f.make_account(session, office.organisation))
        target = f.make_step(session, session.get_one(Consultation, office.consultation.id), kind="bill")
        BillStep(page=None).duplicate(session, source, target)
        assert [line.title for line in outline(queries.parts(session, target.id))] == [
            "Titre Ier – Des trajets", "Article 1er – Gratuité",
        ]  # fmt: skip
        copied = list(queries.texts(session, target.id).values())
        assert [(text.title, text.body) for text in copied] == [
            ("Article 1er – Gratuité", "Les trajets sont gratuits.")
        ]
        assert {text.id for text in copied}.isdisjoint(text.id for text in queries.texts(session, source.id).values())
        assert queries.census(session, target)["arguments"] == 0


def test_the_parts_of_another_bill_are_not_reached(office):
    with office.writing() as session:
        other = f.make_step(session, session.get_one(Consultation, office.consultation.id), kind="bill")
        part = f.make_part(session, other).id
        with pytest.raises(NotFoundError):
            service.remove(session, session.get_one(type(office.step), office.step.id), part, actor=f.SYSTEM, now=f.NOW)
    assert office.client.get(f"{office.path}/{part}").status_code == 404
    assert office.post(f"/{part}", level="article", body="x").status_code == 404
    assert office.post(f"/{part}/supprimer").status_code == 404
    with office.writing() as session:
        assert session.scalar(select(func.count()).select_from(Article)) == 1
