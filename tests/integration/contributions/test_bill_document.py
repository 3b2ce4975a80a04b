"""A bill as one Word file: as submitted, and as the votes would have it."""

import dataclasses
import datetime as dt
import io

import docx
import pytest
from pypdf import PdfReader

from consult.app import create_app
from consult.consultations.models import Consultation, ConsultationStatus, ContentStatus
from consult.contributions import votes
from consult.contributions.bill.labels import RETAINED
from consult.contributions.models import Level, Proposal, VoteValue
from consult.contributions.voting import VoteKind
from consult.db import ALL_TENANTS
from tests import factories as f
from tests.plans import scans, watched
from tests.registers import settle

STEP = "/consultations/loi/texte"
SUBMITTED, CONSOLIDATED = f"{STEP}/texte.docx", f"{STEP}/texte-consolide.docx"


@pytest.fixture
def bill(app):
    """A title and three articles, and a function that writes a version of one with so many votes."""
    now = dt.datetime.now(dt.UTC)
    writing = lambda: app.extensions["database"].transaction(tenant=ALL_TENANTS)  # noqa: E731
    with writing() as session:
        session.expire_on_commit = False
        organisation = f.make_organisation(session, name="Ministère des essais")
        consultation = f.make_consultation(session, organisation, now=now, slug="loi", title="La loi des trajets")
        step = f.make_step(session, consultation, kind="bill", slug="texte", title="Le projet de loi")
        title = f.make_part(session, step, Level.TITLE, heading="Des trajets")
        articles = [
            f.make_part(session, step, parent=title, heading="Gratuité", body="Les autocars sont gratuits."),
            f.make_part(session, step, parent=title, body="Un décret précise les horaires.\n\n- le soir\n- la nuit"),
            f.make_part(session, step, body="La loi entre en vigueur."),
        ]
        texts = [f.text_of_article(session, article).id for article in articles]
        session.flush()

    def written(place, body, counts=(0, 0, 0), **values):
        with writing() as session:
            rewritten = session.get_one(Proposal, texts[place])
            votes = dict(zip(("votes_for", "votes_mixed", "votes_against"), counts, strict=True))
            return f.make_version(session, rewritten, body=body, **(votes | values)).id

    def voted(place, *counts):
        with writing() as session:
            text = session.get_one(Proposal, texts[place])
            text.votes_for, text.votes_mixed, text.votes_against = counts

    bill = type("Bill", (), {"app": app, "step": step, "writing": staticmethod(writing)})
    bill.written, bill.voted = staticmethod(written), staticmethod(voted)
    return bill


def read(client, path):
    reply = client.get(path)
    assert reply.status_code == 200
    return docx.Document(io.BytesIO(reply.data))


def lines(document):
    return [(each.style.name, each.text) for each in document.paragraphs]


def test_the_file_holds_the_tree_and_every_text_in_order(bill, client):
    bill.written(0, "Rien de cela.")
    reply = client.get(SUBMITTED)
    assert reply.mimetype == "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    assert reply.headers["Content-Disposition"] == 'attachment; filename="loi-texte.docx"'
    found = lines(read(client, SUBMITTED))
    assert found[:2] == [
        ("Title", "Le projet de loi"),
        ("Subtitle", "La loi des trajets\nTexte soumis à la consultation"),
    ]
    assert found[2][1].startswith("Ministère des essais\n")
    assert found[2][1].endswith(STEP)
    assert found[3:] == [
        ("Heading 1", "Titre Ier – Des trajets"),
        ("Heading 2", "Article 1er – Gratuité"),
        ("Normal", "Les autocars sont gratuits."),
        ("Heading 2", "Article 2"),
        ("Normal", "Un décret précise les horaires."),
        ("List Bullet", "le soir"),
        ("List Bullet", "la nuit"),
        ("Heading 1", "Article 3"),
        ("Normal", "La loi entre en vigueur."),
    ]


def test_each_article_is_in_the_text_that_its_readers_support_best(bill, client):
    bill.voted(0, 5, 0, 1)
    bill.written(0, "Tout est gratuit.", (9, 1, 2), title="Pour tous")
    bill.written(0, "Rien n’est gratuit.", (20, 0, 20), title="Pour personne")
    bill.written(0, "Caché.", (50, 0, 0), status=ContentStatus.HIDDEN, status_reason="spam")
    bill.voted(1, 0, 0, 4)
    bill.written(1, "Personne n’a voté.")
    bill.voted(2, 3, 0, 0)
    bill.written(2, "Autant de voix.", (3, 9, 0))
    document = read(client, CONSOLIDATED)
    found = lines(document)
    assert ("Normal", RETAINED[VoteKind.THREE_WAY]) in found
    assert [each for each in found if each[0] in {"Normal", "Caption", "List Bullet"}][2:] == [
        ("Caption", "Version retenue\u00a0: «\u00a0Pour tous\u00a0»"),
        ("Normal", "Tout est gratuit."),
        ("Normal", "Un décret précise les horaires."),
        ("List Bullet", "le soir"),
        ("List Bullet", "la nuit"),
        ("Normal", "La loi entre en vigueur."),
    ]
    (table,) = document.tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["Article", "Texte retenu", "D’accord", "Mitigé", "Pas d’accord"],
        ["Article 1er – Gratuité", "Version «\u00a0Pour tous\u00a0»", "9", "1", "2"],
        ["Article 2", "Texte soumis", "0", "0", "4"],
        ["Article 3", "Texte soumis", "3", "0", "0"],
    ]


def test_where_people_support_texts_the_most_supported_one_is_kept(bill, client):
    with bill.writing() as session:
        session.merge(bill.step).settings = {"vote": "support"}
    bill.voted(0, 5, 0, 0)
    bill.written(0, "Tout est gratuit.", (6, 0, 0), title="Pour tous")
    document = read(client, CONSOLIDATED)
    assert ("Normal", RETAINED[VoteKind.SUPPORT]) in lines(document)
    assert ("Normal", "Tout est gratuit.") in lines(document)
    assert [[cell.text for cell in row.cells] for row in document.tables[0].rows][:2] == [
        ["Article", "Texte retenu", "Soutien"],
        ["Article 1er – Gratuité", "Version «\u00a0Pour tous\u00a0»", "6"],
    ]


def test_versions_with_as_many_voices_are_parted_by_the_public_order(bill, client):
    for rank, words in ((7, "Deuxième."), (3, "Première."), (9, "Troisième.")):
        bill.written(2, words, (4, 0, 1), random_rank=rank)
    assert ("Normal", "Première.") in lines(read(client, CONSOLIDATED))


def act(bill):
    """Somebody votes on the first article, and the vote takes its place in the registry."""
    with bill.writing() as session:
        text = session.scalars(f.select(Proposal).where(Proposal.body == "Les autocars sont gratuits.")).one()
        person = f.make_account(session, session.get_one(f.Organisation, text.organisation_id))
        now = dt.datetime.now(dt.UTC)
        votes.cast_vote(
            session,
            text,
            step=session.get_one(f.Step, text.step_id),
            account_id=person.id,
            value=VoteValue.FOR,
            now=now,
        )
        settle(session)


def test_the_same_position_gives_the_same_bytes(bill, client):
    """AT-B: the file says at which position of the registry it stands, and moves with it alone."""
    act(bill)
    first = {path: client.get(path).data for path in (SUBMITTED, CONSOLIDATED)}
    assert {path: client.get(path).data for path in first} == first
    assert "État au n°\u00a00 du registre public, le" in lines(read(client, SUBMITTED))[2][1]
    act(bill)
    assert "État au n°\u00a01 du registre public, le" in lines(read(client, SUBMITTED))[2][1]
    assert {client.get(path).data == content for path, content in first.items()} == {False}


def test_the_page_of_the_bill_leads_to_both_files_and_says_the_rule(bill, client):
    page = client.get(STEP).get_data(as_text=True)
    assert f'href="{SUBMITTED}"' in page
    assert f'href="{CONSOLIDATED}"' in page
    assert RETAINED[VoteKind.THREE_WAY] in page
    assert SUBMITTED not in client.get(f"{STEP}?q=autocars").get_data(as_text=True)


def test_nobody_but_its_staff_takes_away_a_draft(bill, client):
    with bill.writing() as session:
        whole = session.get_one(Consultation, bill.step.consultation_id)
        whole.status, whole.opened_at = ConsultationStatus.DRAFT, None
        agent = f.make_account(session, session.get_one(f.Organisation, whole.organisation_id), f.Role.ORGANISER)
        session.flush()
        session.expunge(agent)
    for path in (SUBMITTED, CONSOLIDATED):
        assert client.get(path).status_code == 404
    staff = bill.app.test_client()
    f.sign_in(staff, agent)
    assert "Brouillon" in lines(read(staff, SUBMITTED))[2][1]


def test_a_step_of_another_kind_has_no_such_file(bill, client):
    with bill.writing() as session:
        f.make_step(session, session.get_one(Consultation, bill.step.consultation_id), slug="idees")
    assert client.get("/consultations/loi/idees/texte.docx").status_code == 404
    assert client.get("/consultations/loi/rien/texte.docx").status_code == 404


def test_the_files_are_not_asked_for_without_end(bill, settings):
    app = create_app(dataclasses.replace(settings, rate_limits=True))
    client, path = app.test_client(), "/consultations/loi/rien/texte.docx"  # refused or not, each counts
    assert [client.get(path).status_code for _ in range(21)] == [404] * 20 + [429]
    app.extensions["database"].dispose()


def test_twelve_levels_and_hostile_words_make_a_sound_file(bill, client):
    hostile = "<script>alert(1)</script> & \x07 ]]> " + "a" * 19_000
    with bill.writing() as session:
        step, parent = session.merge(bill.step), None
        for _ in range(11):
            parent = f.make_part(session, step, Level.SECTION, parent, heading="<i>Une</i> section")
        deepest = f.make_part(session, step, parent=parent)
        f.text_of_article(session, deepest).body = hostile  # as another program might have put it
    found = lines(read(client, SUBMITTED))
    styles = [style for style, _ in found if style.startswith("Heading")]
    assert styles[-12:] == [f"Heading {min(level, 9)}" for level in range(1, 13)]
    assert found[-1][1] == hostile.replace("\x07", "\ufffd")


@pytest.mark.slow
def test_a_long_bill_costs_no_more_statements_and_reads_no_table_through(bill, client):
    database = bill.app.extensions["database"]
    with watched(database) as seen:
        read(client, CONSOLIDATED)
    few = len(seen)
    with bill.writing() as session:
        step = session.merge(bill.step)
        for _ in range(20):
            rewritten = f.text_of_article(session, f.make_part(session, step))
            for _ in range(5):
                f.make_version(session, rewritten, votes_for=2)
        other = f.make_step(session, step.consultation)
        for _ in range(2_000):
            f.make_proposal(session, other)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    with watched(database) as seen:
        read(client, CONSOLIDATED)
    assert len(seen) <= few
    assert scans(database, seen) == []


@pytest.mark.audit
@pytest.mark.timeout(600)
def test_an_office_suite_draws_the_whole_text(bill, client, convert, tmp_path):
    """AT-U4.8: no word is lost, the headings become the bookmarks of the PDF."""
    bill.written(0, "Tout est gratuit.", (9, 1, 2), title="Pour tous")
    (tmp_path / "loi.docx").write_bytes(client.get(CONSOLIDATED).data)
    drawn = PdfReader(convert(tmp_path / "loi.docx", "pdf"))
    words = " ".join(" ".join(page.extract_text() for page in drawn.pages).split())
    for said in ("Le projet de loi", "Titre Ier", "Article 1er", "Tout est gratuit.", "Textes retenus et votes"):
        assert said in words
