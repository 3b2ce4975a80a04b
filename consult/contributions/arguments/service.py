"""Writing an argument; it is then edited, withdrawn, moderated and erased as proposals are."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from consult.consultations.age.service import lock_participant
from consult.consultations.models import Step
from consult.contributions import policy, service
from consult.contributions.models import Argument, Proposal, Side
from consult.errors import ForbiddenError, GoneError


def submit_argument(
    session: Session,
    *,
    step: Step,
    proposal: Proposal,
    account_id: uuid.UUID,
    side: Side,
    title: str = "",
    body: str,
    submission_key: str,
    now: dt.datetime,
) -> Argument:
    """Publish an argument, or keep it pending until its author's e-mail is confirmed; twice sent is once written.

    `title` may be empty. Raises ClosedError, ForbiddenError where nobody argues, GoneError when the proposal is not
    published any more, InvalidError.
    """
    said = {"title": policy.one_line(title) or None, "body": policy.many_lines(body)}
    account = lock_participant(session, step.consultation, account_id)
    key = policy.submission_digest(account_id, submission_key)
    same_text = (Argument.proposal_id == proposal.id, Argument.side == side, Argument.body == said["body"])
    sent_already = service.standing_copy(session, Argument, account_id, key, same_text)
    if sent_already is not None:
        return sent_already
    check_argues(session, step, proposal, now)
    policy.check_argument(said["title"], said["body"] or "", policy.limits(step.settings))
    argument = Argument(**service.new_row(step, account_id, key, now), proposal_id=proposal.id, side=side, **said)
    return service.receive(session, argument, account, now)


def check_argues(session: Session, step: Step, proposal: Proposal, now: dt.datetime) -> None:
    """Raise ClosedError, ForbiddenError or GoneError unless people may argue on that proposal now."""
    service.check_open(step, now)
    if not policy.takes_arguments(step.settings):
        raise ForbiddenError("Cette étape ne recueille pas d’arguments.")
    if not service.is_shown(session, proposal):
        raise GoneError("La proposition n’est plus publiée : l’argument n’a pas été enregistré.")
