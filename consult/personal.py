"""What the declarations of personal data share: rows as plain values, and tables whose rows name one account.

A column that nobody may see (`info=NEVER`) leaves in no export, unless the declaration says that its own person may.
"""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import Collection, Iterator
from typing import Any, ClassVar, cast

from sqlalchemy import delete, inspect, select
from sqlalchemy.orm import Session

from consult.db import NEVER, Base
from consult.protocols import Row


def plain_row(row: Base, *, also: Collection[str] = ()) -> dict[str, Any]:
    """The columns of a row as JSON-able values: those that somebody may see, and those that `also` names."""
    mapper = inspect(type(row))
    shown = [key for key, column in mapper.columns.items() if column.info != NEVER or key in also]
    return {key: plain(getattr(row, key)) for key in shown}


def plain(value: Any) -> Any:
    """A value of a column as JSON writes it: instants in UTC, enumerations by value."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    return value.value if isinstance(value, enum.Enum) else value


class KeptRows:
    """Rows that name the account in the column `owner`: exported, and kept when the account is erased.

    What they keep is the id of an account that says nothing any more: they are acts of staff, or a register.
    """

    table: ClassVar[str]
    model: ClassVar[type[Base]]
    owner: ClassVar[str] = "account_id"
    also: ClassVar[frozenset[str]] = frozenset()  # columns that nobody else may see

    def export(self, session: Session, account_id: uuid.UUID) -> Iterator[Row]:
        """Every row, in the order of its key."""
        for row in self.rows(session, account_id):
            yield plain_row(row, also=self.also)

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Change nothing."""
        del session, account_id, now
        return 0

    def rows(self, session: Session, account_id: uuid.UUID) -> list[Any]:
        """The rows of the account."""
        named = select(self.model).where(getattr(self.model, self.owner) == account_id)
        return list(session.scalars(named.order_by(*inspect(self.model).primary_key)))


class DeletedRows(KeptRows):
    """Rows that go with the account."""

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Delete them."""
        del now
        owner = getattr(self.model, self.owner)
        gone = delete(self.model).where(owner == account_id).returning(*inspect(self.model).primary_key)
        return len(session.execute(cast("Any", gone)).all())
