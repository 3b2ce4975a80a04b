"""Forgetting what has expired."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from sqlalchemy import delete, select

from consult import clock
from consult.accounts.models import AttemptCount, LoginSession, MailboxCount, SingleUseToken, SpentProof, UnsentForm
from consult.jobs.schedule import Task
from consult.protocols import Progress

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_CHUNK: Final = 1000
_EXPIRING: Final = (
    (SpentProof, SpentProof.digest),
    (AttemptCount, AttemptCount.key),
    (MailboxCount, MailboxCount.key),
    (LoginSession, LoginSession.id),
    (SingleUseToken, SingleUseToken.id),
    (UnsentForm, UnsentForm.digest),
)


class PurgeExpired:
    """Delete sessions, links, kept forms, proofs, counts of failures and of mails past their end; everywhere."""

    kind: ClassVar[str] = "accounts.purge"

    def __init__(self, now: Callable[[], dt.datetime] = clock.now) -> None:
        self._now = now

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """Chunk by chunk; what remains after a crash is found again."""
        del payload, cursor
        now, done = self._now(), 0
        for model, key in _EXPIRING:
            while keys := session.scalars(select(key).where(model.expires_at < now).limit(_CHUNK)).all():
                session.execute(delete(model).where(key.in_(keys)))
                done += len(keys)
                yield Progress(done)


TASKS: Final[tuple[Task, ...]] = (Task(PurgeExpired.kind, dt.timedelta(hours=1)),)
