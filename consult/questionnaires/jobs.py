"""Forgetting what visitors began to answer and never sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from consult import clock
from consult.jobs.schedule import Task
from consult.protocols import Progress
from consult.questionnaires.drafts import BROWSER_LIFE
from consult.questionnaires.models import ReplyDraft

CHUNK: Final = 100  # drafts may be large


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


TASKS: Final[tuple[Task, ...]] = (Task(PruneReplyDrafts.kind, dt.timedelta(hours=1)),)
