"""What an account did, and what the public log holds of it: what the account alone may ask."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult.consultations.models import ContentStatus
from consult.contributions import policy
from consult.contributions.ballots.models import Ballot
from consult.contributions.models import Argument, Proposal, StepSecret, Vote
from consult.registry import queries as registry
from consult.registry.models import RegistryEntry

_PLACED: Final = RegistryEntry.position.is_not(None).label("placed")
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


def own_vote(session: Session, account_id: uuid.UUID | None, proposal_id: uuid.UUID) -> Any:
    """This account's vote on a proposal; None without one. The row has value, whether it is `counted` (the address is
    confirmed), and whether it is `placed` in the log, hence in the figures.
    """
    if account_id is None:
        return None
    return session.execute(
        select(Vote.value, Vote.counted, _PLACED)
        .outerjoin(RegistryEntry, RegistryEntry.ref == Vote.registry_ref)
        .where(Vote.account_id == account_id, Vote.proposal_id == proposal_id)
    ).one_or_none()


def own_useful(
    session: Session, account_id: uuid.UUID | None, argument_ids: Sequence[uuid.UUID]
) -> Mapping[uuid.UUID, bool]:
    """Which of these arguments this account found useful, and whether its vote is placed in the log."""
    if account_id is None or not argument_ids:
        return {}
    found = session.execute(
        select(Vote.argument_id, _PLACED)
        .outerjoin(RegistryEntry, RegistryEntry.ref == Vote.registry_ref)
        .where(Vote.account_id == account_id, Vote.argument_id.in_(argument_ids))
    )
    return {row.argument_id: row.placed for row in found}


def prepared(session: Session, account_id: uuid.UUID) -> Mapping[str, int]:
    """What waits for the account's address to be confirmed: uncounted votes, unpublished texts."""
    waiting = [
        select(func.count())
        .select_from(model)
        .where(model.author_id == account_id, model.status == ContentStatus.PENDING)
        for model in (Proposal, Argument)
    ]
    uncounted = [
        select(func.count()).select_from(model).where(model.account_id == account_id, model.counted.is_(False))
        for model in (Vote, Ballot)
    ]
    return {
        "votes": sum(session.scalar(query) or 0 for query in uncounted),
        "texts": sum(session.scalar(query) or 0 for query in waiting),
    }
