"""What the public log holds of an account's acts: what the account alone may ask."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.consultations.models import ContentStatus
from consult.contributions import policy
from consult.contributions.models import Argument, Proposal, StepSecret
from consult.registry import queries as registry

_MODELS: Final = (("contribution", Proposal), ("argument", Argument))


def logged(session: Session, account_id: uuid.UUID) -> tuple[list[str], list[str]]:
    """The refs of an account's texts in the log, edits and withdrawals included, and the opaque voters that it is."""
    voters = [policy.voter_of(secret, account_id) for secret in session.scalars(select(StepSecret.secret))]
    refs: list[str] = []
    for name, model in _MODELS:
        own: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
        query = select(model.consultation_id, model.id, model.registry_ref).where(model.author_id == account_id)
        for consultation_id, item_id, ref in session.execute(query):
            own[consultation_id].append(item_id)
            refs += [ref] if ref else []
        for consultation_id, ids in own.items():
            refs += registry.refs_about(session, consultation_id, name, ids)
    return refs, voters


def titles(session: Session, ids: Collection[uuid.UUID]) -> dict[str, tuple[uuid.UUID, str]]:
    """Of contents that are published, or on a published proposal: id and title of the proposal, by id as a text."""
    shown = Proposal.status == ContentStatus.PUBLISHED
    found = {
        key: (key, title)
        for key, title in session.execute(select(Proposal.id, Proposal.title).where(shown, Proposal.id.in_(ids)))
    }
    query = select(Argument.id, Proposal.id, Proposal.title).join(Proposal, Proposal.id == Argument.proposal_id)
    for key, proposal_id, title in session.execute(query.where(shown, Argument.id.in_(ids))):
        found[key] = (proposal_id, title)
    return {str(key): value for key, value in found.items()}
