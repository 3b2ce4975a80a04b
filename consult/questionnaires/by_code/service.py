"""Sending a reply that is tied to no account, then changing or withdrawing it with its code alone.

Where an account is asked for, its mark « has replied » and the reply join one transaction, so that a crash leaves both
or neither; so do an invitation that serves and its reply. An anonymous reply joins an urn, whose row says nothing of
when each came in; it comes out later, in a transaction of the worker: see `anonymous.batches`.
Every function flushes and never commits.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.consultations.age.service import lock_participant
from consult.consultations.models import ContentStatus, Step
from consult.consultations.policy import accepts_acts
from consult.db import insert_once
from consult.errors import ClosedError, ConflictError, ForbiddenError, NotFoundError
from consult.questionnaires import policy, queries
from consult.questionnaires import service as replies
from consult.questionnaires.anonymous import urns
from consult.questionnaires.by_code import codes
from consult.questionnaires.invitations import service as invitations
from consult.questionnaires.kinds.base import is_empty
from consult.questionnaires.models import HasReplied, Question, Reply, ReplyUrn, UrnKind
from consult.questionnaires.policy import Access, Answers
from consult.sealing import Keyring

UNCONFIRMED: Final = (
    "Confirmez d’abord votre adresse électronique, par le lien du courriel que nous vous avons envoyé : une réponse "
    "anonyme ne peut pas attendre sous votre nom. Ce que vous avez saisi est gardé ici."
)
ALREADY: Final = (
    "Ce compte a déjà envoyé sa réponse à ce questionnaire. Rien n’a été ajouté ni remplacé : personne ici ne sait "
    "laquelle est la vôtre. Pour la modifier, il faut le code remis à l’envoi."
)
USED: Final = (
    "Cette invitation a déjà servi, ou a été retirée. Rien n’a été ajouté ni remplacé : personne ici ne sait quelle "
    "réponse est la vôtre. Pour la modifier, il faut le code remis à l’envoi."
)
SENT_ALREADY: Final = (
    "Ce formulaire a déjà été envoyé, et sa réponse est enregistrée. Pour la modifier, donnez le code remis à l’envoi. "
    "Si une autre personne veut répondre, rouvrez le questionnaire depuis sa page."
)
UNKNOWN: Final = "Aucune réponse ne correspond à ce code. Vérifiez-le : il compte huit groupes de quatre signes."
ENDED: Final = "Ce questionnaire est terminé : cette réponse ne peut plus être modifiée ni retirée."


@dataclass(frozen=True, slots=True)
class Held:
    """What a code opens: a reply still in its urn, or one that is out, with the change that waits if any."""

    step_id: uuid.UUID
    reply_id: uuid.UUID
    answers: Mapping[str, Any] | None  # as they stand, or will once the change came out; None once withdrawn
    urn: ReplyUrn | None = None
    reply: Reply | None = None
    changing: bool = False

    @property
    def immediate(self) -> bool:
        """Whether what its author does shows at once: it waits neither in an urn nor for the changes of others."""
        return self.reply is not None and self.reply.batch_ref is None

    @property
    def withdrawn(self) -> bool:
        """Whether its author took it back, be it not out yet."""
        return self.reply is not None and (self.reply.status is ContentStatus.WITHDRAWN or self.answers is None)


def submit(
    session: Session,
    step: Step,
    questions: Sequence[Question],
    answers: Answers,
    *,
    actor: Actor,
    code: str,
    keys: Keyring,
    now: dt.datetime,
    invitation: str = "",
) -> str:
    """Take a reply that is tied to no account and return its code: the one given, unless it opens another's already.

    The same reply sent again under the same code changes nothing. Where the step asks for an account, or for an
    invitation, it takes one reply of each. An anonymous reply joins an urn; another one is published at once.

    Raises ClosedError, InvalidError (fields are question ids), ForbiddenError, ConflictError when the account has
    already replied or the invitation already served, or when the form of that code was sent already and said something
    else.
    """
    kept = replies.check(step, questions, answers, now)
    everything = policy.everything(questions, kept)
    access = policy.access(step)
    once = access is not Access.EVERYONE
    if access is Access.ACCOUNTS and not _mark(session, step, actor):
        return same(session, step, everything, code, keys, ALREADY)
    if access is Access.INVITATIONS and not invitations.use(session, step, invitation):
        return same(session, step, everything, code, keys, USED)
    if policy.is_anonymous(step):
        urns.lock(session, step.id)  # nobody else puts a reply of that code in between
    known = find(session, step.organisation_id, code, keys=keys)
    if known is not None and (once or known.step_id != step.id):  # somebody else sent the same form
        code = codes.draw()
    elif known is not None:
        return same(session, step, everything, code, keys, SENT_ALREADY)
    edit_key = codes.edit_key(step.organisation_id, code)
    if policy.is_anonymous(step):
        held = {"holder": edit_key, "answers": policy.to_json(kept)}
        urns.put(session, step, UrnKind.REPLIES, uuid.uuid4(), held, keys=keys)
    elif not replies.take(session, step, questions, kept, edit_key=edit_key, now=now):
        return same(session, step, everything, code, keys, SENT_ALREADY)
    return code


def _mark(session: Session, step: Step, actor: Actor) -> bool:
    """Note that the account replies to the step; False when it did already."""
    if actor.account_id is None or not actor.confirmed:
        raise ForbiddenError(UNCONFIRMED)
    account_id = lock_participant(session, step.consultation, actor.account_id).id
    mark = {"organisation_id": step.organisation_id, "step_id": step.id, "account_id": account_id}
    return insert_once(session, HasReplied, conflict=["step_id", "account_id"], **mark)


def same(session: Session, step: Step, answers: Answers, code: str, keys: Keyring, why: str) -> str:
    """The code, when its reply says just that: it is the same one sent again. Raises ConflictError, told why."""
    if not holds(session, step, answers, code=code, keys=keys):
        raise ConflictError(why)
    return code


def holds(session: Session, step: Step, answers: Answers, *, code: str, keys: Keyring) -> bool:
    """Whether the reply of that code, to that step, says just that to these questions."""
    held = find(session, step.organisation_id, code, keys=keys)
    if held is None or held.step_id != step.id or held.answers is None:
        return False
    said = {key: None if is_empty(given) else given for key, given in answers.items()}
    return all(held.answers.get(str(key)) == given for key, given in said.items())


def has_replied(session: Session, step_id: uuid.UUID, account_id: uuid.UUID | None) -> bool:
    """Whether the account sent its reply to an anonymous step."""
    mark = select(HasReplied.step_id).where(HasReplied.step_id == step_id, HasReplied.account_id == account_id)
    return session.scalar(mark) is not None


def answered(session: Session, account_id: uuid.UUID) -> list[Step]:
    """The anonymous steps to which the account replied, by title: their order is not told."""
    mine = select(HasReplied.step_id).where(HasReplied.account_id == account_id)
    return list(session.scalars(select(Step).where(Step.id.in_(mine)).order_by(Step.title, Step.id)))


def find(session: Session, organisation_id: uuid.UUID, code: str, *, keys: Keyring, lock: bool = False) -> Held | None:
    """The reply of which this is the code; `lock`: neither it nor its urn moves until the transaction ends."""
    holder = codes.edit_key(organisation_id, code)
    held = _look(session, holder, keys)
    if held is not None and lock:
        urns.lock(session, held.step_id)
        held = _look(session, holder, keys, lock=True)  # it may have changed, or come out, meanwhile
    return held


def _look(session: Session, holder: str, keys: Keyring, *, lock: bool = False) -> Held | None:
    # The urns first: a reply that leaves one meanwhile is already a row when it is looked for.
    for urn, content in urns.opened(session, keys, ReplyUrn.kind == UrnKind.REPLIES):
        for key, said in content.items():
            if said["holder"] == holder:
                return Held(urn.step_id, uuid.UUID(key), said["answers"], urn=urn)
    out = select(Reply).where(Reply.edit_key == holder).order_by(Reply.id).limit(1)
    out = out.execution_options(populate_existing=True)
    reply = session.scalars(out.with_for_update() if lock else out).first()
    return None if reply is None else _came_out(session, reply, keys)


def _came_out(session: Session, reply: Reply, keys: Keyring) -> Held:
    changes = (ReplyUrn.step_id == reply.step_id, ReplyUrn.kind == UrnKind.CHANGES)
    for _, content in urns.opened(session, keys, *changes):
        if str(reply.id) in content:
            return Held(reply.step_id, reply.id, content[str(reply.id)]["answers"], reply=reply, changing=True)
    said = policy.to_json(queries.answers_of(session, reply.id))
    return Held(reply.step_id, reply.id, said, reply=reply)


def change(
    session: Session, organisation_id: uuid.UUID, code: str, answers: Answers, *, keys: Keyring, now: dt.datetime
) -> None:
    """Replace what the reply of that code says: at once or, of an anonymous one that came out, with other changes.

    Raises NotFoundError, ClosedError, InvalidError, as `submit`; UnavailableError, as `urns.put`.
    """
    held, step = _standing(session, organisation_id, code, keys, now)
    if policy.is_final(step):
        raise ClosedError(replies.SENT_FOR_GOOD)
    kept = replies.check(step, queries.questions(session, step.id), answers, now)
    said = policy.to_json(kept)
    if held.urn is not None:
        urns.amend(session, held.urn, held.reply_id, said, keys)
        return
    if held.reply is not None and held.immediate:
        if kept != queries.answers_of(session, held.reply_id):
            replies.revise(session, held.reply, queries.questions(session, step.id), kept, now)
        return
    # What it says already will show nothing: among those that come out together, it would be one too few.
    same = kept == queries.answers_of(session, held.reply_id)
    if held.changing or not same:
        urns.put(session, step, UrnKind.CHANGES, held.reply_id, None if same else {"answers": said}, keys=keys)


def withdraw(session: Session, organisation_id: uuid.UUID, code: str, *, keys: Keyring, now: dt.datetime) -> bool:
    """Take the reply of that code back, for ever, when `change` would; tells whether it was out of its urn already.

    Raises as `change` does, but InvalidError.
    """
    held, step = _standing(session, organisation_id, code, keys, now)
    if held.urn is not None:
        urns.amend(session, held.urn, held.reply_id, None, keys)
        return False
    if held.reply is not None and held.immediate:
        replies.take_back(session, held.reply, now)
        return True
    urns.put(session, step, UrnKind.CHANGES, held.reply_id, {"answers": None}, keys=keys)
    return True


def _standing(
    session: Session, organisation_id: uuid.UUID, code: str, keys: Keyring, now: dt.datetime
) -> tuple[Held, Step]:
    """The reply of that code, locked, and its step, if it may still change."""
    held = find(session, organisation_id, code, keys=keys, lock=True)
    if held is None:
        raise NotFoundError(UNKNOWN)
    step = session.get_one(Step, held.step_id)
    if held.withdrawn:
        raise ClosedError("Cette réponse a été retirée par son auteur : elle ne peut plus être modifiée.")
    if held.reply is not None and held.reply.status is not ContentStatus.PUBLISHED:
        raise ClosedError("Cette réponse a été masquée par la modération : elle ne peut plus être modifiée.")
    if not accepts_acts(step, step.consultation, now):
        raise ClosedError(ENDED)
    return held, step
