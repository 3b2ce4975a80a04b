"""A debate: the question that staff ask, the arguments that citizens give, and all that arguments owe elsewhere."""

import re
import uuid

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from consult import clock
from consult.actor import SYSTEM, Role
from consult.consultations import service as consultations
from consult.consultations.models import Consultation, ConsultationStatus, ContentStatus, Step
from consult.contributions import service
from consult.contributions.bindings import ArgumentContent, ArgumentData, ProposalContent
from consult.contributions.debate import queries
from consult.contributions.debate import service as debate
from consult.contributions.debate.bindings import DebateStep
from consult.contributions.models import Argument, Proposal, Vote
from consult.db import ALL_TENANTS
from consult.registry.models import EntryKind, RegistryEntry
from tests import factories as f
from tests.registers import settle

QUESTION = "Faut-il ouvrir une ligne de nuit ?"
TEXT = "Les soignantes rentrent à pied faute de train après minuit."
KIND = DebateStep(page=None)


class Town:
    """An open debate, a draft one, and who takes part."""

    def __init__(self, app):
        self.app, self.now = app, clock.now()
        with self.writing() as session:
            organisation = f.make_organisation(session)
            whole = f.make_consultation(session, organisation, now=self.now, slug="nuit")
            self.question = f.make_debate(session, whole, question=QUESTION, slug="debat", title="Le débat").id
            draft = f.make_consultation(session, organisation, opened=False, now=self.now, slug="brouillon")
            f.make_step(session, draft, kind="debate", slug="debat", title="À préparer")
            f.make_step(session, draft, slug="idees")
            people = [f.make_account(session, organisation) for _ in range(2)]
            agents = [f.make_account(session, organisation, role) for role in (Role.ORGANISER, Role.MODERATOR)]
            self.citizen, self.other, self.organiser, self.moderator = (each.id for each in (*people, *agents))
        self.page = "/consultations/nuit/debat"
        self.write = f"/contributions/{self.question}/argumenter"
        self.office = "/gestion/consultations/brouillon/etapes/debat/debat"

    def writing(self):
        return self.app.extensions["database"].transaction(tenant=ALL_TENANTS)

    def browser(self, account_id):
        """A signed-in browser whose `.send(path, **typed)` posts a form."""
        client = self.app.test_client()
        with self.writing() as session:
            account = session.get_one(f.Account, account_id)
            session.expunge_all()
        f.sign_in(client, account)
        token = f.csrf_token(client, "/mon-compte/contributions")
        client.send = lambda path, **typed: client.post(path, data=typed | {"csrf_token": token})
        return client

    def argue(self, account_id, **typed):
        """An argument written by the form; gives its address."""
        made = self.browser(account_id).send(
            self.write, **({"side": "for", "body": TEXT, "submission_key": uuid.uuid4().hex} | typed)
        )
        assert made.status_code == 303, made.get_data(as_text=True)
        return made.location


@pytest.fixture
def town(app):
    return Town(app)


def text_of(response):
    plain = re.sub(r"<[^>]+>", " ", response.get_data(as_text=True).replace("&nbsp;", " "))
    return re.sub(r"\s+", " ", plain.replace("\u00a0", " "))


def test_the_page_asks_the_question_and_shows_both_sides(town, client):
    town.argue(town.citizen, title="Rentrer du travail")
    town.argue(town.other, side="against", body="Un train vide la nuit coûte cher à toute la ville.")
    with town.writing() as session:
        settle(session)
    page = text_of(client.get(town.page))
    for words in (QUESTION, "Deux trains par nuit", "Pour : Rentrer du travail", TEXT, "Un train vide la nuit"):
        assert words in page
    assert "1 argument pour 1 argument contre 0 vote « utile »" in page
    assert "Se connecter pour voter" not in page
    assert client.get(f"/contributions/{town.question}").location == town.page


def test_the_question_is_neither_voted_nor_changed_nor_moderated_nor_counted(town, client):
    citizen = town.browser(town.citizen)
    here = f"/contributions/{town.question}"
    voted = citizen.send(f"{here}/vote", position="for")
    assert voted.status_code == 400
    assert "Une question ne se vote pas" in text_of(voted)
    for act in ("modifier", "retirer"):
        assert citizen.send(f"{here}/{act}").status_code == 404
    assert client.get(f"/signaler/proposal/{town.question}").status_code == 404
    with town.writing() as session:
        assert session.scalar(select(func.count()).select_from(Vote)) == 0
        assert ProposalContent().get(session, town.question) is None
        step = session.scalars(select(Step).where(Step.slug == "debat")).first()
        assert queries.census(session, step) == {
            "arguments": 0, "arguments_for": 0, "arguments_against": 0, "votes": 0, "imported_votes": 0,
        }  # fmt: skip


def test_words_are_found_among_the_arguments(town, client):
    address = town.argue(town.citizen, title="Pour les soignantes")
    town.argue(town.other, side="against", body="Un train vide la nuit coûte cher à toute la ville.")
    found = text_of(client.get(f"{town.page}?q=SOIGNANTE"))
    assert TEXT in found
    assert "Un train vide" not in found
    assert "1 argument sur 2 contenant « SOIGNANTE »" in found
    assert "Aucun argument ne correspond" in text_of(client.get(f"{town.page}?q=zeppelin"))
    author = town.browser(town.citizen)
    author.send(f"{address}/modifier", title="", body="Chacun rentre chez soi sans attendre l’aube.", version="1")
    assert "Aucun argument ne correspond" in text_of(client.get(f"{town.page}?q=soignantes"))
    assert "sans attendre" in text_of(client.get(f"{town.page}?q=aube"))
    author.send(f"{address}/retirer")
    assert "sans attendre" not in text_of(client.get(f"{town.page}?q=aube"))


@pytest.mark.parametrize("end", ["hidden", "erased"])
def test_what_is_gone_is_found_no_more(town, client, end):
    town.argue(town.citizen)
    with town.writing() as session:
        argument = session.scalars(select(Argument)).one()
        if end == "hidden":
            ArgumentContent().hide(session, argument.id, "insult")
        else:
            ArgumentData().erase(session, town.citizen, town.now)
        argument_id = argument.id
    assert TEXT not in text_of(client.get(f"{town.page}?q=soignantes"))
    assert client.get(f"/arguments/{argument_id}").status_code == 410
    if end == "hidden":
        with town.writing() as session:
            ArgumentContent().restore(session, argument_id)
        assert TEXT in text_of(client.get(f"{town.page}?q=soignantes"))


def test_my_contributions_open_data_and_receipts_tell_the_argument(town, client):
    address = town.argue(town.citizen, title="Rentrer du travail")
    town.browser(town.other).send(f"{address}/vote", position="for")
    with town.writing() as session:
        settle(session)
    author = town.browser(town.citizen)
    assert f'href="{address}"' in author.get("/mon-compte/contributions/arguments").get_data(as_text=True)
    assert QUESTION in text_of(author.get("/recepisse"))
    rows = client.get("/api/v1/consultations/nuit/arguments").json["data"]
    assert [(row["contribution"], row["title"], row["votes_for"]) for row in rows] == [
        (str(town.question), "Rentrer du travail", 1)
    ]
    asked = client.get("/api/v1/consultations/nuit/contributions").json["data"]
    assert [(row["kind"], row["title"], row["author"]) for row in asked] == [("question", QUESTION, None)]
    [step] = client.get("/api/v1/consultations/nuit/steps").json["data"]
    assert step["kind"] == "debate"
    with town.writing() as session:
        assert step["order_seed"] == session.get_one(Step, uuid.UUID(step["id"])).order_seed
        entry = session.scalars(select(RegistryEntry).where(RegistryEntry.kind == EntryKind.ARGUMENT)).one()
        assert entry.opening["on"] == str(town.question)


def test_staff_write_the_question_until_the_opening(town):
    organiser = town.browser(town.organiser)
    typed = {"title": QUESTION, "body": "Une explication.", "sources": "https://www.exemple.fr/a Étude de la nuit"}
    for title in (QUESTION, "Faut-il des trains après minuit ?"):
        assert organiser.send(town.office, **typed | {"title": title}).status_code == 303
    shown = text_of(organiser.get("/consultations/brouillon/debat"))
    assert "Faut-il des trains après minuit ?" in shown
    assert "Étude de la nuit" in shown
    with town.writing() as session:
        draft = session.scalars(select(Consultation).where(Consultation.slug == "brouillon")).one()
        draft.status, draft.opened_at = ConsultationStatus.OPEN, town.now
    frozen = organiser.send(town.office, **typed)
    assert frozen.status_code == 409
    assert "La question est figée" in text_of(frozen)
    assert "Une explication." in frozen.get_data(as_text=True), "what was typed is given back"
    with town.writing() as session:
        asked = select(Proposal.title).where(Proposal.kind == "question").order_by(Proposal.title)
        assert session.scalars(asked).all() == ["Faut-il des trains après minuit ?", QUESTION]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"title": ""}, "La question est vide"),
        ({"title": "Pourquoi ?"[:9]}, "La question compte 8 caractères"),
        ({"title": "x" * 201}, "La question compte 201 caractères"),
        ({"body": "x" * 10_001}, "L’explication compte 10 001 caractères"),
        ({"sources": "javascript:alert(1) Un piège"}, "Source 1 : une adresse"),
    ],
)
def test_a_refused_question_says_what_to_mend_and_keeps_what_was_typed(town, values, said):
    typed = {"title": QUESTION, "body": "Une explication.", "sources": ""} | values
    refused = town.browser(town.organiser).send(town.office, **typed)
    assert refused.status_code == 422
    assert said in text_of(refused).replace("&#39;", "’")
    assert typed["sources"] in refused.get_data(as_text=True)
    with town.writing() as session:
        assert session.scalar(select(func.count()).select_from(Proposal)) == 1


def test_nobody_else_writes_the_question_and_no_other_step_has_one(town, client):
    assert town.browser(town.moderator).send(town.office, title=QUESTION).status_code == 403
    assert town.browser(town.citizen).get(town.office).status_code == 403
    organiser = town.browser(town.organiser)
    assert organiser.get(town.office.replace("etapes/debat", "etapes/idees")).status_code == 404
    assert organiser.get(town.office.replace("/debat/debat", "/debat/regles")).status_code == 404
    assert client.post(town.office, data={"title": QUESTION}).status_code in {401, 403}


def test_a_debate_opens_with_a_question_alone_which_its_rules_engage(town):
    with town.writing() as session:
        session.info["tenant"] = session.scalars(select(Consultation.organisation_id)).first()
        draft = session.scalars(select(Consultation).where(Consultation.slug == "brouillon")).one()
        step = next(each for each in draft.steps if each.kind == "debate")
        missing = consultations.missing(
            session, draft, organisation=session.get_one(f.Organisation, draft.organisation_id),
            step_kinds={"debate": KIND, "proposals": KIND}, now=town.now,
        )  # fmt: skip
        assert any("saisissez la question avant d’ouvrir" in each for each in missing)
        typed = debate.QuestionDraft(QUESTION, "Une explication.", "https://www.exemple.fr/a Étude de la nuit")
        question = debate.ask(session, step, typed, actor=SYSTEM, now=town.now)
        rules = KIND.rules(session, step)
        digest = service.policy.text_digest(QUESTION, "Une explication.")
        assert rules["texts"] == [{"id": str(question.id), "text_sha256": digest}]
        assert rules["sources"] == [{"url": "https://www.exemple.fr/a", "title": "Étude de la nuit"}]
        assert rules["votes"] == ["for"]
        copy = f.make_step(session, draft, kind="debate")
        KIND.duplicate(session, step, copy)
        copied = queries.question(session, copy.id)
        assert (copied.title, copied.body, copied.sources) == (question.title, question.body, question.sources)
        assert copied.id != question.id


def test_the_database_refuses_a_second_question(town):
    with pytest.raises(IntegrityError), town.writing() as session:
        session.info["tenant"] = ALL_TENANTS
        first = session.get_one(Proposal, town.question)
        named = {name: getattr(first, name) for name in ("organisation_id", "consultation_id", "step_id", "kind")}
        session.add(Proposal(**named, title="Deux", body="", created_at=town.now, random_rank=1))
        session.flush()


def test_a_closed_debate_is_read_and_takes_nothing(town, client):
    address = town.argue(town.citizen)
    with town.writing() as session:
        step = session.get_one(Proposal, town.question).step_id
        session.get_one(Step, step).closes_at = town.now
    assert "Cette étape est terminée" in text_of(client.get(town.page))
    assert "Ajouter un argument" not in text_of(client.get(town.page))
    other = town.browser(town.other)
    late = other.send(town.write, side="for", body="Trop tard pour être entendu.", submission_key="k")
    assert late.status_code == 403
    assert "Trop tard pour être entendu." in late.get_data(as_text=True)
    assert other.send(f"{address}/vote", position="for").status_code == 403
    with town.writing() as session:
        assert session.scalars(select(Argument.status)).all() == [ContentStatus.PUBLISHED]
