"""Writing the mails of a batch: each link exists in its mail alone."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

from sqlalchemy.orm import Session

from consult import clock
from consult.consultations import policy as consultations
from consult.consultations.models import Step
from consult.db import as_tenant
from consult.mail import service as mail
from consult.organisations import queries as organisations
from consult.organisations.models import Organisation
from consult.protocols import Progress
from consult.questionnaires import policy as questionnaires
from consult.questionnaires.by_code import codes
from consult.questionnaires.invitations import policy, queries, service
from consult.questionnaires.invitations.models import Invitation, InvitationBatch
from consult.settings import Settings

CHUNK: Final = 20


class SendInvitations:
    """JobHandler of `questionnaires.invite`: the mail of each address of a batch, or its reminder."""

    kind: ClassVar[str] = service.JOB_KIND

    def __init__(self, settings: Settings, now: Callable[[], dt.datetime] = clock.now) -> None:
        self._settings = settings
        self._now = now

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """Chunk by chunk: what was written is known by the digest of its link, so a crash writes to nobody twice."""
        done, reminder = int(cursor.get("done", 0)), bool(payload["reminder"])
        while True:
            batch = session.get(
                InvitationBatch, uuid.UUID(payload["batch"]), with_for_update=True, populate_existing=True
            )
            if batch is None or batch.revoked_at is not None:
                return
            with as_tenant(session, batch.organisation_id):
                found = queries.to_write(session, batch.id, reminder=reminder, limit=CHUNK)
                step = session.get_one(Step, batch.step_id)
                over = consultations.step_state(step, step.consultation, self._now()) is consultations.Phase.CLOSED
                if not found or over:
                    return
                self._write(session, step, found, reminder=reminder)
            done += len(found)
            yield Progress(done, batch.issued, cursor={"done": done})

    def _write(self, session: Session, step: Step, found: Any, *, reminder: bool) -> None:
        organisation = session.get_one(Organisation, step.organisation_id)
        site = organisations.address_of(session, organisation, self._settings)
        shared = {
            "organisation_name": organisation.name,
            "site_url": site,
            "questionnaire": step.title,
            "consultation": step.consultation.title,
            "opens_at": step.opens_at,
            "ends_at": step.ends_at,
            "open": step.opens_at <= self._now(),
            "anonymous": questionnaires.is_anonymous(step),
        }
        for invitation in found:
            code = _opened_by_a_new_code(invitation, reminder=reminder)
            mail.send(
                session,
                organisation_id=organisation.id,
                to=invitation.email,
                template="invitations_reminder" if reminder else "invitations_invite",
                context={**shared, "link": f"{site}/invitation?code={code}"},
                now=self._now(),
            )


def _opened_by_a_new_code(invitation: Invitation, *, reminder: bool) -> str:
    code = codes.draw()
    held = policy.digest(invitation.organisation_id, code)
    if reminder:
        invitation.reminder_digest = held
    else:
        invitation.digest = held
    return code
