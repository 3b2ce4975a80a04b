"""Folding the changes of counts into the counters of proposals and arguments, away from the people who vote."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from consult import clock
from consult.contributions.models import Argument, ContributionDraft, Proposal, VoteDelta, VoteValue
from consult.jobs.schedule import Task
from consult.protocols import Progress

CHUNK: Final = 500
_COUNTERS: Final[Mapping[VoteValue, InstrumentedAttribute[int]]] = {
    VoteValue.FOR: Proposal.votes_for,
    VoteValue.MIXED: Proposal.votes_mixed,
    VoteValue.AGAINST: Proposal.votes_against,
}


class FoldVotes:
    """Periodic: each chunk moves some deltas into their counters, in one transaction, so that sums never change."""

    kind: ClassVar[str] = "contributions.fold"

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """Fold until nothing waits; what is voted meanwhile is folded too, or by the next run."""
        del payload
        done = int(cursor.get("done", 0))
        while folded := fold(session):
            done += folded
            yield Progress(done, cursor={"done": done})


class PruneDrafts:
    """Periodic: forget what visitors wrote more than a day ago and never sent."""

    kind: ClassVar[str] = "contributions.prune_drafts"

    def __init__(self, now: Callable[[], dt.datetime] = clock.now) -> None:
        self._now = now

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """Delete in chunks."""
        del payload
        gone = int(cursor.get("gone", 0))
        expired = select(ContributionDraft.digest).where(ContributionDraft.expires_at <= self._now()).limit(CHUNK)
        while digests := list(session.scalars(expired)):
            session.execute(delete(ContributionDraft).where(ContributionDraft.digest.in_(digests)))
            gone += len(digests)
            yield Progress(gone, cursor={"gone": gone})


TASKS: Final = (
    Task(FoldVotes.kind, dt.timedelta(seconds=10)),
    Task(PruneDrafts.kind, dt.timedelta(hours=1)),
)


def fold(session: Session, *, limit: int = CHUNK) -> int:
    """Fold the oldest deltas, skipping those another worker holds; returns how many."""
    rows = session.execute(
        select(VoteDelta.id, VoteDelta.proposal_id, VoteDelta.argument_id, VoteDelta.value, VoteDelta.change)
        .order_by(VoteDelta.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    proposals: dict[Any, dict[VoteValue, int]] = defaultdict(lambda: defaultdict(int))
    arguments: dict[Any, int] = defaultdict(int)
    for row in rows:
        if row.proposal_id is not None:
            proposals[row.proposal_id][row.value] += row.change
        else:
            arguments[row.argument_id] += row.change
    # In the order of ids, so that two workers never wait for each other.
    for proposal_id in sorted(proposals):
        changes = {value: change for value, change in proposals[proposal_id].items() if change}
        values = {_COUNTERS[value]: _COUNTERS[value] + change for value, change in changes.items()}
        if values:
            values[Proposal.votes_total] = Proposal.votes_total + sum(changes.values())
            session.execute(update(Proposal).where(Proposal.id == proposal_id).values(values))
    for argument_id in sorted(arguments):
        votes = Argument.votes_for + arguments[argument_id]
        session.execute(update(Argument).where(Argument.id == argument_id).values({Argument.votes_for: votes}))
    session.execute(delete(VoteDelta).where(VoteDelta.id.in_([row.id for row in rows])))
    return len(rows)
