"""What the page that erases an account tells of it, and what both databases keep of a former row."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from consult.contributions.models import Argument, Proposal, Vote
from consult.db import Database
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


def give_up_log(database: Database) -> None:
    """Have SQLite give up what its write-ahead log still holds of former rows; PostgreSQL recycles its own.

    Readers under way may keep a part of it: what is left goes with the next call, or when the last process leaves.
    """
    if database.is_sqlite:
        with contextlib.closing(database.engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
