"""Writing the question of a debate while the consultation is a draft."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.audit import service as audit
from consult.consultations import policy as consultations
from consult.consultations.models import Consultation, ContentStatus, Step
from consult.contributions import policy, service
from consult.contributions.bill.policy import Sources, read_sources, written_sources
from consult.contributions.debate import queries
from consult.contributions.models import Proposal, ProposalKind
from consult.errors import ConflictError

TITLE: Final = (10, 200)
BODY_MAX: Final = 10_000
FROZEN: Final = (
    "La question est figée depuis l’ouverture de la consultation\u00a0: les arguments répondent à ce que chacun a lu."
)


@dataclass(frozen=True, slots=True)
class QuestionDraft:
    """What an organiser typed: the question, what helps to understand it, and sources one a line."""

    title: str
    body: str = ""
    sources: str = ""


def draft_of(question: Proposal) -> QuestionDraft:
    """A question as it is typed."""
    return QuestionDraft(question.title, question.body, written_sources(question.sources))


def ask(session: Session, step: Step, draft: QuestionDraft, *, actor: Actor, now: dt.datetime) -> Proposal:
    """Give a debate its question, in place of the one it had.

    Raises InvalidError naming the fields, ConflictError once the consultation opened.
    """
    consultation = session.get_one(Consultation, step.consultation_id, with_for_update=True, populate_existing=True)
    if consultations.is_public(consultation):
        raise ConflictError(FROZEN)
    question = write(session, step, draft, now)
    audit.record(
        session,
        actor=actor,
        organisation_id=step.organisation_id,
        action="debate.ask",
        target_type="step",
        target_id=step.id,
        now=now,
    )
    return question


def write(session: Session, step: Step, draft: QuestionDraft, now: dt.datetime) -> Proposal:
    """The question of a step, made or changed to say this. Raises InvalidError naming the fields."""
    title, body, sources = _checked(draft)
    question = queries.question(session, step.id)
    if question is None:
        question = Proposal(
            id=uuid.uuid4(),
            organisation_id=step.organisation_id,
            consultation_id=step.consultation_id,
            step_id=step.id,
            kind=ProposalKind.QUESTION,
            status=ContentStatus.PUBLISHED,
            created_at=now,
        )
        question.random_rank = policy.random_rank(step.order_seed, question.id)
        session.add(question)
    question.title, question.body, question.sources = title, body, sources
    session.flush()
    service.index(session, question)
    return question


def _checked(draft: QuestionDraft) -> tuple[str, str, Sources]:
    title, body = policy.one_line(draft.title), policy.many_lines(draft.body)
    policy.refuse(
        {
            "title": policy.length_fault("La question", title, *TITLE),
            "body": policy.length_fault("L’explication", body, 0, BODY_MAX) if body else "",
        }
    )
    return title, body, read_sources(draft.sources)
