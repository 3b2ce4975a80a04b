"""Writing a version of an article; it is then edited, withdrawn, moderated and erased as proposals are."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from consult.consultations.age.service import lock_participant
from consult.consultations.models import Step
from consult.contributions import policy, service
from consult.contributions.bill.policy import Sources, check_version
from consult.contributions.models import Proposal, ProposalKind
from consult.errors import GoneError


def submit_version(
    session: Session,
    *,
    step: Step,
    rewritten: Proposal,
    account_id: uuid.UUID,
    title: str,
    body: str,
    reason: str,
    sources: Sources,
    submission_key: str,
    now: dt.datetime,
) -> Proposal:
    """Publish a version of an article's text, or of another version, or keep it until its author's e-mail is confirmed.

    The same form sent twice, or the same text sent again by its author, gives the same version. Raises ClosedError,
    GoneError when what it rewrites is not published any more, InvalidError naming the fields.
    """
    title, body, reason = policy.one_line(title), policy.many_lines(body), policy.many_lines(reason)
    account = lock_participant(session, step.consultation, account_id)
    key = policy.submission_digest(account_id, submission_key)
    same_text = (Proposal.rewrites_id == rewritten.id, Proposal.title == title, Proposal.body == body)
    known = service.standing_copy(session, Proposal, account_id, key, same_text)
    if known is not None:
        return known
    service.check_open(step, now)
    if not service.is_shown(session, rewritten):
        raise GoneError("Ce texte n’est plus publié : votre version n’a pas été enregistrée.")
    check_version(title, body, reason, rewritten.body)
    version = Proposal(
        **service.new_row(step, account_id, key, now),
        kind=ProposalKind.VERSION,
        article_id=rewritten.article_id,
        rewrites_id=rewritten.id,
        title=title,
        body=body,
        reason=reason,
        sources=sources,
    )
    version.random_rank = policy.random_rank(step.order_seed, version.id)
    return service.receive(session, version, account, now)
