"""Periodic work on what visitors wrote."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from consult import clock
from consult.contributions.models import ContributionDraft
from consult.jobs.schedule import Task
from consult.protocols import Progress

CHUNK: Final = 500


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


TASKS: Final = (Task(PruneDrafts.kind, dt.timedelta(hours=1)),)
