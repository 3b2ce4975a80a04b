"""Setting the texts of an account aside: kept, but neither shown, analysed nor exported; and showing them again.

They are hidden as moderation hides, under a ground of their own, by the same code: pages, API, dumps, search, counts
and the corpora of analyses, which read what is public, leave them out, and the log says that each left and came back.
An analysis can be made again by anybody from what is public: a text is in both or in neither. Votes and published
totals, which show no word of the person, stay.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from consult.accounts.models import Account
from consult.consultations.labels import SET_ASIDE
from consult.consultations.models import ContentStatus
from consult.contributions.models import Argument, Proposal
from consult.protocols import ContentType
from consult.questionnaires.models import Reply
from consult.registry import service as registry
from consult.registry.models import EntryKind

_OWNERS: Final[Mapping[str, tuple[Any, InstrumentedAttribute[Any]]]] = {
    "proposal": (Proposal, Proposal.author_id),
    "argument": (Argument, Argument.author_id),
    "reply": (Reply, Reply.account_id),
}


def set_aside(
    session: Session, content_types: Mapping[str, ContentType], account: Account, ground: str, now: dt.datetime
) -> int:
    """Withhold what the account published; returns how many contents. Those set aside already stay so.

    `set_aside_at` is that of the last measure: all that was written before it is concerned, whoever hid it.
    """
    account.set_aside_at = now
    published = _owned(session, account, ContentStatus.PUBLISHED)
    for name, row in published:
        refs = content_types[name].hide(session, row.id, ground)
        for ref in refs:
            registry.withhold(session, ref)
        _log(
            session,
            account,
            EntryKind.MODERATION,
            registry.told_of_content("hide", name, row.id, ground, refs),
            row,
            now,
        )
    return len(published)


def show_again(session: Session, content_types: Mapping[str, ContentType], account: Account, now: dt.datetime) -> int:
    """Publish again what was set aside, not what a moderator hid; returns how many contents."""
    account.set_aside_at = None
    aside = [each for each in _owned(session, account, ContentStatus.HIDDEN) if each[1].status_reason in SET_ASIDE]
    for name, row in aside:
        refs = content_types[name].restore(session, row.id)
        for ref in refs:
            registry.disclose(session, ref)
        _log(
            session,
            account,
            EntryKind.MODERATION_REVERSED,
            registry.told_of_content("restore", name, row.id, None, refs),
            row,
            now,
        )
    return len(aside)


def _owned(session: Session, account: Account, status: ContentStatus) -> list[tuple[str, Any]]:
    """The type of each content of the account in that state, and its row: id, consultation_id, status_reason."""
    found: list[tuple[str, Any]] = []
    for name, (model, owner) in _OWNERS.items():
        mine = select(model.id, model.consultation_id, model.status_reason).where(owner == account.id)
        rows = session.execute(mine.where(model.status == status).order_by(model.id)).all()
        found += [(name, row) for row in rows]
    return found


def _log(
    session: Session, account: Account, kind: EntryKind, told: Mapping[str, Any], row: Any, now: dt.datetime
) -> None:
    registry.append(
        session,
        organisation_id=account.organisation_id,
        consultation_id=row.consultation_id,
        kind=kind,
        content=told,
        now=now,
    )
