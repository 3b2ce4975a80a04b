"""Replying to a questionnaire: one reply per account, edition until closing, withdrawal, moderation.

Every function flushes and never commits: the caller's transaction keeps the act and its registry entry, or neither.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import rfc8785
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from consult import clock
from consult.actor import Actor
from consult.consultations.age.service import lock_participant
from consult.consultations.labels import AWAITING, HELD, REWORDING
from consult.consultations.models import ContentStatus, Origin, Step
from consult.consultations.policy import accepts_acts
from consult.db import insert_once
from consult.errors import ClosedError, ConflictError, InvalidError, NotFoundError
from consult.questionnaires import conditions, kinds, policy, queries
from consult.questionnaires.kinds.base import is_empty
from consult.questionnaires.models import Answer, Question, QuestionOption, Reply, ReplyDraft
from consult.questionnaires.pictures import service as pictures
from consult.questionnaires.policy import Answers
from consult.registry import conservation
from consult.registry import service as registry
from consult.registry.models import EntryKind

CLOSED: Final = (
    "Ce questionnaire ne reçoit pas de réponse en ce moment. Votre saisie reste affichée : copiez-la au besoin."
)
SENT_FOR_GOOD: Final = (
    "Votre réponse est déjà partie, et l’organisateur a choisi qu’elle ne puisse plus être modifiée. Rien n’a été "
    "remplacé."
)
STALE: Final = (
    "Vous avez déjà envoyé une autre réponse, depuis un autre onglet ou un autre appareil. Rien n’a été remplacé : "
    "relisez ci-dessous, puis envoyez de nouveau pour que cette version remplace la précédente."
)


# Replies ------------------------------------------------------------------------------------------------------------


def submit(
    session: Session,
    step: Step,
    questions: Sequence[Question],
    answers: Answers,
    *,
    actor: Actor,
    seen: int,
    now: dt.datetime,
) -> Reply:
    """Record the account's reply to the step, or replace the one it gave; the same answers sent twice change nothing.

    `seen` is the version of the reply that the form was filled from, 0 for none: when another tab sent different
    answers meanwhile, ConflictError is raised and nothing changes. The reply of an account whose e-mail is not
    confirmed stays pending, unpublished and out of the registry. Raises ClosedError; InvalidError, whose fields are
    question ids; ForbiddenError when the account was erased meanwhile.
    """
    kept = check(step, questions, answers, now)
    account_id = lock_participant(session, step.consultation, _account(actor)).id
    reply, created = _own_reply(session, step, account_id, now, confirmed=actor.confirmed)
    session.execute(delete(ReplyDraft).where(ReplyDraft.step_id == step.id, ReplyDraft.account_id == account_id))
    if not created:
        reworded = reply.status_reason == REWORDING
        if reply.status is ContentStatus.HIDDEN and not reworded:
            raise ClosedError("Votre réponse a été masquée par la modération : elle ne peut plus être modifiée.")
        stands = ContentStatus.PUBLISHED if actor.confirmed else ContentStatus.PENDING
        same = queries.answers_of(session, reply.id) == kept
        if reply.status is stands and same:
            return reply
        if reworded and same:
            return reply
        if policy.is_final(step) and not reworded and (not same or reply.status is ContentStatus.WITHDRAWN):
            raise ClosedError(SENT_FOR_GOOD)
        if reply.version != seen:
            raise ConflictError(STALE)
        if reworded:
            _bury(session, reply, "reworded", now)
        reply.status, reply.status_reason = stands, None
        _replace(session, reply, now)
        _say(session, reply, questions, kept, now)
        if reworded:
            reply.status, reply.status_reason = ContentStatus.HIDDEN, AWAITING
            registry.hold_text(session, reply, "reply", "reply", AWAITING, now)
        return reply
    _say(session, reply, questions, kept, now)
    return reply


def take(
    session: Session, step: Step, questions: Sequence[Question], answers: Answers, *, edit_key: str, now: dt.datetime
) -> bool:
    """Publish the reply of a code, once `check` gave what is kept of it; False, and nothing done, if it is there."""
    values = _values(step, ContentStatus.PUBLISHED, now) | {"edit_key": edit_key}
    if not insert_once(session, Reply, conflict=["edit_key", "step_id"], **values):
        return False
    _say(session, session.get_one(Reply, values["id"]), questions, answers, now)
    return True


def revise(session: Session, reply: Reply, questions: Sequence[Question], answers: Answers, now: dt.datetime) -> None:
    """Publish other answers, none empty, for the reply of a code that stands; of an anonymous one, dated of a day."""
    _replace(session, reply, now if reply.batch_ref is None else clock.start_of(clock.day(now)))
    reply.batch_salt = None  # what it said before is not to be guessed from its batch
    _say(session, reply, questions, answers, now)


def take_back(session: Session, reply: Reply, now: dt.datetime) -> None:
    """Empty the reply of a code, hidden or not, for ever, when its author withdraws it; a tombstone stays."""
    session.execute(delete(Answer).where(Answer.reply_id == reply.id))
    reply.status, reply.status_reason, reply.batch_salt = ContentStatus.WITHDRAWN, None, None
    _bury(session, reply, "withdrawn", now)


def withdraw(session: Session, reply_id: uuid.UUID, *, actor: Actor, now: dt.datetime) -> None:
    """Take one's own reply back while the step is open: it is no longer published nor counted, and may be sent again.

    Withdrawing twice changes nothing; one that never was public goes whole. Raises NotFoundError, ClosedError.
    """
    reply = locked(session, reply_id)
    if reply is None or reply.account_id is None or reply.account_id != actor.account_id:
        raise NotFoundError
    if reply.status is ContentStatus.WITHDRAWN:
        return
    step = session.get_one(Step, reply.step_id)
    if (reply.status is ContentStatus.HIDDEN and reply.status_reason not in HELD) or not accepts_acts(
        step, step.consultation, now
    ):
        raise ClosedError("Cette réponse ne peut plus être retirée ici. Écrivez-nous depuis la page Contact.")
    if reply.status is ContentStatus.PENDING:
        session.delete(reply)
    else:
        _bury(session, reply, "withdrawn", now)
        reply.status, reply.status_reason = ContentStatus.WITHDRAWN, None
    session.flush()


def erase(session: Session, reply: Reply, now: dt.datetime) -> None:
    """Empty a reply for ever, at its author's request: no answer, no account, no opening in the log; a tombstone stays.

    One that never was public, since its author's e-mail was never confirmed, goes whole.
    """
    if reply.status is ContentStatus.PENDING:
        session.delete(reply)
        session.flush()
        return
    session.execute(delete(Answer).where(Answer.reply_id == reply.id))
    reply.status, reply.status_reason, reply.account_id = ContentStatus.ERASED, None, None
    _bury(session, reply, "erased", now)


def publish_pending_replies(session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
    """Publish and register what the account sent before its e-mail was confirmed; returns how many replies.

    A reply whose step has closed meanwhile stays pending.
    """
    pending = select(Reply).where(Reply.account_id == account_id, Reply.status == ContentStatus.PENDING)
    steps = {reply: session.get_one(Step, reply.step_id) for reply in session.scalars(pending.with_for_update())}
    replies = [reply for reply, step in steps.items() if accepts_acts(step, step.consultation, now)]
    for reply in replies:
        reply.status = ContentStatus.PUBLISHED
        questions = queries.questions(session, reply.step_id)
        _register(session, reply, questions, queries.answers_of(session, reply.id), now)
    return len(replies)


def check(step: Step, questions: Sequence[Question], answers: Answers, now: dt.datetime) -> Answers:
    """What is to be kept of answers: those that are not empty. Raises ClosedError; InvalidError, as `submit`."""
    if not accepts_acts(step, step.consultation, now):
        raise ClosedError(CLOSED)
    if obstacle := policy.obstacle(questions):
        raise ClosedError(obstacle)
    refused = policy.errors(questions, answers)
    if refused:
        raise InvalidError(
            "Certaines réponses sont à corriger.", fields={str(key): why for key, why in refused.items()}
        )
    return {
        question.id: answers[question.id]
        for question in conditions.asked(questions, answers)
        if question.id in answers and not is_empty(answers[question.id])
    }


def _account(actor: Actor) -> uuid.UUID:
    if actor.account_id is None:
        raise ValueError("a reply needs an account: the view asks for one before")
    return actor.account_id


def _own_reply(
    session: Session, step: Step, account_id: uuid.UUID, now: dt.datetime, *, confirmed: bool
) -> tuple[Reply, bool]:
    """The account's reply, locked, and whether it has just been created: the database lets one in."""
    values = _values(step, ContentStatus.PUBLISHED if confirmed else ContentStatus.PENDING, now)
    values |= {"account_id": account_id}
    created = insert_once(session, Reply, conflict=["step_id", "account_id"], **values)
    own = select(Reply).where(Reply.step_id == step.id, Reply.account_id == account_id)
    return session.scalars(own.with_for_update().execution_options(populate_existing=True)).one(), created


def _values(step: Step, status: ContentStatus, now: dt.datetime) -> dict[str, Any]:
    """The columns of a new reply, but for who holds it."""
    return {
        "id": uuid.uuid4(),
        "organisation_id": step.organisation_id,
        "consultation_id": step.consultation_id,
        "step_id": step.id,
        "status": status,
        "received_on": clock.day(now),
        "received_at": now,
    }


def _replace(session: Session, reply: Reply, now: dt.datetime) -> None:
    reply.version, reply.edited_at = reply.version + 1, now
    session.execute(delete(Answer).where(Answer.reply_id == reply.id))


def _say(session: Session, reply: Reply, questions: Sequence[Question], answers: Answers, now: dt.datetime) -> None:
    """Write what a reply says and, when it is published, commit to it."""
    owned = {"organisation_id": reply.organisation_id, "reply_id": reply.id}  # the worker serves them all at once
    session.add_all(Answer(**owned, question_id=key, **given) for key, given in answers.items())
    session.flush()
    if reply.status is ContentStatus.PUBLISHED:
        _register(session, reply, questions, answers, now)


def _register(
    session: Session, reply: Reply, questions: Sequence[Question], answers: Answers, now: dt.datetime
) -> None:
    """Commit to the answers that are published row by row; the others stay out of a log that everybody reads."""
    public = rfc8785.dumps(policy.public_answers(questions, answers))
    first = reply.registry_ref is None and reply.batch_ref is None
    kind = EntryKind.CONTRIBUTION if first else EntryKind.EDIT
    effect = conservation.flow("reply", reply.origin, conservation.SUBMITTED) if first else None
    _append(session, reply, kind, {"answers_sha256": hashlib.sha256(public).hexdigest()}, now, effect)


def _append(
    session: Session,
    reply: Reply,
    kind: EntryKind,
    content: Mapping[str, Any],
    now: dt.datetime,
    effect: Mapping[str, Any] | None = None,
) -> None:
    ref = registry.append(
        session,
        organisation_id=reply.organisation_id,
        consultation_id=reply.consultation_id,
        kind=kind,
        content={
            "type": "reply", "reply": str(reply.id), "step": str(reply.step_id), "version": reply.version, **content
        },
        now=now,
        effect=effect,
    )  # fmt: skip
    if reply.batch_ref is None:
        reply.registry_ref = reply.registry_ref or ref  # the first: its edits follow it in the log
    session.flush()


def _bury(session: Session, reply: Reply, ground: str, now: dt.datetime) -> None:
    entries = registry.bury_text(session, reply.consultation_id, "reply", reply)
    _append(session, reply, EntryKind.TOMBSTONE, {"ground": ground, "entries": entries}, now)


# A step's life ------------------------------------------------------------------------------------------------------


def duplicate(session: Session, source: Step, target: Step) -> None:
    """Copy the text, the mode, the questions and their options to another step, with ids of their own."""
    target.introduction, target.settings = source.introduction, dict(source.settings)
    ids: dict[str, str] = {}
    for question in conditions.in_order(queries.questions(session, source.id)):
        columns = ("position", "page", "kind", "wording", "help", "required", "visibility")
        options = [
            QuestionOption(
                id=uuid.uuid4(),
                position=option.position,
                label=option.label,
                kind=option.kind,
                picture=pictures.copied(option.picture) if option.picture else None,
            )
            for option in question.options
        ]
        copied = {name: getattr(question, name) for name in columns}
        copy = Question(id=uuid.uuid4(), step_id=target.id, options=options, **copied)
        ids |= {str(old.id): str(new.id) for old, new in zip(question.options, options, strict=True)}
        ids[str(question.id)] = str(copy.id)
        condition = conditions.of(question)
        translated = {conditions.SETTING: conditions.translated(condition, ids)} if condition else {}
        copy.settings = {**question.settings, **translated}
        session.add(copy)
    session.flush()


def rules(session: Session, step: Step) -> Mapping[str, Any]:
    """What is frozen at opening: every question, its options, and who sees the answers.

    Raises InvalidError when there is none, when the kind of one is no longer installed, or when a picture is missing.
    """
    asked = queries.questions(session, step.id)
    if not asked:
        raise InvalidError(f"L’étape « {step.title} » n’a aucune question : ajoutez-en avant d’ouvrir la consultation.")
    if gone := kinds.gone(asked):
        raise InvalidError(
            f"L’étape « {step.title} » pose une question d’un type qui n’est plus installé ({', '.join(gone)}) : "
            "changez-en le type, ou installez de nouveau le paquet qui l’apporte."
        )
    bare = [(question, option) for question in asked for option in policy.unpictured(question)]
    if bare:
        question, option = bare[0]
        raise InvalidError(
            f"L’étape « {step.title} » : la réponse « {option.label} » de la question « {question.wording[:80]} » n’a "
            "pas encore d’image. Ajoutez-la, avec son texte de remplacement."
        )
    return {"questions": [queries.described(question) for question in asked]}


def purge_test_traces(session: Session, step: Step) -> int:
    """Delete replies made in test mode, and the drafts of a consultation that has not opened; returns the rows gone."""
    tests = list(session.scalars(select(Reply.id).where(Reply.step_id == step.id, Reply.origin == Origin.TEST)))
    drafts: list[uuid.UUID] = []
    if policy.editable(step.consultation):
        drafts = list(session.scalars(select(ReplyDraft.id).where(ReplyDraft.step_id == step.id)))
    session.execute(delete(Reply).where(Reply.id.in_(tests)))
    session.execute(delete(ReplyDraft).where(ReplyDraft.id.in_(drafts)))
    return len(tests) + len(drafts)


def census(session: Session, step: Step) -> Mapping[str, int]:
    """Published replies, live and imported apart, and the number of questions."""
    query = (
        select(Reply.origin, func.count())
        .where(Reply.step_id == step.id, Reply.status == ContentStatus.PUBLISHED)
        .group_by(Reply.origin)
    )
    counts = dict(session.execute(query).all())
    asked = session.scalar(select(func.count()).select_from(Question).where(Question.step_id == step.id)) or 0
    return {
        "replies": counts.get(Origin.LIVE, 0),
        "imported_replies": counts.get(Origin.IMPORTED, 0),
        "questions": asked,
    }


# Moderation ---------------------------------------------------------------------------------------------------------


def hide(session: Session, reply_id: uuid.UUID, reason: str) -> list[str]:
    """Withhold a published reply; returns the refs of its entries in the log. Raises NotFoundError, ConflictError."""
    reply = locked(session, reply_id)
    if reply is None or reply.status_reason not in HELD:
        reply = _in_state(session, reply_id, ContentStatus.PUBLISHED)
    reply.status, reply.status_reason = ContentStatus.HIDDEN, reason
    session.flush()
    return registry.refs_of_text(session, reply.consultation_id, "reply", reply)


def restore(session: Session, reply_id: uuid.UUID) -> list[str]:
    """Publish a hidden reply again; returns the same refs. Raises NotFoundError, ConflictError."""
    reply = _in_state(session, reply_id, ContentStatus.HIDDEN)
    reply.status, reply.status_reason = ContentStatus.PUBLISHED, None
    session.flush()
    return registry.refs_of_text(session, reply.consultation_id, "reply", reply)


def _in_state(session: Session, reply_id: uuid.UUID, state: ContentStatus) -> Reply:
    reply = locked(session, reply_id)
    if reply is None:
        raise NotFoundError
    if reply.status is not state:
        raise ConflictError("Cette réponse a changé d’état entre-temps. Rechargez la page.")
    return reply


def locked(session: Session, reply_id: uuid.UUID) -> Reply | None:
    """The reply, its row locked when the session writes."""
    query = select(Reply).where(Reply.id == reply_id)
    if session.get_bind().get_execution_options().get("consult_write"):
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).one_or_none()
