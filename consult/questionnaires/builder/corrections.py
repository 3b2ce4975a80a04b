"""Correcting the text of a question once the consultation is open: everybody still reads what it said before."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.consultations import service as consultations
from consult.consultations.models import Consultation, Step
from consult.errors import ConflictError, InvalidError, NotFoundError
from consult.protocols import StepKind
from consult.questionnaires import policy
from consult.questionnaires.builder.service import WORDING_LENGTH, journal
from consult.questionnaires.models import Question, QuestionVersion

IN_DRAFT: Final = "La consultation n’est pas ouverte : modifiez la question elle-même, il n’y a rien à corriger."
STALE: Final = "Quelqu’un d’autre a corrigé cette question entre-temps. Relisez-la, puis corrigez de nouveau si besoin."


def correct(
    session: Session,
    step: Step,
    question_id: uuid.UUID,
    *,
    wording: str,
    help: str,  # noqa: A002  # the column's name
    seen: int,
    actor: Actor,
    step_kinds: Mapping[str, StepKind],
    now: dt.datetime,
) -> Question:
    """Give a question of an open consultation another wording or help; the rules are published again with it.

    `seen`: the version that the form was filled from. The same text twice changes nothing. Nothing but the text may
    change: replies given before still answer the same options. Raises NotFoundError; InvalidError;
    ConflictError while the consultation is a draft, or when another correction came first. Nothing says which text an
    anonymous reply was given to: that would part those that came in before from those after.
    """
    consultation, question = _locked(session, step, question_id)
    text, hint = wording.strip(), help.strip()
    if not text or len(text) > WORDING_LENGTH:
        raise InvalidError(
            "La question n’est pas complète.",
            fields={"wording": f"Écrivez la question, en {WORDING_LENGTH} signes au plus."},
        )
    if (question.wording, question.help) == (text, hint):
        return question
    if question.version != seen:
        raise ConflictError(STALE)
    session.add(
        QuestionVersion(
            organisation_id=question.organisation_id,
            question_id=question.id,
            number=question.version,
            wording=question.wording,
            help=question.help,
            ended_at=now,
        )
    )
    question.wording, question.help, question.version = text, hint, question.version + 1
    session.flush()
    journal(session, step, question, actor, "question.correct", now, version=question.version)
    consultations.log_rules(session, consultation, step_kinds, now)
    return question


def _locked(session: Session, step: Step, question_id: uuid.UUID) -> tuple[Consultation, Question]:
    """The consultation, locked, and the question as the database has it; if it may be corrected."""
    consultation = session.scalars(
        select(Consultation)
        .where(Consultation.id == step.consultation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if policy.editable(consultation):
        raise ConflictError(IN_DRAFT)
    query = select(Question).where(Question.id == question_id, Question.step_id == step.id)
    question = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if question is None:
        raise NotFoundError("Cette question n’existe pas ou a été supprimée.")
    return consultation, question
