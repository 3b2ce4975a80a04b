"""Writing the journal of staff acts."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from consult.actor import STAFF_ROLES, Actor
from consult.audit.models import AuditEntry


def record(
    session: Session,
    *,
    actor: Actor,
    organisation_id: uuid.UUID | None,
    action: str,
    target_type: str,
    target_id: object,
    now: dt.datetime,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Journal one act of staff, in the transaction of the act: both are kept, or neither.

    `action` is a dotted verb (« consultation.open »); `detail` is JSON-able and holds no participant's data.
    """
    held = actor.roles.union(*actor.by_consultation.values()) & STAFF_ROLES
    entry = AuditEntry(
        at=now,
        organisation_id=organisation_id,
        account_id=actor.account_id,
        pseudonym=actor.pseudonym,
        roles=sorted(held),
        action=action,
        target_type=target_type,
        target_id=str(target_id),
        reason=reason,
        detail=dict(detail or {}),
    )
    session.add(entry)
    session.flush()
    return entry
