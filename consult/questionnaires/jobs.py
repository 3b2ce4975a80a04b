"""Forgetting what visitors began to answer and never sent; bringing anonymous replies out of their urns."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from consult import clock
from consult.consultations.models import Step
from consult.jobs.schedule import Task
from consult.protocols import JobHandler, Progress
from consult.questionnaires.anonymous import batches, urns
from consult.questionnaires.drafts import BROWSER_LIFE
from consult.questionnaires.invitations.jobs import SendInvitations
from consult.questionnaires.models import ReplyDraft, ReplyUrn
from consult.sealing import Keyring
from consult.settings import Settings

CHUNK: Final = 100  # drafts may be large
logger = logging.getLogger(__name__)


class PruneReplyDrafts:
    """Periodic: forget the drafts of browsers untouched for a week; those of accounts stay."""

    kind: ClassVar[str] = "questionnaires.prune_drafts"

    def __init__(self, now: Callable[[], dt.datetime] = clock.now) -> None:
        self._now = now

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """Delete in chunks."""
        del payload
        gone, old = int(cursor.get("gone", 0)), ReplyDraft.updated_at < self._now() - BROWSER_LIFE
        expired = select(ReplyDraft.id).where(ReplyDraft.account_id.is_(None), old).limit(CHUNK)
        while ids := list(session.scalars(expired)):
            session.execute(delete(ReplyDraft).where(ReplyDraft.id.in_(ids)))
            gone += len(ids)
            yield Progress(gone, cursor={"gone": gone})


class FlushReplies:
    """Periodic: publish the batches of anonymous replies, and the changes, that are due; one a chunk.

    Urns that no key opens are told to the operator, and stop nothing else.
    """

    kind: ClassVar[str] = "questionnaires.flush_replies"

    def __init__(self, keys: Keyring, now: Callable[[], dt.datetime] = clock.now) -> None:
        self._keys = keys
        self._now = now

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """See JobHandler; what was done before a stop is found done."""
        del payload, cursor
        done = 0
        for step_id in session.scalars(select(ReplyUrn.step_id).distinct()).all():
            step = session.get_one(Step, step_id)
            batches.seal_again(session, step, self._keys)
            while batches.flush(session, step, keys=self._keys, now=self._now()):
                done += 1
                yield Progress(done)
            lost = urns.lost(session, self._keys, ReplyUrn.step_id == step_id)
            if lost:
                logger.error("no key opens %d urns of a step: see `consult questionnaires give-up`", len(lost))
            yield Progress(done)  # what the step holds back meanwhile goes on


def handlers(settings: Settings) -> tuple[JobHandler, ...]:
    """Those of this feature but the totals."""
    return PruneReplyDrafts(), FlushReplies(urns.keyring(settings.seal_keys)), SendInvitations(settings)


TASKS: Final[tuple[Task, ...]] = (
    Task(PruneReplyDrafts.kind, dt.timedelta(hours=1)),
    Task(FlushReplies.kind, dt.timedelta(minutes=5)),
)
