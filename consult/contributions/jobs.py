"""Periodic work: drafts of visitors that were never sent, and the link between accounts and their votes."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from consult import clock
from consult.consultations import queries as consultations
from consult.consultations.models import Step
from consult.consultations.policy import APPEALS
from consult.contributions.ballots.models import Ballot
from consult.contributions.models import ContributionDraft, StepSecret, Vote
from consult.jobs.schedule import Task
from consult.protocols import JobHandler, Progress
from consult.registry import service as registry
from consult.registry.models import EntryKind

CHUNK: Final = 500
_BLINDLY: Final[dict[str, Any]] = {"execution_options": {"synchronize_session": False}}


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


class DestroyLinks:
    """Periodic: once the appeals of a consultation are over, nobody can tell any more who its voters are.

    The account leaves each vote, then the secret of each step goes, and the log says so. Texts keep their author, who
    may still take them back; votes stand for ever, under nobody's name. The secrets go last, all those of a
    consultation together: what a crash leaves behind is found again, and no dump has votes of both sorts.
    """

    kind: ClassVar[str] = "contributions.destroy_links"

    def __init__(self, now: Callable[[], dt.datetime] = clock.now) -> None:
        self._now = now

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """Votes in chunks, in the order of their ids; one chunk for the secrets of a consultation."""
        del payload, cursor
        now, done = self._now(), 0
        for over in consultations.closed(session, now - APPEALS):
            steps = select(Step.id).where(Step.consultation_id == over.consultation_id)
            standing = select(StepSecret.step_id).where(StepSecret.step_id.in_(steps)).order_by(StepSecret.step_id)
            secrets = list(session.scalars(standing))
            if not secrets:
                continue
            for model in (Vote, Ballot):
                for count in self._forget(session, model, over.consultation_id):
                    done += count
                    yield Progress(done)
            session.execute(delete(StepSecret).where(StepSecret.step_id.in_(secrets)), **_BLINDLY)
            registry.append(
                session,
                organisation_id=over.organisation_id,
                consultation_id=over.consultation_id,
                kind=EntryKind.CONTENT,
                content={"links_destroyed": [str(step) for step in secrets]},
                now=now,
            )
            yield Progress(done)

    def _forget(self, session: Session, model: type[Vote | Ballot], consultation_id: uuid.UUID) -> Iterator[int]:
        """Take the account out of each row, in chunks; how many of each."""
        last = uuid.UUID(int=0)
        listed = select(model.id).where(model.consultation_id == consultation_id).order_by(model.id)
        while ids := list(session.scalars(listed.where(model.id > last).limit(CHUNK))):
            session.execute(update(model).where(model.id.in_(ids)).values(account_id=None), **_BLINDLY)
            last = ids[-1]
            yield len(ids)


def handlers() -> tuple[JobHandler, ...]:
    """What `app.py` binds."""
    return PruneDrafts(), DestroyLinks()


TASKS: Final = (
    Task(PruneDrafts.kind, dt.timedelta(hours=1)),
    Task(DestroyLinks.kind, dt.timedelta(days=1)),
)
