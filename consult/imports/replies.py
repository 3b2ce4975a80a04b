"""Writing a chunk of replies: questions and options are found or created, replies created or completed."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import rfc8785
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from consult.clock import PARIS
from consult.consultations.models import ContentStatus, Origin
from consult.imports.mapping import Layout, QuestionSpec
from consult.imports.records import AnswerRecord, RejectedError, ReplyRecord
from consult.imports.writers import Destination, Outcome, Result, another, log_rows, ordered_id
from consult.questionnaires import kinds, policy, queries
from consult.questionnaires.kinds.base import Given, nothing
from consult.questionnaires.models import Answer, Question, QuestionOption, Reply
from consult.registry.models import EntryKind

MAX_QUESTIONS: Final = 500
MAX_OPTIONS: Final = 200
CODE: Final = "code"  # in `Question.settings`: what the file calls the question


@dataclass(slots=True)
class _Question:
    """A question of the step, kept between chunks apart from any session."""

    row: Question
    options: dict[str, uuid.UUID]


@dataclass(slots=True)
class _Reply:
    """A reply that the chunk creates or completes."""

    id: uuid.UUID
    version: int
    status_reason: str | None = None
    answers: dict[uuid.UUID, Given] = field(default_factory=dict)  # all of them, known and new
    created: dict[str, Any] | None = None
    completed: bool = False


def reply_entry(step_id: uuid.UUID, reply_id: uuid.UUID, version: int, public: Mapping[str, Any]) -> dict[str, Any]:
    """What the public log holds of a reply: the digest of its answers that are published row by row."""
    digest = hashlib.sha256(rfc8785.dumps(dict(public))).hexdigest()
    reply = {"type": "reply", "reply": str(reply_id), "step": str(step_id)}
    return {**reply, "version": version, "answers_sha256": digest}


def _same(question: _Question, known: Given, answer: AnswerRecord) -> bool:
    """Whether a row says again what is already known of a reply."""
    chosen = {label for label, option in question.options.items() if str(option) in known["options"]}
    return chosen == set(answer.values) if kinds.of(question.row).takes_labels else known["text"] == answer.values[0]


class ReplyWriter:
    """Replies of one step. In the long layout several rows, of one or several files, complete the same reply."""

    def __init__(self, session: Session, destination: Destination) -> None:
        self._to = destination
        self._questions: dict[str, _Question] = {}
        for question in queries.questions(session, destination.step_id):
            self._keep(session, question)
        if destination.mapping.layout is Layout.WIDE:
            for spec in destination.mapping.questions.values():
                self._question(session, AnswerRecord(spec.code, spec.wording or spec.column, ()))

    def write(self, session: Session, records: Sequence[ReplyRecord], now: dt.datetime) -> list[Result]:
        """Create the replies whose reference is new, and add to known ones the answers they do not have."""
        replies = self._known(session, {record.ref for record in records})
        answers: list[dict[str, Any]] = []
        results: list[Result] = []
        for record in records:
            try:
                results.append(self._take(session, record, replies, answers, now))
            except RejectedError as refusal:
                results.append(refusal)
        self._save(session, [reply for reply in replies.values() if reply.created or reply.completed], now)
        if answers:
            session.execute(insert(Answer), answers)
        return results

    def _take(
        self,
        session: Session,
        record: ReplyRecord,
        replies: dict[str, _Reply],
        answers: list[dict[str, Any]],
        now: dt.datetime,
    ) -> Outcome:
        mapping = self._to.mapping
        reply = replies.get(record.ref)
        if reply is None and not mapping.creates_replies:
            raise RejectedError(f"Aucune réponse importée ne porte l’identifiant « {record.ref[:80]} ».")
        if reply is None and not record.answers and mapping.layout is Layout.LONG:
            return Outcome.EMPTY
        asked = [(self._question(session, answer), answer) for answer in record.answers]
        known = reply.answers if reply else {}
        for question, answer in asked:
            if question.row.id in known and not _same(question, known[question.row.id], answer):
                raise another(record.ref, f"a déjà une autre réponse à « {question.row.wording[:80]} »")
        fresh = {question.row.id: (question, answer) for question, answer in asked if question.row.id not in known}
        given = {key: self._given(session, question, answer) for key, (question, answer) in fresh.items()}
        if reply is None:
            outcome, reply = Outcome.ADDED, replies.setdefault(record.ref, self._new(record, now))
        elif given:
            outcome, reply.completed = Outcome.COMPLETED, reply.created is None
        else:
            return Outcome.EXISTING if asked else Outcome.EMPTY
        reply.answers |= given
        answers += [self._answer_row(reply.id, question, said, now) for question, said in given.items()]
        return outcome

    # Replies

    def _known(self, session: Session, refs: set[str]) -> dict[str, _Reply]:
        query = select(Reply.external_ref, Reply.id, Reply.version, Reply.status_reason).where(
            Reply.step_id == self._to.step_id, Reply.external_ref.in_(refs)
        )
        found = {ref: _Reply(key, version, reason) for ref, key, version, reason in session.execute(query) if ref}
        by_id = {reply.id: reply for reply in found.values()}
        if by_id:
            told = select(Answer.reply_id, Answer.question_id, Answer.text, Answer.options, Answer.other)
            for key, question, text, options, other in session.execute(told.where(Answer.reply_id.in_(by_id))):
                by_id[key].answers[question] = {"text": text, "options": options, "other": other}
        return found

    def _new(self, record: ReplyRecord, now: dt.datetime) -> _Reply:
        day = record.received_on or now.astimezone(PARIS).date()
        reply = _Reply(ordered_id(now), version=1)
        reply.created = {
            "id": reply.id,
            "organisation_id": self._to.organisation_id,
            "consultation_id": self._to.consultation_id,
            "step_id": self._to.step_id,
            "import_batch_id": self._to.batch_id,
            "external_ref": record.ref,
            "origin": Origin.IMPORTED,
            "status": ContentStatus.HIDDEN if record.hidden else ContentStatus.PUBLISHED,
            "status_reason": record.hidden,
            "version": 1,
            "received_on": day,
            "received_at": now,
        }
        return reply

    def _answer_row(
        self, reply_id: uuid.UUID, question_id: uuid.UUID, given: Given, now: dt.datetime
    ) -> dict[str, Any]:
        key, to = ordered_id(now), self._to
        owned = {"id": key, "organisation_id": to.organisation_id, "import_batch_id": to.batch_id}
        return {**owned, "reply_id": reply_id, "question_id": question_id, **given}

    def _save(self, session: Session, replies: Sequence[_Reply], now: dt.datetime) -> None:
        created = [reply.created for reply in replies if reply.created]
        contents = [self._entry(reply) for reply in replies if reply.created]
        log_rows(session, self._to, EntryKind.CONTRIBUTION, contents, created, now)
        if created:
            session.execute(insert(Reply), created)
        completed = [reply for reply in replies if reply.completed]
        for reply in completed:
            reply.version += 1
        changes: list[dict[str, Any]] = [
            {"id": reply.id, "version": reply.version, "status_reason": reply.status_reason} for reply in completed
        ]
        log_rows(session, self._to, EntryKind.EDIT, [self._entry(reply) for reply in completed], changes, now)
        if changes:
            session.execute(update(Reply), changes)

    def _entry(self, reply: _Reply) -> dict[str, Any]:
        public = policy.public_answers((question.row for question in self._questions.values()), reply.answers)
        return reply_entry(self._to.step_id, reply.id, reply.version, public)

    # Questions

    def _keep(self, session: Session, question: Question) -> _Question:
        session.flush()
        options = {option.label: option.id for option in question.options}
        session.expunge(question)  # a commit would expire it, and each chunk read it again
        code = str(question.settings.get(CODE) or question.wording)
        return self._questions.setdefault(code, _Question(question, options))

    def _question(self, session: Session, answer: AnswerRecord) -> _Question:
        known = self._questions.get(answer.question) or self._questions.get(answer.wording)
        if known:
            return known
        if not self._to.draft:
            raise RejectedError(f"La question « {answer.question[:80]} » n’existe pas, et le questionnaire est figé.")
        if len(self._questions) >= MAX_QUESTIONS:
            raise RejectedError(f"Plus de {MAX_QUESTIONS} questions différentes : cette colonne n’en est pas une.")
        mapping = self._to.mapping
        spec = mapping.questions.get(answer.question) or mapping.defaults or QuestionSpec(answer.question)
        question = Question(
            organisation_id=self._to.organisation_id,
            step_id=self._to.step_id,
            position=max((other.row.position for other in self._questions.values()), default=0) + 1,
            kind=spec.kind.value,
            wording=answer.wording or answer.question,
            visibility=spec.visibility,
            settings={CODE: answer.question},
            options=[
                QuestionOption(organisation_id=self._to.organisation_id, position=position, label=label)
                for position, label in enumerate(spec.options or (), start=1)
            ],
        )
        session.add(question)
        return self._keep(session, question)

    def _given(self, session: Session, question: _Question, answer: AnswerRecord) -> Given:
        kind = kinds.of(question.row)
        if kind.written:
            return nothing() | {"text": answer.values[0]}
        if not kind.takes_labels:
            raise RejectedError(f"« {question.row.wording[:80]} » est d’un type qu’un fichier ne remplit pas.")
        if not kind.several and len(answer.values) > 1:
            raise RejectedError(f"Plusieurs réponses à « {question.row.wording[:80]} », qui n’en admet qu’une.")
        for label in answer.values:
            if label not in question.options:
                self._add_option(session, question, label)
        order = {option: rank for rank, option in enumerate(question.options.values())}
        chosen = sorted((question.options[label] for label in answer.values), key=order.__getitem__)
        return nothing() | {"options": [str(option) for option in chosen]}

    def _add_option(self, session: Session, question: _Question, label: str) -> None:
        spec = self._to.mapping.questions.get(str(question.row.settings.get(CODE))) or self._to.mapping.defaults
        listed = spec is not None and spec.options is not None
        if listed or not self._to.draft:
            raise RejectedError(f"« {label[:80]} » n’est pas une des réponses à « {question.row.wording[:80]} ».")
        if len(question.options) >= MAX_OPTIONS:
            raise RejectedError(f"Plus de {MAX_OPTIONS} réponses différentes à « {question.row.wording[:80]} ».")
        option = QuestionOption(
            organisation_id=self._to.organisation_id,
            question_id=question.row.id,
            position=len(question.options) + 1,
            label=label,
        )
        session.add(option)
        session.flush()
        question.options[label] = option.id
