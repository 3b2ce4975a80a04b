"""The demonstration in a real database: everything there once, counted exactly, logged as the services would."""

import dataclasses
import datetime as dt
import hashlib
import itertools
import re
from collections import Counter

import pytest
import rfc8785
from sqlalchemy import func, select

from consult.accounts.models import Account
from consult.actor import Actor, Role
from consult.coding.models import AnalysisRun, Codebook
from consult.consultations import policy as consultations
from consult.consultations.bindings import PresentationStep
from consult.consultations.models import Consultation, ContentStatus
from consult.contributions.ballots.models import Ballot
from consult.contributions.bill.bindings import BillStep
from consult.contributions.bindings import ArgumentContent, ProposalContent, ProposalsStep
from consult.contributions.debate.bindings import DebateStep
from consult.contributions.models import Argument, Proposal, StepSecret, Vote, VoteValue
from consult.contributions.policy import voter_of
from consult.contributions.votes import cast_vote
from consult.db import ALL_TENANTS, Base, Database
from consult.demo import load as loader
from consult.demo import visitors
from consult.demo.content import generate, read
from consult.demo.lately import INVITATION
from consult.errors import ConflictError, ForbiddenError
from consult.migrations import load_models
from consult.moderation.models import Act, Decision, Report
from consult.organisations.models import Organisation
from consult.protocols import Bindings
from consult.questionnaires import policy as questionnaires
from consult.questionnaires import queries as questionnaire_queries
from consult.questionnaires import service as questionnaire_service
from consult.questionnaires.anonymous import urns
from consult.questionnaires.bindings import QuestionnaireStep
from consult.questionnaires.by_code import codes
from consult.questionnaires.by_code import service as by_code
from consult.questionnaires.invitations import queries as invitations
from consult.questionnaires.models import Answer, Question, Reply
from consult.registry.models import EntryKind, RegistryEntry
from consult.reporting.bindings import ResultsStep
from consult.settings import Settings
from tests.registers import settle

pytestmark = [pytest.mark.slow, pytest.mark.sqlite_first]  # each loads, or waits for, the whole demonstration

NOW = dt.datetime(2026, 11, 22, 15, 30, tzinfo=dt.UTC)


def no_page(*_):
    raise AssertionError("the loader draws no page")


def bindings():
    made = (PresentationStep, ProposalsStep, BillStep, DebateStep, QuestionnaireStep, ResultsStep)
    kinds = tuple(kind(no_page) for kind in made)
    contents = (ProposalContent(), ArgumentContent())
    return Bindings(
        step_kinds={kind.kind: kind for kind in kinds}, content_types={content.type: content for content in contents}
    )


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """Loaded once, on SQLite: tests that write roll back."""
    load_models()
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('demo')}/demo.db")
    Base.metadata.create_all(database.engine)
    assert loader.load(database, bindings(), Settings(), now=NOW) is True
    yield database
    database.dispose()


def tenant(database):
    with database.transaction(tenant=ALL_TENANTS, write=False) as session:
        return session.scalars(select(Organisation.id)).one()


@pytest.fixture
def shortened(monkeypatch):
    """Fewer votes and replies, for the tests that need both databases more than they need volume."""
    whole = generate(loader.SEED)
    content = dataclasses.replace(whole, votes=whole.votes[:400], replies=whole.replies[:80])
    monkeypatch.setattr(loader, "generate", lambda _seed: content)
    return content


def check_counts(database, content):
    with database.transaction(tenant=ALL_TENANTS) as session:
        settle(session)
    with database.transaction(tenant=tenant(database), write=False) as session:

        def count(model):
            return session.scalar(select(func.count()).select_from(model))

        bill, debate, lately = content.bill, content.debate, read("lately.yaml")
        offered = sum(len(each["proposals"]) for each in lately["ballots"])
        voters = sum(each["voters"] for each in lately["ballots"])
        articles = sum(part.level == "article" for part in bill.parts)
        arguments, votes = (
            sum(len(getattr(each, name)) for each in (content, bill, debate)) for name in ("arguments", "votes")
        )
        assert count(Proposal) == len(content.proposals) + articles + len(bill.versions) + 1 + offered
        assert count(Argument) == arguments
        assert count(Vote) == votes
        assert count(Reply) == len(content.replies) + lately["invited"]["replies"]
        said = [[reply.choices, reply.texts, reply.cells, reply.figures] for reply in content.replies]
        answered = (
            select(func.count(Answer.id)).join(Reply, Reply.id == Answer.reply_id).where(Reply.account_id.is_not(None))
        )
        assert session.scalar(answered) == sum(len(part) for parts in said for part in parts)
        assert count(Report) == len(content.reports)
        assert count(Account) == len(content.participants) + len(visitors.VISITORS)
        ballots = session.scalars(select(Ballot)).all()
        assert len(ballots) == voters
        for proposal in session.scalars(select(Proposal)):
            rows = Counter(session.scalars(select(Vote.value).where(Vote.proposal_id == proposal.id)))
            shown = (proposal.votes_for, proposal.votes_mixed, proposal.votes_against)
            assert shown == (rows[VoteValue.FOR], rows[VoteValue.MIXED], rows[VoteValue.AGAINST])
            assert proposal.votes_total == sum(shown) + proposal.points
            given = [ballot.choices.get(str(proposal.id), 0) for ballot in ballots]
            assert (proposal.points, proposal.ballots) == (sum(given), sum(map(bool, given)))
        entries = dict(session.execute(select(RegistryEntry.kind, func.count()).group_by(RegistryEntry.kind)).all())
        assert entries[EntryKind.VOTE_CAST] == votes + voters
        assert entries[EntryKind.VERSION] == len(bill.versions)
        assert entries[EntryKind.CONTRIBUTION] == (
            len(content.proposals) + offered + len(content.replies) + lately["invited"]["replies"]
        )
        assert entries[EntryKind.ARGUMENT] == arguments
        assert entries[EntryKind.MODERATION] + entries[EntryKind.MODERATION_KEPT] == len(content.decisions)


def test_it_loads_everything_with_exact_counts(loaded):
    check_counts(loaded, generate(loader.SEED))


def test_a_second_load_changes_nothing(database, shortened):
    assert loader.load(database, bindings(), Settings(), now=NOW) is True
    assert loader.load(database, bindings(), Settings(), now=NOW + dt.timedelta(days=1)) is False
    check_counts(database, shortened)


def test_visitors_are_told_where_to_go_and_a_code_that_works_now():
    told = "\n".join(visitors.introduction("https://demo.example", NOW, INVITATION))
    assert f"https://demo.example/invitation?code={INVITATION}" in told
    assert "https://demo.example/connexion" in told
    assert visitors.PASSWORD in told
    assert all(visitor.email in told for visitor in visitors.VISITORS)
    assert re.search(rf"\b{visitors.code(NOW)}\b", told)
    assert generate(1).organisation.slug == loader.ORGANISATION


def test_it_is_open_today_said_to_be_fictional_and_in_chronological_order(loaded):
    with loaded.transaction(tenant=tenant(loaded), write=False) as session:
        consultation = session.scalars(select(Consultation)).one()
        assert consultation.fictional
        assert consultation.opened_at == dt.datetime(2026, 10, 25, 8, 0, tzinfo=dt.UTC)
        states = {consultations.step_state(step, consultation, NOW) for step in consultation.steps}
        assert states == {consultations.Phase.OPEN}
        # The verifier calls backdated what is dated more than an hour before what the log holds already.
        logged = session.scalars(select(RegistryEntry.recorded_at).order_by(RegistryEntry.id)).all()
        latest = itertools.accumulate(logged, max)
        assert all(hour >= last - dt.timedelta(hours=1) for hour, last in zip(logged, latest, strict=True))
        hours = session.scalars(
            select(RegistryEntry.recorded_at)
            .where(RegistryEntry.kind.in_([EntryKind.VOTE_CAST, EntryKind.CONTRIBUTION, EntryKind.ARGUMENT]))
            .order_by(RegistryEntry.id)
        ).all()
        assert all(consultation.opened_at <= hour < NOW for hour in hours)


def test_moderation_cases_went_through_the_service(loaded):
    with loaded.transaction(tenant=tenant(loaded), write=False) as session:
        acts = Counter(session.scalars(select(Decision.act)))
        assert acts == {Act.HIDE: 3, Act.DISMISS: 2}
        hidden = session.scalars(select(Proposal).where(Proposal.status == ContentStatus.HIDDEN)).all()
        assert {proposal.status_reason for proposal in hidden} == {"insult", "off_topic"}
        assert session.scalar(select(func.count()).where(Report.decision_id.is_(None))) >= 2


def test_votes_written_in_bulk_are_logged_as_a_vote_cast_on_the_site(loaded):
    with loaded.session(write=True, tenant=tenant(loaded)) as session:
        visitor = session.scalars(select(Account).where(Account.email == "participant@demo.example")).one()
        for model in (Proposal, Argument):
            voted = select(Vote.proposal_id if model is Proposal else Vote.argument_id)
            target = session.scalars(
                select(model).where(model.id.in_(voted), model.status == ContentStatus.PUBLISHED)
            ).first()
            step = next(s for s in session.scalars(select(Consultation)).one().steps if s.id == target.step_id)
            live = cast_vote(session, target, step=step, account_id=visitor.id, value=VoteValue.FOR, now=NOW)
            column = Vote.proposal_id if model is Proposal else Vote.argument_id
            bulk = session.scalars(
                select(Vote).where(column == target.id, Vote.id != live.id, Vote.value == VoteValue.FOR)
            ).first()
            openings = [
                session.scalars(select(RegistryEntry).where(RegistryEntry.ref == vote.registry_ref)).one().opening
                for vote in (live, bulk)
            ]
            secret = session.get_one(StepSecret, step.id).secret
            voters = [voter_of(secret, vote.account_id) for vote in (live, bulk)]
            assert [opening["voter"] for opening in openings] == voters
            assert openings[0] | {"voter": voters[1]} == openings[1]
            assert (live.counted, live.origin) == (bulk.counted, bulk.origin)


def test_replies_written_in_bulk_are_logged_as_a_reply_sent_on_the_site(loaded):
    with loaded.session(write=True, tenant=tenant(loaded)) as session:
        visitor = session.scalars(select(Account).where(Account.email == "participant@demo.example")).one()
        bulk = session.scalars(select(Reply).order_by(Reply.received_at)).first()
        step = next(s for s in session.scalars(select(Consultation)).one().steps if s.id == bulk.step_id)
        questions = questionnaire_queries.questions(session, step.id)
        given = questionnaire_queries.answers_of(session, bulk.id)
        answers = {question.id: given.get(question.id, questionnaires.read(question, [])) for question in questions}
        actor = Actor(visitor.id, visitor.pseudonym, confirmed=True, roles=frozenset({Role.PARTICIPANT}))
        live = questionnaire_service.submit(session, step, questions, answers, actor=actor, seen=0, now=NOW)
        first, second = (
            session.scalars(select(RegistryEntry).where(RegistryEntry.ref == reply.registry_ref)).one()
            for reply in (live, bulk)
        )
        assert first.kind is second.kind
        assert first.opening | {"reply": ""} == second.opening | {"reply": ""}
        public = questionnaires.public_answers(questions, given)
        assert second.opening["answers_sha256"] == hashlib.sha256(rfc8785.dumps(public)).hexdigest()


def test_questions_keep_their_limits_and_their_exclusive_option(loaded):
    with loaded.transaction(tenant=tenant(loaded), write=False) as session:
        questions = session.scalars(select(Question).order_by(Question.position)).all()
        kinds = Counter(question.kind for question in questions)
        assert {"dropdown", "judgement", "long_text", "multiple", "number", "ranking", "satisfaction", "scale"} <= set(
            kinds
        )
        assert {question.settings.get("maximum") for question in questions} >= {2, 3}
        assert sum(option.kind == "exclusive" for question in questions for option in question.options) == 1


def test_the_invitation_that_is_told_opens_its_questionnaire_once(loaded):
    with loaded.session(write=True, tenant=tenant(loaded)) as session:
        opened = invitations.opened(session, tenant(loaded), INVITATION)
        assert (opened.step.slug, opened.used) == ("le-comite-des-usagers", False)
        questions = questionnaire_queries.questions(session, opened.step.id)
        reply = {"actor": Actor(), "keys": urns.keyring(""), "now": NOW, "invitation": INVITATION}
        by_code.submit(session, opened.step, questions, {}, code=codes.draw(), **reply)
        with pytest.raises(ConflictError, match="déjà servi"):
            by_code.submit(session, opened.step, questions, {}, code=codes.draw(), **reply)


def test_pictures_and_the_map_have_answers(loaded):
    with loaded.transaction(tenant=tenant(loaded), write=False) as session:
        pictured = session.scalars(select(Question).where(Question.kind == "picture_single")).one()
        assert [option.picture.width for option in pictured.options] == [480] * 4
        for kind in ("picture_single", "departement"):
            answers = session.scalars(
                select(Answer).join(Question, Question.id == Answer.question_id).where(Question.kind == kind)
            ).all()
            assert len({tuple(answer.options) for answer in answers}) >= 4
            assert len(answers) > 1_000


def test_the_analysis_is_asked_on_an_approved_codebook(loaded):
    with loaded.transaction(tenant=tenant(loaded), write=False) as session:
        assert session.scalars(select(Codebook)).one().approved
        assert session.scalars(select(AnalysisRun)).one().requested_at == NOW


def test_visitors_may_sign_in_and_nobody_else(loaded):
    with loaded.transaction(tenant=tenant(loaded), write=False) as session:
        able = session.scalars(select(Account.email).where(Account.password_hash.is_not(None))).all()
        assert set(able) == {visitor.email for visitor in visitors.VISITORS}
        staff = session.scalars(select(Account).where(Account.totp_enrolled_at.is_not(None))).all()
        assert len(staff) == len(visitors.VISITORS) - 1
        assert {account.totp_secret for account in staff} == {visitors.TOTP_SECRET}


def test_it_is_refused_in_production(database):
    with pytest.raises(ForbiddenError, match="production"):
        loader.load(database, bindings(), Settings(production=True), now=NOW)
    with database.transaction(tenant=ALL_TENANTS, write=False) as session:
        assert session.scalars(select(Organisation.id)).all() == []


@pytest.mark.usefixtures("shortened")
def test_a_load_that_fails_leaves_nothing(database, monkeypatch):
    def fail(*_args, **_kwargs):
        raise RuntimeError("stopped at the end")

    monkeypatch.setattr("consult.demo.load.coding.request_run", fail)
    with pytest.raises(RuntimeError, match="stopped at the end"):
        loader.load(database, bindings(), Settings(), now=NOW)
    with database.transaction(tenant=ALL_TENANTS, write=False) as session:
        assert session.scalars(select(Account.id)).all() == []
