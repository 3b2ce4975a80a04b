"""Reading questionnaires: questions, one's own reply and draft, counts, and the three public datasets."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from consult.consultations.models import Consultation, ContentStatus, Origin, Step
from consult.paging import Paged, paged_columns
from consult.questionnaires import kinds, policy
from consult.questionnaires.kinds.base import Given
from consult.questionnaires.models import (
    Answer,
    AnswerVisibility,
    Question,
    QuestionVersion,
    Reply,
    ReplyDraft,
    ReplyUrn,
    UrnKind,
)
from consult.registry import queries as registry

CHUNK: Final = 500


# Questions, one's own reply and draft -------------------------------------------------------------------------------


def questions(session: Session, step_id: uuid.UUID) -> list[Question]:
    """The questions of a step in their order, each with its options; two queries."""
    query = select(Question).where(Question.step_id == step_id).order_by(Question.position)
    return list(session.scalars(query.options(selectinload(Question.options))))


def earlier_texts(session: Session, question_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[QuestionVersion]]:
    """What these questions said before they were corrected, the latest first."""
    query = select(QuestionVersion).where(QuestionVersion.question_id.in_(question_ids))
    found: dict[uuid.UUID, list[QuestionVersion]] = {}
    for version in session.scalars(query.order_by(QuestionVersion.number.desc())):
        found.setdefault(version.question_id, []).append(version)
    return found


def own_reply(session: Session, step_id: uuid.UUID, account_id: uuid.UUID) -> Reply | None:
    """The account's reply to the step, whatever its state."""
    return session.scalar(select(Reply).where(Reply.step_id == step_id, Reply.account_id == account_id))


def answers_of(session: Session, reply_id: uuid.UUID) -> dict[uuid.UUID, Given]:
    """What a reply says, by question."""
    query = select(Answer.question_id, Answer.text, Answer.options, Answer.other).where(Answer.reply_id == reply_id)
    return {
        key: {"text": text, "options": options, "other": other} for key, text, options, other in session.execute(query)
    }


def drafts(
    session: Session, step_id: uuid.UUID, *, account_id: uuid.UUID | None, browser: str | None
) -> list[ReplyDraft]:
    """The drafts that this person may take up again, the latest last: the account's, and this browser's."""
    holders: list[ColumnElement[bool]] = []
    if account_id:
        holders.append(ReplyDraft.account_id == account_id)
    if browser:
        holders.append(ReplyDraft.holder_digest == browser)
    if not holders:
        return []
    mine = holders[0] if len(holders) == 1 else holders[0] | holders[1]
    query = select(ReplyDraft).where(ReplyDraft.step_id == step_id, mine).order_by(ReplyDraft.updated_at)
    return list(session.scalars(query))


def merge(found: Sequence[ReplyDraft]) -> dict[str, Any]:
    """The answers of several drafts, the latest over the others."""
    return {key: given for draft in found for key, given in draft.answers.items()}


def own_replies(session: Session, account_id: uuid.UUID, *, number: int, size: int) -> Paged[Any]:
    """A page of the replies of an account, the latest first: Reply, its Step and Consultation."""
    query = (
        select(Reply, Step, Consultation)
        .join(Step, Step.id == Reply.step_id)
        .join(Consultation, Consultation.id == Reply.consultation_id)
        .where(Reply.account_id == account_id)
        .order_by(Reply.received_at.desc(), Reply.id)
    )
    return paged_columns(session, query, number=number, size=size)


def prepared(session: Session, account_id: uuid.UUID) -> Mapping[str, int]:
    """The replies that wait for the account's address to be confirmed."""
    waiting = select(func.count()).select_from(Reply)
    waiting = waiting.where(Reply.account_id == account_id, Reply.status == ContentStatus.PENDING)
    return {"replies": session.scalar(waiting) or 0}


def reply_with_step(session: Session, reply_id: uuid.UUID) -> tuple[Reply, Step] | None:
    """One reply, whatever its state, with its step and consultation."""
    reply = session.scalar(select(Reply).where(Reply.id == reply_id))
    if reply is None:
        return None
    step = select(Step).where(Step.id == reply.step_id).options(joinedload(Step.consultation))
    return reply, session.scalars(step).one()


# What anybody may read ----------------------------------------------------------------------------------------------


def public_wordings(session: Session, step_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Wordings of the questions whose answers are published row by row, in the order of their questionnaire."""
    query = (
        select(Question.id, Question.wording)
        .where(Question.step_id.in_(step_ids), Question.visibility == AnswerVisibility.ROWS)
        .order_by(Question.step_id, Question.position)
    )
    return dict(session.execute(query).all())


def public_replies(
    session: Session, step_id: uuid.UUID, *, after: uuid.UUID | None, limit: int
) -> list[tuple[Reply, dict[uuid.UUID, Given]]]:
    """A page of published replies, in the order of their random ids, each with its answers published row by row."""
    query = select(Reply).where(Reply.step_id == step_id, Reply.status == ContentStatus.PUBLISHED)
    if after:
        query = query.where(Reply.id > after)
    replies = list(session.scalars(query.order_by(Reply.id).limit(limit)))
    said: dict[uuid.UUID, dict[uuid.UUID, Given]] = {reply.id: {} for reply in replies}
    for row in session.execute(rows_answers(list(said))):
        said[row.reply_id][row.question_id] = {"text": row.text, "options": row.options, "other": row.other}
    return [(reply, said[reply.id]) for reply in replies]


def public_reply(session: Session, reply_id: uuid.UUID) -> dict[uuid.UUID, Given]:
    """The answers of one reply that are published row by row."""
    rows = session.execute(rows_answers([reply_id]))
    return {row.question_id: {"text": row.text, "options": row.options, "other": row.other} for row in rows}


def rows_answers(reply_ids: Collection[uuid.UUID]) -> Select[uuid.UUID, uuid.UUID, str | None, list[str], str | None]:
    """The answers of these replies to the questions published row by row, in a stable order."""
    return (
        select(Answer.reply_id, Answer.question_id, Answer.text, Answer.options, Answer.other)
        .join(Question, Question.id == Answer.question_id)
        .where(Answer.reply_id.in_(reply_ids), Question.visibility == AnswerVisibility.ROWS)
        .order_by(Answer.reply_id, Answer.question_id)
    )


# Counts -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tally:
    """Published replies of one origin to one question: how many answered, and how many chose each option."""

    answered: int
    options: Mapping[str, int]


def tallies(session: Session, step_id: uuid.UUID) -> dict[tuple[uuid.UUID, Origin], Tally]:
    """Counts by question and origin, exact at this instant; two queries whatever the number of replies."""
    counted = (
        select(Answer.question_id, Reply.origin, func.count())
        .join(Reply, Reply.id == Answer.reply_id)
        .where(Reply.step_id == step_id, Reply.status == ContentStatus.PUBLISHED)
    )
    answered = session.execute(counted.group_by(Answer.question_id, Reply.origin)).all()
    expand = func.json_each if session.get_bind().dialect.name == "sqlite" else func.json_array_elements_text
    option = expand(Answer.options).table_valued("value")
    chosen = (
        select(Answer.question_id, Reply.origin, option.c.value, func.count())
        .join(Reply, Reply.id == Answer.reply_id)
        .join(option, onclause=Answer.id.is_not(None))
        .where(Reply.step_id == step_id, Reply.status == ContentStatus.PUBLISHED)
        .group_by(Answer.question_id, Reply.origin, option.c.value)
    )
    counts: dict[tuple[uuid.UUID, Origin], dict[str, int]] = {}
    for question_id, origin, value, count in session.execute(chosen):
        counts.setdefault((question_id, origin), {})[value] = count
    return {(key, origin): Tally(base, counts.get((key, origin), {})) for key, origin, base in answered}


def described(question: Question) -> dict[str, Any]:
    """A question as the rules freeze it: all that a reply was given to."""
    return {
        **question_row(question),
        "page": question.page,
        "help": question.help,
        "settings": question.settings,
        "option_kinds": [option.kind.value for option in question.options],
    }


def question_row(question: Question) -> dict[str, Any]:
    """A question as the public datasets tell it."""
    return {
        "id": str(question.id),
        "step": str(question.step_id),
        "position": question.position,
        "kind": question.kind,
        "wording": question.wording,
        "options": [{"id": str(option.id), "label": option.label} for option in question.options],
        "cells": [
            {"id": key, "label": label, "group": group.label}
            for group in kinds.of(question).groups(question)
            for key, label in group.cells.items()
        ],
        "pictures": [
            {"option": str(option.id), "alt": option.picture.alt, "sha256": option.picture.digest}
            for option in question.options
            if option.picture is not None
        ],
        "required": question.required,
        "visibility": question.visibility.value,
        "version": question.version,
    }


def accesses(session: Session, consultation_id: uuid.UUID) -> dict[uuid.UUID, str]:
    """Who could reply to each step of a consultation."""
    steps = session.scalars(select(Step).where(Step.consultation_id == consultation_id, Step.kind == "questionnaire"))
    return {step.id: policy.access(step).value for step in steps}


def is_public(consultation_id: uuid.UUID) -> list[ColumnElement[bool]]:
    """What makes a reply public: the one condition of the page, the dumps and the API."""
    return [
        Reply.consultation_id == consultation_id,
        Reply.status == ContentStatus.PUBLISHED,
        Reply.origin != Origin.TEST,
    ]


def reply_is_public(session: Session, consultation_id: uuid.UUID, reply_id: uuid.UUID) -> bool:
    """Whether everybody may read that reply."""
    query = select(Reply.id).where(Reply.id == reply_id, *is_public(consultation_id))
    return session.scalar(query) is not None


def reply_chunks(
    session: Session,
    consultation_id: uuid.UUID,
    after: uuid.UUID | None,
    limit: int | None,
    among: Collection[uuid.UUID] | None = None,
) -> Iterator[Sequence[Any]]:
    """Published replies in the order of their ids, a bounded number at a time, so that memory stays constant.

    `among`: of these ids only.
    """
    while limit is None or limit > 0:
        columns = (Reply.id, Reply.step_id, Reply.received_on, Reply.origin, Reply.batch_ref, Reply.batch_salt)
        query = select(*columns).where(*is_public(consultation_id))
        if after:
            query = query.where(Reply.id > after)
        if among is not None:
            query = query.where(Reply.id.in_(among))
        size = CHUNK if limit is None else min(CHUNK, limit)
        chunk = session.execute(query.order_by(Reply.id).limit(size)).all()
        if not chunk:
            return
        yield chunk
        after = chunk[-1].id
        limit = None if limit is None else limit - len(chunk)


def logged(session: Session, account_id: uuid.UUID) -> list[str]:
    """The refs in the public log of an account's attributed replies, edits and withdrawals included."""
    query = select(Reply.consultation_id, Reply.id, Reply.registry_ref).where(Reply.account_id == account_id)
    refs: list[str] = []
    for consultation_id, reply_id, ref in session.execute(query):
        refs += [ref] if ref else []
        refs += registry.refs_about(session, consultation_id, "reply", [reply_id])
    return refs


def states(session: Session, consultation_id: uuid.UUID) -> Mapping[tuple[str, str], Mapping[str, int]]:
    """How many replies there are by origin and state; those that wait for their batch are pending."""
    query = select(Reply.origin, Reply.status, func.count()).where(Reply.consultation_id == consultation_id)
    found: dict[tuple[str, str], dict[str, int]] = {}
    for origin, status, count in session.execute(query.group_by(Reply.origin, Reply.status)):
        found.setdefault(("reply", origin.value), {})[status.value] = count
    of_it = Step.consultation_id == consultation_id
    waiting = select(func.sum(ReplyUrn.count)).join(Step, Step.id == ReplyUrn.step_id)
    if staged := session.scalar(waiting.where(of_it, ReplyUrn.kind == UrnKind.REPLIES)):
        live = found.setdefault(("reply", Origin.LIVE.value), {})
        live["pending"] = live.get("pending", 0) + staged
    return found


def awaiting_batches(session: Session) -> set[uuid.UUID]:
    """The consultations of which something is still in an urn."""
    return set(session.scalars(select(Step.consultation_id).where(Step.id.in_(select(ReplyUrn.step_id)))))
