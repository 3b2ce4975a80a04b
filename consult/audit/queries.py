"""Reading the journal of staff acts."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.audit.models import AuditEntry


@dataclass(frozen=True, slots=True)
class JournalPage:
    """Entries, newest first; `before` continues with the older ones, None at the end."""

    entries: list[AuditEntry]
    before: int | None


def journal(
    session: Session,
    *,
    organisation_id: uuid.UUID | None,
    before: int | None = None,
    limit: int = 50,
    action: str = "",
    account_id: uuid.UUID | None = None,
    target_id: str = "",
) -> JournalPage:
    """One page of an organisation's journal (None: of the platform's own acts).

    `action` is an exact verb, or a family when it ends with a dot (« consultation. »). Pages are stable: an act that
    comes in between does not shift them.
    """
    query = select(AuditEntry).where(AuditEntry.organisation_id == organisation_id).order_by(AuditEntry.id.desc())
    if before is not None:
        query = query.where(AuditEntry.id < before)
    if action.endswith("."):
        query = query.where(AuditEntry.action.startswith(action, autoescape=True))
    elif action:
        query = query.where(AuditEntry.action == action)
    if account_id is not None:
        query = query.where(AuditEntry.account_id == account_id)
    if target_id:
        query = query.where(AuditEntry.target_id == target_id)
    entries = list(session.scalars(query.limit(limit + 1)))
    more = len(entries) > limit
    return JournalPage(entries[:limit], entries[limit - 1].id if more else None)
