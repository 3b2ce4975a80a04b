"""Telling the moderators that reports wait."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult import clock, traces
from consult.accounts.models import Account
from consult.accounts.notices.service import Sender
from consult.accounts.queries import staff_of
from consult.actor import Role
from consult.consultations.models import Consultation, ConsultationStatus, Step
from consult.db import as_tenant
from consult.errors import GoneError, NotFoundError
from consult.jobs.schedule import Task
from consult.moderation import policy, queries, service
from consult.moderation.service import NOTIFY_JOB
from consult.organisations.models import Organisation
from consult.protocols import ContentType, JobHandler, Progress
from consult.settings import Settings


class NotifyModerators:
    """One mail to each moderator of a consultation, for all that was reported meanwhile; none when nothing waits."""

    kind: ClassVar[str] = NOTIFY_JOB

    def __init__(self, settings: Settings, now: Callable[[], Any] = clock.now) -> None:
        self._settings = settings
        self._now = now

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """Write the mails in one chunk: moderators are few."""
        del cursor
        consultation = session.get(Consultation, uuid.UUID(payload["consultation"]))
        waiting = queries.waiting_count(session, consultation.id) if consultation else 0
        if consultation is None or not waiting:
            return
        organisation = session.get_one(Organisation, consultation.organisation_id)
        sender = Sender.at_work(session, organisation, self._settings)
        context = {
            "consultation": consultation.title,
            "waiting": waiting,
            "queue": f"{sender.site}/gestion/moderation?consultation={consultation.id}",
        }
        moderators = moderators_of(session, consultation)
        for moderator in moderators:
            sender.send(session, moderator, "moderation_waiting", context, self._now())
        yield Progress(len(moderators), len(moderators))


class FlagTraces:
    """Periodic: puts in the queue what was published lately and seems to hold personal data; a person decides.

    Tells the moderators too of the texts that wait since the last turn to be read before they are published.
    """

    kind: ClassVar[str] = "moderation.traces"

    def __init__(self, content_types: Mapping[str, ContentType], now: Callable[[], dt.datetime] = clock.now) -> None:
        self._content_types = content_types
        self._now = now

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """One report a content, whatever the number of turns that see it."""
        del payload, cursor
        now, done = self._now(), 0
        steps = select(Step).join(Consultation).where(Consultation.status == ConsultationStatus.OPEN)
        for step in session.scalars(steps).all():
            with as_tenant(session, step.organisation_id):
                for item_type, item_id, texts in queries.published_since(session, step.id, now - LOOKED_BACK):
                    done += flag(session, self._content_types[item_type], item_id, texts, step.organisation_id, now)
                if queries.held_since(session, step.consultation_id, now - PERIOD):
                    service.call_moderators(session, step.organisation_id, step.consultation_id, now)
            yield Progress(done, message=f"{done} contenus signalés")


def handlers(settings: Settings, content_types: Mapping[str, ContentType]) -> tuple[JobHandler, ...]:
    """What `app.py` binds."""
    return NotifyModerators(settings), FlagTraces(content_types)


def flag(
    session: Session,
    content: ContentType,
    item_id: uuid.UUID,
    texts: Sequence[str],
    organisation_id: uuid.UUID,
    now: dt.datetime,
) -> bool:
    """Put a content in the queue when its texts seem to hold personal data; whether it was not there already."""
    found = traces.kinds(*texts)
    if not found:
        return False
    named = ", ".join(traces.LABELS[each] for each in found)
    try:
        return service.report(
            session,
            content,
            item_id,
            organisation_id=organisation_id,
            reason="personal_data",
            comment=f"Repéré automatiquement\u00a0: le texte semble contenir {named}.",
            reporter=policy.MACHINE,
            now=now,
        )
    except (NotFoundError, GoneError):  # hidden, withdrawn or erased since it was read
        return False


PERIOD: Final = dt.timedelta(minutes=10)
LOOKED_BACK: Final = dt.timedelta(hours=6)  # a worker that was away for less has missed nothing
TASKS: Final = (Task(FlagTraces.kind, PERIOD),)


def moderators_of(session: Session, consultation: Consultation) -> list[Account]:
    """Who moderates a consultation: its moderators and the organisation's, else the administrators."""
    for role in (Role.MODERATOR, Role.ADMINISTRATOR):
        found = staff_of(session, consultation.organisation_id, consultation.id, [role])
        if found:
            return found
    return []
