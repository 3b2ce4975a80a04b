"""Adding to the sums what a process of the web counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consult.audience import policy
from consult.audience.models import AudienceCount, Measure
from consult.audience.visits import Counted, Keep
from consult.db import ALL_TENANTS, Database
from consult.organisations.models import Organisation

MOST_SOURCES: Final = 300  # of one organisation in a day: beyond, they count among the others
_T: Final = cast("Table", AudienceCount.__table__)


def keeper(database: Database) -> Keep:
    """What a process of the web gives its counts to."""

    def keep(counted: Mapping[Counted, int]) -> None:
        with database.transaction(tenant=ALL_TENANTS) as session:
            add(session, counted)

    return keep


def add(session: Session, counted: Mapping[Counted, int]) -> None:
    """Add these counts to the sums; those of an organisation that is there no more are passed over.

    Whoever sends made-up sources fills no table: only so many are kept a day.
    """
    owners = {each.organisation_id for each in counted}
    known = set(session.scalars(select(Organisation.id).where(Organisation.id.in_(owners))))
    sums: dict[Counted, int] = {}
    room = _Room(session)
    for each, count in sorted(counted.items()):
        if each.organisation_id in known:
            spare = each.measure is not Measure.SOURCE or room.takes(each)
            kept = each if spare else each._replace(value=policy.OTHERS)
            sums[kept] = sums.get(kept, 0) + count
    if sums:
        rows = [{**each._asdict(), "count": count} for each, count in sorted(sums.items())]
        session.connection().execute(_statement(session.get_bind().dialect.name), rows)


class _Room:
    """Whether one more source of a day may be kept."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._sources: dict[tuple[Any, int], set[str]] = {}

    def takes(self, each: Counted) -> bool:
        """Those already kept stay; a new one takes a place."""
        key = each.organisation_id, each.hour
        if key not in self._sources:
            there = select(_T.c.value).where(
                _T.c.organisation_id == key[0], _T.c.measure == Measure.SOURCE, _T.c.hour == key[1]
            )
            self._sources[key] = {*self._session.connection().scalars(there), policy.DIRECT, policy.OTHERS}
        sources = self._sources[key]
        if len(sources) < MOST_SOURCES:
            sources.add(each.value)
        return each.value in sources


def _statement(dialect: str) -> Any:
    kind: Any = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = kind(_T)
    return statement.on_conflict_do_update(
        index_elements=[column.name for column in _T.primary_key],
        set_={"count": _T.c.count + statement.excluded.count},
    )
