"""Adding to the displays what a process of the web counted."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Final, cast

from sqlalchemy import Table, bindparam, case, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consult.consultations.models import Step
from consult.contributions.exposure.models import Exposure
from consult.db import ALL_TENANTS, Database
from consult.displays import Keep, Shown

_E: Final = cast("Table", Exposure.__table__)


def keeper(database: Database) -> Keep:
    """What a process of the web gives its counts to."""

    def keep(counted: Mapping[Shown, int]) -> None:
        with database.transaction(tenant=ALL_TENANTS) as session:
            add(session, counted)

    return keep


def add(session: Session, counted: Mapping[Shown, int]) -> None:
    """Add these displays to those of the same texts; what is told of a step that is there no more is passed over.

    Processes tell in any order: an hour that is over adds to the past.
    """
    if counted:
        rows = [
            {
                "of_item": shown.item_id,
                "of_step": shown.step_id,
                "was_drawn": shown.drawn,
                "count": count,
                "at_hour": shown.hour,
            }
            for shown, count in counted.items()
        ]
        session.connection().execute(_statement(session.get_bind().dialect.name), rows)


@functools.cache
def _statement(dialect: str) -> Any:
    kind: Any = sqlite.insert if dialect == "sqlite" else postgresql.insert
    step = Step.__table__.c
    row = {
        "organisation_id": step.organisation_id,
        "item_id": bindparam("of_item", type_=_E.c.item_id.type),
        "drawn": bindparam("was_drawn", type_=_E.c.drawn.type),
        "step_id": step.id,
        "past": literal(0),
        "latest": bindparam("count", type_=_E.c.latest.type),
        "hour": bindparam("at_hour", type_=_E.c.hour.type),
    }
    of_step = step.id == bindparam("of_step", type_=step.id.type)
    statement = kind(_E).from_select(list(row), select(*row.values()).where(of_step))
    old, new = _E.c, statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["item_id", "drawn"],
        set_={
            "past": old.past + case((new.hour > old.hour, old.latest), (new.hour < old.hour, new.latest), else_=0),
            "latest": case(
                (new.hour > old.hour, new.latest), (new.hour < old.hour, old.latest), else_=old.latest + new.latest
            ),
            "hour": case((new.hour > old.hour, new.hour), else_=old.hour),
        },
    )
