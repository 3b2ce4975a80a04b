"""The security keys of an account."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.accounts.models import SecurityKey
from consult.accounts.security_keys.policy import RelyingParty
from consult.db import ALL_TENANTS, as_tenant


def keys_of(session: Session, account_id: uuid.UUID) -> Sequence[SecurityKey]:
    """Every key, the first enrolled first."""
    with as_tenant(session, ALL_TENANTS):  # platform staff visit other organisations
        return session.scalars(
            select(SecurityKey)
            .where(SecurityKey.account_id == account_id)
            .order_by(SecurityKey.added_at, SecurityKey.id)
        ).all()


def usable_on(session: Session, account_id: uuid.UUID, party: RelyingParty | None) -> list[bytes]:
    """The credentials of the keys that answer to that site."""
    host = party.host if party else None
    return [key.credential_id for key in keys_of(session, account_id) if key.relying_party == host]
