"""Telling the moderators that reports wait."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from consult import clock
from consult.accounts.models import Account, AccountStatus, Membership
from consult.actor import Role
from consult.consultations.models import Consultation
from consult.mail import service as mail
from consult.moderation import queries
from consult.moderation.service import NOTIFY_JOB
from consult.organisations import queries as organisations
from consult.organisations.models import Organisation
from consult.protocols import Progress
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
        site = organisations.address_of(session, organisation, self._settings)
        context = {
            "organisation_name": organisation.name,
            "site_url": site,
            "consultation": consultation.title,
            "waiting": waiting,
            "queue": f"{site}/gestion/moderation?consultation={consultation.id}",
        }
        moderators = moderators_of(session, consultation)
        for moderator in moderators:
            mail.send(
                session,
                organisation_id=organisation.id,
                to=str(moderator.email),
                template="moderation_waiting",
                context=context,
                now=self._now(),
            )
        yield Progress(len(moderators), len(moderators))


def moderators_of(session: Session, consultation: Consultation) -> list[Account]:
    """Who moderates a consultation: its moderators and the organisation's, else the administrators."""
    for role in (Role.MODERATOR, Role.ADMINISTRATOR):
        query = (
            select(Account)
            .join(Membership, Membership.account_id == Account.id)
            .where(
                Membership.organisation_id == consultation.organisation_id,
                Membership.role == role,
                Membership.revoked_at.is_(None),
                or_(Membership.consultation_id.is_(None), Membership.consultation_id == consultation.id),
                Account.status == AccountStatus.ACTIVE,
                Account.email.is_not(None),
            )
            .order_by(Account.created_at, Account.id)
        )
        found = list(session.scalars(query).unique())
        if found:
            return found
    return []
