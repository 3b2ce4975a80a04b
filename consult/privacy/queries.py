"""What the page that erases an account tells of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from consult.contributions.models import Argument, Proposal, Vote
from consult.questionnaires.models import Reply


def counts(session: Session, account_id: uuid.UUID) -> Mapping[str, int]:
    """How many proposals, arguments, votes and replies the account has, in one query."""
    owners: dict[str, InstrumentedAttribute[Any]] = {
        "proposals": Proposal.author_id,
        "arguments": Argument.author_id,
        "votes": Vote.account_id,
        "replies": Reply.account_id,
    }
    asked = [
        select(func.count()).where(owner == account_id).scalar_subquery().label(name) for name, owner in owners.items()
    ]
    return dict(session.execute(select(*asked)).mappings().one())
