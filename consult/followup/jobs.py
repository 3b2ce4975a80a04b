"""Telling staff that a commitment is late, and those who took part what was answered."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

from sqlalchemy.orm import Session

from consult import clock
from consult.accounts.notices.service import Sender
from consult.accounts.queries import staff_of
from consult.consultations.models import Consultation
from consult.db import as_tenant
from consult.followup import labels, policy, queries, service
from consult.followup.models import Commitment, OfficialAnswer
from consult.jobs.schedule import Task
from consult.organisations.models import Organisation
from consult.protocols import Progress
from consult.settings import Settings

CHUNK: Final = 20
NAMED: Final = 10  # answers, and commitments, that a mail names


class RemindOverdue:
    """Periodic: one mail to each person who may write an update, for each commitment whose day is past."""

    kind: ClassVar[str] = "followup.overdue"

    def __init__(self, settings: Settings, now: Callable[[], dt.datetime] = clock.now) -> None:
        self._settings = settings
        self._now = now

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """The due date that was told of is kept with the mails."""
        del payload
        now, done = self._now(), int(cursor.get("done", 0))
        while late := queries.overdue(session, now, CHUNK):
            for commitment in late:
                with as_tenant(session, commitment.organisation_id):
                    self._remind(session, commitment, now)
            done += len(late)
            yield Progress(done, message=f"{done} engagements en retard", cursor={"done": done})

    def _remind(self, session: Session, commitment: Commitment, now: dt.datetime) -> None:
        organisation = session.get_one(Organisation, commitment.organisation_id)
        consultation = session.get_one(Consultation, commitment.consultation_id)
        sender = Sender.at_work(session, organisation, self._settings)
        context = {
            "consultation": consultation.title,
            "title": commitment.title,
            "owner": commitment.owner,
            "due_on": commitment.due_on,
            "address": f"{sender.site}/gestion/consultations/{consultation.slug}/engagements/{commitment.id}",
        }
        for account in staff_of(session, organisation.id, consultation.id, policy.WRITERS):
            sender.send(session, account, "followup_overdue", context, now)
        commitment.reminded_for = commitment.due_on
        session.flush()


class TellParticipants:
    """JobHandler of `followup.tell`: one mail of what a day brought to each who took part and asked for it."""

    kind: ClassVar[str] = service.TELL_JOB

    def __init__(self, settings: Settings, now: Callable[[], dt.datetime] = clock.now) -> None:
        self._settings = settings
        self._now = now

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """Chunk by chunk in the order of ids: a crash writes to nobody twice."""
        consultation = session.get(Consultation, uuid.UUID(payload["consultation"]))
        if consultation is None:
            return
        organisation_id, consultation_id = consultation.organisation_id, consultation.id
        after, done = cursor.get("after"), int(cursor.get("done", 0))
        while True:
            with as_tenant(session, organisation_id):
                sender = Sender.at_work(session, session.get_one(Organisation, organisation_id), self._settings)
                context = _news(session, session.get_one(Consultation, consultation_id), payload, sender.site)
                found = queries.to_tell(
                    session, organisation_id, consultation_id, after=uuid.UUID(after) if after else None, limit=CHUNK
                )
                if context is None or not found:  # all of it may have been taken back meanwhile
                    return
                for account in found:
                    sender.send(session, account, "followup_news", context, self._now())
            after, done = str(found[-1].id), done + len(found)
            yield Progress(done, message=f"{done} courriels", cursor={"after": after, "done": done})


def _news(session: Session, consultation: Consultation, payload: Mapping[str, Any], site: str) -> dict[str, Any] | None:
    """What every mail says; None when nothing is left to say."""
    day = [dt.datetime.fromisoformat(payload[name]) for name in ("since", "until")]
    answers = queries.published_between(session, OfficialAnswer, consultation.id, *day)
    commitments = queries.published_between(session, Commitment, consultation.id, *day)
    if not answers and not commitments:
        return None
    targets = {(each.target_type, each.target_id) for each in answers[:NAMED]}
    titles = queries.titles(session, consultation.id, targets)
    return {
        "consultation": consultation.title,
        "answers": [
            {
                "title": titles.get(each.target_id, "une contribution"),
                "outcome": labels.OUTCOMES[each.outcome][0],
                "address": f"{site}/reponses-officielles/{each.id}",
            }
            for each in answers[:NAMED]
        ],
        "commitments": [
            {"title": each.title, "address": f"{site}/engagements/{each.id}"} for each in commitments[:NAMED]
        ],
        "more": len(answers[NAMED:]) + len(commitments[NAMED:]),
        "address": f"{site}/suites-donnees/{consultation.slug}",
    }


HANDLERS: Final = (RemindOverdue, TellParticipants)
TASKS: Final = (Task(RemindOverdue.kind, dt.timedelta(hours=6)),)
