"""Answers not sent yet: of an account, else of a browser, within what one visitor and one connection may take."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from consult.accounts.service import lock_active
from consult.consultations.models import Step
from consult.db import insert_once
from consult.errors import InvalidError, TooManyError
from consult.labels import number
from consult.questionnaires import policy, queries
from consult.questionnaires.models import ReplyDraft
from consult.questionnaires.policy import Answers
from consult.sealing import Keyring

BROWSER_LIFE: Final = dt.timedelta(days=7)
KILOBYTE: Final = 1000
ACCOUNT_BYTES: Final = 4_000_000  # forty answers of the greatest length
BROWSER_BYTES: Final = 256_000  # twenty-five long answers of the usual length
BROWSER_DRAFTS: Final = 10  # questionnaires begun at once by a visitor
ADDRESS_DRAFTS: Final = 300  # begun at once by visitors who share a connection, and what they weigh together
ADDRESS_BYTES: Final = 20_000_000
BLOCK: Final = 4096  # a sealed draft weighs a whole number of these
_SEALED: Final = "sealed"
STILL_HERE: Final = (
    "Rien n’est perdu\u00a0: vos réponses restent affichées. Connectez-vous dans un autre onglet, puis renvoyez "
    "cette page."
)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose draft it is: an account's, else a browser's (digest of its token), on a connection (see address_key).

    `seal`: for an anonymous step, whose drafts are the browser's alone, what only its token opens.
    """

    account_id: uuid.UUID | None = None
    browser: str | None = None
    address_key: str | None = None
    seal: Keyring | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """What the row says of its holder: nothing of the connection once there is an account."""
        return {"account_id": self.account_id} if self.account_id else {"holder_digest": self.browser}


def kept(session: Session, step: Step, holder: Holder) -> dict[str, Any]:
    """What this person may take up again, by question id: the latest over the others."""
    found = queries.drafts(session, step.id, account_id=holder.account_id, browser=holder.browser)
    if holder.seal is None:
        return queries.merge([draft for draft in found if _SEALED not in draft.answers])
    opened = [holder.seal.unseal(draft.answers[_SEALED], step.id) for draft in found if _SEALED in draft.answers]
    return {key: given for text in opened for key, given in json.loads(text).items()}


def save(session: Session, step: Step, answers: Answers, holder: Holder, *, now: dt.datetime) -> None:
    """Keep answers not sent yet, over those kept before.

    What the browser had kept goes over to the account as soon as it is known. Browsers' drafts live seven days.
    Raises ForbiddenError when the account was erased meanwhile, InvalidError when the draft is too large,
    TooManyError when the visitor or the connection has too many.
    """
    if holder.account_id:
        lock_active(session, holder.account_id)
    merged = kept(session, step, holder) | policy.to_json(answers)
    size = _bounded(session, step, merged, holder)
    if holder.seal is not None:
        size = -(-size // BLOCK) * BLOCK  # its length is not to tell whose reply has the same
        padded = json.dumps(merged, ensure_ascii=False)
        merged = {_SEALED: holder.seal.seal(padded + " " * (size - len(padded.encode())), step.id)}
    own = holder.columns
    insert_once(
        session,
        ReplyDraft,
        conflict=["step_id", next(iter(own))],
        id=uuid.uuid4(),
        organisation_id=step.organisation_id,
        step_id=step.id,
        updated_at=now,
        answers=merged,
        size=size,
        **own,
    )
    draft = session.scalars(select(ReplyDraft).filter_by(step_id=step.id, **own).with_for_update()).one()
    draft.answers, draft.size, draft.updated_at = merged, size, now
    draft.address_key = None if holder.account_id else holder.address_key
    if holder.account_id and holder.browser:
        session.execute(delete(ReplyDraft).filter_by(step_id=step.id, holder_digest=holder.browser))
    session.flush()


def forget(session: Session, step: Step, holder: Holder) -> None:
    """Delete the draft of this browser."""
    session.execute(delete(ReplyDraft).filter_by(step_id=step.id, holder_digest=holder.browser))


def _bounded(session: Session, step: Step, answers: Mapping[str, Any], holder: Holder) -> int:
    """What the draft weighs, once it is known to be acceptable."""
    size = len(json.dumps(answers, ensure_ascii=False).encode())
    limit = ACCOUNT_BYTES if holder.account_id else BROWSER_BYTES
    if size > limit:
        raise InvalidError(
            f"Vos réponses pèsent {number(-(-size // KILOBYTE))} ko, un brouillon {number(limit // KILOBYTE)} ko au "
            f"plus\u00a0: elles ne peuvent pas être gardées. Raccourcissez-les, ou copiez-les ailleurs. {STILL_HERE}"
        )
    if holder.account_id:
        return size
    others = ReplyDraft.step_id != step.id
    begun = session.scalar(select(func.count()).where(ReplyDraft.holder_digest == holder.browser, others)) or 0
    if begun >= BROWSER_DRAFTS:
        raise TooManyError(f"Trop de questionnaires sont commencés sur ce navigateur. {STILL_HERE}")
    near = [ReplyDraft.address_key == holder.address_key, others | (ReplyDraft.holder_digest != holder.browser)]
    totals = select(func.count(), func.coalesce(func.sum(ReplyDraft.size), 0)).where(*near)
    count, weight = session.execute(totals).one()
    if count >= ADDRESS_DRAFTS or weight + size > ADDRESS_BYTES:
        raise TooManyError(f"Trop de réponses sont gardées en ce moment pour votre connexion à internet. {STILL_HERE}")
    return size
