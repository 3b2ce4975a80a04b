"""Adding, changing, ordering and deleting questions while the consultation is a draft."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.audit import service as audit
from consult.consultations.models import Consultation, Step
from consult.errors import ConflictError, InvalidError, NotFoundError
from consult.labels import number
from consult.questionnaires import conditions, kinds, policy, queries
from consult.questionnaires.kinds.draft import QuestionDraft
from consult.questionnaires.models import OptionKind, Question, QuestionOption
from consult.questionnaires.policy import Access

WORDING_LENGTH: Final = 1000
MOST_QUESTIONS: Final = 500
FROZEN: Final = (
    "Les questions sont figées depuis l’ouverture de la consultation : toutes les personnes doivent avoir répondu aux "
    "mêmes questions. Pour en poser d’autres, ajoutez un questionnaire à une nouvelle "
    "consultation."
)


def add(session: Session, step: Step, draft: QuestionDraft, *, actor: Actor, now: dt.datetime) -> Question:
    """Add a question at the end. Raises InvalidError naming the fields, ConflictError once the consultation opened."""
    lock(session, step)
    check(draft)
    last = session.scalar(select(func.max(Question.position)).where(Question.step_id == step.id)) or 0
    if last >= MOST_QUESTIONS:
        raise InvalidError(f"Un questionnaire compte {MOST_QUESTIONS} questions au plus : supprimez-en une d’abord.")
    question = Question(organisation_id=step.organisation_id, step_id=step.id, position=last + 1)
    _fill(question, draft)
    session.add(question)
    session.flush()
    _check_conditions(session, step, question)
    journal(session, step, question, actor, "question.add", now)
    return question


def extend(
    session: Session,
    step: Step,
    drafts: Sequence[QuestionDraft],
    condition_of: Callable[[int, Sequence[Question]], Mapping[str, Any] | None],
    *,
    at: Callable[[int, InvalidError], InvalidError],
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Add several questions at the end, whose drafts were checked; `condition_of` tells the condition of the n-th.

    It is given those added so far, that one included. Raises what `at` makes of a refusal of the n-th, from 1;
    ConflictError as `add`.
    """
    lock(session, step)
    last = session.scalar(select(func.max(Question.position)).where(Question.step_id == step.id)) or 0
    if last + len(drafts) > MOST_QUESTIONS:
        raise InvalidError(f"Un questionnaire compte {MOST_QUESTIONS} questions au plus : ce fichier en ajoute trop.")
    added: list[Question] = []
    for rank, draft in enumerate(drafts):
        question = Question(id=uuid.uuid4(), organisation_id=step.organisation_id, step_id=step.id)
        question.position = last + rank + 1
        _fill(question, draft)
        for option in question.options:
            option.id = uuid.uuid4()
        added.append(question)
        condition = condition_of(rank, added)
        if condition is not None:
            question.settings = question.settings | {conditions.SETTING: condition}
    found = conditions.first_fault(added)
    if found:
        raise at(added.index(found[0]) + 1, InvalidError(found[1]))
    session.add_all(added)
    session.flush()
    for question in added:
        journal(session, step, question, actor, "question.add", now)


def change(
    session: Session, step: Step, question_id: uuid.UUID, draft: QuestionDraft, *, actor: Actor, now: dt.datetime
) -> Question:
    """Replace what a question says; options that keep their label keep their id. Raises as `add`, and NotFoundError."""
    lock(session, step)
    question = question_of(session, step, question_id)
    check(draft)
    for option in question.options:
        option.position = -option.position  # out of the way of the new ranks, which are unique
    session.flush()
    _fill(question, draft)
    session.flush()
    _check_conditions(session, step, question)
    journal(session, step, question, actor, "question.change", now)
    return question


def move(session: Session, step: Step, question_id: uuid.UUID, *, up: bool, actor: Actor, now: dt.datetime) -> None:
    """Swap a question with its neighbour; the first does not go up, the last does not go down."""
    lock(session, step)
    asked = queries.questions(session, step.id)
    here = next((rank for rank, question in enumerate(asked) if question.id == question_id), None)
    if here is None:
        raise NotFoundError
    there = here + (-1 if up else 1)
    if 0 <= there < len(asked):
        asked[here], asked[there] = asked[there], asked[here]
        _number(session, asked)
        _check_conditions(session, step)
        journal(session, step, asked[there], actor, "question.move", now)


def delete(session: Session, step: Step, question_id: uuid.UUID, *, actor: Actor, now: dt.datetime) -> None:
    """Delete a question and its options; the following ones move up."""
    lock(session, step)
    question = question_of(session, step, question_id)
    journal(session, step, question, actor, "question.delete", now)
    session.delete(question)
    session.flush()
    _number(session, queries.questions(session, step.id))
    _check_conditions(session, step)


def set_mode(
    session: Session,
    step: Step,
    *,
    anonymous: bool,
    final: bool = False,
    access: Access = Access.ACCOUNTS,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Say who may reply, whether nobody may know who gives which reply, and whether those sent stay as they are.

    Raises ConflictError once the consultation opened.
    """
    lock(session, step)
    chosen = {
        policy.ANONYMOUS: anonymous,
        policy.FINAL: final,
        policy.ACCESS: "" if access is Access.ACCOUNTS else access.value,
    }
    others = {name: value for name, value in step.settings.items() if name not in chosen}
    step.settings = others | {name: value for name, value in chosen.items() if value}
    session.flush()
    audit.record(
        session,
        actor=actor,
        organisation_id=step.organisation_id,
        action="questionnaire.mode",
        target_type="step",
        target_id=step.id,
        now=now,
        detail={"step": step.slug, **chosen},
    )


def lock(session: Session, step: Step) -> None:
    """Wait for whoever opens the consultation or edits its questions, then check that it is still a draft."""
    consultation = session.scalars(
        select(Consultation)
        .where(Consultation.id == step.consultation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if not policy.editable(consultation):
        raise ConflictError(FROZEN)


def question_of(session: Session, step: Step, question_id: uuid.UUID) -> Question:
    """A question of that step. Raises NotFoundError."""
    found = session.scalar(select(Question).where(Question.id == question_id, Question.step_id == step.id))
    if found is None:
        raise NotFoundError("Cette question n’existe pas ou a été supprimée.")
    return found


def _fill(question: Question, draft: QuestionDraft) -> None:
    question.kind, question.wording, question.help = draft.kind, draft.wording.strip(), draft.help.strip()
    question.required, question.visibility, question.page = draft.required, draft.visibility, draft.page
    kind = kinds.every()[draft.kind]
    question.settings = kind.kept(draft)
    if draft.condition is not None:
        question.settings |= {conditions.SETTING: draft.condition}
    known = {(option.label, option.kind is OptionKind.ROW): option for option in question.options}
    kept: list[QuestionOption] = []
    for rank, (label, role) in enumerate(kind.labelled(draft), 1):
        same = known.get((label, role is OptionKind.ROW))
        option = same or QuestionOption(organisation_id=question.organisation_id, label=label)
        option.position, option.kind = rank, role
        if not kind.pictured or role is not OptionKind.NORMAL:
            option.picture = None
        kept.append(option)
    question.options = kept


def _number(session: Session, asked: Iterable[Question]) -> None:
    """Number the questions 1, 2, 3… in this order, going round the uniqueness of positions."""
    ordered = list(asked)
    for rank, question in enumerate(ordered, 1):
        question.position = -rank
    session.flush()
    for rank, question in enumerate(ordered, 1):
        question.position = rank
    session.flush()


def check(draft: QuestionDraft) -> None:
    """Raise InvalidError, naming the fields, unless the draft can be a question of its kind."""
    kind = kinds.every().get(draft.kind)
    if kind is None:
        raise InvalidError("Ce type de question n’existe pas.", fields={"kind": "Choisissez un type de la liste."})
    fields = _check_text(draft) | kind.faults(draft)
    if fields:
        raise InvalidError("La question n’est pas complète.", fields=fields)


def _check_conditions(session: Session, step: Step, question: Question | None = None) -> None:
    """Refuse what would leave a condition without what it looks at: that of this question, or of another."""
    asked = queries.questions(session, step.id)
    found = conditions.first_fault(asked)
    if found is None:
        return
    faulty, why = found
    if question is not None and faulty.id == question.id:
        raise InvalidError("La question n’est pas complète.", fields={"condition": why})
    raise ConflictError(
        f"La condition de « {faulty.wording[:80]} » dépend de ce que vous changez. Modifiez-la d’abord."
    )


def _check_text(draft: QuestionDraft) -> dict[str, str]:
    fields = {}
    if not draft.wording.strip():
        fields["wording"] = "Écrivez la question."
    elif len(draft.wording.strip()) > WORDING_LENGTH:
        fields["wording"] = f"La question compte {number(len(draft.wording))} caractères : {WORDING_LENGTH} au plus."
    if not 1 <= draft.page <= MOST_QUESTIONS:
        fields["page"] = f"Donnez un numéro de page entre 1 et {MOST_QUESTIONS}."
    return fields


def journal(
    session: Session, step: Step, question: Question, actor: Actor, action: str, now: dt.datetime, **more: Any
) -> None:
    """Record what was done to a question: which step, which place, and `more`."""
    audit.record(
        session,
        actor=actor,
        organisation_id=step.organisation_id,
        action=action,
        target_type="question",
        target_id=question.id,
        now=now,
        detail={"step": step.slug, "position": question.position, **more},
    )
