"""Adding, changing, ordering and deleting questions while the consultation is a draft."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.audit import service as audit
from consult.consultations.models import Consultation, Step
from consult.errors import ConflictError, InvalidError, NotFoundError
from consult.labels import number
from consult.questionnaires import policy, queries
from consult.questionnaires.models import AnswerVisibility, OptionKind, Question, QuestionKind, QuestionOption

WORDING_LENGTH: Final = 1000
OPTION_LENGTH: Final = 500
MOST_OPTIONS: Final = 1000
MOST_QUESTIONS: Final = 500
FROZEN: Final = (
    "Les questions sont figées depuis l’ouverture de la consultation : toutes les personnes doivent avoir répondu aux "
    "mêmes questions. Pour en poser d’autres, ajoutez un questionnaire à une nouvelle "
    "consultation."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionDraft:
    """What an organiser typed for a question. `options` are labels in order; an empty label means no such option."""

    kind: QuestionKind
    wording: str
    help: str = ""
    required: bool = False
    visibility: AnswerVisibility = AnswerVisibility.ROWS
    page: int = 1
    options: tuple[str, ...] = ()
    other: str = ""
    exclusive: str = ""
    minimum: int | None = None
    maximum: int | None = None
    max_length: int | None = None

    def labelled(self) -> list[tuple[str, OptionKind]]:
        """Every option with its kind: « autre » then the exclusive one come last."""
        if self.kind not in policy.CHOICES:
            return []
        listed = [(label.strip(), OptionKind.NORMAL) for label in self.options if label.strip()]
        special = [(self.other.strip(), OptionKind.OTHER), (self.exclusive.strip(), OptionKind.EXCLUSIVE)]
        return listed + [(label, kind) for label, kind in special if label]

    def settings(self) -> dict[str, int]:
        """The limits that this kind of question uses."""
        used = {QuestionKind.MULTIPLE: ("minimum", "maximum"), QuestionKind.SINGLE: ()}.get(self.kind, ("max_length",))
        return {name: value for name in used if (value := getattr(self, name)) is not None}


def add(session: Session, step: Step, draft: QuestionDraft, *, actor: Actor, now: dt.datetime) -> Question:
    """Add a question at the end. Raises InvalidError naming the fields, ConflictError once the consultation opened."""
    _lock(session, step)
    _check(draft)
    last = session.scalar(select(func.max(Question.position)).where(Question.step_id == step.id)) or 0
    if last >= MOST_QUESTIONS:
        raise InvalidError(f"Un questionnaire compte {MOST_QUESTIONS} questions au plus : supprimez-en une d’abord.")
    question = Question(organisation_id=step.organisation_id, step_id=step.id, position=last + 1)
    _fill(question, draft)
    session.add(question)
    session.flush()
    _journal(session, step, question, actor, "question.add", now)
    return question


def change(
    session: Session, step: Step, question_id: uuid.UUID, draft: QuestionDraft, *, actor: Actor, now: dt.datetime
) -> Question:
    """Replace what a question says; options that keep their label keep their id. Raises as `add`, and NotFoundError."""
    _lock(session, step)
    question = _question(session, step, question_id)
    _check(draft)
    for option in question.options:
        option.position = -option.position  # out of the way of the new ranks, which are unique
    session.flush()
    _fill(question, draft)
    session.flush()
    _journal(session, step, question, actor, "question.change", now)
    return question


def move(session: Session, step: Step, question_id: uuid.UUID, *, up: bool, actor: Actor, now: dt.datetime) -> None:
    """Swap a question with its neighbour; the first does not go up, the last does not go down."""
    _lock(session, step)
    asked = queries.questions(session, step.id)
    here = next((rank for rank, question in enumerate(asked) if question.id == question_id), None)
    if here is None:
        raise NotFoundError
    there = here + (-1 if up else 1)
    if 0 <= there < len(asked):
        asked[here], asked[there] = asked[there], asked[here]
        _number(session, asked)
        _journal(session, step, asked[there], actor, "question.move", now)


def delete(session: Session, step: Step, question_id: uuid.UUID, *, actor: Actor, now: dt.datetime) -> None:
    """Delete a question and its options; the following ones move up."""
    _lock(session, step)
    question = _question(session, step, question_id)
    _journal(session, step, question, actor, "question.delete", now)
    session.delete(question)
    session.flush()
    _number(session, queries.questions(session, step.id))


def _lock(session: Session, step: Step) -> None:
    """Wait for whoever opens the consultation or edits its questions, then check that it is still a draft."""
    consultation = session.scalars(
        select(Consultation)
        .where(Consultation.id == step.consultation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if not policy.editable(consultation):
        raise ConflictError(FROZEN)


def _question(session: Session, step: Step, question_id: uuid.UUID) -> Question:
    found = session.scalar(select(Question).where(Question.id == question_id, Question.step_id == step.id))
    if found is None:
        raise NotFoundError("Cette question n’existe pas ou a été supprimée.")
    return found


def _fill(question: Question, draft: QuestionDraft) -> None:
    question.kind, question.wording, question.help = draft.kind, draft.wording.strip(), draft.help.strip()
    question.required, question.visibility, question.page = draft.required, draft.visibility, draft.page
    question.settings = draft.settings()
    known = {option.label: option for option in question.options}
    kept: list[QuestionOption] = []
    for rank, (label, kind) in enumerate(draft.labelled(), 1):
        option = known.get(label) or QuestionOption(organisation_id=question.organisation_id, label=label)
        option.position, option.kind = rank, kind
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


def _check(draft: QuestionDraft) -> None:
    fields = _check_text(draft) | _check_options(draft) | _check_limits(draft)
    if fields:
        raise InvalidError("La question n’est pas complète.", fields=fields)


def _check_text(draft: QuestionDraft) -> dict[str, str]:
    fields = {}
    if not draft.wording.strip():
        fields["wording"] = "Écrivez la question."
    elif len(draft.wording.strip()) > WORDING_LENGTH:
        fields["wording"] = f"La question compte {number(len(draft.wording))} caractères : {WORDING_LENGTH} au plus."
    if not 1 <= draft.page <= MOST_QUESTIONS:
        fields["page"] = f"Donnez un numéro de page entre 1 et {MOST_QUESTIONS}."
    return fields


def _check_options(draft: QuestionDraft) -> dict[str, str]:
    if draft.kind not in policy.CHOICES:
        return {}
    labels = [label for label, _ in draft.labelled()]
    twice = sorted({label for label in labels if labels.count(label) > 1}) if len(labels) <= MOST_OPTIONS else []
    if len(labels) < 2:  # noqa: PLR2004  # a choice has two sides
        return {"options": "Proposez au moins deux réponses, une par ligne."}
    if len(labels) > MOST_OPTIONS:
        return {"options": f"Une question propose {number(MOST_OPTIONS)} réponses au plus."}
    if twice:
        return {"options": f"La réponse « {twice[0]} » figure deux fois. Gardez-en une."}
    long = next((label for label in labels if len(label) > OPTION_LENGTH), None)
    if long:
        return {"options": f"La réponse « {long[:40]}… » dépasse {OPTION_LENGTH} caractères. Raccourcissez-la."}
    return {}


def _check_limits(draft: QuestionDraft) -> dict[str, str]:
    fields = {}
    count = len(draft.labelled())
    if draft.kind is QuestionKind.MULTIPLE:
        if draft.minimum is not None and not 1 <= draft.minimum <= count:
            fields["minimum"] = f"Le minimum se situe entre 1 et {count}, le nombre de réponses proposées."
        if draft.maximum is not None and not max(1, draft.minimum or 1) <= draft.maximum <= count:
            fields["maximum"] = f"Le maximum se situe entre {max(1, draft.minimum or 1)} et {count}."
    length = None if draft.kind in policy.CHOICES else draft.max_length
    if length is not None and not 1 <= length <= policy.GREATEST_LENGTH:
        fields["max_length"] = f"Donnez une limite entre 1 et {number(policy.GREATEST_LENGTH)} caractères."
    return fields


def _journal(session: Session, step: Step, question: Question, actor: Actor, action: str, now: dt.datetime) -> None:
    audit.record(
        session,
        actor=actor,
        organisation_id=step.organisation_id,
        action=action,
        target_type="question",
        target_id=question.id,
        now=now,
        detail={"step": step.slug, "position": question.position},
    )
