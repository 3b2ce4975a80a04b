"""Telling people what happened to what they follow: one mail a day at most, whatever the number of things."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, ClassVar, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult import clock
from consult.accounts.models import Account
from consult.accounts.notices.service import Sender
from consult.consultations.models import Consultation, ContentStatus
from consult.contributions.models import Proposal
from consult.db import as_tenant
from consult.followup.policy import told_between
from consult.jobs.schedule import Task
from consult.organisations.models import Organisation
from consult.protocols import Progress
from consult.settings import Settings
from consult.subscriptions import queries
from consult.subscriptions.models import Subscription
from consult.subscriptions.news import Event, Span, happened

CHUNK: Final = 50
NAMED: Final = 10  # things followed that a mail names, and events of each


class TellFollowers:
    """Periodic: after nine in Paris, each follower gets one mail of all that happened; none when nothing did."""

    kind: ClassVar[str] = "subscriptions.tell"

    def __init__(self, settings: Settings, now: Callable[[], dt.datetime] = clock.now) -> None:
        self._settings = settings
        self._now = now

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """Until when each was told is kept with the mails: a crash writes to nobody twice, a pause loses nothing."""
        del payload
        until, done = told_between(self._now())[0], int(cursor.get("done", 0))
        while found := queries.due(session, until, CHUNK):
            by_organisation = sorted(found, key=lambda account: account.organisation_id)
            for organisation_id, accounts in groupby(by_organisation, key=lambda account: account.organisation_id):
                with as_tenant(session, organisation_id):
                    self._tell(session, organisation_id, list(accounts), until)
            done += len(found)
            yield Progress(done, message=f"{done} personnes", cursor={"done": done})

    def _tell(
        self, session: Session, organisation_id: uuid.UUID, accounts: Sequence[Account], until: dt.datetime
    ) -> None:
        sender = Sender.at_work(session, session.get_one(Organisation, organisation_id), self._settings)
        followed = [each for each in queries.of_accounts(session, [a.id for a in accounts]) if each.told_until < until]
        digests = _Digests(session, followed, until, sender.site)
        for account in accounts:
            mine = digests.of(account.id)
            if mine and account.confirmed_at is not None and account.set_aside_at is None:
                sender.send(session, account, "subscriptions_news", _context(mine, sender.site), self._now())
        for each in followed:
            each.told_until = until
        session.flush()


class _Digests:
    """What happened to all that some accounts follow, read at once."""

    def __init__(self, session: Session, followed: Sequence[Subscription], until: dt.datetime, site: str) -> None:
        self._site = site
        self._followed: dict[uuid.UUID, list[Subscription]] = {}
        for each in followed:
            self._followed.setdefault(each.account_id, []).append(each)
        since = min(each.told_until for each in followed)
        consultations = {each.consultation_id for each in followed if each.consultation_id}
        proposals = {each.proposal_id for each in followed if each.proposal_id}
        self._events = happened(session, consultations, proposals, Span(since, until))
        wholes = select(Consultation).where(Consultation.id.in_(consultations & self._events.keys()))
        self._named = {each.id: (each.title, f"/consultations/{each.slug}") for each in session.scalars(wholes)}
        parts = select(Proposal).where(Proposal.id.in_(proposals & self._events.keys()))
        for part in session.scalars(parts):
            title = part.title if part.status is ContentStatus.PUBLISHED else ""  # else public no more
            self._named[part.id] = title, f"/contributions/{part.id}"

    def of(self, account_id: uuid.UUID) -> list[dict[str, Any]]:
        """What one account is told, each event once."""
        told: set[uuid.UUID] = set()
        parts = []
        for each in self._followed.get(account_id, ()):
            happened_to = self._events.get(each.target_id, [])
            new = [event for event in happened_to if event.at > each.told_until and event.row not in told]
            told |= {event.row for event in new}
            if new:
                title, path = self._named[each.target_id]
                parts.append({"title": title, "address": self._site + path, "events": self._lines(new)})
        return parts

    def _lines(self, events: Sequence[Event]) -> list[dict[str, str]]:
        return [{"said": event.said, "address": self._site + event.path} for event in events]


def _context(parts: Sequence[Mapping[str, Any]], site: str) -> dict[str, Any]:
    """What a mail says: the first of each, and that there is more."""
    shown = [{**part, "events": part["events"][:NAMED], "more": len(part["events"]) > NAMED} for part in parts[:NAMED]]
    return {"parts": shown, "more": len(parts) > NAMED, "address": f"{site}/mon-compte/suivis"}


TASKS: Final = (Task(TellFollowers.kind, dt.timedelta(hours=1)),)
