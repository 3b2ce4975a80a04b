"""Telling staff that a commitment is late, and those who took part what was answered."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

from sqlalchemy.orm import Session

from consult import clock
from consult.accounts.models import Account
from consult.accounts.profile.service import stop_token
from consult.accounts.queries import staff_of
from consult.consultations.models import Consultation
from consult.db import as_tenant
from consult.followup import labels, policy, queries, service
from consult.followup.models import Commitment, OfficialAnswer
from consult.jobs.schedule import Task
from consult.mail import service as mail
from consult.organisations import queries as organisations
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
        site = organisations.address_of(session, organisation, self._settings)
        context = {
            "organisation_name": organisation.name,
            "site_url": site,
            "consultation": consultation.title,
            "title": commitment.title,
            "owner": commitment.owner,
            "due_on": commitment.due_on,
            "address": f"{site}/gestion/consultations/{consultation.slug}/engagements/{commitment.id}",
        }
        for account in staff_of(session, organisation.id, consultation.id, policy.WRITERS):
            mail.send(
                session, organisation_id=organisation.id, to=str(account.email), template="followup_overdue",
                context=context, now=now,
            )  # fmt: skip
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
                context = self._context(session, session.get_one(Consultation, consultation_id), payload)
                found = queries.to_tell(
                    session, organisation_id, consultation_id, after=uuid.UUID(after) if after else None, limit=CHUNK
                )
                if context is None or not found:  # all of it may have been taken back meanwhile
                    return
                for account in found:
                    self._tell(session, account, context)
            after, done = str(found[-1].id), done + len(found)
            yield Progress(done, message=f"{done} courriels", cursor={"after": after, "done": done})

    def _context(
        self, session: Session, consultation: Consultation, payload: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """What every mail says; None when nothing is left to say."""
        day = [dt.datetime.fromisoformat(payload[name]) for name in ("since", "until")]
        answers = queries.published_between(session, OfficialAnswer, consultation.id, *day)
        commitments = queries.published_between(session, Commitment, consultation.id, *day)
        if not answers and not commitments:
            return None
        organisation = session.get_one(Organisation, consultation.organisation_id)
        site = organisations.address_of(session, organisation, self._settings)
        targets = {(each.target_type, each.target_id) for each in answers[:NAMED]}
        titles = queries.titles(session, consultation.id, targets)
        return {
            "organisation_name": organisation.name,
            "site_url": site,
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

    def _tell(self, session: Session, account: Account, context: Mapping[str, Any]) -> None:
        token = stop_token(self._settings.secret_key, account.id)
        mail.send(
            session, organisation_id=account.organisation_id, to=str(account.email), template="followup_news",
            context={**context, "stop": f"{context['site_url']}/mon-compte/suites-donnees/{token}"}, now=self._now(),
        )  # fmt: skip


TASKS: Final = (Task(RemindOverdue.kind, dt.timedelta(hours=6)),)
