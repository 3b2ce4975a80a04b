"""Issuing, revoking and using invitations. Each batch, and each revocation, is told in the public log by its number.

Whether an invitation served is written with the reply, in one transaction, as the mark of an account is: see
`by_code.service`. Every function flushes and never commits.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.audit import service as audit
from consult.consultations import policy as consultations
from consult.consultations.models import Step
from consult.errors import ConflictError
from consult.jobs import service as jobs
from consult.questionnaires import policy as questionnaires
from consult.questionnaires.by_code import codes
from consult.questionnaires.invitations import policy, queries
from consult.questionnaires.invitations.models import Invitation, InvitationBatch
from consult.questionnaires.policy import Access
from consult.registry import service as registry
from consult.registry.models import EntryKind

JOB_KIND: Final = "questionnaires.invite"
NOT_INVITING: Final = (
    "Ce questionnaire n’est pas sur invitation\u00a0: cela se choisit à la page « Questions », avant l’ouverture."
)
NOT_OPENED: Final = "Ouvrez d’abord la consultation\u00a0: ses règles sont figées avant que quiconque soit invité."
OVER: Final = "Ce questionnaire est terminé\u00a0: une invitation ne servirait plus."
REVOKED: Final = "Ces invitations ont déjà été révoquées."
REMINDED: Final = "Un rappel a déjà été envoyé\u00a0: il n’y en a qu’un par envoi."
NOT_MAILED: Final = "Ces invitations ont été données en codes\u00a0: il n’y a pas d’adresse à relancer."
_UNSYNCHRONIZED: Final = {"synchronize_session": False}


def issue_by_mail(
    session: Session, step: Step, *, name: str, text: str, actor: Actor, now: dt.datetime
) -> tuple[InvitationBatch, int]:
    """Invite the addresses of a text, by mails that a job writes; also gives how many were invited already.

    Raises InvalidError naming `name` or `addresses`, ConflictError when the step takes no invitation.
    """
    _check_invites(session, step, now)
    found = policy.addresses(text)
    known = {policy.key_of(each) for each in queries.invited(session, step.id)}
    new = [address for key, address in found.items() if key not in known]
    policy.check(name, len(new), anonymous=questionnaires.is_anonymous(step), field="addresses")
    batch = _issue(session, step, name, [{"email": each} for each in new], mailed=True, actor=actor, now=now)
    _ask_for_mails(session, batch, now, reminder=False)
    return batch, len(found) - len(new)


def issue_codes(session: Session, step: Step, *, name: str, count: int, actor: Actor, now: dt.datetime) -> list[str]:
    """As many codes to print or hand out: given here alone. Raises InvalidError naming `name` or `count`."""
    _check_invites(session, step, now)
    policy.check(name, count, anonymous=questionnaires.is_anonymous(step), field="count")
    drawn = [codes.draw() for _ in range(count)]
    rows = [{"digest": policy.digest(step.organisation_id, code)} for code in drawn]
    _issue(session, step, name, rows, mailed=False, actor=actor, now=now)
    return drawn


def remind(session: Session, step: Step, batch_id: uuid.UUID, *, actor: Actor, now: dt.datetime) -> None:
    """Write once more, with another link, to those whose invitation did not serve. Raises ConflictError."""
    batch = queries.batch(session, step.id, batch_id, lock=True)
    if batch.revoked_at is not None:
        raise ConflictError(REVOKED)
    if not batch.mailed:
        raise ConflictError(NOT_MAILED)
    if batch.reminded_at is not None:
        raise ConflictError(REMINDED)
    _check_invites(session, step, now)
    batch.reminded_at = now
    _ask_for_mails(session, batch, now, reminder=True)
    _journal(session, step, batch, "remind", actor, now)


def revoke(session: Session, step: Step, batch_id: uuid.UUID, *, actor: Actor, now: dt.datetime) -> int:
    """Take back the invitations of a batch that did not serve: how many. Raises ConflictError when it is done.

    One that is serving at that instant is waited for, and stands.
    """
    batch = queries.batch(session, step.id, batch_id, lock=True)
    if batch.revoked_at is not None:
        raise ConflictError(REVOKED)
    unused = delete(Invitation).where(Invitation.batch_id == batch.id, ~Invitation.used).returning(Invitation.id)
    gone = len(session.scalars(unused, execution_options=_UNSYNCHRONIZED).all())
    batch.revoked_at, batch.revoked = now, gone
    if gone:
        _log(session, step, batch, -gone, now)
    _journal(session, step, batch, "revoke", actor, now, {"revoked": gone})
    return gone


def use(session: Session, step: Step, code: str) -> bool:
    """Have the invitation of that code serve its once; False when it did, or is none of this step.

    Of two at the same instant, the database lets one through.
    """
    held = policy.digest(step.organisation_id, code)
    served = (
        update(Invitation)
        .where(
            or_(Invitation.digest == held, Invitation.reminder_digest == held),
            Invitation.batch_id.in_(select(InvitationBatch.id).where(InvitationBatch.step_id == step.id)),
            ~Invitation.used,
        )
        .values(used=True)
        .returning(Invitation.id)
    )
    return session.scalar(served, execution_options=_UNSYNCHRONIZED) is not None


def _check_invites(session: Session, step: Step, now: dt.datetime) -> None:
    """Raise ConflictError unless the step takes invitations, now."""
    session.refresh(step.consultation, with_for_update={"key_share": True})
    if questionnaires.access(step) is not Access.INVITATIONS:
        raise ConflictError(NOT_INVITING)
    if not consultations.is_public(step.consultation):
        raise ConflictError(NOT_OPENED)
    if consultations.step_state(step, step.consultation, now) is consultations.Phase.CLOSED:
        raise ConflictError(OVER)


def _issue(
    session: Session, step: Step, name: str, rows: Sequence[Mapping[str, Any]], *, mailed: bool, actor: Actor,
    now: dt.datetime,
) -> InvitationBatch:  # fmt: skip
    batch = InvitationBatch(
        id=uuid.uuid4(),
        organisation_id=step.organisation_id,
        step_id=step.id,
        name=name.strip(),
        mailed=mailed,
        issued=len(rows),
        issued_at=now,
    )
    session.add(batch)
    session.flush()
    owned = {"organisation_id": step.organisation_id, "batch_id": batch.id, "used": False}
    session.execute(insert(Invitation), [{"id": uuid.uuid4(), **owned, **row} for row in rows])
    _log(session, step, batch, batch.issued, now)
    _journal(session, step, batch, "issue", actor, now, {"issued": batch.issued, "mailed": mailed})
    return batch


def _ask_for_mails(session: Session, batch: InvitationBatch, now: dt.datetime, *, reminder: bool) -> None:
    payload = {"batch": str(batch.id), "reminder": reminder}
    jobs.enqueue(session, JOB_KIND, payload, organisation_id=batch.organisation_id, now=now)


def _log(session: Session, step: Step, batch: InvitationBatch, invitations: int, now: dt.datetime) -> None:
    """Tell everybody how many invitations there are more, or less."""
    registry.append(
        session,
        organisation_id=step.organisation_id,
        consultation_id=step.consultation_id,
        kind=EntryKind.CONTENT,
        content={"step": str(step.id), "batch": str(batch.id), "invitations": invitations},
        now=now,
    )


def _journal(
    session: Session,
    step: Step,
    batch: InvitationBatch,
    act: str,
    actor: Actor,
    now: dt.datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    audit.record(
        session,
        actor=actor,
        organisation_id=step.organisation_id,
        action=f"invitations.{act}",
        target_type="invitation_batch",
        target_id=batch.id,
        now=now,
        detail={"step": step.slug, **(detail or {})},
    )
