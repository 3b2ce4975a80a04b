"""What this feature hands to `app.py` through the protocols: its step, moderable replies, datasets, personal data."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from sqlalchemy import ColumnElement, Select, delete, select, update
from sqlalchemy.orm import Session, selectinload

from consult.accounts.bindings import addresses_of
from consult.actor import Actor
from consult.clock import written
from consult.consultations.datasets import PublicRows
from consult.consultations.models import ContentStatus, Origin, Step
from consult.personal import DeletedRows, KeptRows, plain_row
from consult.protocols import ModerableItem, PersonalData, Row
from consult.questionnaires import kinds, queries, service
from consult.questionnaires.invitations.models import Invitation, InvitationBatch
from consult.questionnaires.models import Answer, HasReplied, Question, Reply, ReplyDraft

Page = Callable[[Session, Any, Actor, dt.datetime, Mapping[str, str]], str]


class QuestionnaireStep:
    """A questionnaire, as a step that a consultation may offer."""

    kind: ClassVar[str] = "questionnaire"
    label: ClassVar[str] = "Questionnaire"
    staff_pages: ClassVar[tuple[tuple[str, str], ...]] = (
        ("questions", "Questions"),
        ("invitations", "Invitations"),
        ("chiffres", "Chiffres"),
    )

    def __init__(self, page: Page) -> None:
        self._page = page

    def create(self, session: Session, step: Step) -> None:
        """Need nothing more than the step: its questions come one by one."""

    def duplicate(self, session: Session, source: Step, target: Step) -> None:
        """Copy the questions, never the replies."""
        service.duplicate(session, source, target)

    def rules(self, session: Session, step: Step) -> Mapping[str, Any]:
        """Every question, its options and who sees its answers. Raises InvalidError when there is none."""
        return service.rules(session, step)

    def purge_test_traces(self, session: Session, step: Step) -> int:
        """Delete test replies and drafts; returns how many rows went."""
        return service.purge_test_traces(session, step)

    def render(self, session: Session, step: Step, actor: Actor, now: dt.datetime, arguments: Mapping[str, str]) -> str:
        """The public page of the step."""
        return self._page(session, step, actor, now, arguments)

    def census(self, session: Session, step: Step) -> Mapping[str, int]:
        """Published replies, live and imported apart, and the number of questions."""
        return service.census(session, step)


class ReplyContent:
    """Replies as moderable contents: what can be reported is what is published of them, their open answers."""

    type: ClassVar[str] = "reply"
    label: ClassVar[str] = "Réponse à un questionnaire"

    def get(self, session: Session, item_id: uuid.UUID) -> ModerableItem | None:
        """The reply, or None; a write session locks its row."""
        reply = service.locked(session, item_id)
        return None if reply is None else self.items(session, [item_id]).get(item_id)

    def items(self, session: Session, ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, ModerableItem]:
        """Several replies in four queries."""
        replies = session.scalars(select(Reply).where(Reply.id.in_(ids)).options(selectinload(Reply.answers))).all()
        step_ids = {reply.step_id for reply in replies}
        titles = dict(session.execute(select(Step.id, Step.title).where(Step.id.in_(step_ids))).all())
        wordings = queries.public_wordings(session, step_ids)
        return {
            reply.id: ModerableItem(
                id=reply.id,
                type=self.type,
                consultation_id=reply.consultation_id,
                author_id=reply.account_id,
                title=f"Réponse à « {titles[reply.step_id]} »",
                body=_open_answers(reply.answers, wordings),
                status=reply.status.value,
                status_reason=reply.status_reason,
                created_at=reply.received_at,
                address=f"/reponses/{reply.id}",
                step_id=reply.step_id,
                version=reply.version,
            )
            for reply in replies
        }

    def hide(self, session: Session, item_id: uuid.UUID, reason: str) -> list[str]:
        """Withhold the reply from the public. Raises NotFoundError, ConflictError."""
        return service.hide(session, item_id, reason)

    def restore(self, session: Session, item_id: uuid.UUID) -> list[str]:
        """Publish a hidden reply again. Raises NotFoundError, ConflictError."""
        return service.restore(session, item_id)


def _open_answers(answers: Sequence[Answer], wordings: Mapping[uuid.UUID, str]) -> str:
    """The texts of a reply that are published, each under its question, in the order of the questionnaire."""
    said = {answer.question_id: answer.text or answer.other for answer in answers}
    return "\n\n".join(f"{wording}\n{said[key]}" for key, wording in wordings.items() if said.get(key))


KEYS: Final = (
    "identifiants des réponses choisies ; d’une grille, <ligne>:<colonne> ; d’un classement, <réponse>:<rang> ; d’une "
    "échelle, la note ; d’un département, son code"
)


class QuestionsDataset(PublicRows):
    """Every question of a consultation, whoever sees its answers."""

    model = Question
    name: ClassVar[str] = "questions"
    columns: ClassVar[Mapping[str, str]] = {
        "id": "identifiant de la question",
        "step": "identifiant de l’étape",
        "position": "rang dans le questionnaire",
        "kind": f"type : {', '.join(kind.name for kind in kinds.OURS)}",
        "wording": "énoncé",
        "options": "réponses proposées : identifiant et libellé de chacune",
        "cells": ("ce qui se compte : clé et libellé de chaque case, et sa ligne de grille ou sa réponse classée"),
        "pictures": "images des réponses : réponse, texte de remplacement, empreinte SHA-256 de l’image",
        "required": "vrai si une réponse est obligatoire",
        "visibility": "publication des réponses : rows (ligne à ligne), aggregates (totaux), administration",
        "version": "version de l’énoncé : 1, puis une de plus à chaque correction après l’ouverture",
        "earlier": (
            "énoncés et aides d’avant, du dernier au premier, chacun jusqu’à quand ; une réponse anonyme parue après "
            "peut avoir été écrite avant"
        ),
    }

    def _select(self, consultation_id: uuid.UUID) -> Any:
        query = select(Question).join(Step, Step.id == Question.step_id)
        return query.where(Step.consultation_id == consultation_id).options(selectinload(Question.options))

    def _writer(self, session: Session, consultation_id: uuid.UUID) -> Callable[[Any], Row]:
        corrected = select(Question.id).join(Step, Step.id == Question.step_id)
        corrected = corrected.where(Step.consultation_id == consultation_id, Question.version > 1)
        before = queries.earlier_texts(session, session.scalars(corrected).all())

        def write(row: Any) -> Row:
            texts = [
                {"version": each.number, "wording": each.wording, "help": each.help, "until": written(each.ended_at)}
                for each in before.get(row.Question.id, ())
            ]
            return {**queries.question_row(row.Question), "earlier": texts}

        return write


class RepliesDataset:
    """Published replies: that they were given, and on which day; of anonymous ones, in which batch."""

    name: ClassVar[str] = "replies"
    columns: ClassVar[Mapping[str, str]] = {
        "id": "identifiant de la réponse",
        "step": "identifiant de l’étape",
        "received_on": "jour de réception (heure de Paris) ; d’une réponse anonyme, jour de parution de son lot",
        "origin": "provenance : live (en ligne), imported (importée), offline (hors ligne)",
        "access": (
            "à qui le questionnaire était ouvert : accounts (une réponse par compte), invitations (une "
            "par invitation à usage unique), everyone (à tous, non dédoublonné) ; vide pour une réponse qui n’est "
            "pas venue en ligne"
        ),
        "batch": "entrée du registre du lot d’une réponse anonyme ; vide pour les autres",
        "salt": "sel de l’empreinte de la réponse dans son lot ; vide une fois qu’elle a été modifiée",
    }

    def rows(
        self,
        session: Session,
        consultation_id: uuid.UUID,
        *,
        after: str | None = None,
        limit: int | None = None,
        among: Collection[uuid.UUID] | None = None,
    ) -> Iterator[Row]:
        """Replies in the order of their ids, read by chunks."""
        cursor = uuid.UUID(after) if after else None
        accesses = queries.accesses(session, consultation_id)
        for chunk in queries.reply_chunks(session, consultation_id, cursor, limit, among):
            for row in chunk:
                yield {
                    "id": str(row.id),
                    "step": str(row.step_id),
                    "received_on": row.received_on.isoformat(),
                    "origin": row.origin.value,
                    "access": accesses[row.step_id] if row.origin is Origin.LIVE else None,
                    "batch": row.batch_ref,
                    "salt": row.batch_salt,
                }


class AnswersDataset:
    """One row per published reply and question answered, for the questions published row by row."""

    name: ClassVar[str] = "answers"
    columns: ClassVar[Mapping[str, str]] = {
        "reply": "identifiant de la réponse",
        "question": "identifiant de la question",
        "text": "texte écrit, pour une question ouverte",
        "options": f"ce qui a été choisi, dans l’ordre de la question : {KEYS}",
        "other": "précision écrite pour la réponse « autre »",
    }

    def rows(
        self,
        session: Session,
        consultation_id: uuid.UUID,
        *,
        after: str | None = None,
        limit: int | None = None,
        among: Collection[uuid.UUID] | None = None,
    ) -> Iterator[Row]:
        """Answers in the order of reply then question; `after` is `<reply>:<question>` of the last row seen."""
        left = limit
        if after:
            reply_id, _, question_id = after.partition(":")
            start = uuid.UUID(reply_id)
            if queries.reply_is_public(session, consultation_id, start):
                rest = queries.rows_answers([start]).where(Answer.question_id > uuid.UUID(question_id)).limit(left)
                for row in session.execute(rest):
                    yield _answer_row(row)
                    left = None if left is None else left - 1
        else:
            start = None
        for chunk in queries.reply_chunks(session, consultation_id, start, None, among):
            if left == 0:
                return
            for row in session.execute(queries.rows_answers([reply.id for reply in chunk]).limit(left)):
                yield _answer_row(row)
                left = None if left is None else left - 1


def _answer_row(row: Any) -> dict[str, Any]:
    return {
        "reply": str(row.reply_id),
        "question": str(row.question_id),
        "text": row.text,
        "options": row.options,
        "other": row.other,
    }


class ReplyDraftData(DeletedRows):
    """Answers not sent yet."""

    table: ClassVar[str] = "reply_draft"
    label: ClassVar[str] = "Réponses en brouillon"
    purpose: ClassVar[str] = "Vous rendre ce que vous aviez commencé à répondre."
    kept: ClassVar[str] = "Jusqu’à l’envoi de la réponse ou à la suppression du compte, un an au plus."
    model = ReplyDraft
    also: ClassVar[frozenset[str]] = frozenset({"step_id", "answers", "updated_at"})


class HasRepliedData(DeletedRows):
    """That the account replied to anonymous questionnaires."""

    table: ClassVar[str] = "has_replied"
    label: ClassVar[str] = "Questionnaires anonymes auxquels vous avez répondu"
    purpose: ClassVar[str] = (
        "Prendre une réponse par personne. Votre réponse, elle, n’est liée à vous nulle part : elle n’est donc ni dans "
        "cette copie, ni effacée avec le compte ; seul votre code permet de la retirer."
    )
    kept: ClassVar[str] = "Un an après la fin du questionnaire, ou jusqu’à la suppression du compte."
    model = HasReplied
    also: ClassVar[frozenset[str]] = frozenset({"step_id"})


class AnswerData:
    """What replies say."""

    table: ClassVar[str] = "answer"
    label: ClassVar[str] = "Contenu de vos réponses"
    purpose: ClassVar[str] = "Compter, publier et analyser les réponses, comme le dit la mention sous chaque question."
    kept: ClassVar[str] = "Tant que la consultation est publiée, sauf effacement."

    def export(self, session: Session, account_id: uuid.UUID) -> Iterator[Row]:
        """Each answer, whoever else may see it."""
        mine = select(Reply.id).where(Reply.account_id == account_id)
        for answer in session.scalars(select(Answer).where(Answer.reply_id.in_(mine)).order_by(Answer.id)):
            yield plain_row(answer)

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Delete them."""
        del now
        return self._delete(session, select(Reply.id).where(Reply.account_id == account_id))

    def erase_unpublished(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Delete those of replies that do not count."""
        del now
        mine = select(Reply.id).where(Reply.account_id == account_id, Reply.status != ContentStatus.PUBLISHED)
        return self._delete(session, mine)

    @staticmethod
    def _delete(session: Session, mine: Select[uuid.UUID]) -> int:
        gone = delete(Answer).where(Answer.reply_id.in_(mine)).returning(Answer.id)
        return len(session.scalars(gone.execution_options(synchronize_session=False)).all())


class ReplyData(KeptRows):
    """Replies to questionnaires."""

    table: ClassVar[str] = "reply"
    label: ClassVar[str] = "Réponses aux questionnaires"
    purpose: ClassVar[str] = "Compter une réponse par personne, et vous laisser la modifier."
    kept: ClassVar[str] = "Tant que la consultation est publiée, sauf effacement."
    model = Reply

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Empty them; the log says that there was a reply, not what it said."""
        return self._erase(session, account_id, now, frozenset())

    def erase_unpublished(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Empty those that do not count; the others stay."""
        return self._erase(session, account_id, now, frozenset({ContentStatus.PUBLISHED}))

    def _erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime, kept: frozenset[ContentStatus]) -> int:
        replies = self.rows(session, account_id)
        for reply in replies:
            session.refresh(reply, with_for_update=True)  # a moderator may have just hidden it
            if reply.status not in kept:
                service.erase(session, reply, now)
        return len(replies)


class InvitationData:
    """Invitations sent to the address that the person proved to be theirs."""

    table: ClassVar[str] = "invitation"
    label: ClassVar[str] = "Invitations à répondre à un questionnaire"
    purpose: ClassVar[str] = (
        "Vous écrire, à l’adresse que l’administration a donnée, et une fois encore si l’invitation n’a pas servi. "
        "Rien ne la relie à votre réponse."
    )
    kept: ClassVar[str] = "Jusqu’à la fin du questionnaire ; ensuite, sans l’adresse."

    def export(self, session: Session, account_id: uuid.UUID) -> Iterator[Row]:
        """Each, by its step."""
        query = select(InvitationBatch.step_id, Invitation.email).join(
            Invitation, Invitation.batch_id == InvitationBatch.id
        )
        for row in session.execute(query.where(self._mine(session, account_id)).order_by(Invitation.id)):
            yield {"step_id": str(row.step_id), "email": row.email}

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Forget the address: the invitation itself names nobody any more."""
        del now
        forgotten = update(Invitation).where(self._mine(session, account_id)).values(email=None)
        gone = forgotten.returning(Invitation.id).execution_options(synchronize_session=False)
        return len(session.scalars(gone).all())

    @staticmethod
    def _mine(session: Session, account_id: uuid.UUID) -> ColumnElement[bool]:
        return Invitation.email.in_(addresses_of(session, account_id))


PERSONAL_DATA: Final[tuple[PersonalData, ...]] = (
    InvitationData(),
    ReplyDraftData(),
    HasRepliedData(),
    AnswerData(),
    ReplyData(),
)
